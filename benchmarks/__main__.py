"""`python -m benchmarks NAME`: one measurement, as a table for people or as JSON."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro


@dataclass(frozen=True)
class Command:
    """Measure one thing on this machine."""

    name: tyro.conf.Positional[Literal["train", "sample", "app"]]
    """train: against a textbook loop; sample: against the bare generator; app: the running server."""
    json: Path | None = None
    """Write the report to this file instead of printing a table."""


def main(command: Command) -> None:
    """Runs the benchmark and reports it."""
    report = importlib.import_module(f"benchmarks.{command.name}").measure()
    if command.json is None:
        report.show()
    else:
        report.write(command.json)


if __name__ == "__main__":
    main(tyro.cli(Command, prog="python -m benchmarks"))
