r"""Variations of a sketch: noise beside the input, a critic that sees the sketch too, a term for spread colours.

Source: the public code of the project that the document "Model information" describes, where GEN_3 is only a heading;
on the ground of Isola, Zhu, Zhou, Efros, "Image-to-Image Translation with Conditional Adversarial Networks", 2016,
arXiv:1611.07004.

Noise $z$ of the picture's size goes through a convolution of its own and is added after the first layer. The critic
judges pairs of input and picture. With $s$ the standard deviation over the pixels of a channel:

$$L_D = \tfrac12\,\mathbb{E}_{x,y}[\mathrm{CE}_{0.9}(D(x, y))]
+ \tfrac12\,\mathbb{E}_{x,z}[\mathrm{CE}_{0.1}(D(x, G(x,z)))]$$
$$L_G = \mathbb{E}_{x,z}[\mathrm{softplus}(-D(x, G(x,z)))] + \lambda\,\mathbb{E}_{x,y,z}[\lvert G(x,z) - y\rvert]
- \mu\,\mathbb{E}_{x,z}[s(G(x,z))]$$

where $\mathrm{CE}_t(\ell) = t\,\mathrm{softplus}(-\ell) + (1-t)\,\mathrm{softplus}(\ell)$. As there: layers, both
labels softened, $\lambda = 10$, $\mu = 0.5$, Adam at 2e-4 with betas (0.5, 0.999). The spread is within one picture:
nothing asks two pictures of one sketch to differ, and the difference from the truth asks them not to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from gan_core.image_networks import ResidualBlock, context_at_a_quarter, convolution, doubling, patch_critic
from gan_core.recipe import register
from gan_core.train_options import TrainOptions
from gan_core.translation import PairedConfig, PairedRecipe

BLOCK = 64  # pixels of noise that are drawn together


@dataclass(frozen=True)
class Gen3Config(PairedConfig):
    """What a `gen_3` is."""

    width: int = 24
    """Channels of the generator at the full side (ngf)."""
    blocks: int = 9
    """Residual blocks, at a quarter of the side."""
    l1: float = 10.0
    """Weight of the mean absolute difference from the true picture."""
    spread: float = 0.5
    """Weight mu of the spread of a picture's pixels, which the generator is to raise."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_blocks(self.blocks)
        self.require(self.spread >= 0, f"spread is {self.spread:g}; it must be 0 (off) or more.")
        size = self.image_size
        fits = size is None or (size >= 32 and size % 4 == 0)
        self.require(fits, f"image_size is {size}; it is halved twice and judged in patches: it takes 32, 36, 40, ...")

    @classmethod
    def tiny(cls) -> Self:
        return cls(image_size=32, channels=3, input_channels=1, width=4, blocks=2)

    @classmethod
    def paper(cls) -> Self:
        return cls(image_size=512, channels=3, input_channels=1, width=64)


class Generator(nn.Module):
    """The first layer plus noise, two halvings, residual blocks, two doublings, a wide convolution to colours."""

    def __init__(self, c: Gen3Config) -> None:
        super().__init__()
        self.stem = nn.Sequential(*convolution(c.channels_in, c.width, 7))
        self.noise = nn.Sequential(*convolution(c.width, c.width, 3))
        self.body = nn.Sequential(
            *convolution(c.width, 2 * c.width, 3, stride=2),
            *convolution(2 * c.width, 4 * c.width, 3, stride=2),
            *(ResidualBlock(4 * c.width) for _ in range(c.blocks)),
            *doubling(4 * c.width),
            *doubling(2 * c.width),
            nn.Conv2d(c.width, c.image_shape[0], 7, padding=3),
            nn.Tanh(),
        )

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        # x [N, c, H, W], z [N, width, H, W] -> [N, C, H, W] in [-1, 1]; H and W are multiples of 4
        images: Tensor = self.body(self.stem(x) + self.noise(z))
        return images


@register("gen_3")
class Gen3(PairedRecipe):
    """A critic of pairs, noise, softened labels, spread."""

    Config = Gen3Config
    config: Gen3Config
    train_options = TrainOptions(lr=2e-4, betas=(0.5, 0.999), batch_size=16)
    real_label, fake_label = 0.9, 0.1
    varies = True

    def build(self) -> nn.ModuleDict:
        c = self.config
        channels = c.channels_in + c.image_shape[0]
        critic = patch_critic(channels, c.width, strides=(2, 2, 2, 2), norm=c.critic_norm("batch"), batch_bias=True)
        return nn.ModuleDict({"G": Generator(c), "D": critic})

    @property
    def multiple(self) -> int:
        return 4

    @property
    def context(self) -> int:
        return context_at_a_quarter(self.config.blocks)

    @property
    def conditional(self) -> bool:
        return True

    def generate(self, nets: nn.ModuleDict, inputs: Tensor) -> Tensor:
        n, _, *sides = inputs.shape
        images: Tensor = nets["G"](inputs, torch.randn(n, self.config.width, *sides, device=inputs.device))
        return images

    def arguments(self, n: int, random: torch.Generator) -> dict[str, Tensor]:
        given = super().arguments(n, random)
        return given | {"z": torch.randn(n, self.config.width, *given["x"].shape[2:], generator=random)}

    def beside(self, fakes: Tensor) -> dict[str, Tensor]:
        return {"spread": -self.config.spread * fakes.float().flatten(2).std(2).mean()}

    def translate(self, nets: nn.ModuleDict, inputs: Tensor, seed: int = 0, place: tuple[int, int] = (0, 0)) -> Tensor:
        """See `TranslationRecipe.translate`; another seed gives a variation, the same for all inputs."""
        z = noise_plane(seed, self.config.width, place, (inputs.shape[2], inputs.shape[3]))
        images: Tensor = nets["G"](inputs, z.to(inputs).expand(len(inputs), -1, -1, -1))
        return images


def noise_plane(seed: int, channels: int, place: tuple[int, int], sides: tuple[int, int]) -> Tensor:
    """A piece of an endless plane of N(0, 1), [1, channels, *sides]: the same wherever a tile begins.

    Args:
        seed: Of the plane.
        channels: Numbers for each pixel.
        place: Row and column of its upper left pixel.
        sides: Its height and width.
    """
    (top, left), (high, wide) = place, sides
    rows, columns = (range(a // BLOCK, -(-(a + n) // BLOCK)) for a, n in zip(place, sides, strict=True))
    lines = [torch.cat([block(seed, row, column, channels) for column in columns], dim=3) for row in rows]
    down, across = top - rows.start * BLOCK, left - columns.start * BLOCK
    return torch.cat(lines, dim=2)[:, :, down : down + high, across : across + wide]


def block(seed: int, row: int, column: int, channels: int) -> Tensor:
    """One block of the plane, [1, channels, BLOCK, BLOCK]."""
    random = np.random.default_rng((seed, row, column))
    return torch.from_numpy(random.standard_normal((1, channels, BLOCK, BLOCK), dtype=np.float32))
