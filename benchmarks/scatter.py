"""Small panels of points, some for each method: what there was to find, what was found, and what is missing."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

PANEL, MARGIN, GAP, CAPTION, TITLE = 210, 24, 14, 24, 34  # pixels
ABREAST = 3  # blocks in a row
SUPERSAMPLING = 3
VIEW = 1.05  # the panels show [-VIEW, VIEW] in both directions
PAPER, GROUND, INK, FAINT = "#ffffff", "#f5f6fa", "#23263a", "#8a8fa6"
REAL, GENERATED, MISSED = "#c3c8d8", "#4f46e5", "#f43f5e"
DOT, RING = 0.011, 0.075  # radii, in units of the points


@dataclass(frozen=True)
class Panel:
    """One picture of the sheet.

    Attributes:
        real: Points there are, [N, 2].
        found: Points that were generated, [N, 2], drawn over them.
        missed: Centres to ring, [K, 2].
        caption: Below it.
    """

    real: Tensor
    found: Tensor
    missed: Tensor
    caption: str


def draw(blocks: Mapping[str, Sequence[Panel]], title: str) -> Image.Image:
    """A sheet of blocks under a title: each a name and, below it, its panels side by side."""
    width = max(len(panels) for panels in blocks.values()) * (PANEL + GAP)
    height = TITLE + PANEL + CAPTION
    rows = math.ceil(len(blocks) / ABREAST)
    sheet = Image.new(
        "RGB",
        (2 * MARGIN + min(len(blocks), ABREAST) * (width + GAP) - 2 * GAP, 2 * MARGIN + TITLE + rows * height),
        PAPER,
    )
    pen = ImageDraw.Draw(sheet)
    pen.text((MARGIN, MARGIN), title, FAINT, ImageFont.load_default(14), anchor="lm")
    for block, (name, panels) in enumerate(blocks.items()):
        top = MARGIN + TITLE + block // ABREAST * height
        start = MARGIN + block % ABREAST * (width + GAP)
        pen.text((start, top), name, INK, ImageFont.load_default(19), anchor="lm")
        for column, panel in enumerate(panels):
            left = start + column * (PANEL + GAP)
            sheet.paste(picture(panel), (left, top + TITLE // 2))
            middle = (left + PANEL // 2, top + TITLE // 2 + PANEL + CAPTION // 2)
            pen.text(middle, panel.caption, FAINT, ImageFont.load_default(13), anchor="mm")
    return sheet


def picture(panel: Panel) -> Image.Image:
    """Its points, smooth: drawn larger and shrunk."""
    side = PANEL * SUPERSAMPLING
    large = Image.new("RGB", (side, side), GROUND)
    pen = ImageDraw.Draw(large)
    scale = side / (2 * VIEW)
    for points, colour in ((panel.real, REAL), (panel.found, GENERATED)):
        for x, y in on_screen(points, side).tolist():
            pen.circle((x, y), DOT * scale, fill=colour)
    for x, y in on_screen(panel.missed, side).tolist():
        pen.circle((x, y), RING * scale, outline=MISSED, width=2 * SUPERSAMPLING)
    return large.resize((PANEL, PANEL), Image.Resampling.LANCZOS)


def on_screen(points: Tensor, side: int) -> Tensor:
    """Points [N, 2] as pixels of a panel, y upwards."""
    return (points * points.new_tensor([1, -1]) / VIEW + 1) * side / 2
