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

No batch normalisation: $z$ and every place of the generator's maps are brought to unit length (pixel norm), weights are
drawn from $\mathcal N(0,1)$ and scaled when used (equalized learning rate), and the critic sees at 4x4 how much the
pictures of a group differ (minibatch deviation).

As in the paper: all of the above, $\lambda = 10$, $\epsilon = 0.001$, one critic update for one of the generator, Adam
at 1e-3 with betas (0, 0.99), a linear output. Unlike it: few channels, short stages, one batch size for all sides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_core import losses
from gan_core.layers import EqualizedConv2d, EqualizedLinear, MinibatchDeviation, pixel_norm
from gan_core.noise import TRUNCATION, NoiseConfig, NoiseRecipe
from gan_core.recipe import Batch, Control, TrainOptions, register


@dataclass(frozen=True)
class ProGANConfig(NoiseConfig):
    """What a `progan` is."""

    latent_dim: int = 64
    """Length of the latent vector z."""
    width: int = 16
    """Channels at the image's own side; each halving of the side doubles them."""
    max_width: int = 64
    """Most channels that a side has."""
    stage_images: int = 40_000
    """Images over which a new side fades in, and again as many that it has for itself."""
    penalty_weight: float = 10.0
    """Lambda, the weight of the gradient penalty."""
    drift: float = 0.001
    """Epsilon, the weight of the squared scores of real images."""

    def __post_init__(self) -> None:
        super().__post_init__()
        size = self.image_size
        fits = size is None or (size >= 8 and size & (size - 1) == 0)
        self.require(fits, f"image_size is {size}; progan doubles 4x4 pictures, so it takes 8, 16, 32, 64, ...")
        for name in ("width", "max_width", "stage_images"):
            self.require(getattr(self, name) >= 1, f"{name} is {getattr(self, name)}; it must be at least 1.")
        for name in ("penalty_weight", "drift"):
            self.require(getattr(self, name) >= 0, f"{name} is {getattr(self, name):g}; it must be 0 or more.")

    @classmethod
    def tiny(cls) -> Self:
        return cls(image_size=16, channels=1, latent_dim=8, width=4, max_width=8, stage_images=16)

    @classmethod
    def paper(cls) -> Self:
        return cls(image_size=1024, channels=3, latent_dim=512, width=16, max_width=512, stage_images=800_000)

    @property
    def widths(self) -> list[int]:
        """Channels at sides 4, 8, ..., image_size."""
        doublings = (self.image_shape[1] // 4).bit_length() - 1
        return [min(self.width * 2**k, self.max_width) for k in reversed(range(doublings + 1))]


class PixelNorm(nn.Module):
    """See `pixel_norm`."""

    def forward(self, x: Tensor) -> Tensor:
        return pixel_norm(x)


def double(x: Tensor) -> Tensor:
    """Every pixel four times."""
    return F.interpolate(x, scale_factor=2.0)


class Generator(nn.Module):
    """A dense layer to 4x4, two convolutions for each further side, a linear layer to pixels at every side."""

    def __init__(self, c: ProGANConfig) -> None:
        super().__init__()
        widths = c.widths

        def conv(c_in: int, c_out: int) -> list[nn.Module]:
            return [EqualizedConv2d(c_in, c_out, 3), nn.LeakyReLU(0.2), PixelNorm()]

        first = nn.Sequential(
            EqualizedLinear(c.latent_dim, widths[0] * 16, gain=2**0.5 / 4),
            nn.Unflatten(1, (widths[0], 4, 4)),
            nn.LeakyReLU(0.2),
            PixelNorm(),
            *conv(widths[0], widths[0]),
        )
        later = [nn.Sequential(*conv(a, b), *conv(b, b)) for a, b in zip(widths, widths[1:], strict=False)]
        self.stages = nn.ModuleList([first, *later])
        self.to_image = nn.ModuleList(EqualizedConv2d(width, c.image_shape[0], 1, gain=1.0) for width in widths)
        self.register_buffer("reached", torch.zeros(2))  # level and alpha of the training so far

    def forward(self, z: Tensor, level: int | None = None, alpha: float = 1.0) -> Tensor:
        """z [N, latent_dim] to images [N, C, 4 * 2^level, 4 * 2^level], not bounded; by default of the last level."""
        level = len(self.stages) - 1 if level is None else level
        before = x = self.stages[0](pixel_norm(z))
        for stage in self.stages[1 : level + 1]:
            before = double(x)
            x = stage(before)
        images: Tensor = self.to_image[level](x)
        if level and alpha < 1:
            images = self.to_image[level - 1](before).lerp(images, alpha)
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


def faded(images: Tensor, level: int, alpha: float) -> Tensor:
    """Images [N, C, S, S] at the side of a level, as far as it has faded in."""
    images = F.adaptive_avg_pool2d(images, 4 * 2**level)
    return double(F.avg_pool2d(images, 2)).lerp(images, alpha) if level and alpha < 1 else images


@register("progan")
class ProGAN(NoiseRecipe):
    """The Wasserstein game at a side that grows."""

    Config = ProGANConfig
    config: ProGANConfig
    train_options = TrainOptions(lr=1e-3, betas=(0.0, 0.99), batch_size=64)
    comparative = True
    controls: tuple[Control, ...] = (
        TRUNCATION,
        Control("stage", 8.0, 0.0, 8.0, "Doublings of 4x4 after which it is taken; shown enlarged.", whole=True),
        Control("alpha", 1.0, 0.0, 1.0, "How far the last doubling has faded in, as during training."),
    )  # fmt: skip

    def __init__(self, config: Any = None, options: TrainOptions | None = None) -> None:
        super().__init__(config, options)
        if self.config.image_size is not None:  # else it is left to the data, and is known later
            last = float(self.last_level)
            self.controls = tuple(
                replace(control, default=last, high=last) if control.name == "stage" else control
                for control in self.controls
            )

    @property
    def last_level(self) -> int:
        """Doublings from 4x4 to the image's own side."""
        return int(self.config.image_size or 4).bit_length() - 3

    def build(self) -> nn.ModuleDict:
        return nn.ModuleDict({"G": Generator(self.config), "D": Discriminator(self.config)})

    def stage(self, images_seen: int) -> tuple[int, float]:
        """Level and alpha at a point of the run: a stage of settling at 4x4, then fading and settling at each level."""
        stages = images_seen / self.config.stage_images - 1
        if stages < 0:
            return 0, 1.0
        level = min(1 + int(stages / 2), self.last_level)
        return level, min(1.0, stages - 2 * (level - 1))

    def prepared(self, batch: Batch, images_seen: int) -> Batch:
        return Batch(faded(batch.images, *self.stage(images_seen)), batch.labels)

    def generate(self, nets: nn.ModuleDict, batch: Batch, images_seen: int) -> Tensor:
        level, alpha = self.stage(images_seen)
        nets["G"].get_buffer("reached").copy_(torch.tensor([level, alpha]))
        images: Tensor = nets["G"](self.latents(batch), level, alpha)
        return images

    def critic(self, nets: nn.ModuleDict, batch: Batch, images_seen: int) -> Callable[[Tensor], Tensor]:
        return partial(self.score, nets, alpha=self.stage(images_seen)[1])

    def score(self, nets: nn.ModuleDict, images: Tensor, labels: Tensor | None = None, alpha: float = 1.0) -> Tensor:
        """See `NoiseRecipe.score`; of images of any level, as far as it has faded in."""
        scores: Tensor = nets["D"](self.packs(images, augmented=nets["D"].training), alpha)
        return scores.float()

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
        slope = self.config.penalty_weight * losses.gradient_penalty(critic, images, fakes)
        return {"penalty": slope} | super().penalty(critic, images, fakes, images_seen)

    def decode(
        self, nets: nn.ModuleDict, z: Tensor, labels: Tensor | None = None, *, truncation: float = 1.0,
        stage: float | None = None, alpha: float | None = None,
    ) -> Tensor:  # fmt: skip
        """See `NoiseRecipe.decode`; of another stage than the training has reached, enlarged to the full side."""
        if stage is None:
            stage, reached = nets["G"].get_buffer("reached").tolist()
            alpha = reached if alpha is None else alpha
        images: Tensor = nets["G"](z * truncation, int(stage), 1.0 if alpha is None else alpha)
        return F.interpolate(images, size=self.config.image_size).clamp(-1, 1)
