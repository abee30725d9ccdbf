r"""A gate over channels and places, and two critics: one of the picture, one of the picture at half its size.

Source: the public code of the project that the document "Model information" describes, where GEN_5 is only a heading;
on the ground of Isola, Zhu, Zhou, Efros, "Image-to-Image Translation with Conditional Adversarial Networks", 2016,
arXiv:1611.07004; two scales as in arXiv:1711.11585.

The generator is `gen_3`'s without the noise, and with a gate after the blocks, $x \cdot \sigma(W_2 W_1 x)$, called
spatial attention there: each place's channels weigh themselves, and no place looks at another. Terms of the two
critics $D_1, D_2$ are averaged:

$$L_D = \tfrac12\sum_k \big(\tfrac12\,\mathbb{E}_y[\mathrm{CE}_{0.9}(D_k(y))]
+ \tfrac12\,\mathbb{E}_x[\mathrm{softplus}(D_k(G(x)))]\big)$$
$$L_G = \tfrac12\sum_k \mathbb{E}_x[\mathrm{softplus}(-D_k(G(x)))]
+ \lambda\,\mathbb{E}_{x,y}[\lvert G(x) - y\rvert]$$

where $\mathrm{CE}_{0.9}(\ell) = 0.9\,\mathrm{softplus}(-\ell) + 0.1\,\mathrm{softplus}(\ell)$. As there: layers,
$\lambda = 100$, Adam at 2e-4 with betas (0.5, 0.999), cosine to a tenth of the rate; here by default over 48,000
pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from torch import Tensor, nn

from gan_core.image_networks import MultiScale, ResidualBlock, context_at_a_quarter, convolution, doubling, patch_critic
from gan_core.recipe import register
from gan_core.train_options import TrainOptions
from gan_core.translation import PairedConfig, PairedRecipe


@dataclass(frozen=True)
class Gen5Config(PairedConfig):
    """What a `gen_5` is."""

    width: int = 24
    """Channels of the generator at the full side (ngf)."""
    blocks: int = 9
    """Residual blocks, at a quarter of the side."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_blocks(self.blocks)
        size = self.image_size
        fits = size is None or (size >= 48 and size % 4 == 0)
        self.require(fits, f"image_size is {size}; it is halved twice and judged at half: it takes 48, 52, 56, ...")

    @classmethod
    def tiny(cls) -> Self:
        return cls(image_size=48, channels=3, input_channels=1, width=4, blocks=2)

    @classmethod
    def paper(cls) -> Self:
        return cls(image_size=512, channels=3, input_channels=1, width=64)


class Gate(nn.Module):
    """Each place's channels, weighed between 0 and 1 by themselves."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        few = max(1, channels // 8)
        self.weigh = nn.Sequential(nn.Conv2d(channels, few, 1), nn.Conv2d(few, channels, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x * self.weigh(x)
        return y


class Generator(nn.Module):
    """Two halvings, residual blocks, the gate, two doublings, a wide convolution to colours."""

    def __init__(self, c: Gen5Config) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *convolution(c.channels_in, c.width, 7),
            *convolution(c.width, 2 * c.width, 3, stride=2),
            *convolution(2 * c.width, 4 * c.width, 3, stride=2),
            *(ResidualBlock(4 * c.width) for _ in range(c.blocks)),
            Gate(4 * c.width),
            *doubling(4 * c.width),
            *doubling(2 * c.width),
            nn.Conv2d(c.width, c.image_shape[0], 7, padding=3),
            nn.Tanh(),
        )

    def forward(self, x: Tensor) -> Tensor:
        # [N, c, H, W] -> [N, C, H, W] in [-1, 1]; H and W are multiples of 4
        images: Tensor = self.layers(x)
        return images


@register("gen_5")
class Gen5(PairedRecipe):
    """gen_1's game at two scales, reals' labels softened."""

    Config = Gen5Config
    config: Gen5Config
    train_options = TrainOptions(
        lr=2e-4, betas=(0.5, 0.999), batch_size=16, lr_schedule="cosine", lr_horizon=48_000, lr_final=0.1
    )
    real_label = 0.9

    def build(self) -> nn.ModuleDict:
        c = self.config
        critics = (
            patch_critic(c.image_shape[0], c.width, strides=(2, 2, 2, 1), norm=c.critic_norm("batch"), batch_bias=True)
            for _ in range(2)
        )
        return nn.ModuleDict({"G": Generator(c), "D": MultiScale(*critics)})

    @property
    def multiple(self) -> int:
        return 4

    @property
    def context(self) -> int:
        return context_at_a_quarter(self.config.blocks)
