"""Which modes each objective finds: of a ring and a grid of Gaussians, and of 1,000 stacked digits.

On points, every objective (`objectives.py`) trains the same pair of small networks, so that only losses, phases,
optimizers and options differ: `dcgan` is there the objective of `gan` with twice the rate and a faster average,
`biggan` the hinge loss. What is judged is the averaged generator, as everywhere. Stacked digits train whole recipes.
"""

import dataclasses
import itertools
import multiprocessing
import os
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from benchmarks import modes
from benchmarks.modes import Coverage
from benchmarks.objectives import BATCH, HIDDEN, LAYERS, LEFT_OUT, SCALE, UPDATES, chosen, objectives, steps_of
from benchmarks.report import Report
from benchmarks.scatter import Panel, draw
from gan_core import Trainer, UsageError
from gan_core.data.digits import digits
from gan_core.data.points import Points, grid, ring
from gan_core.data.stacked import stack, stacked_digits
from gan_core.extractors import load_extractor
from gan_core.pictures import to_uint8
from gan_core.probe import faster_precision

POINTS: dict[str, Callable[..., Points]] = {"ring": ring, "grid": grid}
SEEDS, SAMPLES = 3, 2_500
PICTURES, STACKED_SAMPLES = "stacked_digits", 26_000
STACKED = ("dcgan", "dcgan_packed", "r3gan", "wgan_gp")  # trained on them
DATA = (*POINTS, PICTURES)
HELD_OUT, NOISE = "held-out data", "uniform noise"  # what trainings are compared with
Row = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """One training, judged; or held-out data or noise in the place of samples.

    Attributes:
        objective: Its name, or HELD_OUT or NOISE.
        data: The data set.
        seed: Of the training, and of the samples.
        coverage: What was found.
        points: The samples, [N, 2]; None for pictures.
        steps: Done; fewer than planned if the loss stopped being finite.
        seconds: Spent in them.
    """

    objective: str
    data: str
    seed: int
    coverage: Coverage
    points: Tensor | None = None
    steps: int = 0
    seconds: float = 0.0

    def row(self) -> dict[str, Any]:
        """As the report has it."""
        found = self.coverage
        return {
            "objective": self.objective,
            "data": self.data,
            "seed": self.seed,
            "modes": found.modes,
            "of": found.of,
            "high_quality": None if found.high_quality is None else round(found.high_quality, 3),
            "kl": round(found.kl, 4),
            "floor": round(found.floor, 4),
            "samples": found.samples,
            "steps": self.steps,
            "seconds": round(self.seconds, 1),
        }


def measure(
    only: Sequence[str] = (),
    on: Sequence[str] = DATA,
    plot: Path | None = None,
    minutes: float = 20.0,
    updates: int = UPDATES,
) -> Report:
    """Trains every objective on points with several seeds, and chosen recipes on stacked digits.

    Figures: for each objective and data set, means over the seeds: modes hit, share of high-quality samples, KL to
    uniform in nats. `modes.Coverage` defines them. Beside them stand held-out data, what a perfect generator would
    get, and uniform noise, which hits modes too without knowing any.

    Args:
        only: Names of objectives; all if empty.
        on: Data sets.
        plot: Where to write a picture of the points, those of the first seed.
        minutes: Of training on stacked digits, for each recipe; judging takes another.
        updates: Of networks in every training on points.

    Raises:
        UsageError: There is no objective of a name, or it is left out; nothing is left to train, or to plot; the
            digits extractor is missing.
    """
    names, sets = chosen(only), [name for name in POINTS if name in on]
    pictured = [name for name in names if name in STACKED] if PICTURES in on else []
    if not sets and not pictured:
        raise UsageError(f"Nothing is left to train: {PICTURES} is for {', '.join(STACKED)} alone.")
    if plot is not None and not sets:
        raise UsageError(f"--plot shows points of the plane; it takes --on {' or '.join(POINTS)}.")
    notes = [points_note(updates)] if sets else []
    if pictured:
        notes.append(stacked_note())  # a missing extractor is said at once
    results = [*references(sets), *trained(names, sets, updates)] if sets else []
    if plot is not None:
        plot.parent.mkdir(parents=True, exist_ok=True)
        sheet(results).save(plot)
    if pictured:
        results += [stacked_held_out(), *(on_stacked(name, minutes) for name in pictured)]
    return report([result.row() for result in results], notes)


def merged(files: Sequence[Path]) -> Report:
    """One report of what several have measured, a part each; of two that measured the same, the first counts.

    Raises:
        UsageError: A file holds no such report.
    """
    parts = [Report.read(file, "coverage") for file in files]
    rows = {(row["objective"], row["data"], row["seed"]): row for part in reversed(parts) for row in part.rows}
    return dataclasses.replace(
        report(list(rows.values()), [part.note for part in parts]),
        machine="; ".join(dict.fromkeys(part.machine for part in parts)),
        date=max(part.date for part in parts),
    )


def report(rows: Sequence[Row], notes: Iterable[str]) -> Report:
    """Rows and their means, what they are compared with first."""

    def place(row: Row) -> tuple[Any, ...]:
        name = row["objective"]
        return name != HELD_OUT, name != NOISE, name, DATA.index(row["data"]), row["seed"]

    ordered = sorted(rows, key=place)
    return Report("coverage", figures=figures(ordered), rows=ordered, note="\n".join(dict.fromkeys(notes)))


def figures(rows: Iterable[Row]) -> dict[str, float]:
    """Means over seeds, by objective and data set."""
    means = {}
    for (objective, data), group in itertools.groupby(rows, key=lambda row: (row["objective"], row["data"])):
        seeds = list(group)
        for quantity in ("modes", "high_quality", "kl"):
            if seeds[0][quantity] is not None:
                name = f"{objective}_{data}_{quantity}".replace(" ", "_").replace("-", "_")
                means[name] = round(statistics.mean(row[quantity] for row in seeds), 4)
    return means


