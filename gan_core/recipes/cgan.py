r"""Conditional: both networks are told the class, so one can ask for a seven.

Paper: Mirza, Osindero, "Conditional Generative Adversarial Nets", 2014, arXiv:1411.1784.

The game is the original one, with everything conditioned on a label $y$ (equation 2 of the paper); the generator's
loss is the non-saturating one:

$$L_D = -\mathbb{E}_{x,y}[\log D(x\,|\,y)] - \mathbb{E}_{z,y}[\log(1 - D(G(z\,|\,y)\,|\,y))]
\qquad L_G = -\mathbb{E}_{z,y}[\log D(G(z\,|\,y)\,|\,y)]$$

A learned vector of $y$ is joined to $z$; a learned plane of $y$ is joined to $D$'s input as one more channel. $D$ sees
a fake with the label it was made for, and fakes get the labels of the batch's real images: classes are drawn as often
as the data has them. With `projection`, $D$ instead adds $\langle v_y, \phi(x)\rangle$ to its logit, $\phi$ being the
sums of its last feature maps (Miyato, Koyama 2018, arXiv:1802.05637).

As in the paper: the label enters both networks at their input. Unlike it: the networks are our `dcgan`'s, not maxout
perceptrons; learned vectors instead of one-hot codes and hidden layers of their own; Adam instead of SGD.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

from gan_core.layers import class_vectors
from gan_core.noise import ConditionalConfig, ConditionalRecipe
from gan_core.recipe import register
from gan_core.recipes.dcgan import DCGAN, DCGANConfig, Discriminator, Generator
from gan_core.train_options import TrainOptions


@dataclass(frozen=True)
class CGANConfig(ConditionalConfig, DCGANConfig):
    """What a `cgan` is."""

    label_dim: int = 16
    """Length of the learned vector of a class that is joined to z."""
    projection: bool = False
    """Let the discriminator compare the class with its last features, instead of seeing it as a plane of its input."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.label_dim >= 1, f"label_dim is {self.label_dim}; it must be at least 1.")

    @classmethod
    def tiny(cls) -> Self:
        return cls(image_size=16, channels=1, latent_dim=8, width=4, num_classes=3, label_dim=4)


class ConditionalGenerator(Generator):
    """A dcgan's generator of z and the class's vector."""

    def __init__(self, num_classes: int, label_dim: int, latent_dim: int, *networks: Any) -> None:
        super().__init__(latent_dim + label_dim, *networks)
        self.label = nn.Embedding(num_classes, label_dim)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:  # type: ignore[override]
        # z [N, latent_dim], labels [N] or weights [N, K] -> [N, C, S, S] in [-1, 1]
        return super().forward(torch.cat([z, class_vectors(self.label, labels)], dim=1))


class PlaneDiscriminator(Discriminator):
    """A dcgan's discriminator of the images and a plane for the class of each."""

    def __init__(self, num_classes: int, pack: int, width: int, channels: int, image_size: int, *networks: Any) -> None:
        super().__init__(width, channels + pack, image_size, *networks)
        self.label = nn.Embedding(num_classes, image_size**2)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:  # type: ignore[override]
        # images [N, C * pack, S, S], labels [N, pack] -> logits [N]
        planes = self.label(labels).view(*labels.shape, *images.shape[2:])
        return super().forward(torch.cat([images, planes.to(images.dtype)], dim=1))


class ProjectionDiscriminator(Discriminator):
    """A dcgan's discriminator whose logit grows where the image's features are those of its class."""

    def __init__(self, num_classes: int, width: int, *networks: Any) -> None:
        super().__init__(width, *networks)
        self.label = nn.Embedding(num_classes, self.features)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:  # type: ignore[override]
        # images [N, C * pack, S, S], labels [N, pack] -> logits [N]
        x = self.blocks(self.from_image(images))  # -> [N, widest, 4, 4]
        match = (self.label(labels).sum(1) * x.sum((2, 3))).sum(1)
        logits: Tensor = self.to_logit(x) + match
        return logits


@register("cgan")
class CGAN(ConditionalRecipe, DCGAN):
    """A dcgan that is told the class."""

    Config = CGANConfig
    config: CGANConfig
    train_options = TrainOptions(lr=2e-4, betas=(0.5, 0.999), batch_size=64)

    def build(self) -> nn.ModuleDict:
        c = self.config
        channels, size = c.image_shape
        critic = (c.width, c.pack_channels, size, c.downsample, c.critic_norm)
        return nn.ModuleDict(
            {
                "G": ConditionalGenerator(
                    c.class_count, c.label_dim, c.latent_dim, c.width, channels, size, c.upsample, c.leaky_generator
                ),
                "D": ProjectionDiscriminator(c.class_count, *critic)
                if c.projection
                else PlaneDiscriminator(c.class_count, c.pack, *critic),
            }
        )
