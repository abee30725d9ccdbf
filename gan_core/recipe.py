"""The words every recipe speaks: what a GAN declares, and the registry of those that do.

A recipe declares *which* networks there are, *which* loss terms they minimise and *how often*. Everything else
(freezing, backward, averaging over processes, the optimizer step, EMA, logging, checkpoints) is the trainer's.
"""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, TypeVar, get_args, get_origin, get_type_hints

import torch
from torch import Tensor, nn

from gan_core.errors import UsageError


@dataclass(frozen=True)
class Phase:
    """One kind of update: the networks it moves, and how often.

    Phases that name the same networks share one optimizer.

    Attributes:
        name: Passed to `Recipe.losses`; prefixes the logged terms.
        nets: Names of the networks that this phase updates; all others are frozen meanwhile.
        repeats: Updates per step (n_critic); every repeat after the first sees fresh images.
        every: Run only on steps divisible by this (lazy regularisation).
    """

    name: str
    nets: tuple[str, ...]
    repeats: int = 1
    every: int = 1


@dataclass(frozen=True)
class Control:
    """Something a person may turn at inference; an argument of `Recipe.decode` or `Recipe.translate`.

    Attributes:
        name: The argument's name.
        default: The value that leaves the model as it was trained.
        low: Smallest allowed value.
        high: Largest allowed value.
        help: One sentence on what turning it does.
        whole: Whether it takes whole numbers only.
    """

    name: str
    default: float
    low: float
    high: float
    help: str
    whole: bool = False

    def check(self, value: object) -> float:
        """Returns the value as a float; raises `UsageError` outside [low, high], or for a part of a whole number."""
        fits = isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high
        if not fits or (self.whole and value != int(value)):  # type: ignore[call-overload]
            kind = "whole number" if self.whole else "number"
            raise UsageError(f"{self.name} is {value!r}; it takes a {kind} from {self.low:g} to {self.high:g}.")
        return float(value)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Batch:
    """What a phase sees.

    Attributes:
        images: [N, C, H, W] in [-1, 1].
        labels: [N] class indices, or None where the data has none.
    """

    images: Tensor
    labels: Tensor | None = None

    def to(self, device: torch.device, memory_format: torch.memory_format) -> Batch:
        """The same batch on `device`, its images in `memory_format`."""
        labels = None if self.labels is None else self.labels.to(device)
        return Batch(self.images.to(device, memory_format=memory_format), labels)


def check_words(options: Any) -> None:
    """Raises `UsageError` for a field of a dataclass that takes certain words and holds another."""
    hints = get_type_hints(type(options))
    for field in dataclasses.fields(options):
        value, words = getattr(options, field.name), get_args(hints[field.name])
        if get_origin(hints[field.name]) is Literal and value not in words:
            raise UsageError(f"{field.name} is {value!r}; it takes {', '.join(words)}.")


MAX_SIDE = 1024  # pixels: a stranger's small model could ask for pictures that fill the memory


@dataclass(frozen=True)
class Config:
    """What a model is: everything needed to build its networks again."""

    image_size: int | None = None
    """Side of the square pictures in pixels. None takes it from the data."""
    channels: int | None = None
    """1 for grey pictures, 3 for colour. None takes it from the data."""

    def __post_init__(self) -> None:
        check_words(self)
        size = self.image_size
        self.require(size is None or 1 <= size <= MAX_SIDE, f"image_size is {size}; it takes 1 to {MAX_SIDE}.")
        self.require(self.channels in (None, 1, 3), f"channels is {self.channels}; it takes 1 (grey) or 3 (colour).")

    @classmethod
    def tiny(cls) -> Self:
        """The size tests train: seconds, not quality."""
        raise NotImplementedError

    @classmethod
    def paper(cls) -> Self:
        """The published size."""
        raise NotImplementedError

    def resolve(self, image_size: int, channels: int, num_classes: int = 0) -> Self:
        """Fills what was left to the data; an explicit value stays.

        Args:
            image_size: Side of the data's pictures.
            channels: 1 or 3.
            num_classes: How many the data tells apart; 0 for data without labels.
        """
        return dataclasses.replace(
            self,
            image_size=image_size if self.image_size is None else self.image_size,
            channels=channels if self.channels is None else self.channels,
        )

    @property
    def image_shape(self) -> tuple[int, int]:
        """(channels, image_size) of a resolved config."""
        if self.channels is None or self.image_size is None:
            raise UsageError(
                "channels and image_size are still left to the data: set both, or call config.resolve(size, channels)."
            )
        return self.channels, self.image_size

    def require(self, condition: bool, message: str) -> None:
        """Raises `UsageError(message)` unless the condition holds: validation at construction."""
        if not condition:
            raise UsageError(message)


