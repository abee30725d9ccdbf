r"""The modern baseline: a loss that converges and plain residual networks, without the tricks of twenty years' papers.

Paper: Huang, Gokaslan, Kuleshov, Tompkin, "The GAN is dead; long live the GAN! A Modern GAN Baseline", 2024,
arXiv:2501.05441.

The critic does not judge pictures, it compares them: each real one should score above the fake it is paired with, and
the generator wants the opposite. That game has no flat regions to collapse in, and with a zero-centred penalty on the
critic's slope at reals ($R_1$) and at fakes ($R_2$) it converges locally:

$$L_D = \mathbb{E}_{x,z}[\mathrm{softplus}(-(f(x) - f(G(z))))]
+ \tfrac{\gamma}{2}\,\mathbb{E}_x[\lVert\nabla f(x)\rVert^2]
+ \tfrac{\gamma}{2}\,\mathbb{E}_z[\lVert\nabla f(G(z))\rVert^2] \qquad
L_G = \mathbb{E}_{x,z}[\mathrm{softplus}(-(f(G(z)) - f(x)))]$$

Networks mirror each other: 4x4 maps, then per side `blocks` residual blocks, 1x1 - grouped 3x3 - 1x1 with biased
LeakyReLU, no normalisation anywhere. A block's last convolution starts at zero and the others are scaled down with the
number $L$ of blocks by $L^{-1/4}$ (Fixup), so that depth costs no stability. Sides change by bilinear interpolation,
channels by a 1x1 convolution. $G$ starts from a learned 4x4 basis weighted by a linear map of $z$; $D$ ends in a
depthwise 4x4 convolution and a linear layer.

As in the paper: loss, penalties at every step, blocks and initialisation, cosine schedules from the first image to the
horizon for the learning rate (to a quarter), $\gamma$ (to a tenth), $\beta_2$ (.9 to .99) and the half-life of the
averaged generator (from 0; ours ramps up and then stays). Unlike it: small networks with few channels where the maps
are large, no augmentation by default, no labels, a learning rate of 5e-4 for batches of 64 (paper: 2e-4 for 512).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_core import losses
from gan_core.noise import NoiseConfig, NoiseRecipe
from gan_core.recipe import Batch, Phase, register
from gan_core.train_options import TrainOptions


@dataclass(frozen=True)
class R3GANConfig(NoiseConfig):
    """What an `r3gan` is."""

    latent_dim: int = 64
    """Length of the latent vector z."""
    width: int = 8
    """Channels at the image's own side."""
    growth: int = 4
    """How many times as many channels each halving of the side has, up to max_width."""
    max_width: int = 128
    """Most channels that a side has."""
    blocks: int = 1
    """Residual blocks at each side, in both networks."""
    expansion: int = 2
    """Channels inside a block, as a multiple of those outside."""
    group_size: int = 16
    """Channels in each group of a block's 3x3 convolution; a block with fewer has one group."""
    gamma: float = 1.0
    """Weight gamma of the penalties at the start of training."""
    gamma_final: float = 0.1
    """Weight gamma of the penalties from the horizon on."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_doublings(smallest=8)
        self.require(not self.r1, f"r1 is {self.r1:g}; an r3gan has R1 and R2 of its own, whose weight is gamma.")
        for name in ("width", "growth", "max_width", "blocks", "expansion", "group_size"):
            self.require(getattr(self, name) >= 1, f"{name} is {getattr(self, name)}; it must be at least 1.")
        for name in ("gamma", "gamma_final"):
            self.require(getattr(self, name) >= 0, f"{name} is {getattr(self, name):g}; it must be 0 or more.")
        self.require(self.width <= self.max_width, f"width is {self.width}, above max_width, {self.max_width}.")
        widths = {min(self.width * self.growth**k, self.max_width) for k in range(9)}
        uneven = [
            w for w in sorted(widths) if w * self.expansion > self.group_size and w * self.expansion % self.group_size
        ]
        self.require(
            not uneven,
            f"group_size is {self.group_size}, but a block has {uneven and uneven[0] * self.expansion} channels (width "
            "x growth^k, at most max_width, times expansion): make these multiples of group_size.",
        )

    @classmethod
    def tiny(cls) -> Self:
        return cls(image_size=16, channels=1, latent_dim=8, width=4, max_width=8, group_size=4)

    @classmethod
    def paper(cls) -> Self:
        return cls(
            image_size=32, channels=3, width=768, max_width=768, blocks=2, gamma=0.05, gamma_final=0.005
        )  # CIFAR-10

    @property
    def widths(self) -> list[int]:
        """Channels at sides 4, 8, ..., image_size."""
        return self.widths_by_side(self.width, self.max_width, self.growth)


GAIN = math.sqrt(2 / (1 + 0.2**2))  # of LeakyReLU 0.2


def scaled(layer: nn.Conv2d | nn.Linear, gain: float) -> Any:
    """The layer with weights ~ N(0, gain^2 / fan_in)."""
    fan_in = layer.weight[0].numel()
    nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(fan_in))
    return layer


class BiasedLeakyReLU(nn.Module):
    """LeakyReLU 0.2 of x + b, one b a channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x + self.bias.to(x.dtype)[:, None, None], 0.2)


