"""How fast pictures become good: the textbook loop, our dcgan and other recipes, each with as much time on one machine.

All train on the same digits, in turns of a few per cent of their time, so that a busy machine slows all of them; who
waits costs nothing. What is judged is what each would hand out: of the textbook loop the generator as it is, of ours
the averaged one, both in evaluation mode.
"""

import copy
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import nn
from tqdm import tqdm

from benchmarks.curves import draw
from benchmarks.laptop import laptop
from benchmarks.report import Report
from benchmarks.textbook import in_memory, textbook_steps
from gan_core import Model, Trainer, UsageError
from gan_core.data.digits import digits
from gan_core.data.images import ImageData
from gan_core.evaluate import evaluate_pictures, samples
from gan_core.extractors import load_extractor
from gan_core.probe import faster_precision
from gan_core.report import Frechet

TURNS = 20  # of each; after each it is judged
TOLD = (0.2, 0.5, 1.0)  # of the time: what is told as figures
SAMPLES = 1_000  # m: as many as there are held-out digits
SEED = 0
TEXTBOOK, OURS = "textbook", "dcgan"
Curve = list[tuple[float, float]]


@dataclass
class Contestant:
    """A training that can be paused.

    Attributes:
        precision: It trains in.
        step: Does one.
        model: What it would hand out now.
        images: Real ones that a step takes.
        steps: Done so far.
        seconds: Spent in them.
    """

    precision: str
    step: Callable[[], object]
    model: Callable[[], Model]
    images: int
    steps: int = 0
    seconds: float = 0.0

    def train(self, seconds: float) -> None:
        """Goes on until it has spent so many seconds in all."""
        while self.seconds < seconds:
            began = time.perf_counter()
            self.step()
            self.seconds += time.perf_counter() - began
            self.steps += 1


def measure(minutes: float = 10.0, best: Sequence[str] = ("cgan",), plot: Path | None = None) -> Report:
    """FD of all contestants after every twentieth of their time.

    Figures: of each contestant, `<name>_fd_20`, `_50` and `_100` after that per cent of its time; of ours,
    `<name>_share`, the share of it after which its FD was first as low as the textbook loop's at the end, on straight
    lines between the points; None if never.

    Args:
        minutes: Of training, each; judging is not counted.
        best: Recipes to train beside dcgan.
        plot: Where to write a picture of the curves.

    Raises:
        UsageError: There is no recipe of a name; the digits extractor is missing; the minutes are not above 0.
    """
    if minutes <= 0:
        raise UsageError(f"minutes is {minutes:g}; it must be above 0.")
    data = digits()
    judge = judge_of(data)
    contestants = {TEXTBOOK: textbook(data)} | {name: ours(name, data) for name in dict.fromkeys((OURS, *best))}
    rows = race(contestants, 60 * minutes, judge)
    if plot is not None:
        plot.parent.mkdir(parents=True, exist_ok=True)
        picture(rows, minutes).save(plot)
    return Report("quality", figures=figures(rows), rows=rows, note=note(minutes))


def textbook(data: ImageData) -> Contestant:
    """The loop of `textbook.py` on the networks, width and batch of our dcgan."""
    recipe = laptop(OURS, data)
    torch.manual_seed(SEED)
    nets, batch_size = recipe.build(), recipe.options.batch_size
    steps = textbook_steps(nets["G"], nets["D"], in_memory(data.images, batch_size), recipe.config.latent_dim)

    def model() -> Model:
        return Model(recipe, copy.deepcopy(nn.ModuleDict({"G": nets["G"]})).eval().requires_grad_(False))

    return Contestant("fp32", lambda: next(steps), model, batch_size)


def ours(name: str, data: ImageData) -> Contestant:
    """A recipe as `python train.py NAME --dataset digits` trains it, without what is written beside."""
    recipe = laptop(name, data)
    precision = faster_precision(recipe, data, torch.device("cpu"))
    trainer = Trainer(recipe, data, seed=SEED, precision=precision)
    images = recipe.options.batch_size * recipe.batches_per_step
    return Contestant(precision, lambda: trainer.run(trainer.step + 1), trainer.model, images)


