r"""Least squares: fakes are pulled towards the real ones even where the critic is already sure.

Paper: Mao et al., "Least Squares Generative Adversarial Networks", 2016, arXiv:1611.04076.

Cross-entropy is flat where a fake lies on the right side of the decision boundary, however far from the data. A squared
distance is not. With the targets 0 for fakes, 1 for reals and 1 for what the generator wants (equation 9 of the paper):

$$L_D = \tfrac12\,\mathbb{E}_x[(D(x)-1)^2] + \tfrac12\,\mathbb{E}_z[D(G(z))^2]
\qquad L_G = \tfrac12\,\mathbb{E}_z[(D(G(z))-1)^2]$$

$D$ ends in a linear layer, without a sigmoid. The best $D(x)$ is $p(x)/(p(x)+q(x))$ for densities $p$ of the data and
$q$ of the fakes, so the verdict on a picture is its score, cut to [0, 1].

As in the paper: the objective, Adam with $\beta_1 = 0.5$. Unlike it: networks and initialisation are those of
our `dcgan`, and the learning rate is 2e-4 (the paper's own are a little deeper; it trains LSUN scenes at 112x112 with
lr 1e-3).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gan_core import losses
from gan_core.recipe import register
from gan_core.recipes.dcgan import Convolutional, ConvolutionalConfig


@dataclass(frozen=True)
class LSGANConfig(ConvolutionalConfig):
    """What an `lsgan` is: the networks of a `dcgan`."""


@register("lsgan")
class LSGAN(Convolutional):
    """A dcgan on squared errors."""

    Config = LSGANConfig
    config: LSGANConfig

    def probability(self, scores: Tensor) -> Tensor:
        return scores.clamp(0, 1)

    def critic_loss(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        return {"real": losses.least_squares(real, 1.0), "fake": losses.least_squares(fake, 0.0)}

    def generator_loss(self, fake: Tensor) -> Tensor:
        return losses.least_squares(fake, 1.0)