@dataclass(frozen=True)
class TrainOptions:
    """How a recipe is trained; each recipe has its own defaults."""

    lr: float = 2e-4
    """Learning rate."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Decay of Adam's first and second moments."""
    batch_size: int = 64
    """Images per update and process."""
    ema_half_life: int = 10_000
    """Images after which a weight's share in the averaged generator has halved."""
    d_lr: float | None = None
    """Learning rate of the discriminator (the two time-scale rule, TTUR). None takes lr."""
    optimizer: Literal["adam", "rmsprop"] = "adam"
    """rmsprop has no momentum and takes no notice of betas."""
    lr_schedule: Literal["constant", "linear", "cosine"] = "constant"
    """How the learning rates fall from full to lr_final over lr_horizon."""
    lr_horizon: int | None = None
    """Images seen after which the learning rates stay at lr_final times themselves."""
    lr_final: float = 0.0
    """What is left of the learning rates at the horizon, as a share."""
    lr_warm_up: int = 0
    """Images over which the learning rates first rise from 0, in a straight line."""

    def __post_init__(self) -> None:
        check_words(self)
        for name in ("lr", "d_lr"):
            if (rate := getattr(self, name)) is not None and rate <= 0:
                raise UsageError(f"{name} is {rate:g}; it must be above 0.")
        if self.lr_schedule != "constant" and (self.lr_horizon or 0) <= self.lr_warm_up:
            raise UsageError(
                f"lr_horizon is {self.lr_horizon}; a {self.lr_schedule} schedule ends there, "
                f"so it takes more images than lr_warm_up, {self.lr_warm_up}."
            )
        if not 0 <= self.lr_final <= 1:
            raise UsageError(f"lr_final is {self.lr_final:g}; it is a share, from 0 to 1.")
        if self.lr_warm_up < 0:
            raise UsageError(f"lr_warm_up is {self.lr_warm_up}; it must be 0 or more images.")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise UsageError(f"betas are {self.betas}; both must lie in [0, 1).")
        if self.batch_size < 2:
            raise UsageError(f"batch_size is {self.batch_size}; batch statistics need at least 2 images.")
        if self.ema_half_life < 0:
            raise UsageError(f"ema_half_life is {self.ema_half_life}; it must be 0 (no averaging) or more.")

    def left(self, images_seen: int) -> float:
        """How far the schedule still has to fall: 1 up to the end of the warm-up, 0 from the horizon on."""
        if self.lr_schedule == "constant" or self.lr_horizon is None:
            return 1.0
        way = (images_seen - self.lr_warm_up) / (self.lr_horizon - self.lr_warm_up)
        way = min(max(way, 0.0), 1.0)
        return 1 - way if self.lr_schedule == "linear" else (1 + math.cos(math.pi * way)) / 2

    def lr_share(self, images_seen: int) -> float:
        """What the schedule leaves of the learning rates, from 0 to 1."""
        risen = min(1.0, images_seen / self.lr_warm_up) if self.lr_warm_up else 1.0
        return risen * (self.lr_final + (1 - self.lr_final) * self.left(images_seen))


