"""Which modes each objective finds: of a ring and a grid of Gaussians, and of 1,000 stacked digits.

On points, every objective (`objectives.py`) trains the same pair of small networks, so that only losses, phases,
optimizers and options differ: `dcgan` is there the objective of `gan` with a faster average. What is judged is the
averaged generator, as everywhere. On stacked digits, whole recipes train.
"""

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
from gan_core import Trainer, create
from gan_core.data.digits import digits
from gan_core.data.points import Points, grid, ring
from gan_core.data.stacked import stack, stacked_digits
from gan_core.extractors import load_extractor
from gan_core.pictures import to_uint8
from gan_core.probe import faster_precision
from gan_core.recipe import RECIPES

POINTS: dict[str, Callable[..., Points]] = {"ring": ring, "grid": grid}
SEEDS, SAMPLES = 3, 2_500
STACKED, STACKED_SAMPLES = ("dcgan",), 26_000
HELD_OUT = "held-out data"


@dataclass(frozen=True)
class Result:
    """One training, judged; or held-out data in the place of samples.

    Attributes:
        objective: Its name, or HELD_OUT.
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
    only: Sequence[str] = (), plot: Path | None = None, minutes: float = 28.0, updates: int = UPDATES
) -> Report:
    """Trains every objective on points with several seeds, and chosen recipes on stacked digits.

    Figures: for each objective and data set, means over the seeds: modes hit, share of high-quality samples, KL to
    uniform in nats. `modes.Coverage` defines them. Held-out data stands beside as what a perfect generator would get.

    Args:
        only: Names of objectives; all if empty.
        plot: Where to write a picture of the points.
        minutes: Of training on stacked digits, for each recipe; judging takes another. 0 leaves them out.
        updates: Of networks in every training on points.

    Raises:
        UsageError: There is no objective of a name, or it is left out; the digits extractor is missing.
    """
    names = chosen(only)
    pictured = [name for name in names if name in STACKED and minutes > 0]
    note = points_note(updates) + (f" {stacked_note()}" if pictured else "")  # a missing extractor is said at once
    results = [*held_out(), *trained(names, updates)]
    if plot is not None:
        plot.parent.mkdir(parents=True, exist_ok=True)
        sheet(results).save(plot)
    if pictured:
        results += [stacked_held_out(), *(on_stacked(name, minutes) for name in pictured)]
    return Report("coverage", figures=figures(results), rows=[result.row() for result in results], note=note)


def figures(results: Iterable[Result]) -> dict[str, float]:
    """Means over seeds, by objective and data set."""
    means = {}
    keyed = itertools.groupby(results, key=lambda result: (result.objective, result.data))
    for (objective, data), group in keyed:
        rows = [result.row() for result in group]
        for quantity in ("modes", "high_quality", "kl"):
            if rows[0][quantity] is not None:
                name = f"{objective}_{data}_{quantity}".replace(" ", "_").replace("-", "_")
                means[name] = round(statistics.mean(row[quantity] for row in rows), 4)
    return means


# ------------------------------------------------------------------------------------------------------------- points


def trained(names: Sequence[str], updates: int) -> Iterator[Result]:
    """Every objective on every set of points with every seed, a training to a core."""
    jobs = list(itertools.product(names, POINTS, range(SEEDS)))
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


def held_out() -> Iterator[Result]:
    """Points that nobody trained on, drawn at random as a perfect generator would."""
    for (name, load), seed in itertools.product(POINTS.items(), range(SEEDS)):
        data = load("test")
        rows = torch.randint(len(data), (SAMPLES,), generator=torch.Generator().manual_seed(seed))
        points = data.images[rows].flatten(1)
        yield Result(HELD_OUT, name, seed, modes.of_points(points, data.centres, data.std), points)


def points_note(updates: int) -> str:
    """What the rows on points mean."""
    absent = [name for name in LEFT_OUT if name in RECIPES]
    return (
        f"Points: networks of {LAYERS} hidden layers of {HIDDEN} units that see the plane {SCALE:g} times larger, "
        f"batch {BATCH}, {updates:,} updates of either network, each objective's own optimizer and options; "
        f"{SAMPLES:,} samples of the averaged generator. "
        f"A mode is hit by one sample within {modes.HIGH_QUALITY} standard deviations of its centre; high_quality is "
        "the share of samples that near any. kl is to equal shares, in nats, each sample counted for its nearest mode; "
        "floor is what as many perfect samples get on average."
    ) + (f" Left out, for their papers are no objectives: {', '.join(absent)}." if absent else "")


def sheet(results: Sequence[Result]) -> Image.Image:
    """A row of panels for each objective, a panel for each of its trainings on points."""
    centres = {name: load("test").centres for name, load in POINTS.items()}
    real: dict[tuple[str, int], Tensor] = {}
    rows: dict[str, list[Panel]] = {}
    for result in results:  # held-out data comes first
        if result.points is not None:
            found = result.coverage
            caption = f"{found.modes} of {found.of}, {found.high_quality:.0%} on them, KL {found.kl:.2f}"
            behind = real.setdefault((result.data, result.seed), result.points)
            front = result.points[:0] if result.objective == HELD_OUT else result.points
            panel = Panel(behind, front, centres[result.data][~found.hit], caption)
            rows.setdefault(result.objective, []).append(panel)
    return draw(rows, "Blue: samples of the averaged generator. Grey: held-out data. Red: modes that were missed.")


# ---------------------------------------------------------------------------------------------------- stacked digits


def on_stacked(name: str, minutes: float) -> Result:
    """Trains a recipe on stacked digits for some minutes and has a classifier look at its pictures."""
    data = stacked_digits()
    recipe = create(name).resolve(data.image_size, data.channels)
    trainer = Trainer(recipe, data, precision=faster_precision(recipe, data, torch.device("cpu")))
    with suppress(FloatingPointError), tqdm(desc=f"{name} on stacked digits", unit=" steps", disable=None) as bar:
        while trainer.seconds < 60 * minutes:
            trainer.run(trainer.step + 1)
            bar.update()
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
