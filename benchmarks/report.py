"""What a benchmark found, for people and for programs."""

import datetime
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil
import torch
from rich.console import Console
from rich.table import Table

from gan_core.errors import UsageError


def machine() -> str:
    """The processor, its size and what runs on it, in one line."""
    return (
        f"{_processor()}, {psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GB; "
        f"{platform.system()}, Python {platform.python_version()}, torch {torch.__version__}"
    )


def _processor() -> str:
    try:  # platform.processor() is empty or "x86_64" on Linux
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


@dataclass(frozen=True)
class Report:
    """One benchmark's result.

    Attributes:
        benchmark: Its name on the command line.
        figures: The numbers it is about, by stable names; None is one that there is not.
        rows: What they were computed from; all rows have the same keys.
        note: What a reader must know to trust them.
        machine: Where it ran.
        date: When, in ISO format.
    """

    benchmark: str
    figures: Mapping[str, float | None]
    rows: list[dict[str, Any]]
    note: str
    machine: str = field(default_factory=machine)
    date: str = field(default_factory=lambda: datetime.datetime.now().isoformat(timespec="seconds"))

    def write(self, path: Path) -> None:
        """Saves the report as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, path: Path, benchmark: str) -> "Report":
        """A report that `write` has saved.

        Raises:
            UsageError: There is none, or it is of another benchmark.
        """
        try:
            report = cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError):
            raise UsageError(f"{path} is no report that --json has written.") from None
        if report.benchmark != benchmark:
            raise UsageError(f"{path} is a report of the benchmark {report.benchmark}, not of {benchmark}.")
        return report

    def show(self) -> None:
        """Prints the report as a table."""
        table = Table(title=self.benchmark, caption=f"{self.machine}; {self.date}", caption_justify="left")
        for name in self.rows[0]:
            table.add_column(name, justify="left" if isinstance(self.rows[0][name], str) else "right")
        for row in self.rows:
            table.add_row(*(_text(value) for value in row.values()))
        console = Console()
        console.print(table)
        console.print(self.note)
        for name, value in self.figures.items():
            console.print(f"{name:24}{_text(value)}", highlight=False)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
