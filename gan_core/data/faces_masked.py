"""Cartoon faces behind surgical masks, and other faces without: what a network that takes masks off learns from."""

import dataclasses

import numpy as np
import torch

from gan_core.data.cache import cached_arrays
from gan_core.data.channels import with_channels
from gan_core.data.faces import DEFAULT_SIZE, SEEDS, choose, drawing, faces, few_faces
from gan_core.data.images import ImageData, Split
from gan_core.data.vector import rasterise_all

MASKED = {"train": range(500_000, 504_000), "test": SEEDS["test"]}
VERSION = 1  # of what is kept in the cache: one more for every change of the mask or of the faces
CLOTHS = {  # and the colour of seams and pleats
    "#BFE3F2": "#7FB3C8", "#FFFFFF": "#B8C2CC", "#2E3440": "#11151C", "#A8D8B9": "#6FA985", "#F7C6D0": "#C98A98",
    "#3B6FB6": "#274B7D",
}  # fmt: skip
NOSE, CHIN, LEFT, RIGHT = 123.0, 186.0, 83.0, 181.0  # of the package's faces, in the units of its drawing


def faces_masked(split: Split = "train", image_size: int | None = None, channels: int | None = None) -> ImageData:
    """Faces, and as inputs masked ones: other people in training, the same ones in the test split.

    Args:
        split: "train", unpaired, or "test", paired.
        image_size: 64 if None; drawn at that size, nothing is resampled.
        channels: 3 if None.
    """
    bare = faces(split, image_size, channels)
    seeds, size = MASKED[split], image_size or DEFAULT_SIZE

    def make() -> dict[str, np.ndarray]:
        drawings = (drawing(choose(seed), mask(seed)) for seed in seeds)
        return {"images": rasterise_all(drawings, len(seeds), size, f"drawing {split} faces with masks")}

    masked = cached_arrays(f"faces-masked-{VERSION}-{seeds.start}-{seeds.stop}-{size}", make)["images"]
    inputs = with_channels(torch.from_numpy(masked), channels)
    return ImageData("faces_masked", bare.images, inputs=inputs, paired=split == "test")


def few_masked(count: int) -> ImageData:
    """Some of the faces with and without a mask, drawn in no time."""
    bare = few_faces(count)
    drawings = (drawing(choose(seed), mask(seed)) for seed in range(count))
    inputs = torch.from_numpy(rasterise_all(drawings, count, DEFAULT_SIZE, "drawing"))
    return dataclasses.replace(bare, name="faces_masked", inputs=inputs)


def mask(seed: int) -> str:
    """The mask that the face of a seed wears, as SVG: a cloth from nose to chin with pleats, and loops to the ears."""
    stream = np.random.RandomState(seed)
    colour = list(CLOTHS)[stream.randint(len(CLOTHS))]
    top, bottom = NOSE + stream.uniform(-4, 4), CHIN + stream.uniform(-2, 3)
    left, right = LEFT + stream.uniform(-2, 3), RIGHT - stream.uniform(-2, 3)
    middle, corner, cheek = (LEFT + RIGHT) / 2, top + 13, bottom - 26
    cloth = (
        f"M{left},{corner} Q{middle - 28},{top} {middle},{top} Q{middle + 28},{top} {right},{corner} "
        f"L{right},{cheek} Q{right - 14},{bottom} {middle},{bottom} Q{left + 14},{bottom} {left},{cheek} Z"
    )
    loops = " ".join(
        f"M{x},{y} L{ear},{y + slope}"
        for x, ear in ((left, 74), (right, 190))
        for y, slope in ((corner + 2, -9), (cheek - 2, -13))
    )
    pleats = " ".join(f"M{left + 3},{y} Q{middle},{y + 7} {right - 3},{y}" for y in (top + 21, top + 33, top + 45))
    return (
        f'<g fill="none" stroke="{CLOTHS[colour]}" stroke-width="2"><path d="{loops}"/>'
        f'<path d="{cloth}" fill="{colour}"/><path d="{pleats}" stroke-width="1.3" opacity=".75"/></g>'
    )
