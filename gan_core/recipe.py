"""The words every recipe speaks: what a GAN declares, and the registry of those that do.

A recipe declares *which* networks there are, *which* loss terms they minimise and *how often*. Everything else
(freezing, backward, averaging over processes, the optimizer step, EMA, logging, checkpoints) is the trainer's.
"""

from __future__ import annotations

import dataclasses
import difflib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

import torch
from torch import Tensor, nn

from gan_core.errors import UsageError
from gan_core.fields import check_words
from gan_core.train_options import TrainOptions


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
        inputs: [N, c, H, W] in [-1, 1], what is to be translated to images, or None where the data has none.
        paired: Whether inputs[k] is what images[k] was made from.
    """

    images: Tensor
    labels: Tensor | None = None
    inputs: Tensor | None = None
    paired: bool = True

    def to(self, device: torch.device, memory_format: torch.memory_format) -> Batch:
        """The same batch on `device`, its pictures in `memory_format`."""
        labels = None if self.labels is None else self.labels.to(device)
        inputs = None if self.inputs is None else self.inputs.to(device, memory_format=memory_format)
        return Batch(self.images.to(device, memory_format=memory_format), labels, inputs, self.paired)


@dataclass(frozen=True)
class Inputs:
    """What data has to be translated.

    Attributes:
        channels: 1 or 3.
        paired: Whether each input belongs to one of the pictures.
    """

    channels: int
    paired: bool


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

    def resolve(self, image_size: int, channels: int, num_classes: int = 0, inputs: Inputs | None = None) -> Self:
        """Fills what was left to the data; an explicit value stays.

        Args:
            image_size: Side of the data's pictures.
            channels: 1 or 3.
            num_classes: How many the data tells apart; 0 for data without labels.
            inputs: What it has to be translated to its pictures; None for data without.
        """
        return dataclasses.replace(
            self,
            image_size=image_size if self.image_size is None else self.image_size,
            channels=channels if self.channels is None else self.channels,
        )

    @property
    def knows_its_pictures(self) -> bool:
        """Whether neither their side nor their channels are left to the data."""
        return self.image_size is not None and self.channels is not None

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


class Recipe:
    """What one paper adds: networks, phases, losses, defaults.

    A subclass is registered with `@register(name)` and lives in `recipes/<name>.py`. It never calls `backward`
    and never names a device, a precision or a rank. Where a training names no data set, it takes the recipe's own.
    """

    name: ClassVar[str]
    Config: ClassVar[type[Config]]
    train_options: ClassVar[TrainOptions] = TrainOptions()
    dataset: ClassVar[str] = "digits"
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

    def resolve(self, image_size: int, channels: int, num_classes: int = 0, inputs: Inputs | None = None) -> Self:
        """This recipe with what its config left to the data filled in; see `Config.resolve`."""
        return type(self)(self.config.resolve(image_size, channels, num_classes, inputs), self.options)

    @property
    def num_classes(self) -> int | None:
        """How many classes the generator tells apart; None where it is unconditional."""
        return None

    def build(self) -> nn.ModuleDict:
        """Fresh networks, the generator first."""
        raise NotImplementedError

    def losses(self, phase: str, nets: nn.ModuleDict, batch: Batch, images_seen: int) -> dict[str, Tensor]:
        """Named scalar terms; the trainer minimises their sum and logs each as `<phase>/<term>`.

        Without any, the phase has nothing to do at this point of the run.
        """
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

    def controls_of(self, generators: nn.ModuleDict) -> tuple[Control, ...]:
        """`controls` with the defaults that draw these generators as they were trained."""
        return self.controls

    def settle(self, generators: nn.ModuleDict) -> None:
        """Measures what belongs to the weights of generators but is not learned; called before they are drawn from.

        Averaged weights were never trained as they are, so statistics taken along the way are not theirs. A resumed
        run must draw the same pictures: what it measures with comes from a fixed seed.

        Args:
            generators: By name; changed in place, so the trainer gives a copy.
        """

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must keep besides networks and optimizers: tensors and plain types."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes back what `state_dict` gave."""

    @property
    def typical_images_seen(self) -> int:
        """A point of the run, in images seen, at which a step costs what most steps cost: where to time one."""
        return 0

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
    if close:
        return f" (did you mean {close[0]!r}?)"
    return f" (there are {', '.join(known)})" if known else " (there is none)"
