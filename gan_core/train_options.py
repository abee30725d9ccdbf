"""How a recipe is trained: learning rates and their schedule, optimizer, batch, averaging."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from gan_core.errors import UsageError
from gan_core.fields import check_words


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
    lr_hold: int = 0
    """Images, after the rise, over which the learning rates stay full before they fall."""

    def __post_init__(self) -> None:
        check_words(self)
        for name in ("lr", "d_lr"):
            if (rate := getattr(self, name)) is not None and not 0 < rate < math.inf:
                raise UsageError(f"{name} is {rate:g}; it must be above 0.")
        for name in ("lr_warm_up", "lr_hold"):
            if (images := getattr(self, name)) < 0:
                raise UsageError(f"{name} is {images}; it must be 0 or more images.")
        if self.lr_schedule != "constant" and (self.lr_horizon or 0) <= self.full_until:
            raise UsageError(
                f"lr_horizon is {self.lr_horizon}; a {self.lr_schedule} schedule ends there, so it takes more images "
                f"than lr_warm_up and lr_hold together, {self.full_until}."
            )
        if not 0 <= self.lr_final <= 1:
            raise UsageError(f"lr_final is {self.lr_final:g}; it is a share, from 0 to 1.")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise UsageError(f"betas are {self.betas}; both must lie in [0, 1).")
        if self.batch_size < 2:
            raise UsageError(f"batch_size is {self.batch_size}; batch statistics need at least 2 images.")
        if self.ema_half_life < 0:
            raise UsageError(f"ema_half_life is {self.ema_half_life}; it must be 0 (no averaging) or more.")

    @property
    def full_until(self) -> int:
        """Images seen when the learning rates begin to fall."""
        return self.lr_warm_up + self.lr_hold

    def left(self, images_seen: int) -> float:
        """How far the schedule still has to fall: 1 while the rates rise and are held, 0 from the horizon on."""
        if self.lr_schedule == "constant" or self.lr_horizon is None:
            return 1.0
        way = (images_seen - self.full_until) / (self.lr_horizon - self.full_until)
        way = min(max(way, 0.0), 1.0)
        return 1 - way if self.lr_schedule == "linear" else (1 + math.cos(math.pi * way)) / 2

    def lr_share(self, images_seen: int) -> float:
        """What the schedule leaves of the learning rates, from 0 to 1."""
        risen = min(1.0, images_seen / self.lr_warm_up) if self.lr_warm_up else 1.0
        return risen * (self.lr_final + (1 - self.lr_final) * self.left(images_seen))
