r"""The original: two multilayer perceptrons play a minimax game.

Paper: Goodfellow et al., "Generative Adversarial Nets", 2014, arXiv:1406.2661.

A generator $G$ turns noise $z$ into an image; a discriminator $D$ says how probably an image is real. The game is

$$\min_G \max_D \; \mathbb{E}_x[\log D(x)] + \mathbb{E}_z[\log(1 - D(G(z)))] \qquad \text{(equation 1)}$$

The discriminator minimises cross-entropy, and the generator, by default, the non-saturating loss of section 3:

$$L_D = -\mathbb{E}_x[\log D(x)] - \mathbb{E}_z[\log(1 - D(G(z)))] \qquad L_G = -\mathbb{E}_z[\log D(G(z))]$$

With `saturating` the generator minimises $\mathbb{E}_z[\log(1 - D(G(z)))]$, equation 1 as written:
without batch normalisation, watch it fail.

As in the paper: a ReLU generator with a sigmoid output, a maxout discriminator with dropout (at the paper's size on its
input too, as in the authors' code). Unlike it: Adam instead of SGD with momentum, normal noise by default, and batch
normalisation in the generator (`batch_norm`), without which this small game collapses. With `latent="uniform"`, $z$ is
mapped through the normal distribution function $\Phi$ to $2\Phi(z) - 1$, uniform on $[-1, 1]$, inside $G$, so that a
seed means the same $z$ for every model. Pixels live in [0, 1] inside and in [-1, 1] at the border.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from gan_core import losses
from gan_core.layers import Maxout
from gan_core.noise import NoiseConfig, NoiseRecipe
from gan_core.recipe import register
from gan_core.train_options import TrainOptions

Latent = Literal["normal", "uniform"]


@dataclass(frozen=True)
class GANConfig(NoiseConfig):
    """What a `gan` is."""

    latent: Latent = "normal"
    """Distribution of the noise that the generator's first layer sees."""
    hidden: int = 512
    """Units in each of the generator's two hidden layers."""
    batch_norm: bool = True
    """Batch normalisation in the generator. Without it, as in the paper, it collapses to a digit or two."""
    maxout_units: int = 64
    """Units in each of the discriminator's two hidden layers."""
    maxout_pieces: int = 3
    """Affine maps each maxout unit takes the largest of."""
    dropout: float = 0.3
    """Share of the discriminator's hidden units that is dropped in training."""
    input_dropout: float = 0.0
    """Share of the pixels that is hidden from the discriminator in training."""
    saturating: bool = False
    """Train the generator on log(1 - D(G(z))), the paper's equation 1, instead of -log D(G(z))."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("dropout", "input_dropout"):
            self.require(0 <= getattr(self, name) < 1, f"{name} is {getattr(self, name):g}; it must lie in [0, 1).")
        for name in ("hidden", "maxout_units", "maxout_pieces"):
            self.require(getattr(self, name) >= 1, f"{name} is {getattr(self, name)}; it must be at least 1.")

    @classmethod
    def tiny(cls) -> GANConfig:
        return cls(image_size=16, channels=1, latent_dim=8, hidden=16, maxout_units=8, maxout_pieces=2)

    @classmethod
    def paper(cls) -> GANConfig:
        return cls(
            image_size=28,
            channels=1,
            latent="uniform",
            hidden=1200,
            batch_norm=False,
            maxout_units=240,
            maxout_pieces=5,
            dropout=0.5,
            input_dropout=0.2,
        )


class Generator(nn.Module):
    """z -> hidden -> hidden -> pixels, with ReLU and a sigmoid."""

    def __init__(
        self, latent_dim: int, latent: Latent, hidden: int, batch_norm: bool, channels: int, image_size: int
    ) -> None:
        super().__init__()
        self.latent = latent
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, hidden),
            nn.BatchNorm1d(hidden) if batch_norm else nn.Identity(),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.BatchNorm1d(hidden) if batch_norm else nn.Identity(),
            nn.ReLU(),
            nn.Linear(hidden, channels * image_size**2),
            nn.Sigmoid(),
            nn.Unflatten(1, (channels, image_size, image_size)),
        )

    def forward(self, z: Tensor) -> Tensor:
        # z [N, latent_dim] -> images [N, C, S, S] in [-1, 1]
        if self.latent == "uniform":
            z = 2 * torch.special.ndtr(z) - 1
        pixels: Tensor = self.layers(z)
        return 2 * pixels - 1


class Discriminator(nn.Module):
    """pixels -> maxout -> maxout -> one logit, with dropout."""

    def __init__(
        self, channels: int, image_size: int, units: int, pieces: int, dropout: float, input_dropout: float
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(input_dropout),
            Maxout(channels * image_size**2, units, pieces),
            nn.Dropout(dropout),
            Maxout(units, units, pieces),
            nn.Dropout(dropout),
            nn.Linear(units, 1),
            nn.Flatten(0),
        )

    def forward(self, images: Tensor) -> Tensor:
        # images [N, C, S, S] in [-1, 1] -> logits [N]; inside, pixels are in [0, 1]
        logits: Tensor = self.layers((images + 1) / 2)
        return logits


@register("gan")
class GAN(NoiseRecipe):
    """The minimax game between two multilayer perceptrons."""

    Config = GANConfig
    config: GANConfig
    train_options = TrainOptions(lr=2e-4, betas=(0.5, 0.999), batch_size=64, ema_half_life=20_000)

    def build(self) -> nn.ModuleDict:
        c = self.config
        channels, size = c.image_shape
        return nn.ModuleDict(
            {
                "G": Generator(c.latent_dim, c.latent, c.hidden, c.batch_norm, channels, size),
                "D": Discriminator(c.pack_channels, size, c.maxout_units, c.maxout_pieces, c.dropout, c.input_dropout),
            }
        )

    def critic_loss(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        return {"real": losses.discriminator_real(real), "fake": losses.discriminator_fake(fake)}

    def generator_loss(self, fake: Tensor) -> Tensor:
        if self.config.saturating:
            return losses.generator_saturating(fake)
        return losses.generator_nonsaturating(fake)