class Recipe:
    """What one paper adds: networks, phases, losses, defaults.

    A subclass is registered with `@register(name)` and lives in `recipes/<name>.py`. It never calls `backward`
    and never names a device, a precision or a rank.
    """

    name: ClassVar[str]
    Config: ClassVar[type[Config]]
    train_options: ClassVar[TrainOptions] = TrainOptions()
    phases: tuple[Phase, ...] = (Phase("d", nets=("D",)), Phase("g", nets=("G",)))
    generators: ClassVar[tuple[str, ...]] = ("G",)
    controls: tuple[Control, ...] = ()

    def __init__(self, config: Any = None, options: TrainOptions | None = None) -> None:
        self.config: Any = self.Config() if config is None else config
        self.options = self.train_options if options is None else options
        self.watched: dict[str, Tensor] = {}

    @classmethod
    def about(cls) -> str:
        """The docstring of the recipe's file: what it computes, after which paper. Markdown with TeX in $ and $$."""
        return inspect.getdoc(inspect.getmodule(cls)) or ""

    def resolve(self, image_size: int, channels: int, num_classes: int = 0) -> Self:
        """This recipe with what its config left to the data filled in; see `Config.resolve`."""
        return type(self)(self.config.resolve(image_size, channels, num_classes), self.options)

    @property
    def num_classes(self) -> int | None:
        """How many classes the generator tells apart; None where it is unconditional."""
        return None

    def build(self) -> nn.ModuleDict:
        """Fresh networks, the generator first."""
        raise NotImplementedError

    def losses(self, phase: str, nets: nn.ModuleDict, batch: Batch, images_seen: int) -> dict[str, Tensor]:
        """Named scalar terms; the trainer minimises their sum and logs each as `<phase>/<term>`."""
        raise NotImplementedError

    def watch(self, **values: Tensor) -> None:
        """Hands the trainer numbers to log beside the loss terms; their mean is taken, nothing is minimised."""
        self.watched |= {name: value.detach().mean() for name, value in values.items()}

    def optimizer(self, phase: Phase, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The optimizer of one phase's networks, as the options say."""
        if self.options.optimizer == "rmsprop":
            return torch.optim.RMSprop(parameters, lr=self.options.lr)
        return torch.optim.Adam(parameters, lr=self.options.lr, betas=self.options.betas, fused=True)

    def schedule(self, phase: Phase, images_seen: int) -> dict[str, Any]:
        """Settings of the parameter groups of a phase's optimizer at this point of the run."""
        judges = not set(phase.nets) & set(self.generators)
        lr = self.options.d_lr if judges and self.options.d_lr is not None else self.options.lr
        return {"lr": lr * self.options.lr_share(images_seen)}

    def after_update(self, phase: str, nets: nn.ModuleDict) -> None:
        """Called after a phase's optimizer step (weight clipping lives here)."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must keep besides networks and optimizers: tensors and plain types."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes back what `state_dict` gave."""

    @property
    def batches_per_step(self) -> int:
        """Batches of fresh images one step consumes: repeats beyond the first draw their own."""
        return 1 + sum(phase.repeats - 1 for phase in self.phases)


RECIPES: dict[str, type[Recipe]] = {}


R = TypeVar("R", bound=type[Recipe])


def register(name: str) -> Callable[[R], R]:
    """Class decorator: makes a recipe known under `name`; a name that is taken raises."""

    def add(cls: R) -> R:
        if name in RECIPES:
            raise ValueError(f"recipe {name!r} is already registered by {RECIPES[name].__module__}")
        cls.name = name
        RECIPES[name] = cls
        return cls

    return add


def list_recipes() -> list[str]:
    """Names of all registered recipes, sorted."""
    return sorted(RECIPES)


def recipe_class(name: str) -> type[Recipe]:
    """The class registered under `name`; an unknown name is a `UsageError` with the nearest one."""
    if name not in RECIPES:
        raise UsageError(f"There is no recipe {name!r}{nearest(name, RECIPES)}.")
    return RECIPES[name]


def create(name: str, **options: Any) -> Recipe:
    """A recipe at its laptop size with the given config fields changed.

    Args:
        name: A registered name, see `list_recipes`.
        **options: Fields of that recipe's Config.

    Raises:
        UsageError: The name or an option is unknown (the nearest one is named), or a value does not fit.
    """
    cls = recipe_class(name)
    known = [field.name for field in dataclasses.fields(cls.Config)]
    for option in options:
        if option not in known:
            raise UsageError(f"{name} has no option {option!r}{nearest(option, known)}.")
    return cls(cls.Config(**options))


def nearest(word: str, known: Iterable[str]) -> str:
    """The tail of a "there is no X" sentence, in brackets: the closest known word, or all of them."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else f" (there are {', '.join(known)})"
