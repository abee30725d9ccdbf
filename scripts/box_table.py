"""The tables of weights/README.md: what is in the box, how it was made, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gan_core.card import duration
from gan_core.figures import number, spread
from gan_core.readable import at
from gan_core.report import is_of_translations

MADE = ["model", "made by", "threads", "time", "images seen"]
DRAWING = [*MADE, "FD (floor)", "recall (floor)", "coverage (floor)"]
TRANSLATING = [*MADE, *(f"{score} (input, nearest)" for score in ("L1", "SSIM")), "FD (input, nearest, floor)"]


def tables(described: Mapping[str, dict[str, Any]]) -> str:
    """Of models that draw, and of those that translate.

    Args:
        described: The config.json of each model, by name.
    """
    found = []
    for heads, score, translate in ((DRAWING, scored, False), (TRANSLATING, beside, True)):
        rows = [
            [*made(name, config["training"]), *score(config["metrics"])]
            for name, config in described.items()
            if is_of_translations(config["metrics"]) == translate
        ]
        if rows:
            found.append("".join(f"| {' | '.join(line)} |\n" for line in (heads, ["---"] * len(heads), *rows)))
    return "\n".join(found)


def made(name: str, training: dict[str, Any]) -> list[str]:
    """The first cells of a model in weights/README.md: how it was made."""
    return [
        f"[{name}]({name}/README.md)",
        f"`{training['command']}`",
        str(training["threads"]),
        duration(training["seconds"]),
        f"{training['images_seen']:,}",
    ]


def scored(metrics: dict[str, Any]) -> list[str]:
    """The other cells of one that draws: its numbers, with what held-out pictures score."""
    shares = (f"{number(metrics[score])} ({number(metrics['floors'][score])})" for score in ("recall", "coverage"))
    return [distance(metrics), *shares]


def beside(metrics: dict[str, Any]) -> list[str]:
    """The other cells of one that translates: its numbers, with those of what could be had without it."""
    sources = metrics["sources"]

    def cell(path: str, others: tuple[str, ...]) -> str:
        compared = ", ".join(number(at(sources[name], path)) for name in others)
        return f"{number(at(sources['model'], path))} ({compared})"

    return [*(cell(f"truth.{score}", ("input", "nearest")) for score in ("l1", "ssim")), distance(metrics)]


def distance(metrics: dict[str, Any]) -> str:
    """FD with its spread and its floor; of a model that translates, with the input's and the nearest picture's too."""
    if is_of_translations(metrics):
        own, *others = (number(metrics["sources"][name]["fd"]) for name in ("model", "input", "nearest", "truth"))
        return f"{own} ({', '.join(others)})"
    fd = metrics["fd"]
    return f"{spread(fd['value'], fd['spread'])} ({number(fd['floor'])})"
