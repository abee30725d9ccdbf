"""Batik, the cloth that Java draws with wax and dyes, as line art and in colour: motifs drawn from their geometry."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from gan_core.data.cache import cached_arrays
from gan_core.data.channels import with_channels
from gan_core.data.images import ImageData, Split
from gan_core.data.vector import rasterise_all

DEFAULT_SIZE = 64
SEEDS = {"train": range(2_000), "test": range(1_000_000, 1_000_200)}
OTHERS = range(500_000, 502_000)  # cloths of the other palette: nothing is drawn in both for training
VERSION = 1  # of what is kept in the cache: one more for every change of the motifs
SIDE = 100.0  # of a cloth, in the units of its drawing

Part = Literal["ground", "motif", "filling"]
Points = np.ndarray  # [n, 2], x to the right and y down
Random = np.random.RandomState  # the generator whose numbers numpy promises never to change


@dataclass(frozen=True)
class Palette:
    """Colours of a cloth, as "#RRGGBB"."""

    ground: str
    motif: str
    filling: str
    line: str


PALETTES = {  # families of cloths by what their dyers are known for
    "sogan": Palette("#F3E3C3", "#8A5526", "#3A2113", "#1E120A"),  # Solo's browns, from bark
    "indigo": Palette("#EEF1F4", "#2B4C8C", "#8FB3D9", "#101B38"),  # the north coast's blues
}
LINE_ART = Palette("#FFFFFF", "#FFFFFF", "#FFFFFF", "#000000")


@dataclass(frozen=True)
class Shape:
    """A closed outline that is filled."""

    outline: Points
    part: Part


# ------------------------------------------------------------------------------------------------------------- shapes


def turned(points: Points, angle: float, x: float = 0.0, y: float = 0.0) -> Points:
    """Points turned around the origin by an angle in radians, then moved."""
    cos, sin = math.cos(angle), math.sin(angle)
    moved: Points = points @ np.array([[cos, sin], [-sin, cos]]) + (x, y)
    return moved


def petal(start: float, end: float, width: float, roundness: float) -> Points:
    """A leaf along the x axis with a half-width of width * sin^roundness: below 1 an oval, above it pointed."""
    t = np.linspace(0, 1, 16)
    half = width * np.sin(np.pi * t).clip(0) ** roundness
    upper = np.stack([start + (end - start) * t, half], axis=1)
    return np.concatenate([upper, (upper * (1, -1))[::-1]])


def dot(x: float, y: float, radius: float) -> Points:
    """A circle."""
    angles = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    return np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1)


def lattice(step: float, angle: float, x: float, y: float) -> Iterator[tuple[float, float]]:
    """Nodes of a square lattice through (x, y), turned by an angle, that reach into the cloth."""
    reach = math.ceil(1.5 * SIDE / step) + 1
    for column in range(-reach, reach + 1):
        for row in range(-reach, reach + 1):
            node = turned(np.array([column * step, row * step]), angle, x, y)
            if (-step < node).all() and (node < SIDE + step).all():
                yield float(node[0]), float(node[1])


# ------------------------------------------------------------------------------------------------------------- motifs


def kawung(random: Random) -> Iterator[Shape]:
    """Four ovals around every node, like palm fruits cut through, each with seeds or a smaller oval within."""
    step, angle = SIDE / random.uniform(1.6, 3.2), random.choice([0.0, math.pi / 4])
    gap, width, seeded, crossed = random.uniform(0.05, 0.09), random.uniform(0.17, 0.23), *random.rand(2).round()
    for x, y in lattice(step, angle, *random.uniform(0, step, 2)):
        for quarter in range(4):
            diagonal = angle + math.pi / 4 + quarter * math.pi / 2
            yield Shape(turned(step * petal(gap, 0.707 - gap, width, 0.62), diagonal, x, y), "motif")
            if seeded:
                for along in (0.26, 0.46):
                    yield Shape(turned(step * dot(along, 0, 0.045), diagonal, x, y), "filling")
            else:
                yield Shape(turned(step * petal(gap + 0.11, gap + 0.47, 0.4 * width, 0.7), diagonal, x, y), "filling")
            if crossed:
                yield Shape(turned(step * dot(0.37, 0, 0.035), diagonal - math.pi / 4, x, y), "filling")
        yield Shape(step * dot(0, 0, 0.05) + (x, y), "filling")


def parang(random: Random) -> Iterator[Shape]:
    """Rows of leaning S-shaped blades along a diagonal, parted by bands of rhombs."""
    row, angle = SIDE / random.uniform(1.6, 2.6), math.pi / 4 * random.choice([-1, 1])
    step, band, lean = row * random.uniform(0.5, 0.62), row * random.uniform(0.16, 0.22), random.uniform(0.5, 0.75)
    x, y = SIDE / 2 + random.uniform(0, row, 2)
    rows, columns = math.ceil(0.8 * SIDE / row) + 1, math.ceil(0.8 * SIDE / step) + 2
    t = np.linspace(0, 1, 30)
    spine = step * (lean * (t - 0.5) + 0.2 * np.sin(2 * np.pi * (t - 0.5)))
    half = step * 0.34 * np.sin(np.pi * t).clip(0) ** 0.6 * (1.15 - 0.55 * t)  # a fat head, a thin tail
    height = (row - band) * (t - 0.5)
    blade = np.concatenate([np.stack([spine - half, height], 1), np.stack([spine + half, height], 1)[::-1]])
    inner, thin = slice(5, -9), 0.35 * half
    vein = np.concatenate(
        [np.stack([spine - thin, height], 1)[inner], np.stack([spine + thin, height], 1)[inner][::-1]]
    )
    rhomb = np.array([[-1.3, 0.0], [0.0, -0.8], [1.3, 0.0], [0.0, 0.8]]) * band / 2
    length = 2 * SIDE
    for j in range(-rows, rows + 1):
        for k in range(-columns, columns + 1):
            yield Shape(turned(blade + (k * step, j * row), angle, x, y), "motif")
            yield Shape(turned(vein + (k * step, j * row), angle, x, y), "filling")
            eye = dot(k * step + spine[6] + 0.46 * step, j * row + height[6], 0.09 * step)
            yield Shape(turned(eye, angle, x, y), "filling")
        middle = (j + 0.5) * row
        edges = middle - band / 2, middle + band / 2
        strip = np.array([[-length, edges[0]], [length, edges[0]], [length, edges[1]], [-length, edges[1]]])
        yield Shape(turned(strip, angle, x, y), "ground")
        for k in range(-columns, columns + 1):
            yield Shape(turned(rhomb + ((k + 0.5) * step, middle), angle, x, y), "filling")


def ceplok(random: Random) -> Iterator[Shape]:
    """Rosettes in a square lattice, with a small cross of leaves in every gap."""
    step, angle = SIDE / random.uniform(1.5, 2.6), random.choice([0.0, math.pi / 4])
    petals, width = random.choice([6, 8]), random.uniform(0.085, 0.11)
    corner = random.uniform(0, step, 2)
    for x, y in lattice(step, angle, *corner):
        yield Shape(step * dot(0, 0, 0.44) + (x, y), "ground")
        for k in range(petals):
            turn = angle + 2 * math.pi * k / petals
            yield Shape(turned(step * petal(0.12, 0.4, width, 0.8), turn, x, y), "motif")
        yield Shape(step * dot(0, 0, 0.12) + (x, y), "filling")
        yield Shape(step * dot(0, 0, 0.05) + (x, y), "ground")
    middle = turned(np.array([step / 2, step / 2]), angle, *corner)
    for x, y in lattice(step, angle, *middle):
        for k in range(4):
            yield Shape(turned(step * petal(0.03, 0.24, 0.055, 0.9), angle + k * math.pi / 2, x, y), "filling")


def truntum(random: Random) -> Iterator[Shape]:
    """Flowers like stars, half of them shifted into the gaps of the others, with dots between."""
    step, angle = SIDE / random.uniform(2.2, 3.4), random.uniform(0, math.pi / 2)
    rays, width = random.choice([5, 8]), random.uniform(0.06, 0.08)
    corner = random.uniform(0, step, 2)
    for shift in (0.0, step / 2):
        for x, y in lattice(step, angle, *turned(np.array([shift, shift]), angle, *corner)):
            for k in range(rays):
                yield Shape(turned(step * petal(0.06, 0.3, width, 0.9), angle + 2 * math.pi * k / rays, x, y), "motif")
            yield Shape(step * dot(0, 0, 0.075) + (x, y), "filling")
    for x, y in lattice(step, angle, *turned(np.array([step / 2, 0.0]), angle, *corner)):
        yield Shape(step * dot(0, 0, 0.04) + (x, y), "filling")


def mega_mendung(random: Random) -> Iterator[Shape]:
    """Clouds within clouds: scalloped bands, each smaller than the last and of another colour."""
    step = SIDE / random.uniform(1.0, 1.7)
    angles = np.linspace(0, 2 * np.pi, 84, endpoint=False)
    layers: tuple[Part, ...] = ("motif", "ground", "filling", "motif")
    for x, y in lattice(step, math.pi / 4, *random.uniform(0, step, 2)):
        lobes, phase = random.choice([5, 6, 7]), random.uniform(0, 2 * np.pi)
        scallops = 0.72 + 0.28 * np.abs(np.sin(lobes * angles / 2 + phase))
        cloud = np.stack([1.25 * scallops * np.cos(angles), 0.8 * scallops * np.sin(angles)], axis=1)
        for size, part in zip((0.5, 0.39, 0.28, 0.16), layers, strict=True):
            yield Shape(step * size * cloud + (x, y), part)


MOTIFS: dict[str, Callable[[Random], Iterator[Shape]]] = {
    "kawung": kawung,
    "parang": parang,
    "ceplok": ceplok,
    "truntum": truntum,
    "mega mendung": mega_mendung,
}


def path_of(outline: Points) -> str:
    """ "x,y x,y ...": one format for all numbers is three times as fast as one for each."""
    return ("%.2f,%.2f " * len(outline)) % tuple(outline.ravel().tolist())


def drawing(seed: int, palette: Palette) -> str:
    """The cloth of a seed as SVG; its shapes do not depend on the palette."""
    random = np.random.RandomState(seed)
    motif = MOTIFS[list(MOTIFS)[seed % len(MOTIFS)]]
    width = random.uniform(1.3, 1.9)  # about a pixel at 64
    shapes = [
        f'<path d="M{path_of(shape.outline)}Z" fill="{getattr(palette, shape.part)}"/>'
        for shape in motif(random)
        if (shape.outline.max(0) > 0).all() and (shape.outline.min(0) < SIDE).all()
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE:g} {SIDE:g}">'
        f'<rect width="100%" height="100%" fill="{palette.ground}"/>'
        f'<g stroke="{palette.line}" stroke-width="{width:.2f}" stroke-linejoin="round">{"".join(shapes)}</g></svg>'
    )


def few_cloths(count: int, given: str | None = None) -> ImageData:
    """Some cloths in Solo's browns, drawn in no time; inputs are their line art, or the same in a given palette."""

    def draw(colours: Palette) -> torch.Tensor:
        drawings = (drawing(seed, colours) for seed in range(count))
        return torch.from_numpy(rasterise_all(drawings, count, DEFAULT_SIZE, "drawing"))

    return ImageData("batik", draw(PALETTES["sogan"]), inputs=draw(PALETTES[given] if given else LINE_ART))


