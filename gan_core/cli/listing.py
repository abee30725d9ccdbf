"""`list`: the recipes."""

from __future__ import annotations

import dataclasses

from gan_core.cli.flags import parse


@dataclasses.dataclass(frozen=True)
class Listed:
    """Which recipes there are."""

    markdown: bool = False
    """As the table of the README."""


def list_command(words: list[str]) -> None:
    """List the recipes: paper, size, what they are."""
    from gan_core.catalogue import rows

    markdown = parse(Listed, words, "list").markdown
    table = [["recipe", "what it is", "paper", "parameters G / D"], *rows()]
    if markdown:
        table.insert(1, ["---"] * 4)
        print("\n".join(f"| {' | '.join(row)} |" for row in table))
        return
    widths = [max(len(row[k]) for row in table) for k in range(4)]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
