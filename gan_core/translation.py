"""Recipes that translate pictures: an input goes in, a picture comes out, and a critic looks at patches of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_core import losses
from gan_core.errors import UsageError
from gan_core.image_networks import PictureNorm
from gan_core.recipe import Batch, Config, Inputs, Recipe

MOST_BLOCKS, MOST_LAYERS = 64, 6  # a stranger's small config could ask for any number of layers to be built
Adversarial = Literal["vanilla", "lsgan", "hinge", "wgan_gp"]


@dataclass(frozen=True)
class TranslationConfig(Config):
    """Config of a recipe that turns pictures into pictures."""

    input_channels: int | None = None
    """1 for grey inputs, 3 for coloured ones. None takes it from the data."""
    width: int = 32
    """Channels of the generator at the full side (ngf)."""
    flip: bool = True
    """Mirror half of the pictures in training; an input and its truth together."""

    def __post_init__(self) -> None:
        super().__post_init__()
        fits = self.input_channels in (None, 1, 3)
        self.require(fits, f"input_channels is {self.input_channels}; it takes 1 (grey) or 3 (colour).")
        self.require(self.width >= 1, f"width is {self.width}; it must be at least 1.")

    def require_blocks(self, blocks: int) -> None:
        """Raises `UsageError` unless so many residual blocks may be built."""
        self.require(1 <= blocks <= MOST_BLOCKS, f"blocks is {blocks}; it takes 1 to {MOST_BLOCKS}.")

    def require_judged(self, layers: int, scales: int = 1) -> None:
        """Raises `UsageError` unless critics of patches, with so many halving layers and at so many scales, may be
        built and have a patch to judge at the coarsest."""
        self.require(1 <= layers <= MOST_LAYERS, f"critic_layers is {layers}; it takes 1 to {MOST_LAYERS}.")
        smallest, size = 3 << (layers + scales - 1), self.image_size
        at = f" at {scales} scales" if scales > 1 else ""
        fits = size is None or size >= smallest
        self.require(fits, f"image_size is {size}; a critic of {layers} layers{at} takes {smallest} or more.")

    def resolve(self, image_size: int, channels: int, num_classes: int = 0, inputs: Inputs | None = None) -> Self:
        """See `Config.resolve`.

        Raises:
            UsageError: The data has no inputs, or those of another number of channels than the config says.
        """
        if inputs is None:
            raise UsageError(
                "This recipe turns pictures into pictures, but the data has no inputs to translate: take batik, for "
                "example, or a folder with pairs of equal names in A and B."
            )
        fits = self.input_channels in (None, inputs.channels)
        self.require(fits, f"input_channels is {self.input_channels}, but the data's inputs have {inputs.channels}.")
        return dataclasses.replace(super().resolve(image_size, channels), input_channels=inputs.channels)

    @property
    def channels_in(self) -> int:
        """input_channels of a resolved config."""
        if self.input_channels is None:
            raise UsageError("input_channels is still left to the data: set it, or call config.resolve with inputs.")
        return self.input_channels


class TranslationRecipe(Recipe):
    """A recipe whose generator maps pictures to pictures.

    Attributes:
        pairs: Whether it learns from pairs: each input with its true picture.
        varies: Whether another seed gives another picture of the same input.
        both_ways: Whether it has a control `backwards`, with which it translates pictures to inputs.
        makes_inputs: Whether it makes its inputs itself, with `inputs_of`, and so learns from any pictures.
    """

    Config: ClassVar[type[Config]] = TranslationConfig
    dataset = "batik"
    pairs: ClassVar[bool] = True
    varies: ClassVar[bool] = False
    both_ways: ClassVar[bool] = False
    makes_inputs: ClassVar[bool] = False

    @property
    def multiple(self) -> int:
        """The generator takes sides that are multiples of this."""
        return 1

    @property
    def smallest(self) -> int:
        """And no smaller ones than this."""
        return self.multiple

    @property
    def context(self) -> int | None:
        """How far around a pixel the generator looks at most, in pixels of its input; None: at the whole picture."""
        raise NotImplementedError

    @property
    def factor(self) -> int:
        """How many times larger than its input a picture is."""
        return 1

    def resolve(self, image_size: int, channels: int, num_classes: int = 0, inputs: Inputs | None = None) -> Self:
        """See `Recipe.resolve`.

        Raises:
            UsageError: The data has no inputs, or not the pairs that this recipe learns from.
        """
        if self.makes_inputs:
            inputs = Inputs(self.config.channels or channels, paired=True)
        resolved = super().resolve(image_size, channels, num_classes, inputs)
        if self.pairs and inputs is not None and not inputs.paired:
            raise UsageError(
                f"{self.name} learns from pairs, but the data's inputs belong to other pictures; cyclegan does without."
            )
        return resolved

    def prepared(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Inputs and pictures of a batch, half of them mirrored: a pair together, others each by itself."""
        if self.makes_inputs:
            batch = Batch(batch.images, inputs=self.inputs_of(batch.images))
        assert batch.inputs is not None
        if not self.config.flip:
            return batch.inputs, batch.images
        n, device = len(batch.images), batch.images.device
        mirrored = mirrors(n, device)
        others = mirrored if batch.paired else mirrors(n, device)
        return flipped(batch.inputs, others), flipped(batch.images, mirrored)

    def inputs_of(self, images: Tensor) -> Tensor:
        """What images [N, C, S, S] in [-1, 1] are to be made of, [N, c, S / factor, S / factor]; see `makes_inputs`."""
        raise NotImplementedError

    def translate(self, nets: nn.ModuleDict, inputs: Tensor, seed: int = 0, place: tuple[int, int] = (0, 0)) -> Tensor:
        """Pictures of inputs.

        Args:
            nets: With the generators.
            inputs: [N, c, H, W] in [-1, 1]; H and W are multiples of `multiple`.
            seed: Of what is drawn at random.
            place: Row and column of the inputs' upper left pixel, if they are a tile of a picture.

        Returns:
            [N, C, factor * H, factor * W] in [-1, 1].
        """
        images: Tensor = nets["G"](inputs)
        return images

    def arguments(self, n: int, random: torch.Generator) -> dict[str, Tensor]:
        """Something that a generator takes, by the names of its arguments: n inputs and whatever goes with them."""
        side = self.config.image_shape[1] // self.factor
        return {"x": torch.randn(n, self.config.channels_in, side, side, generator=random)}

    @property
    def judges_patches(self) -> bool:
        """Whether the critic says of patches how real they are: then there are `judge` and `realness`."""
        return False

    def judge(self, nets: nn.ModuleDict, inputs: Tensor, images: Tensor) -> list[Tensor]:
        """The critic's scores of the patches of images, [N, 1, h, w] in fp32, at each of its scales."""
        raise NotImplementedError

    def realness(self, scores: Tensor) -> Tensor:
        """How real the critic's scores say that patches are, in [0, 1]."""
        raise NotImplementedError


