r"""Sketches to coloured cloth: residual blocks at full size, and a critic that looks at patches.

Source: the document "Model information", its model GEN_1, on the ground of Isola, Zhu, Zhou, Efros, "Image-to-Image
Translation with Conditional Adversarial Networks", 2016, arXiv:1611.07004.

The critic says of every patch of a picture whether it is real; the generator should pass, and stay near the true
picture $y$ of its input $x$:

$$L_D = \tfrac12\,\mathbb{E}_y[\mathrm{softplus}(-D(y))] + \tfrac12\,\mathbb{E}_x[\mathrm{softplus}(D(G(x)))]
\qquad L_G = \mathbb{E}_x[\mathrm{softplus}(-D(G(x)))] + \lambda\,\mathbb{E}_{x,y}[\lvert G(x) - y\rvert]$$

As in the document: both networks, layer by layer and key by key, and $\lambda = 100$. It calls the generator a U-Net;
the one it gives in code never shrinks the picture and has no skips from side to side, so a pixel is coloured by the
37x37 around it and nothing else (pix2pix is the U-Net). Its critic ends in a sigmoid and gives 63x63 probabilities of a
picture of 256x256; ours gives their logits. The document names neither optimizer nor weights: Adam at 2e-4 with betas
(0.5, 0.999), as in the paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch.nn.functional as F
from torch import Tensor, nn

from gan_core.image_networks import ResidualBlock, patch_critic
from gan_core.recipe import register
from gan_core.train_options import TrainOptions
from gan_core.translation import PairedConfig, PairedRecipe


@dataclass(frozen=True)
class Gen1Config(PairedConfig):
    """What a `gen_1` is."""

    blocks: int = 6
    """Residual blocks."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_blocks(self.blocks)
        fits = self.image_size is None or self.image_size >= 16
        self.require(fits, f"image_size is {self.image_size}; the critic's patches take 16 or more.")

    @classmethod
    def tiny(cls) -> Self:
        return cls(image_size=16, channels=3, input_channels=1, width=4, blocks=2)

    @classmethod
    def paper(cls) -> Self:
        return cls(image_size=512, channels=3, input_channels=1, width=64)


class Generator(nn.Module):
    """A wide convolution, residual blocks, a wide convolution to colours, all at the picture's own size."""

    def __init__(self, c: Gen1Config) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c.channels_in, c.width, 7, padding=3)
        self.bn1 = nn.BatchNorm2d(c.width)
        self.res_blocks = nn.Sequential(*(ResidualBlock(c.width) for _ in range(c.blocks)))
        self.conv2 = nn.Conv2d(c.width, c.image_shape[0], 7, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        # [N, c, H, W] -> [N, C, H, W] in [-1, 1]
        y = self.res_blocks(F.relu(self.bn1(self.conv1(x))))
        images: Tensor = self.conv2(y).tanh()
        return images


class Discriminator(nn.Module):
    """Two convolutions of stride 2 and one to logits: each sees 22x22 pixels."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.model = patch_critic(channels, width, strides=(2, 2), norm="none")

    def forward(self, images: Tensor) -> Tensor:
        # [N, C, H, W] -> logits [N, 1, H / 4 - 1, W / 4 - 1]
        logits: Tensor = self.model(images)
        return logits


@register("gen_1")
class Gen1(PairedRecipe):
    """Cross-entropy over patches and the mean absolute difference."""

    Config = Gen1Config
    config: Gen1Config
    train_options = TrainOptions(lr=2e-4, betas=(0.5, 0.999), batch_size=16)

    @property
    def context(self) -> int:
        return 3 + 2 * self.config.blocks + 3  # by 7x7 convolutions at both ends, and two of 3x3 a block

    def build(self) -> nn.ModuleDict:
        return nn.ModuleDict({"G": Generator(self.config), "D": self.critic()})

    def critic(self) -> nn.Module:
        """The network that judges patches."""
        return Discriminator(self.config.image_shape[0], self.config.width)
