r"""Super-resolution: a small picture made 2 or 4 times as large, with detail that a critic takes for real.

Paper: Ledig, Theis, Huszar and others, "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial
Network", 2016, arXiv:1609.04802.

Inputs $x = \downarrow_r y$ are made of the pictures $y$ themselves: reduced $r$ times with a bicubic kernel that is
widened as much, so that nothing is aliased. The generator works at the small side, in residual blocks with one skip
over all of them, and doubles the side at its end by rearranging channels to pixels. At first there is no critic, and
the generator (then called SRResNet) learns the mean of all that $x$ could have been, which is blurred. Then comes the
game, which draws it towards one of them:

$$L_D = \mathbb{E}_y[\mathrm{softplus}(-D(y))] + \mathbb{E}_x[\mathrm{softplus}(D(G(x)))]$$
$$L_G = \mathbb{E}_y\big[\tfrac1n\lVert G(x) - y\rVert^2\big] + \lambda\,\mathbb{E}_x[\mathrm{softplus}(-D(G(x)))]$$

with $n$ values a picture, and without the second term for the first `pretrain_images`. As in the paper: both networks,
$\lambda = 10^{-3}$, inputs, a linear last layer, Adam with betas (0.9, 0.999). Unlike it: the content is compared pixel
by pixel, which the paper calls SRGAN-MSE; its crispest pictures come of comparing features of VGG19 instead, whose
weights do not come with this playground. By default, the networks are small, the side is doubled, and the generator
adds what it draws to the bicubically enlarged input, so that a short training already beats that (`residual`). The
learning rate is 3e-4 and stays (paper: 1e-4, a tenth of it for the second half of the game).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_core import losses
from gan_core.layers import upsample
from gan_core.recipe import Batch, register
from gan_core.train_options import TrainOptions
from gan_core.translation import TranslationConfig, TranslationRecipe


@dataclass(frozen=True)
class SRGANConfig(TranslationConfig):
    """What a `srgan` is."""

    factor: int = 2
    """How many times the side of its input a picture has: 2 or 4."""
    width: int = 32
    """Channels of the generator."""
    blocks: int = 6
    """Residual blocks, at the small side."""
    residual: bool = True
    """Draw what the bicubically enlarged input lacks, not the whole picture (Kim 2016, arXiv:1511.04587)."""
    critic_width: int = 16
    """Channels of the critic at the full side; each halving doubles them, up to eight times as many."""
    critic_units: int = 128
    """Units of the critic's dense layer."""
    adversarial: float = 1e-3
    """Weight lambda of the game, beside the mean squared difference from the true picture."""
    pretrain_images: int = 24_000
    """Images seen before the game begins; until then there is only the difference, and the critic rests."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.factor in (2, 4), f"factor is {self.factor}; it takes 2 or 4.")
        self.require_blocks(self.blocks)
        for name in ("critic_width", "critic_units"):
            self.require(getattr(self, name) >= 1, f"{name} is {getattr(self, name)}; it must be at least 1.")
        self.require(self.adversarial >= 0, f"adversarial is {self.adversarial:g}; it must be 0 or more.")
        self.require(self.pretrain_images >= 0, f"pretrain_images is {self.pretrain_images}; it must be 0 or more.")
        size = self.image_size
        fits = size is None or size % 16 == 0
        self.require(fits, f"image_size is {size}; the critic halves it four times: it takes 16, 32, 48, 64, ...")

    @classmethod
    def tiny(cls) -> Self:
        return cls(
            image_size=16, channels=3, input_channels=3, width=4, blocks=2, critic_width=4, critic_units=8,
            pretrain_images=0,
        )  # fmt: skip

    @classmethod
    def paper(cls) -> Self:
        return cls(
            image_size=96, channels=3, input_channels=3, factor=4, width=64, blocks=16, residual=False,
            critic_width=64, critic_units=1024, pretrain_images=16_000_000,
        )  # fmt: skip


class ResidualBlock(nn.Module):
    """x + norm(conv(prelu(norm(conv(x))))), with nothing after the sum (Gross and Wilber 2016)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.PReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.layers(x)
        return y


