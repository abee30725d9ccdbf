r"""Progressive growing: learn 4x4 pictures first, then fade in one doubling of the side after the other.

Paper: Karras, Aila, Laine, Lehtinen, "Progressive Growing of GANs for Improved Quality, Stability, and Variation",
2017, arXiv:1710.10196.

Both networks have a layer to and from pixels at every side. While a new side fades in, the generator's picture is
$(1-\alpha)\,\mathrm{up}(G_{l-1}) + \alpha\,G_l$, the critic's input is mixed alike, and so are the real pictures,
$(1-\alpha)\,\mathrm{up}(\mathrm{down}(x)) + \alpha\,x$: nothing jumps. A stage takes `stage_images` to fade in and as
many to settle. The objective is `wgan_gp`'s, with a drift term that keeps scores near zero:

$$L_D = \mathbb{E}_z[f(G(z))] - \mathbb{E}_x[f(x)]
+ \lambda\,\mathbb{E}_{\hat x}\big[(\lVert\nabla_{\hat x} f(\hat x)\rVert_2 - 1)^2\big]
+ \epsilon\,\mathbb{E}_x[f(x)^2] \qquad L_G = -\mathbb{E}_z[f(G(z))]$$

No batch normalisation: $z$ and every place of the generator's maps are brought to a mean square of 1 (pixel norm),
weights are drawn from $\mathcal N(0,1)$ and scaled when used (equalized learning rate), and the critic sees at 4x4 how
much the pictures of a group differ (minibatch deviation). By that, a score depends on its group, and so does the
gradient that is penalised: the paper has it so.

As in the paper: all of the above, $\lambda = 10$, $\epsilon = 0.001$, one critic update for one of the generator, Adam
at 1e-3 with betas (0, 0.99), a linear output. Unlike it: few channels, short stages, one batch size for all sides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_core import losses
from gan_core.growing import GrowingConfig, GrowingRecipe, double
from gan_core.layers import EqualizedConv2d, EqualizedLinear, MinibatchDeviation, Resample, pixel_norm
from gan_core.recipe import Batch, register
from gan_core.train_options import TrainOptions


@dataclass(frozen=True)
class ProGANConfig(GrowingConfig):
    """What a `progan` is."""

    penalty_weight: float = 10.0
    """Lambda, the weight of the gradient penalty."""
    drift: float = 0.001
    """Epsilon, the weight of the squared scores of real images."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("penalty_weight", "drift"):
            self.require(getattr(self, name) >= 0, f"{name} is {getattr(self, name):g}; it must be 0 or more.")

    @classmethod
    def tiny(cls) -> Self:
        return cls(image_size=16, channels=1, latent_dim=8, width=4, max_width=8, stage_images=16)

    @classmethod
    def paper(cls) -> Self:
        return cls(image_size=1024, channels=3, latent_dim=512, width=16, max_width=512, stage_images=800_000)


class PixelNorm(nn.Module):
    """See `pixel_norm`."""

    normalises = "pixel"

    def forward(self, x: Tensor) -> Tensor:
        return pixel_norm(x)


class Generator(nn.Module):
    """A 4x4 convolution of z as one pixel, two convolutions for each further side, a linear layer to pixels at each."""

    def __init__(self, c: ProGANConfig) -> None:
        super().__init__()
        widths = c.widths

        def conv(c_in: int, c_out: int, resample: Resample = "same") -> list[nn.Module]:
            return [EqualizedConv2d(c_in, c_out, 3, resample=resample), nn.LeakyReLU(0.2), PixelNorm()]

        first = nn.Sequential(
            nn.Unflatten(1, (c.latent_dim, 1, 1)),
            EqualizedConv2d(c.latent_dim, widths[0], 4, padding=3),  # every place of z's 4x4 has weights of its own
            nn.LeakyReLU(0.2),
            PixelNorm(),
            *conv(widths[0], widths[0]),
        )
        later = [nn.Sequential(*conv(a, b, "up"), *conv(b, b)) for a, b in zip(widths, widths[1:], strict=False)]
        self.stages = nn.ModuleList([first, *later])
        self.to_image = nn.ModuleList(EqualizedConv2d(width, c.image_shape[0], 1, gain=1.0) for width in widths)
        self.register_buffer("reached", torch.zeros(2))  # level and alpha of the training so far

    def forward(self, z: Tensor, level: int | None = None, alpha: float = 1.0) -> Tensor:
        """z [N, latent_dim] to images [N, C, 4 * 2^level, 4 * 2^level], not bounded; by default of the last level."""
        level = len(self.stages) - 1 if level is None else level
        before = x = self.stages[0](pixel_norm(z))
        for stage in self.stages[1 : level + 1]:
            before, x = x, stage(x)
        images: Tensor = self.to_image[level](x)
        if level and alpha < 1:
            images = double(self.to_image[level - 1](before)).lerp(images, alpha)
        return images