def drawn(seeds: range, palette: str | None, size: int) -> torch.Tensor:
    """Cloths in a palette, or as line art, [N, 3, size, size] uint8; kept in the cache."""
    colours = LINE_ART if palette is None else PALETTES[palette]

    def make() -> dict[str, np.ndarray]:
        drawings = (drawing(seed, colours) for seed in seeds)
        return {"images": rasterise_all(drawings, len(seeds), size, f"drawing batik in {palette or 'lines'}")}

    key = f"batik-{VERSION}-{palette or 'lines'}-{seeds.start}-{seeds.stop}-{size}"
    return torch.from_numpy(cached_arrays(key, make)["images"])


def batik(split: Split = "train", image_size: int | None = None, channels: int | None = None) -> ImageData:
    """Cloths in Solo's browns, each with its line art in grey as input.

    Args:
        split: "train" or "test", of other seeds.
        image_size: 64 if None; drawn at that size, nothing is resampled.
        channels: 3 if None.
    """
    seeds, size = SEEDS[split], image_size or DEFAULT_SIZE
    cloths, lines = drawn(seeds, "sogan", size), drawn(seeds, None, size)
    return ImageData("batik", with_channels(cloths, channels), inputs=with_channels(lines, 1))


def batik_palettes(split: Split = "train", image_size: int | None = None, channels: int | None = None) -> ImageData:
    """Cloths in Solo's browns; inputs are cloths in the north coast's blues, in training other ones.

    Args:
        split: "train", unpaired, or "test", paired: each cloth in both palettes.
        image_size: 64 if None.
        channels: 3 if None.
    """
    seeds, size = SEEDS[split], image_size or DEFAULT_SIZE
    inputs = drawn(OTHERS if split == "train" else seeds, "indigo", size)
    cloths = with_channels(drawn(seeds, "sogan", size), channels)
    return ImageData("batik_palettes", cloths, inputs=inputs, paired=split == "test")