def judge_of(data: ImageData) -> Callable[[Model], Frechet]:
    """What tells the FD of a model's pictures to the data, and its floor."""
    held_out, extractor = digits("test"), load_extractor("digits")

    def judge(model: Model) -> Frechet:
        drawn = samples(model, SAMPLES, SEED, lambda share, text: None)
        return evaluate_pictures(drawn, data, held_out, extractor).fd

    return judge


def race(
    contestants: Mapping[str, Contestant], seconds: float, judge: Callable[[Model], Frechet]
) -> list[dict[str, Any]]:
    """Trains all in turns and judges each after every one of its own: the rows of the report."""
    rows = []
    with tqdm(desc="training in turns", total=TURNS * len(contestants), disable=None) as bar:
        for turn, (name, contestant) in itertools.product(range(1, TURNS + 1), contestants.items()):
            contestant.train(seconds * turn / TURNS)
            fd = judge(contestant.model())
            rows.append(
                {
                    "trained": name,
                    "precision": contestant.precision,
                    "share": turn / TURNS,
                    "seconds": round(contestant.seconds, 1),
                    "steps": contestant.steps,
                    "images_seen": contestant.steps * contestant.images,
                    "fd": round(fd.value, 3),
                    "floor": round(fd.floor, 3),
                }
            )
            bar.set_postfix_str(f"{name}: FD {fd.value:.2f}")
            bar.update()
    return rows


def curves_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Curve]:
    """(share of the time, FD) of each contestant."""
    curves: dict[str, Curve] = {}
    for row in rows:
        curves.setdefault(row["trained"], []).append((row["share"], row["fd"]))
    return curves


def figures(rows: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """See `measure`."""
    curves = curves_of(rows)
    found: dict[str, float | None] = {
        f"{name}_fd_{share:.0%}".removesuffix("%"): fd
        for name, curve in curves.items()
        for share, fd in curve
        if share in TOLD
    }
    target = curves.pop(TEXTBOOK)[-1][1]
    for name, curve in curves.items():
        share = reached(curve, target)
        found[f"{name}_share"] = None if share is None else round(share, 3)
    return found


def reached(curve: Curve, target: float) -> float | None:
    """The share of the time after which a curve was first as low as an FD; its first point's if that is, None if none.

    FD falls fast and then slowly, so a straight line between two points lies above it, and tells too late a time; on a
    curve that is nearly level, the first of many noisy points that dips below tells too early a one.
    """
    if curve[0][1] <= target:
        return curve[0][0]
    for (start, high), (end, low) in itertools.pairwise(curve):
        if low <= target:
            return start + (end - start) * (high - target) / (high - low)
    return None


def picture(rows: Sequence[Mapping[str, Any]], minutes: float) -> Image.Image:
    """All curves over minutes, with the textbook loop's last FD as what is to be reached."""
    curves = {name: [(share * minutes, fd) for share, fd in curve] for name, curve in curves_of(rows).items()}
    levels = {f"textbook after {minutes:g} minutes": curves[TEXTBOOK][-1][1], "held-out digits": rows[0]["floor"]}
    return draw(curves, levels, across="minutes of training on this machine", up="FD of 1,000 pictures")


def note(minutes: float) -> str:
    """What a reader must know to trust the figures."""
    return (
        f"Digits at 32 px, {minutes:g} minutes of training each, {torch.get_num_threads()} threads, in {TURNS} turns; "
        f"FD of {SAMPLES:,} pictures of one seed by the {load_extractor('digits').label}, floor: of as many held-out "
        "digits. The textbook loop trains the networks, width and batch of our dcgan and is judged by its generator as "
        "it is, ours by the averaged one. Of ours, finding the faster precision is not counted, and neither monitor, "
        "sheets nor checkpoints are written; the textbook loop has none of them. A conditional recipe, such as cgan, "
        "is told the labels, which the other two are not."
    )
