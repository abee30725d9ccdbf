"""A chart of falling curves on a logarithmic scale, each named at its end."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from benchmarks.scatter import FAINT, GENERATED, GROUND, INK, MISSED, PAPER, SUPERSAMPLING

WIDTH, HEIGHT = 960, 560  # pixels of the ground that curves are drawn on
LEFT, TOP, RIGHT, BOTTOM = 80, 24, 130, 84
LINE, DOT, DASH = 3, 5, 7
COLOURS = (FAINT, GENERATED, MISSED, "#0d9488", "#d97706", "#7c3aed")
STEPS = (1, 2, 5)  # of the y axis, times powers of ten

Curve = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Scale:
    """Where values lie on the ground: x from 0 to `end`, y from `low` to `high`."""

    end: float
    low: float
    high: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixels from the left and from the top."""
        return WIDTH * x / self.end, HEIGHT * math.log(self.high / y) / math.log(self.high / self.low)

    def across(self) -> list[float]:
        """Round values of x, ten at most."""
        power = 10 ** math.floor(math.log10(self.end))
        step = next(step for step in (power / 10, power / 5, power / 2, power) if self.end / step <= 10)
        return [step * k for k in range(math.floor(self.end / step + 1e-9) + 1)]

    def up(self) -> list[float]:
        """Round values of y."""
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        return [y for power in powers for y in (step * 10.0**power for step in STEPS) if self.low <= y <= self.high]


def draw(curves: Mapping[str, Curve], levels: Mapping[str, float], across: str, up: str) -> Image.Image:
    """A chart from x = 0 on, with a logarithmic y axis.

    Args:
        curves: Points (x, y), x ascending and y above 0, by what they show; at most six.
        levels: Values of y to mark by a dashed line, by what they are.
        across: What x is.
        up: What y is.
    """
    points = [point for curve in curves.values() for point in curve]
    values = [y for _, y in points] + list(levels.values())
    scale = Scale(1.01 * max(x for x, _ in points), min(values) / 1.25, max(values) * 1.25)
    chart = Image.new("RGB", (LEFT + WIDTH + RIGHT, TOP + HEIGHT + BOTTOM), PAPER)
    chart.paste(ground(curves, levels, scale), (LEFT, TOP))
    pen, font = ImageDraw.Draw(chart), ImageFont.load_default(17)

    def write(x: float, y: float, text: str, colour: str, anchor: str) -> None:
        pen.text((LEFT + x, TOP + y), text, colour, font, anchor)

    for y in scale.up():
        write(-12, scale.at(0, y)[1], f"{y:g}", FAINT, "rm")
    for x in scale.across():
        write(scale.at(x, scale.low)[0], HEIGHT + 20, f"{x:g}", FAINT, "mm")
    write(WIDTH / 2, HEIGHT + 56, across, INK, "mm")
    write(WIDTH - 16, 24, up, INK, "rm")
    for text, y in levels.items():
        write(14, scale.at(0, y)[1] - 14, text, FAINT, "lm")
    ends = sorted((scale.at(*curve[-1])[1], name, colour) for (name, curve), colour in coloured(curves))
    free = -math.inf
    for height, name, colour in ends:
        free = max(height, free)  # names of curves that end together stand below each other
        write(WIDTH + 14, free, name, colour, "lm")
        free += 22
    return chart


def ground(curves: Mapping[str, Curve], levels: Mapping[str, float], scale: Scale) -> Image.Image:
    """Grid, levels and curves, smooth: drawn larger and shrunk."""
    large = Image.new("RGB", (WIDTH * SUPERSAMPLING, HEIGHT * SUPERSAMPLING), GROUND)
    pen = ImageDraw.Draw(large)

    def pixels(x: float, y: float) -> tuple[float, float]:
        right, down = scale.at(x, y)
        return right * SUPERSAMPLING, down * SUPERSAMPLING

    for y in scale.up():
        pen.line([pixels(0, y), pixels(scale.end, y)], PAPER, 2 * SUPERSAMPLING)
    for y in levels.values():
        for k in range(0, WIDTH // DASH, 2):
            start, end = (pixels(dash * DASH * scale.end / WIDTH, y) for dash in (k, k + 1))
            pen.line([start, end], FAINT, SUPERSAMPLING)
    for (_, curve), colour in coloured(curves):
        path = [pixels(x, y) for x, y in curve]
        pen.line(path, colour, LINE * SUPERSAMPLING, joint="curve")
        for x, y in path:
            pen.circle((x, y), DOT * SUPERSAMPLING, fill=colour)
    return large.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def coloured(curves: Mapping[str, Curve]) -> list[tuple[tuple[str, Curve], str]]:
    """Each curve with its name and a colour."""
    return list(zip(curves.items(), COLOURS, strict=False))