class Discriminator(nn.Module):
    """The mirror image; its level follows from the side of its images."""

    def __init__(self, c: ProGANConfig) -> None:
        super().__init__()
        widths = c.widths

        def conv(c_in: int, c_out: int) -> list[nn.Module]:
            return [EqualizedConv2d(c_in, c_out, 3), nn.LeakyReLU(0.2)]

        last = nn.Sequential(
            MinibatchDeviation(),
            *conv(widths[0] + 1, widths[0]),
            nn.Flatten(),
            EqualizedLinear(widths[0] * 16, widths[0]),
            nn.LeakyReLU(0.2),
            EqualizedLinear(widths[0], 1, gain=1.0),
            nn.Flatten(0),
        )
        later = [
            nn.Sequential(*conv(b, b), *conv(b, a), nn.AvgPool2d(2)) for a, b in zip(widths, widths[1:], strict=False)
        ]
        self.stages = nn.ModuleList([last, *later])
        self.from_image = nn.ModuleList(
            nn.Sequential(EqualizedConv2d(c.pack_channels, width, 1), nn.LeakyReLU(0.2)) for width in widths
        )

    def forward(self, images: Tensor, alpha: float = 1.0) -> Tensor:
        # images [N, C * pack, S, S] -> scores [N]
        level = (images.shape[-1] // 4).bit_length() - 1
        x = self.from_image[level](images)
        for k in range(level, -1, -1):
            x = self.stages[k](x)
            if k == level and level and alpha < 1:
                x = self.from_image[level - 1](F.avg_pool2d(images, 2)).lerp(x, alpha)
        scores: Tensor = x
        return scores


@register("progan")
class ProGAN(GrowingRecipe):
    """The Wasserstein game at a side that grows."""

    Config = ProGANConfig
    config: ProGANConfig
    train_options = TrainOptions(lr=1e-3, betas=(0.0, 0.99), batch_size=64)
    comparative = True

    def build(self) -> nn.ModuleDict:
        return nn.ModuleDict({"G": Generator(self.config), "D": Discriminator(self.config)})

    def generate(self, nets: nn.ModuleDict, batch: Batch, images_seen: int) -> Tensor:
        images: Tensor = nets["G"](self.latents(batch), *self.reach(nets, images_seen))
        return images

    def critic_loss(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        return {
            "wasserstein": losses.wasserstein(real, fake),
            "drift": self.config.drift * real.square().mean(),
        }

    def generator_loss(self, fake: Tensor) -> Tensor:
        return -fake.mean()

    def penalty(
        self, critic: Callable[[Tensor], Tensor], images: Tensor, fakes: Tensor, images_seen: int
    ) -> dict[str, Tensor]:
        slope = self.config.penalty_weight * losses.gradient_penalty(critic, images, fakes, self.config.pack)
        return {"penalty": slope} | super().penalty(critic, images, fakes, images_seen)

    def decode(
        self, nets: nn.ModuleDict, z: Tensor, labels: Tensor | None = None, *, truncation: float = 1.0,
        stage: float | None = None, alpha: float | None = None,
    ) -> Tensor:  # fmt: skip
        """See `NoiseRecipe.decode`; of another stage than the training has reached, enlarged to the full side."""
        return self.enlarged(nets["G"](z * truncation, *self.shown(nets, stage, alpha)))