# ------------------------------------------------------------------------------------------------------------- points


def trained(names: Sequence[str], sets: Sequence[str], updates: int) -> Iterator[Result]:
    """Every objective on these sets of points with every seed, a training to a core."""
    jobs = list(itertools.product(names, sets, range(SEEDS)))
    with ProcessPoolExecutor(
        max_workers=min(os.cpu_count() or 1, len(jobs)),
        mp_context=multiprocessing.get_context("spawn"),  # a fork of a process with OpenMP threads can hang
        initializer=torch.set_num_threads,
        initargs=(1,),  # a second thread slows networks this small
    ) as pool:
        futures = [pool.submit(on_points, objective, name, seed, updates) for objective, name, seed in jobs]
        for _ in tqdm(as_completed(futures), desc="training on points", total=len(futures), disable=None):
            pass
        yield from (future.result() for future in futures)


def on_points(objective: str, name: str, seed: int, updates: int) -> Result:
    """Trains one and judges its samples."""
    data = POINTS[name]()
    trainer = Trainer(objectives()[objective].on_points(), data, seed=seed)
    with suppress(FloatingPointError):  # judged as it was then
        trainer.run(steps_of(trainer.recipe, updates))
    points = trainer.model().sample(SAMPLES, seed).flatten(1)
    found = modes.of_points(points, data.centres, data.std)
    return Result(objective, name, seed, found, points, trainer.step, trainer.seconds)


def references(sets: Sequence[str]) -> Iterator[Result]:
    """What a perfect generator would draw, points that nobody trained on; and points from anywhere in [-1, 1]."""
    for kind, name, seed in itertools.product((HELD_OUT, NOISE), sets, range(SEEDS)):
        data, random = POINTS[name]("test"), torch.Generator().manual_seed(seed)
        if kind == HELD_OUT:
            points = data.images[torch.randint(len(data), (SAMPLES,), generator=random)].flatten(1)
        else:
            points = 2 * torch.rand(SAMPLES, 2, generator=random) - 1
        yield Result(kind, name, seed, modes.of_points(points, data.centres, data.std), points)


def points_note(updates: int) -> str:
    """What the rows on points mean."""
    return (
        f"Points: networks of {LAYERS} hidden layers of {HIDDEN} units that see the plane {SCALE:g} times larger, "
        f"batch {BATCH}, {updates:,} updates in all, critic and generator together, each objective's own optimizer and "
        "options; "
        f"{SAMPLES:,} samples of the averaged generator. "
        f"A mode is hit by one sample within {modes.HIGH_QUALITY} standard deviations of its centre, which uniform "
        "noise manages too; high_quality is the share of samples that near any. kl is to equal shares, in nats, each "
        "sample counted for its nearest mode; floor is what as many perfect samples get on average. Left out: "
        f"{'; '.join(f'{name}, for {reason}' for name, reason in LEFT_OUT.items())}."
    )


def sheet(results: Sequence[Result]) -> Image.Image:
    """A block for each objective, a panel for what it found of each set with the first seed."""
    blocks: dict[str, list[Panel]] = {}
    behind: dict[str, Tensor] = {}
    for result in results:  # held-out data comes first
        if result.points is not None and result.seed == 0:
            found, missed = result.coverage, POINTS[result.data]("test").centres[~result.coverage.hit]
            real = behind.setdefault(result.data, result.points)
            front = result.points[:0] if result.objective == HELD_OUT else result.points
            caption = f"{found.modes} of {found.of}, {found.high_quality:.0%} on them, KL {found.kl:.2f}"
            blocks.setdefault(result.objective, []).append(Panel(real, front, missed, caption))
    return draw(blocks, "Blue: samples of the averaged generator. Grey: held-out data. Red: modes that were missed.")


# ---------------------------------------------------------------------------------------------------- stacked digits


def on_stacked(name: str, minutes: float) -> Result:
    """Trains a recipe on stacked digits for some minutes and has a classifier look at its pictures."""
    data = stacked_digits()
    recipe = objectives()[name].on_pictures(data)
    trainer = Trainer(recipe, data, precision=faster_precision(recipe, data, torch.device("cpu")))
    total = round(60 * minutes)
    with suppress(FloatingPointError), tqdm(desc=f"{name} on {PICTURES}", total=total, unit="s", disable=None) as bar:
        while trainer.seconds < total:
            trainer.run(trainer.step + 1)
            bar.update(min(round(trainer.seconds, 1), total) - bar.n)
    pictures = to_uint8(trainer.model().sample(STACKED_SAMPLES))
    return Result(name, data.name, 0, judged(pictures), steps=trainer.step, seconds=trainer.seconds)


def stacked_held_out() -> Result:
    """As many pictures of digits that nobody trained on."""
    data = stack(digits("test"), STACKED_SAMPLES, seed=0)
    return Result(HELD_OUT, data.name, 0, judged(data.images))


def judged(pictures: Tensor) -> Coverage:
    """Pictures [N, 3, 32, 32] uint8 by the class that the classifier gives them."""
    probabilities = load_extractor("digits")(pictures).probabilities
    assert probabilities is not None
    return modes.of_classes(probabilities)


def stacked_note() -> str:
    """What the rows on stacked digits mean."""
    judge = load_extractor("digits")
    assert judge.accuracy is not None
    return (
        f"Stacked digits: {STACKED_SAMPLES:,} pictures judged by the {judge.label}, which reads {judge.accuracy:.1%} "
        f"of the held-out digits right, so about {judge.accuracy**3:.1%} of triples; a mode is hit by one picture."
    )
