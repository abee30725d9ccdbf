"""`data`: which data sets there are, and what is in one."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from gan_core.cli.flags import parse
from gan_core.errors import UsageError

if TYPE_CHECKING:
    from gan_core.data.findings import Findings

MOST_CLASSES = 30  # that are listed one by one
MOST_NAMES = 5  # of files


@dataclasses.dataclass(frozen=True)
class Data:
    """List the data sets, or examine one."""

    where: Annotated[str | None, tyro.conf.Positional, tyro.conf.arg(metavar="NAME|FOLDER")] = None
    """A data set or a folder of pictures; without it, all data sets are listed."""
    image_size: int | None = None
    """Side that it would be trained at."""
    sheet: Path | None = None
    """A .png for a contact sheet."""
    json: Path | None = None
    """A file for everything that was found."""


def data(words: list[str]) -> None:
    """List the data sets, or examine one: [NAME|FOLDER] [--sheet FILE.png] [--json FILE]"""
    asked = parse(Data, words, "data")
    if asked.where is None:
        if asked.sheet or asked.json or asked.image_size:
            raise UsageError("--sheet, --json and --image_size need a data set's name or a folder.")
        print_table(known())
        return
    if asked.sheet and asked.sheet.suffix.lower() != ".png":
        raise UsageError(f"--sheet is {asked.sheet}; it takes a .png.")
    from gan_core.data.doctor import examine

    found = examine(asked.where, asked.image_size)
    if asked.sheet and found.kind == "points":
        raise UsageError(f"{found.name} holds points, of which there is no contact sheet.")
    tell(found)
    try:
        write(found, asked.sheet, asked.json)
    except OSError as error:
        raise UsageError(f"{error.filename or 'The file'} cannot be written ({error.strerror or error}).") from error


def write(found: Findings, sheet: Path | None, report: Path | None) -> None:
    """Writes the contact sheet and everything that was found, with the folders that they go to."""
    if sheet:
        from gan_core.pictures import grid

        sheet.parent.mkdir(parents=True, exist_ok=True)
        grid(found.examples).save(sheet)
        print(f"\n{len(found.examples)} of them: {sheet}")
    if report:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(json.dumps(found.as_dict(), indent=2), encoding="utf-8")


def known() -> list[list[str]]:
    """A row for every registered data set; nothing is loaded."""
    from gan_core.data import DATASETS

    rows = [["data set", "train", "test", "what it is", "licence"]]
    for name, entry in DATASETS.items():
        train, test = (f"{entry.counts[split]:,}" for split in ("train", "test"))
        rows.append([name, train, test, entry.help, entry.licence])
    return rows


def tell(found: Findings) -> None:
    """Prints the findings for a person."""
    train, test = found.counts["train"], found.counts["test"]
    kind = "pairs" if set(found.paired) == {"train", "test"} else found.kind
    print(f"{found.name}: {train + test:,} {kind}, {train:,} to train on and {test:,} to test on")
    facts = []
    if found.kind == "pictures":
        for what, spread in (("width", found.widths), ("height", found.heights)):
            middle = f", median {spread.median:,}" if spread.low < spread.high else ""
            facts.append([what, f"{between(spread.low, spread.high)}{middle}"])
        facts.append(["channels", f"{found.channels}, {'grey' if found.channels == 1 else 'colour'}"])
    if found.modes:
        facts.append(["modes", ", ".join(f"{mode} {count:,}" for mode, count in found.modes.items())])
    if found.attributes:
        facts.append(["known of each", ", ".join(f"{name} ({words})" for name, words in found.attributes.items())])
    if found.classes:
        totals = [sum(counts.values()) for counts in found.classes.values()]
        facts.append(["classes", f"{len(totals):,}, of {between(min(totals), max(totals))} pictures"])
    if facts:
        print()
        print_table(facts)
    if found.classes and len(found.classes) <= MOST_CLASSES:
        rows = [[name, f"{of['train']:,}", f"{of['test']:,}"] for name, of in found.classes.items()]
        print()
        print_table([["class", "train", "test"], *rows])
    for title, sentences in (("What becomes of them", found.notes), ("What is wrong", found.warnings)):
        if sentences:
            print(f"\n{title}")
            print("\n".join(f"  {sentence}" for sentence in sentences))
    for title, lines in (
        ("Unreadable", list(found.unreadable.values())),
        ("In both splits", [" = ".join(group) for group in found.leaks]),
        ("More than once", [" = ".join(group) for group in found.duplicates if group not in found.leaks]),
    ):
        if lines:
            print(f"\n{title}")
            print("\n".join(f"  {line}" for line in lines[:MOST_NAMES]))
            if len(lines) > MOST_NAMES:
                print(f"  and {len(lines) - MOST_NAMES:,} more; --json FILE has them all")


def between(low: int, high: int) -> str:
    """A range of whole numbers in words."""
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def print_table(rows: list[list[str]]) -> None:
    """Prints rows of words as columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
