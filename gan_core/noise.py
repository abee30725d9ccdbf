"""Recipes that turn noise into images: a generator, a critic, and the add-ons that every such game can take."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from gan_core import losses
from gan_core.augment import Augment, augment
from gan_core.errors import UsageError
from gan_core.recipe import Batch, Config, Control, Inputs, Phase, Recipe
from gan_core.train_options import TrainOptions


@dataclass(frozen=True)
class NoiseConfig(Config):
    """Config of a recipe that turns noise into images."""

    latent_dim: int = 100
    """Length of the latent vector z."""
    augment: Augment = "none"
    """DiffAugment: how real and generated pictures are changed before the discriminator sees them."""
    pack: int = 1
    """PacGAN: how many pictures the discriminator judges together; a pack that is too much alike is a fake."""
    r1: float = 0.0
    """R1: gamma of the penalty gamma/2 on the squared gradient of the discriminator at real pictures; 0 is off."""
    r1_every: int = 16
    """Steps between updates on the R1 penalty, which is then that many times as strong; 1 adds it to every loss."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.latent_dim >= 1, f"latent_dim is {self.latent_dim}; it must be at least 1.")
        self.require(self.pack >= 1, f"pack is {self.pack}; it must be at least 1.")
        self.require(self.r1 >= 0, f"r1 is {self.r1:g}; it must be 0 (off) or more.")
        self.require(self.r1_every >= 1, f"r1_every is {self.r1_every}; it must be at least 1.")

    def require_doublings(self, smallest: int) -> None:
        """Raises `UsageError` unless pictures come from 4x4 by doubling, and are no smaller than that."""
        size = self.image_size
        fits = size is None or (size >= smallest and size & (size - 1) == 0)
        sides = ", ".join(str(smallest * 2**k) for k in range(4))
        self.require(fits, f"image_size is {size}; 4x4 maps are doubled, so it takes {sides}, ...")

    def widths_by_side(self, width: int, most: int, growth: int = 2) -> list[int]:
        """Channels at sides 4, 8, ..., image_size: width at the last, `growth` times as many at each one before."""
        doublings = (self.image_shape[1] // 4).bit_length() - 1
        return [min(width * growth**k, most) for k in reversed(range(doublings + 1))]

    @property
    def pack_channels(self) -> int:
        """Channels of what the critic sees: those of all pictures of a pack."""
        return self.image_shape[0] * self.pack


TRUNCATION = Control(
    "truncation", default=1.0, low=0.0, high=2.0,
    help="Scales z: below 1 gives safer, more alike pictures; above 1 stranger ones.",
)  # fmt: skip


class NoiseRecipe(Recipe):
    """A recipe whose generator maps latents z ~ N(0, I) to images, judged by one critic.

    Most papers change the objective only: they say `critic_loss`, `generator_loss` and, where there is one,
    `penalty`; when each is computed, of which pictures, is written once, in `losses`.

    Attributes:
        comparative: Whether scores only compare pictures; elsewhere each stands for a probability.
        cuts_latents: Whether `decode` first maps z to a truncated normal by quantiles.
    """

    Config: ClassVar[type[Config]] = NoiseConfig
    controls: tuple[Control, ...] = (TRUNCATION,)
    comparative: ClassVar[bool] = False
    cuts_latents: ClassVar[bool] = False

    def __init__(self, config: Any = None, options: TrainOptions | None = None) -> None:
        super().__init__(config, options)
        c, batch_size = self.config, self.options.batch_size
        if batch_size % c.pack:
            raise UsageError(f"batch_size is {batch_size}; packs of {c.pack} take a multiple of {c.pack}.")
        if c.r1 and c.r1_every > 1:
            self.phases = (*type(self).phases, Phase("r1", nets=("D",), every=c.r1_every))

    def latents(self, batch: Batch) -> Tensor:
        """Fresh z ~ N(0, I), [N, latent_dim], for a batch of N images."""
        return torch.randn(len(batch.images), self.config.latent_dim, device=batch.images.device)

    def generate(self, nets: nn.ModuleDict, batch: Batch, images_seen: int) -> Tensor:
        """As many fresh fakes as the batch has images, of the same classes where there are any."""
        labels = self.labels(batch)
        z = self.latents(batch)
        images: Tensor = nets["G"](z) if labels is None else nets["G"](z, labels)
        return images

    def labels(self, batch: Batch) -> Tensor | None:
        """The batch's labels, [N], as far as this recipe is conditional."""
        return None if self.num_classes is None else batch.labels

    def score(self, nets: nn.ModuleDict, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """The critic's score of each pack of images, [N / pack], in fp32: the only way by which `losses` reaches it.

        Consecutive images make a pack, their channels side by side. In training they are augmented first.
        """
        images = self.packs(images, augmented=nets["D"].training)
        scores: Tensor = nets["D"](images) if labels is None else nets["D"](images, labels.view(-1, self.config.pack))
        return scores.float()

    def packs(self, images: Tensor, augmented: bool) -> Tensor:
        """What the critic is given of images [N, C, H, W]: [N / pack, C * pack, H, W], augmented or as they are."""
        if augmented:
            images = augment(images, self.config.augment)
        pack = self.config.pack
        return images.reshape(len(images) // pack, -1, *images.shape[2:]) if pack > 1 else images

    def prepared(self, batch: Batch, images_seen: int) -> Batch:
        """The batch as the critic should know it at this point of the run."""
        return batch

    def critic(self, nets: nn.ModuleDict, batch: Batch, images_seen: int) -> Callable[[Tensor], Tensor]:
        """`score` at this point of the run, with the batch's labels: from images to scores."""
        return partial(self.score, nets, labels=self.labels(batch))

    def critic_loss(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """What the critic minimises, from its scores of real and of generated images."""
        raise NotImplementedError

    def generator_loss(self, fake: Tensor) -> Tensor:
        """What the generator minimises, from the critic's scores of its images."""
        raise NotImplementedError

    def penalty(
        self, critic: Callable[[Tensor], Tensor], images: Tensor, fakes: Tensor, images_seen: int
    ) -> dict[str, Tensor]:
        """What the critic pays for its slope at or between real and generated images: R1 where the config asks."""
        if self.config.r1 and self.config.r1_every == 1:
            return {"r1": self.config.r1 / 2 * losses.zero_centered_penalty(critic, images)}
        return {}

    def losses(self, phase: str, nets: nn.ModuleDict, batch: Batch, images_seen: int) -> dict[str, Tensor]:
        batch = self.prepared(batch, images_seen)
        critic = self.critic(nets, batch, images_seen)
        if phase == "r1":
            weight = self.config.r1_every * self.config.r1 / 2
            return {"r1": weight * losses.zero_centered_penalty(critic, batch.images)}
        if phase == "g":
            return {"adversarial": self.generator_loss(critic(self.generate(nets, batch, images_seen)))}
        with torch.no_grad():
            fakes = self.generate(nets, batch, images_seen)
        real, fake = critic(batch.images), critic(fakes)
        self.watch_scores(real, fake)
        return self.critic_loss(real, fake) | self.penalty(critic, batch.images, fakes, images_seen)

    @property
    def style_layers(self) -> int:
        """Layers of the generator that each have a style, from the coarsest; 0 where there are no styles."""
        return 0

    def mix(
        self, nets: nn.ModuleDict, z: Tensor, other: Tensor, first: int, last: int, *, truncation: float = 1.0
    ) -> Tensor:
        """`decode` of latents z with the styles of `other` in layers first to last, counted from 1: for a recipe that
        has `style_layers`."""
        raise NotImplementedError

    def probability(self, scores: Tensor) -> Tensor:
        """The probability of being real that scores stand for, unless they are `comparative`."""
        return scores.sigmoid()

    def watch_scores(self, real: Tensor, fake: Tensor) -> None:
        """Logs what the critic believes of both kinds: probabilities where its scores have such a meaning."""
        if self.comparative:
            self.watch(score_real=real, score_fake=fake)
        else:
            self.watch(p_real=self.probability(real), p_fake=self.probability(fake))

    def decode(
        self, nets: nn.ModuleDict, z: Tensor, labels: Tensor | None = None, *, truncation: float = 1.0
    ) -> Tensor:
        """Latents [N, latent_dim] to images [N, C, H, W] in [-1, 1]; `truncation` t feeds the generator t * z."""
        z = z * truncation
        images: Tensor = nets["G"](z) if self.num_classes is None else nets["G"](z, labels)
        return images.clamp(-1, 1)


@dataclass(frozen=True)
class ConditionalConfig(NoiseConfig):
    """Config of a recipe that is told which class to draw."""

    num_classes: int | None = None
    """Classes that the generator tells apart. None takes them from the data."""

    def __post_init__(self) -> None:
        super().__post_init__()
        fits = self.num_classes is None or self.num_classes >= 1
        self.require(fits, f"num_classes is {self.num_classes}; it must be at least 1.")

    def resolve(self, image_size: int, channels: int, num_classes: int = 0, inputs: Inputs | None = None) -> Self:
        """See `Config.resolve`.

        Raises:
            UsageError: The data has no labels, or another number of classes than the config says.
        """
        self.require_classes(num_classes)
        return dataclasses.replace(super().resolve(image_size, channels), num_classes=num_classes)

    def require_classes(self, num_classes: int) -> None:
        """Raises `UsageError` for data without classes, or with another number of them than this says."""
        self.require(
            num_classes > 0,
            "This recipe draws pictures by class, but the data has no classes: take digits, for example, or a folder "
            "with one sub-folder per class.",
        )
        fits = self.num_classes in (None, num_classes)
        self.require(fits, f"num_classes is {self.num_classes}, but the data has {num_classes} classes.")

    @property
    def class_count(self) -> int:
        """num_classes of a resolved config."""
        if self.num_classes is None:
            raise UsageError(
                "num_classes is still left to the data: set it, or call config.resolve(size, channels, n)."
            )
        return self.num_classes


class ConditionalRecipe(NoiseRecipe):
    """A noise recipe whose generator and critic see the class: fakes are made with the labels of the batch's images,
    so classes are drawn as often as the data has them."""

    Config: ClassVar[type[Config]] = ConditionalConfig

    @property
    def num_classes(self) -> int | None:
        return int(self.config.class_count)
