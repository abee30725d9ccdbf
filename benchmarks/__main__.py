"""`python -m benchmarks NAME`: one measurement, as a table for people or as JSON."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from benchmarks.report import Report
from gan_core.errors import UsageError


@dataclass(frozen=True)
class Benchmark:
    """One measurement on this machine; its module is imported when it is asked for."""

    json: Path | None = None
    """Write the report to this file instead of printing a table."""

    def measure(self) -> Report:
        """Runs it."""
        raise NotImplementedError


@dataclass(frozen=True)
class Train(Benchmark):
    """Our training loop against a textbook loop; the speed and memory of every recipe."""

    only: tuple[str, ...] = ()
    """Recipes to list; all if none is given."""

    def measure(self) -> Report:
        from benchmarks import train

        return train.measure(only=self.only)


@dataclass(frozen=True)
class Sample(Benchmark):
    """Sampling a model against its bare generator."""

    def measure(self) -> Report:
        from benchmarks import sample

        return sample.measure()


@dataclass(frozen=True)
class Translate(Benchmark):
    """Translating a picture: how long it takes, by its size and the network's width."""

    def measure(self) -> Report:
        from benchmarks import translate

        return translate.measure()


@dataclass(frozen=True)
class App(Benchmark):
    """The running server: its cold start and its latencies."""

    def measure(self) -> Report:
        from benchmarks import app

        return app.measure()


@dataclass(frozen=True)
class Coverage(Benchmark):
    """The modes that each objective finds: of a ring, a grid, and a thousand stacked digits."""

    plot: Path | None = None
    """Write a picture of the points to this file."""
    only: tuple[str, ...] = ()
    """Names of the objectives to train; all if none is given."""
    on: tuple[Literal["ring", "grid", "stacked_digits"], ...] = ("ring", "grid", "stacked_digits")
    """What to train them on; on stacked digits only dcgan, packed or not, r3gan and wgan_gp are trained."""
    minutes: float = 20.0
    """Of training on stacked digits, for each recipe."""
    merge: tuple[Path, ...] = ()
    """Train nothing, but make one report of these, which --json has written of parts."""

    def measure(self) -> Report:
        from benchmarks import coverage

        if self.merge:
            return coverage.merged(self.merge)
        return coverage.measure(self.only, self.on, self.plot, self.minutes)


@dataclass(frozen=True)
class Quality(Benchmark):
    """How fast pictures become good: FD over minutes of the textbook loop, our dcgan and the best recipe."""

    minutes: float = 10.0
    """Of training, for each."""
    best: tuple[str, ...] = ("cgan",)
    """Recipes to train beside dcgan."""
    plot: Path | None = None
    """Write a picture of the curves to this file."""

    def measure(self) -> Report:
        from benchmarks import quality

        return quality.measure(self.minutes, self.best, self.plot)


def main(arguments: list[str]) -> None:
    """Runs the benchmark that the arguments name, and reports it."""
    known = Train | Sample | Translate | App | Coverage | Quality
    benchmark = tyro.cli(known, args=arguments, prog="python -m benchmarks")  # type: ignore[arg-type]
    try:
        report = benchmark.measure()
    except UsageError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    if benchmark.json is None:
        report.show()
    else:
        benchmark.json.parent.mkdir(parents=True, exist_ok=True)
        report.write(benchmark.json)


if __name__ == "__main__":
    main(sys.argv[1:])
