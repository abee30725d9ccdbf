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
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Self

import torch
from torch import Tensor, nn

from gan_core.layers import Upsample, init_normal
from gan_core.recipe import register
from gan_core.train_options import TrainOptions
from gan_core.translation import PairedConfig, PairedRecipe
from gan_core.translators import PictureNorm, UNetGenerator, patch_critic


@dataclass(frozen=True)
class Pix2PixConfig(PairedConfig):
    """What a `pix2pix` is."""

    width: int = 24
    """Channels at half the side (ngf and ndf); each further halving doubles them, up to eight times as many."""
    norm: PictureNorm = "instance"
    """How both networks normalise."""
    upsample: Upsample = "conv_transpose"
    """How the generator doubles the side; the last two avoid checkerboards."""
    dropout: float = 0.5
    """Share of the units that are dropped in the three innermost doublings while training."""

    def __post_init__(self) -> None:
        super().__post_init__()
        size = self.image_size
        fits = size is None or (size >= 32 and size & (size - 1) == 0)
        self.require(fits, f"image_size is {size}; it is halved to a pixel, so it takes 32, 64, 128, 256, ...")
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
        return int(2**self.config.downs)

    @property
    def context(self) -> None:
        return None

    def build(self) -> nn.ModuleDict:
        c = self.config
        channels = c.image_shape[0]
        generator = UNetGenerator(c.channels_in, channels, c.width, c.downs, c.norm, c.upsample, c.dropout)
        critic = patch_critic(c.channels_in + channels, c.width, strides=(2, 2, 2, 1), norm=c.norm)
        return nn.ModuleDict({"G": generator, "D": critic}).apply(partial(init_normal, std=0.02))

    def judge(self, nets: nn.ModuleDict, inputs: Tensor, images: Tensor) -> list[Tensor]:
        return super().judge(nets, inputs, torch.cat([inputs, images], dim=1))