class Block(nn.Module):
    """x + 1x1(act(grouped 3x3(act(1x1(x))))), the last convolution zero at first."""

    def __init__(self, channels: int, expansion: int, group_size: int, depth: int) -> None:
        super().__init__()
        inner = channels * expansion
        gain = GAIN * depth ** (-1 / 4)  # Fixup: L^(-1/(2m-2)) for the m = 3 layers of a block
        self.layers = nn.Sequential(
            scaled(nn.Conv2d(channels, inner, 1, bias=False), gain),
            BiasedLeakyReLU(inner),
            scaled(nn.Conv2d(inner, inner, 3, padding=1, groups=max(1, inner // group_size), bias=False), gain),
            BiasedLeakyReLU(inner),
            scaled(nn.Conv2d(inner, channels, 1, bias=False), 0.0),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.layers(x)
        return y


class Basis(nn.Module):
    """Learned 4x4 maps, weighted by a linear map of z."""

    def __init__(self, latent_dim: int, channels: int) -> None:
        super().__init__()
        self.weights = scaled(nn.Linear(latent_dim, channels, bias=False), 1.0)
        self.maps = nn.Parameter(nn.init.normal_(torch.empty(channels, 4, 4)))

    def forward(self, z: Tensor) -> Tensor:
        x: Tensor = self.weights(z)[:, :, None, None] * self.maps
        return x


class Generator(nn.Module):
    """Basis, then blocks and doublings in turn, then a linear 1x1 convolution to pixels."""

    def __init__(self, c: R3GANConfig) -> None:
        super().__init__()
        widths, depth = c.widths, c.blocks * len(c.widths)
        self.basis = Basis(c.latent_dim, widths[0])
        self.stages = nn.ModuleList()
        for c_in, c_out in zip([widths[0], *widths], widths, strict=False):
            change = [] if c_in == c_out else [scaled(nn.Conv2d(c_in, c_out, 1, bias=False), 1.0)]
            blocks = [Block(c_out, c.expansion, c.group_size, depth) for _ in range(c.blocks)]
            self.stages.append(nn.Sequential(*change, *blocks))
        self.to_image = scaled(nn.Conv2d(widths[-1], c.image_shape[0], 1), 1.0)

    def forward(self, z: Tensor) -> Tensor:
        x = self.basis(z)  # [N, latent_dim] -> [N, widest, 4, 4]
        for k, stage in enumerate(self.stages):
            if k:
                x = F.interpolate(x, scale_factor=2, mode="bilinear")
            x = stage(x)  # -> [N, widths[k], 4 * 2^k, 4 * 2^k]
        images: Tensor = self.to_image(x)  # -> [N, C, S, S], not bounded
        return images


class Discriminator(nn.Module):
    """A linear 1x1 convolution from pixels, then blocks and halvings in turn, then one score."""

    def __init__(self, c: R3GANConfig) -> None:
        super().__init__()
        widths, depth = c.widths[::-1], c.blocks * len(c.widths)
        self.from_image = scaled(nn.Conv2d(c.pack_channels, widths[0], 1), 1.0)
        self.stages = nn.ModuleList()
        for c_in, c_out in zip(widths, [*widths[1:], widths[-1]], strict=True):
            blocks = [Block(c_in, c.expansion, c.group_size, depth) for _ in range(c.blocks)]
            change = [] if c_in == c_out else [scaled(nn.Conv2d(c_in, c_out, 1, bias=False), 1.0)]
            self.stages.append(nn.Sequential(*blocks, *change))
        self.basis = scaled(nn.Conv2d(widths[-1], widths[-1], 4, groups=widths[-1], bias=False), 1.0)
        self.to_score = scaled(nn.Linear(widths[-1], 1, bias=False), 1.0)

    def forward(self, images: Tensor) -> Tensor:
        x = self.from_image(images)  # [N, C, S, S] -> [N, width, S, S]
        for k, stage in enumerate(self.stages):
            if k:
                x = F.avg_pool2d(x, 2)
            x = stage(x)
        x = self.basis(x)  # [N, widest, 4, 4] -> [N, widest, 1, 1]
        scores: Tensor = self.to_score(x.flatten(1)).flatten()  # -> [N]
        return scores


@register("r3gan")
class R3GAN(NoiseRecipe):
    """Relativistic pairs with penalties at both ends."""

    Config = R3GANConfig
    config: R3GANConfig
    train_options = TrainOptions(
        lr=5e-4, betas=(0.0, 0.9), batch_size=64, lr_schedule="cosine", lr_horizon=192_000, lr_final=0.25
    )
    comparative = True

    def build(self) -> nn.ModuleDict:
        return nn.ModuleDict({"G": Generator(self.config), "D": Discriminator(self.config)})

    def schedule(self, phase: Phase, images_seen: int) -> dict[str, Any]:
        """The learning rate falls, and the second moment's memory grows from 10 updates to 100."""
        beta1, beta2 = self.options.betas
        longer = 0.99 + (beta2 - 0.99) * self.options.left(images_seen)
        return super().schedule(phase, images_seen) | {"betas": (beta1, longer)}

    def critic_loss(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        return {"relativistic": losses.relativistic(real, fake)}

    def losses(self, phase: str, nets: nn.ModuleDict, batch: Batch, images_seen: int) -> dict[str, Tensor]:
        if phase == "g":
            real, fake = self.score(nets, batch.images), self.score(nets, self.generate(nets, batch, images_seen))
            return {"relativistic": losses.relativistic(fake, real)}
        return super().losses(phase, nets, batch, images_seen)

    def penalty(
        self, critic: Callable[[Tensor], Tensor], images: Tensor, fakes: Tensor, images_seen: int
    ) -> dict[str, Tensor]:
        start, final = self.config.gamma, self.config.gamma_final
        weight = (final + (start - final) * self.options.left(images_seen)) / 2
        return {
            "r1": weight * losses.zero_centered_penalty(critic, images),
            "r2": weight * losses.zero_centered_penalty(critic, fakes),
        }
