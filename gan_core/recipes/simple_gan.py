r"""The smallest GAN that draws digits: one hidden layer of 128 units in each network.

Source: the dense Keras program for MNIST that introductions show, among them "Simple GAN Program to Generate MNIST
Digits" of this project's reading list; there is no paper of its own. The game is Goodfellow's (2014, arXiv:1406.2661),
the generator's loss the non-saturating one:

$$L_D = -\tfrac12\,\mathbb{E}_x[\log D(x)] - \tfrac12\,\mathbb{E}_z[\log(1 - D(G(z)))] \qquad
L_G = -\mathbb{E}_z[\log D(G(z))]$$

$G$: 100 numbers, 128 units with ReLU, batch normalisation, one sigmoid a pixel. $D$: pixels, 128 units with ReLU, one
logit. At 28x28, as in the program, that is 114,320 and 100,609 trainable parameters.

As in the program: layers, Keras's batch normalisation (running statistics move by 1 %, epsilon 0.001), Adam at 1e-3,
$\beta_1 = 0.9$. Unlike it: the program's ten "epochs" are ten steps, ours run as long as asked; real and generated
images get a full batch each, in one update whose loss is their mean; $D$ gives a logit, which is the same and does not
overflow; weights start as PyTorch's layers do; any size. Pixels live in [0, 1] inside and in [-1, 1] at the border.

Trained for long on 4,000 digits with the program's Adam, $D$ learns them by heart and $G$ ends with nothing but ones.
The bundled model's command has less momentum, smaller steps and translated pictures (`augment`), and draws all ten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from torch import Tensor, nn

from gan_core import losses
from gan_core.noise import NoiseConfig, NoiseRecipe
from gan_core.recipe import register
from gan_core.train_options import TrainOptions


@dataclass(frozen=True)
class SimpleGANConfig(NoiseConfig):
    """What a `simple_gan` is."""

    hidden: int = 128
    """Units in the hidden layer of each network."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.hidden >= 1, f"hidden is {self.hidden}; it must be at least 1.")

    @classmethod
    def tiny(cls) -> Self:
        return cls(image_size=16, channels=1, latent_dim=8, hidden=8)

    @classmethod
    def paper(cls) -> Self:
        return cls(image_size=28, channels=1)


class Generator(nn.Module):
    """z -> hidden -> pixels."""

    def __init__(self, latent_dim: int, hidden: int, channels: int, image_size: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, hidden),
            nn.ReLU(),
            nn.BatchNorm1d(hidden, eps=1e-3, momentum=0.01),
            nn.Linear(hidden, channels * image_size**2),
            nn.Sigmoid(),
            nn.Unflatten(1, (channels, image_size, image_size)),
        )

    def forward(self, z: Tensor) -> Tensor:
        # z [N, latent_dim] -> images [N, C, S, S] in [-1, 1]
        pixels: Tensor = self.layers(z)
        return 2 * pixels - 1


class Discriminator(nn.Module):
    """pixels -> hidden -> one logit."""

    def __init__(self, channels: int, image_size: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * image_size**2, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 1),
            nn.Flatten(0),
        )

    def forward(self, images: Tensor) -> Tensor:
        # images [N, C, S, S] in [-1, 1] -> logits [N]; inside, pixels are in [0, 1]
        logits: Tensor = self.layers((images + 1) / 2)
        return logits


@register("simple_gan")
class SimpleGAN(NoiseRecipe):
    """The minimax game between two small dense networks."""

    Config = SimpleGANConfig
    config: SimpleGANConfig
    train_options = TrainOptions(lr=1e-3, betas=(0.9, 0.999), batch_size=64)

    def build(self) -> nn.ModuleDict:
        c = self.config
        channels, size = c.image_shape
        return nn.ModuleDict(
            {
                "G": Generator(c.latent_dim, c.hidden, channels, size),
                "D": Discriminator(c.pack_channels, size, c.hidden),
            }
        )

    def critic_loss(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        return {"real": losses.discriminator_real(real) / 2, "fake": losses.discriminator_fake(fake) / 2}

    def generator_loss(self, fake: Tensor) -> Tensor:
        return losses.generator_nonsaturating(fake)
