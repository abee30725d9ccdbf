"""Flags of the command line, generated from the dataclasses that they fill."""

from __future__ import annotations

from typing import TypeVar

import tyro

T = TypeVar("T")


def parse(into: type[T], words: list[str], command: str) -> T:
    """Parses flags into a dataclass; - and _ both work, a wrong flag names the nearest."""
    return tyro.cli(into, args=words, prog=f"python -m gan_core {command}", config=(tyro.conf.OmitArgPrefixes,))