def mirrors(n: int, device: torch.device) -> Tensor:
    """Which of n pictures to mirror."""
    return torch.rand(n, 1, 1, 1, device=device) < 0.5


def flipped(images: Tensor, mirrored: Tensor) -> Tensor:
    """Images [N, C, H, W], some of them with left and right exchanged."""
    return torch.where(mirrored, images.flip(3), images)


@dataclass(frozen=True)
class PairedConfig(TranslationConfig):
    """Config of a recipe that learns from pairs."""

    l1: float = 100.0
    """Weight of the mean absolute difference from the true picture."""
    adversarial: Adversarial = "vanilla"
    """The game over patches: cross-entropy, least squares, hinge, or Wasserstein with a gradient penalty."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.l1 >= 0, f"l1 is {self.l1:g}; it must be 0 or more.")

    def critic_norm(self, usual: PictureNorm) -> PictureNorm:
        """How the critic normalises: a penalty is on its slope at one picture, so that others may not take part."""
        return "none" if usual == "batch" and self.adversarial == "wgan_gp" else usual


class PairedRecipe(TranslationRecipe):
    """Pictures should be like the true ones, and their patches should pass for real.

    Attributes:
        real_label: The critic's target for real patches where the game has targets: cross-entropy, least squares.
        fake_label: Its target for patches of translations.
    """

    Config: ClassVar[type[Config]] = PairedConfig
    real_label: ClassVar[float] = 1.0
    fake_label: ClassVar[float] = 0.0

    @property
    def conditional(self) -> bool:
        """Whether the critic sees the input beside the picture."""
        return False

    def judge(self, nets: nn.ModuleDict, inputs: Tensor, images: Tensor) -> list[Tensor]:
        scores = nets["D"](torch.cat([inputs, images], dim=1) if self.conditional else images)
        return [part.float() for part in (scores if isinstance(scores, list) else [scores])]

    @property
    def judges_patches(self) -> bool:
        return self.config.adversarial in ("vanilla", "lsgan")  # other scores have no zero, or are margins

    def realness(self, scores: Tensor) -> Tensor:
        """See `TranslationRecipe.realness`; least squares ask for 1 where a patch is real and for 0 where it is not."""
        return scores.clamp(0, 1) if self.config.adversarial == "lsgan" else torch.sigmoid(scores)

    def generate(self, nets: nn.ModuleDict, inputs: Tensor) -> Tensor:
        """Translations of inputs in training."""
        images: Tensor = nets["G"](inputs)
        return images

    def beside(self, fakes: Tensor) -> dict[str, Tensor]:
        """Further terms for the generator."""
        return {}

    def losses(self, phase: str, nets: nn.ModuleDict, batch: Batch, images_seen: int) -> dict[str, Tensor]:
        inputs, truth = self.prepared(batch)
        if phase == "g":
            fakes = self.generate(nets, inputs)
            adversarial = self.generator_loss(self.judge(nets, inputs, fakes))
            return {"adversarial": adversarial, "l1": self.config.l1 * F.l1_loss(fakes, truth)} | self.beside(fakes)
        with torch.no_grad():
            fakes = self.generate(nets, inputs)
        real, fake = self.judge(nets, inputs, truth), self.judge(nets, inputs, fakes)
        terms = self.critic_loss(real, fake)
        if self.config.adversarial == "wgan_gp":
            terms["penalty"] = 10.0 * losses.gradient_penalty(
                lambda images: over_scales([logits.flatten(1).mean(1) for logits in self.judge(nets, inputs, images)]),
                truth,
                fakes,
            )
        return terms

    def critic_loss(self, real: Sequence[Tensor], fake: Sequence[Tensor]) -> dict[str, Tensor]:
        """What the critic minimises, from its logits of patches at each scale."""
        kind = self.config.adversarial
        if kind == "hinge":
            terms = [losses.hinge_critic(*pair) for pair in zip(real, fake, strict=True)]
            return {name: over_scales([term[name] for term in terms]) for name in ("real", "fake")}
        if kind == "wgan_gp":
            return {"wasserstein": over_scales([losses.wasserstein(*pair) for pair in zip(real, fake, strict=True)])}
        against = losses.least_squares if kind == "lsgan" else losses.cross_entropy
        return {
            "real": over_scales([against(logits, self.real_label) for logits in real]) / 2,
            "fake": over_scales([against(logits, self.fake_label) for logits in fake]) / 2,
        }

    def generator_loss(self, fake: Sequence[Tensor]) -> Tensor:
        """What the generator minimises, from the critic's logits of its patches."""
        kind = self.config.adversarial
        if kind in ("hinge", "wgan_gp"):
            return -over_scales([logits.mean() for logits in fake])
        against = losses.least_squares if kind == "lsgan" else losses.cross_entropy
        return over_scales([against(logits, 1.0) for logits in fake])


def over_scales(terms: Sequence[Tensor]) -> Tensor:
    """The mean over the scales of a critic."""
    return torch.stack(list(terms)).mean(0)