class Generator(nn.Module):
    """SRResNet: residual blocks at the small side under one long skip, doublings by pixel shuffle (figure 4)."""

    def __init__(self, c: SRGANConfig) -> None:
        super().__init__()
        channels, width = c.image_shape[0], c.width
        self.stem = nn.Sequential(nn.Conv2d(c.channels_in, width, 9, padding=4), nn.PReLU())
        self.body = nn.Sequential(
            *(ResidualBlock(width) for _ in range(c.blocks)),
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
        )
        self.doublings = nn.Sequential(
            *(
                nn.Sequential(upsample("pixel_shuffle", width, width, bias=True), nn.PReLU())
                for _ in range(c.factor.bit_length() - 1)
            )
        )
        self.to_image = nn.Conv2d(width, channels, 9, padding=4)
        self.factor, self.residual = c.factor, c.residual
        if c.residual:  # the first pictures are the enlarged inputs
            for parameter in self.to_image.parameters():
                nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        y = self.stem(x)  # [N, C, H, W] -> [N, width, H, W]
        y = y + self.body(y)
        y = self.doublings(y)  # -> [N, width, factor H, factor W]
        images: Tensor = self.to_image(y)  # -> [N, C, factor H, factor W], about [-1, 1]
        if self.residual:
            images = images + F.interpolate(x, scale_factor=self.factor, mode="bicubic")
        return images


class Discriminator(nn.Module):
    """In the way of VGG: pairs of 3x3 convolutions, the second of each halves the side; two dense layers."""

    def __init__(self, c: SRGANConfig) -> None:
        super().__init__()
        channels, size = c.image_shape
        widths = [c.critic_width * times for times in (1, 1, 2, 2, 4, 4, 8, 8)]
        layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 3, padding=1), nn.LeakyReLU(0.2)]
        for k, (c_in, c_out) in enumerate(pairwise(widths)):
            convolution = nn.Conv2d(c_in, c_out, 3, stride=1 if k % 2 else 2, padding=1, bias=False)
            layers += [convolution, nn.BatchNorm2d(c_out), nn.LeakyReLU(0.2)]
        self.features = nn.Sequential(*layers)
        self.to_logit = nn.Sequential(
            nn.Flatten(),
            nn.Linear(widths[-1] * (size // 16) ** 2, c.critic_units),
            nn.LeakyReLU(0.2),
            nn.Linear(c.critic_units, 1),
            nn.Flatten(0),
        )

    def forward(self, images: Tensor) -> Tensor:
        x = self.features(images)  # [N, C, S, S] -> [N, 8 critic_width, S/16, S/16]
        logits: Tensor = self.to_logit(x)  # -> [N]
        return logits


@register("srgan")
class SRGAN(TranslationRecipe):
    """The mean squared difference, later with cross-entropy over whole pictures."""

    Config = SRGANConfig
    config: SRGANConfig
    train_options = TrainOptions(lr=3e-4, betas=(0.9, 0.999), batch_size=16)
    dataset = "photos"
    makes_inputs = True

    @property
    def factor(self) -> int:
        return self.config.factor

    @property
    def context(self) -> int:
        return 4 + 2 * self.config.blocks + 1 + 2 + 4  # first layer, blocks, their end, doublings, last layer

    @property
    def typical_images_seen(self) -> int:
        return self.config.pretrain_images

    def build(self) -> nn.ModuleDict:
        return nn.ModuleDict({"G": Generator(self.config), "D": Discriminator(self.config)})

    def inputs_of(self, images: Tensor) -> Tensor:
        sides = [side // self.factor for side in images.shape[2:]]
        return F.interpolate(images, sides, mode="bicubic", antialias=True).clamp(-1, 1)

    def losses(self, phase: str, nets: nn.ModuleDict, batch: Batch, images_seen: int) -> dict[str, Tensor]:
        inputs, truth = self.prepared(batch)
        plays = images_seen >= self.config.pretrain_images
        if phase == "g":
            fakes = nets["G"](inputs)
            terms = {"content": F.mse_loss(fakes.float(), truth)}
            if plays:
                logits = nets["D"](fakes).float()
                terms["adversarial"] = self.config.adversarial * losses.generator_nonsaturating(logits)
            return terms
        if not plays:
            return {}
        with torch.no_grad():
            fakes = nets["G"](inputs)
        return {
            "real": losses.discriminator_real(nets["D"](truth).float()),
            "fake": losses.discriminator_fake(nets["D"](fakes).float()),
        }

    def translate(self, nets: nn.ModuleDict, inputs: Tensor, seed: int = 0, place: tuple[int, int] = (0, 0)) -> Tensor:
        images: Tensor = nets["G"](inputs)
        return images.clamp(-1, 1)
