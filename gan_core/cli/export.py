"""`export`: a generator without PyTorch."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro

from gan_core.cli.flags import parse
from gan_core.errors import UsageError


@dataclasses.dataclass(frozen=True)
class Export:
    """Write a model's generator as ONNX; it is checked to draw the same pictures there."""

    model: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="MODEL")]
    """A model folder, a run's folder, or owner/name on the Hub."""
    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FILE.onnx")]
    """Where to."""
    generator: str | None = None
    """Which, of a model with several, such as G_ba of a cyclegan; by default the first."""
    revision: str | None = None
    """Branch, tag or commit on the Hub."""


def export(words: list[str]) -> None:
    """Write a generator as ONNX: MODEL FILE.onnx"""
    asked = parse(Export, words, "export")
    if asked.out.suffix.lower() != ".onnx":
        raise UsageError(f"FILE is {asked.out}; it takes the name of an .onnx file.")
    if not asked.out.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {asked.out.absolute().parent} for {asked.out.name}.")
    from gan_core.export import export as write
    from gan_core.library import load

    inputs = write(load(asked.model, asked.revision), asked.out, asked.generator)
    shapes = ", ".join(f"{name} {shape}" for name, shape in inputs.items())
    print(f"{asked.out}, {asked.out.stat().st_size / 1e6:.1f} MB, takes {shapes}".replace("'", ""))
