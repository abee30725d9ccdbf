r"""The convolutional GAN: strided convolutions, batch normalisation, no pooling, no hidden dense layers.

Paper: Radford, Metz, Chintala, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks", 2015, arXiv:1511.06434.

The generator projects $z$ to a small stack of 4x4 maps and doubles the side until the image is reached, halving the
channels each time; the discriminator mirrors it. The losses are the original GAN's, non-saturating for the generator,
with an optional one-sided label $y$ (`real_label`) for real images:

$$L_D = -\mathbb{E}_x[y\log D(x) + (1-y)\log(1-D(x))] - \mathbb{E}_z[\log(1 - D(G(z)))]
\qquad L_G = -\mathbb{E}_z[\log D(G(z))]$$

As in the paper: weights from $\mathcal N(0, 0.02)$, batch norm everywhere but the generator's output and the
discriminator's input, ReLU and tanh in $G$, LeakyReLU 0.2 in $D$, Adam with $\beta_1 = 0.5$. Unlike it: a quarter of
the channels and so twice the learning rate, 4e-4 (digits are as good after two thirds of the steps), any power-of-two
size from 16 up (one more doubling per power), real and generated images pass $D$ in separate forwards, and a running
average of the generator is what is sampled. The options `upsample`, `downsample`, `leaky_generator` and
`critic_norm` are the later community's variations; their defaults are the paper's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from torch import Tensor, nn

from gan_core import losses
from gan_core.layers import Downsample, Norm, Upsample, downsample, init_normal, normalisation, upsample
from gan_core.noise import NoiseConfig, NoiseRecipe
from gan_core.recipe import register
from gan_core.train_options import TrainOptions


@dataclass(frozen=True)
class ConvolutionalConfig(NoiseConfig):
    """What `dcgan` and its variants have in common: their networks."""

    width: int = 32
    """Channels at the widest resolution, half the image's side (ngf and ndf); each halving of the side doubles them."""
    upsample: Upsample = "conv_transpose"
    """How the generator doubles the side; the last two avoid checkerboards."""
    downsample: Downsample = "strided_conv"
    """How the discriminator halves the side."""
    leaky_generator: bool = False
    """LeakyReLU 0.2 instead of ReLU in the generator: gradients also flow where a unit is off."""
    critic_norm: Norm = "batch"
    """Normalisation in the discriminator; with batch, the score of a picture depends on the whole batch."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_doublings(smallest=16)
        together = self.r1 > 0 and self.critic_norm == "batch"
        self.require(
            not together,
            "r1 penalises the slope at each picture, but with critic_norm batch a score depends "
            "on the whole batch: take --critic_norm layer or none.",
        )
        self.require(self.width >= 1, f"width is {self.width}; it must be at least 1.")

    @classmethod
    def tiny(cls) -> Self:
        return cls(image_size=16, channels=1, latent_dim=8, width=4)

    @classmethod
    def paper(cls) -> Self:
        return cls(image_size=64, channels=3, width=128)


@dataclass(frozen=True)
class DCGANConfig(ConvolutionalConfig):
    """What a `dcgan` is."""

    real_label: float = 1.0
    """The discriminator's target for real images; 0.9 is one-sided label smoothing. Fakes keep 0."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(0.5 < self.real_label <= 1, f"real_label is {self.real_label:g}; it must lie in (0.5, 1].")


def channels_by_side(image_size: int, width: int) -> list[int]:
    """Channels at sides 4, 8, ..., image_size / 2: [8w, 4w, 2w, w] for 64."""
    doublings = (image_size // 4).bit_length() - 1
    return [width * 2**k for k in reversed(range(doublings))]


class Generator(nn.Module):
    """Project and reshape to 4x4, then double the side; batch norm and ReLU between, tanh at the end."""

    def __init__(self, latent_dim: int, width: int, channels: int, image_size: int, up: Upsample, leaky: bool) -> None:
        super().__init__()
        widths = channels_by_side(image_size, width)
        activation = nn.LeakyReLU(0.2, inplace=True) if leaky else nn.ReLU(inplace=True)
        self.project = nn.Sequential(
            nn.Linear(latent_dim, widths[0] * 16, bias=False),
            nn.Unflatten(1, (widths[0], 4, 4)),
            nn.BatchNorm2d(widths[0]),
            activation,
        )
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(upsample(up, c_in, c_out), nn.BatchNorm2d(c_out), activation)
                for c_in, c_out in zip(widths, widths[1:], strict=False)
            )
        )
        self.to_image = nn.Sequential(upsample(up, widths[-1], channels, bias=True), nn.Tanh())
        self.apply(init_normal)

    def forward(self, z: Tensor) -> Tensor:
        x = self.project(z)  # [N, latent_dim] -> [N, widest, 4, 4]
        x = self.blocks(x)  # -> [N, width, S/2, S/2]
        images: Tensor = self.to_image(x)  # -> [N, C, S, S] in [-1, 1]
        return images


class Discriminator(nn.Module):
    """Halve the side down to 4x4, normalisation (not on the input) and LeakyReLU between, then one logit."""

    def __init__(self, width: int, channels: int, image_size: int, down: Downsample, norm: Norm) -> None:
        super().__init__()
        widths = channels_by_side(image_size, width)[::-1]
        self.features = widths[-1]
        self.from_image = nn.Sequential(
            downsample(down, channels, widths[0], bias=True), nn.LeakyReLU(0.2, inplace=True)
        )
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(
                    downsample(down, c_in, c_out), normalisation(norm, c_out), nn.LeakyReLU(0.2, inplace=True)
                )
                for c_in, c_out in zip(widths, widths[1:], strict=False)
            )
        )
        self.to_logit = nn.Sequential(nn.Flatten(), nn.Linear(widths[-1] * 16, 1), nn.Flatten(0))
        self.apply(init_normal)

    def forward(self, images: Tensor) -> Tensor:
        x = self.from_image(images)  # [N, C, S, S] -> [N, width, S/2, S/2]
        x = self.blocks(x)  # -> [N, widest, 4, 4]
        logits: Tensor = self.to_logit(x)  # -> [N]
        return logits


class Convolutional(NoiseRecipe):
    """The networks; variants play other games with them."""

    Config = ConvolutionalConfig
    config: ConvolutionalConfig
    train_options = TrainOptions(lr=2e-4, betas=(0.5, 0.999), batch_size=64)

    def build(self) -> nn.ModuleDict:
        c = self.config
        channels, size = c.image_shape
        return nn.ModuleDict(
            {
                "G": Generator(c.latent_dim, c.width, channels, size, c.upsample, c.leaky_generator),
                "D": Discriminator(c.width, c.pack_channels, size, c.downsample, c.critic_norm),
            }
        )


@register("dcgan")
class DCGAN(Convolutional):
    """The original game between two convolutional networks."""

    Config = DCGANConfig
    config: DCGANConfig
    train_options = TrainOptions(lr=4e-4, betas=(0.5, 0.999), batch_size=64)

    def critic_loss(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        return {
            "real": losses.discriminator_real(real, self.config.real_label),
            "fake": losses.discriminator_fake(fake),
        }

    def generator_loss(self, fake: Tensor) -> Tensor:
        return losses.generator_nonsaturating(fake)
