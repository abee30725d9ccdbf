"""What a run is started with, as flags, as config.json of the run, and as the command that makes it again."""

from __future__ import annotations

import dataclasses
import math
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gan_core.data import DATASETS
from gan_core.data.points import no_pictures
from gan_core.errors import UsageError
from gan_core.latent import MAX_SEED
from gan_core.noise import ConditionalConfig
from gan_core.recipe import Recipe, recipe_class
from gan_core.runs import Run
from gan_core.train_options import TrainOptions
from gan_core.trainer import Precision
from gan_core.version import __version__

FORMAT = 1
DEFAULT_RECIPE, DEFAULT_STEPS = "dcgan", 3000
INTERVALS = ("log_every", "sample_every", "checkpoint_every")
OPTIONAL_INTERVALS = ("monitor_every", "evaluate_every")
MAY_CHANGE = frozenset({"steps", "epochs", *INTERVALS, *OPTIONAL_INTERVALS})


@dataclass(frozen=True)
class RunOptions:
    """What to train on, for how long, where to; `usual` has the defaults of a recipe."""

    dataset: str
    """A set that `python -m gan_core data` lists, or a folder of pictures (flat, or one sub-folder per class; to
    translate, pairs of equal names in A and B, or no pairs in trainA and trainB)."""
    steps: int | None = None
    """Length in steps. Default: 3000, unless epochs are given."""
    epochs: float | None = None
    """Length in passes over the data, instead of steps."""
    seed: int = 0
    """Seed of first weights, data order and noise."""
    init: str | None = None
    """A model folder, run or Hub id of the same recipe whose weights to start from (fine-tuning)."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to train; auto takes a GPU where there is one."""
    precision: Precision | Literal["auto"] = "auto"
    """auto times both where the processor has bf16, and takes the faster."""
    log_every: int = 10
    """Steps between rows of metrics."""
    sample_every: int = 100
    """Steps between sample sheets."""
    checkpoint_every: int = 500
    """Steps between checkpoints; the last step always has one."""
    monitor_every: int = 250
    """Steps between looks at a fixed batch, which warn of collapse; 0 turns them off."""
    evaluate_every: int = 0
    """Steps between measurements (FD, precision, recall, coverage; of translations FD, L1, SSIM), which keep the best
    checkpoint by FD; 0 is off."""

    def __post_init__(self) -> None:
        if self.dataset in DATASETS and DATASETS[self.dataset].kind == "points":
            raise no_pictures(self.dataset)
        if self.steps is not None and self.epochs is not None:
            raise UsageError("Both --steps and --epochs were given; one of them sets the length.")
        for name in ("steps", "epochs", *INTERVALS):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise UsageError(f"{name} is {value}; it must be above 0.")
        for name in OPTIONAL_INTERVALS:
            if (value := getattr(self, name)) < 0:
                raise UsageError(f"{name} is {value}; it must be 0 (off) or more.")
        if not 0 <= self.seed <= MAX_SEED:
            raise UsageError(f"The seed is {self.seed}; it takes a whole number from 0 to {MAX_SEED}.")

    def total_steps(self, recipe: Recipe, images: int, world: int) -> int:
        """The run's length in steps on a set of `images`."""
        if self.epochs is None:
            return self.steps or DEFAULT_STEPS
        per_step = recipe.batches_per_step * recipe.options.batch_size * world
        return math.ceil(self.epochs * images / per_step)


def usual(recipe: type[Recipe]) -> RunOptions:
    """What a run of a recipe has that says nothing else."""
    return RunOptions(dataset=recipe.dataset)


@dataclass(frozen=True)
class Plan:
    """Everything a run is started with; what config.json of a run holds.

    Attributes:
        recipe: The recipe with its config and options.
        run: Dataset, length, seed and so on.

    Raises:
        UsageError: The recipe draws by class, and the data set has none or other ones.
    """

    recipe: Recipe
    run: RunOptions

    def __post_init__(self) -> None:
        entry = DATASETS.get(self.run.dataset)
        if entry is not None and isinstance(self.recipe.config, ConditionalConfig):
            self.recipe.config.require_classes(entry.classes)  # before it is drawn or downloaded

    def as_dict(self) -> dict[str, Any]:
        """Plain types, for JSON."""
        return {
            "format": FORMAT,
            "gan_core": __version__,
            "recipe": self.recipe.name,
            "config": dataclasses.asdict(self.recipe.config),
            "options": dataclasses.asdict(self.recipe.options),
            "run": dataclasses.asdict(self.run),
        }

    def flags(self) -> list[str]:
        """What differs from the defaults, as flags of the command line."""
        words = []
        for given, default in (
            (self.recipe.config, type(self.recipe).Config()),
            (self.recipe.options, type(self.recipe).train_options),
            (self.run, usual(type(self.recipe))),
        ):
            for name, value in dataclasses.asdict(given).items():
                if value == getattr(default, name):
                    continue
                if isinstance(value, bool):
                    words.append(f"--{'' if value else 'no_'}{name}")
                else:
                    words += [f"--{name}", *map(str, value if isinstance(value, tuple) else [value])]
        return words

    def command(self) -> str:
        """The command line that makes this run again."""
        return shlex.join(["python", "train.py", self.recipe.name, *self.flags()])


def read_plan(folder: Path) -> Plan:
    """The plan of an existing run.

    Raises:
        UsageError: There is no run in that folder.
    """
    stored = Run(folder).config()
    if not stored:
        raise UsageError(f"There is no run in {folder} to resume: it has no config.json that can be read.")
    if stored.get("format") != FORMAT:
        raise UsageError(f"The run in {folder} was made by gan_core {stored.get('gan_core')}; this is {__version__}.")
    try:
        cls = recipe_class(stored["recipe"])
        options = stored["options"] | {"betas": tuple(stored["options"]["betas"])}
        return Plan(cls(cls.Config(**stored["config"]), TrainOptions(**options)), RunOptions(**stored["run"]))
    except (KeyError, TypeError) as error:
        raise UsageError(f"config.json of the run in {folder} does not fit ({error}).") from error


def refuse_changes(stored: Plan, asked: Plan) -> None:
    """Raises `UsageError` with every difference that a resumed run may not have."""
    if stored.recipe.name != asked.recipe.name:
        differences = [f"recipe was {stored.recipe.name}, now {asked.recipe.name}"]
    else:
        differences = [
            f"{name} was {before}, now {now}"
            for part in ("config", "options", "run")
            for (name, before), now in zip(stored.as_dict()[part].items(), asked.as_dict()[part].values(), strict=True)
            if before != now and name not in MAY_CHANGE
        ]
    if differences:
        raise UsageError(
            f"A resumed run keeps its settings, but {'; '.join(differences)}. Start a new run to change them."
        )
