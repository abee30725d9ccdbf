r"""Pictures from pictures, learned from pairs: a U-Net, and a critic that sees input and picture side by side.

Paper: Isola, Zhu, Zhou, Efros, "Image-to-Image Translation with Conditional Adversarial Networks", 2016,
arXiv:1611.07004.

The generator shrinks its input to a few pixels and grows the picture back; at every side it is told what it saw there
on the way down, so that edges stay where they were. The critic judges patches of 70x70 pixels of the pair:

$$L_D = \tfrac12\,\mathbb{E}_{x,y}[\mathrm{softplus}(-D(x, y))]
+ \tfrac12\,\mathbb{E}_x[\mathrm{softplus}(D(x, G(x)))]$$
$$L_G = \mathbb{E}_x[\mathrm{softplus}(-D(x, G(x)))] + \lambda\,\mathbb{E}_{x,y}[\lvert G(x) - y\rvert]$$

As in the paper: both networks, half of $L_D$, $\lambda = 100$, dropout in the inner layers while training, weights
drawn from $\mathcal N(0, 0.02^2)$, Adam at 2e-4 with betas (0.5, 0.999). Unlike it: few channels, and instance
normalisation with a scale and a shift of each map. The paper trains with batch normalisation and one picture at a time,
and samples with that picture's own statistics: there the two are the same, and ours goes on being it for any batch. So
the picture is a function of the input: dropout, the paper's only noise, is off when it draws.

What the paper tries beside it can be chosen: other games (`adversarial`), a critic of pixels, or of patches of another
size (`critic_layers`: 1 sees 16x16 pixels, 2 34x34, 3 70x70, 4 142x142), or one that does not see the input; and what
others made of it: the residual generator of `cyclegan`'s paper, critics at three scales (Wang 2018, arXiv:1711.11585).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal, Self

from torch import nn

from gan_core.image_networks import (
    MultiScale,
    PictureNorm,
    ResnetGenerator,
    UNetGenerator,
    context_at_a_quarter,
    patch_critic,
    pixel_critic,
)
from gan_core.layers import Upsample, init_normal
from gan_core.recipe import register
from gan_core.train_options import TrainOptions
from gan_core.translation import PairedConfig, PairedRecipe

SCALES = 3  # of a multi-scale critic


@dataclass(frozen=True)
class Pix2PixConfig(PairedConfig):
    """What a `pix2pix` is."""

    width: int = 24
    """Channels at half the side (ngf and ndf); each further halving doubles them, up to eight times as many."""
    generator: Literal["unet", "resnet"] = "unet"
    """A U-Net, which sees the whole picture, or residual blocks at a quarter of the side, which see around a pixel."""
    blocks: int = 6
    """Residual blocks of the resnet."""
    critic: Literal["patch", "pixel", "multiscale"] = "patch"
    """What the critic judges: patches, pixels, or patches of the picture at full, half and quarter size."""
    critic_layers: int = 3
    """Halving convolutions of a critic of patches, of which each doubles what it sees; the last does not halve."""
    conditional: bool = True
    """Whether the critic sees the input too."""
    norm: PictureNorm = "instance"
    """How both networks normalise."""
    upsample: Upsample = "conv_transpose"
    """How the generator doubles the side; the last two avoid checkerboards."""
    dropout: float = 0.5
    """Share of the units that are dropped in the three innermost doublings while training."""

    def __post_init__(self) -> None:
        super().__post_init__()
        size = self.image_size
        if self.generator == "unet":
            fits = size is None or (size >= 32 and size & (size - 1) == 0)
            self.require(fits, f"image_size is {size}; it is halved to a pixel, so it takes 32, 64, 128, 256, ...")
        fits = size is None or (size >= 32 and size % 4 == 0)
        self.require(fits, f"image_size is {size}; it is halved twice and judged in patches: it takes 32, 36, 40, ...")
        self.require_blocks(self.blocks)
        if self.critic != "pixel":
            self.require_judged(self.critic_layers, SCALES if self.critic == "multiscale" else 1)
        self.require(0 <= self.dropout < 1, f"dropout is {self.dropout:g}; it is a share, from 0 to below 1.")

    @classmethod
    def tiny(cls) -> Self:
        return cls(image_size=32, channels=3, input_channels=1, width=4)

    @classmethod
    def paper(cls) -> Self:
        return cls(image_size=256, channels=3, input_channels=3, width=64, norm="batch")

    @property
    def downs(self) -> int:
        """Halvings from the picture's side to one pixel."""
        return self.image_shape[1].bit_length() - 1


@register("pix2pix")
class Pix2Pix(PairedRecipe):
    """Cross-entropy over patches of pairs and the mean absolute difference."""

    Config = Pix2PixConfig
    config: Pix2PixConfig
    train_options = TrainOptions(lr=2e-4, betas=(0.5, 0.999), batch_size=16)

    @property
    def multiple(self) -> int:
        return int(2**self.config.downs) if self.config.generator == "unet" else 4

    @property
    def smallest(self) -> int:
        return max(8, self.multiple)  # a map of one number has no deviation to be divided by

    @property
    def context(self) -> int | None:
        return None if self.config.generator == "unet" else context_at_a_quarter(self.config.blocks)

    def build(self) -> nn.ModuleDict:
        return nn.ModuleDict({"G": self.generator(), "D": self.critic()}).apply(partial(init_normal, std=0.02))

    def generator(self) -> nn.Module:
        """The network that draws."""
        c = self.config
        channels = c.image_shape[0]
        if c.generator == "resnet":
            return ResnetGenerator(c.channels_in, channels, c.width, c.blocks, c.norm, c.upsample)
        return UNetGenerator(c.channels_in, channels, c.width, c.downs, c.norm, c.upsample, c.dropout)

    def critic(self) -> nn.Module:
        """The network that judges."""
        c = self.config
        channels = c.image_shape[0] + (c.channels_in if c.conditional else 0)
        norm = c.critic_norm(c.norm)
        if c.critic == "pixel":
            return pixel_critic(channels, c.width, norm)
        strides = (2,) * c.critic_layers + (1,)
        if c.critic == "multiscale":
            return MultiScale(*(patch_critic(channels, c.width, strides, norm) for _ in range(SCALES)))
        return patch_critic(channels, c.width, strides, norm)

    @property
    def conditional(self) -> bool:
        return self.config.conditional
