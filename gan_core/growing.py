"""Growing: pictures of 4x4 first, then one doubling of the side after the other is faded in.

Paper: Karras, Aila, Laine, Lehtinen, 2017, arXiv:1710.10196, section 2. Both networks have a layer to or from pixels at
every side; while a side fades in, its pictures are mixed with those of the side before, the real ones too. Every side
exists from the start and the stage follows from the images seen, so there is nothing to rebuild or to restore.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_core.noise import NoiseConfig, NoiseRecipe
from gan_core.recipe import Batch, Config, Control
from gan_core.train_options import TrainOptions

STAGE = Control("stage", 8.0, 0.0, 8.0, "Doublings of 4x4 after which it is taken; shown enlarged.", whole=True)
ALPHA = Control("alpha", 1.0, 0.0, 1.0, "How far the last doubling has faded in, as during training.")


@dataclass(frozen=True)
class GrowingConfig(NoiseConfig):
    """Config of networks with layers at sides 4, 8, ..., image_size, which may come in one after the other."""

    latent_dim: int = 64
    """Length of the latent vector z."""
    width: int = 16
    """Channels at the image's own side; each halving of the side doubles them."""
    max_width: int = 64
    """Most channels that a side has."""
    stage_images: int = 16_000
    """Images over which a new side fades in, and again as many that it has for itself."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_doublings(smallest=8)
        for name in ("width", "max_width", "stage_images"):
            self.require(getattr(self, name) >= 1, f"{name} is {getattr(self, name)}; it must be at least 1.")

    @property
    def widths(self) -> list[int]:
        """Channels at sides 4, 8, ..., image_size."""
        return self.widths_by_side(self.width, self.max_width)

    @property
    def last_level(self) -> int:
        """Doublings from 4x4 to the image's own side."""
        return self.image_shape[1].bit_length() - 3


def double(x: Tensor) -> Tensor:
    """Every pixel four times."""
    return F.interpolate(x, scale_factor=2.0)


def faded(images: Tensor, level: int, alpha: float) -> Tensor:
    """Images [N, C, S, S] at the side of a level, as far as it has faded in."""
    images = F.adaptive_avg_pool2d(images, 4 * 2**level)
    return double(F.avg_pool2d(images, 2)).lerp(images, alpha) if level and alpha < 1 else images


class GrowingRecipe(NoiseRecipe):
    """A noise recipe whose side grows.

    Its critic takes images of any level, and alpha. Its generator has a buffer `reached`: the level and alpha at which
    it was last trained, and at which it is drawn from unless another stage is asked for.
    """

    Config: ClassVar[type[Config]] = GrowingConfig

    def __init__(self, config: Any = None, options: TrainOptions | None = None) -> None:
        super().__init__(config, options)
        if self.grows:
            last = float(self.config.last_level) if self.config.knows_its_pictures else STAGE.high
            self.controls = (*self.controls, replace(STAGE, default=last, high=last), ALPHA)

    @property
    def grows(self) -> bool:
        """Whether it does; else the whole run is at the full side."""
        return True

    def stage(self, images_seen: int) -> tuple[int, float]:
        """Level and alpha at a point of the run: a stage of settling at 4x4, then fading and settling at each level."""
        last: int = self.config.last_level
        if not self.grows:
            return last, 1.0
        stages = images_seen / self.config.stage_images - 1
        if stages < 0:
            return 0, 1.0
        level = min(1 + int(stages / 2), last)
        return level, min(1.0, stages - 2 * (level - 1))

    @property
    def typical_images_seen(self) -> int:
        """Where the last side has faded in: its steps are the dearest, and long runs have most of them there."""
        return 2 * int(self.config.last_level * self.config.stage_images) if self.grows else 0

    def reach(self, nets: nn.ModuleDict, images_seen: int) -> tuple[int, float]:
        """The stage to train at, which the generator keeps in mind."""
        level, alpha = self.stage(images_seen)
        if self.grows:
            nets["G"].get_buffer("reached").copy_(torch.tensor([level, alpha]))
        return level, alpha

    def controls_of(self, generators: nn.ModuleDict) -> tuple[Control, ...]:
        """`controls`; by default, what a run that ended early has reached is shown."""
        if not self.grows:
            return self.controls
        defaults = dict(zip((STAGE.name, ALPHA.name), generators["G"].get_buffer("reached").tolist(), strict=True))
        return tuple(replace(control, default=defaults.get(control.name, control.default)) for control in self.controls)

    def shown(self, nets: nn.ModuleDict, stage: float | None, alpha: float | None) -> tuple[int, float]:
        """The stage to draw at: the given one, or what the training has reached."""
        if stage is None:
            stage, reached = nets["G"].get_buffer("reached").tolist() if self.grows else (self.config.last_level, 1.0)
            alpha = reached if alpha is None else alpha
        return int(stage), 1.0 if alpha is None else alpha

    def enlarged(self, images: Tensor) -> Tensor:
        """Images of any level at the full side, in [-1, 1]."""
        return F.interpolate(images, size=self.config.image_size).clamp(-1, 1)

    def prepared(self, batch: Batch, images_seen: int) -> Batch:
        return Batch(faded(batch.images, *self.stage(images_seen)), batch.labels)

    def critic(self, nets: nn.ModuleDict, batch: Batch, images_seen: int) -> Callable[[Tensor], Tensor]:
        return partial(self.score, nets, alpha=self.stage(images_seen)[1])

    def score(self, nets: nn.ModuleDict, images: Tensor, labels: Tensor | None = None, alpha: float = 1.0) -> Tensor:
        """See `NoiseRecipe.score`; of images of any level, as far as it has faded in."""
        scores: Tensor = nets["D"](self.packs(images, augmented=nets["D"].training), alpha)
        return scores.float()
