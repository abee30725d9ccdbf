"""`list`: the recipes."""

from __future__ import annotations

import dataclasses
import re

from gan_core.cli.flags import parse


@dataclasses.dataclass(frozen=True)
class Listed:
    """Which recipes there are, and what sets them apart."""

    markdown: bool = False
    """As the tables of the README."""


def list_command(words: list[str]) -> None:
    """List the recipes: what they are, their papers, what sets them apart, their size."""
    from gan_core.catalogue import described
    from gan_core.traits import differences, translators

    show = show_markdown if parse(Listed, words, "list").markdown else show_text
    for place, table in enumerate((described(), differences(), translators())):
        if place:
            print()
        show(table)


def show_markdown(table: list[list[str]]) -> None:
    """A table in Markdown, its papers as links; the first row is its head."""
    head, *rows = table
    for row in (head, ["---"] * len(head), *rows):
        print(re.sub(r"arXiv:([\d.]+)", r"[arXiv:\1](https://arxiv.org/abs/\1)", f"| {' | '.join(row)} |"))


def show_text(table: list[list[str]]) -> None:
    """A table for a terminal, its columns below each other."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
