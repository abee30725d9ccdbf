r"""A distance instead of a verdict: the critic scores, and its weights are clipped to keep it from shouting.

Paper: Arjovsky, Chintala, Bottou, "Wasserstein GAN", 2017, arXiv:1701.07875.

The earth mover's distance between data and fakes is the largest difference of mean scores over all critics $f$ that
are 1-Lipschitz (equation 2). The critic climbs towards it, the generator walks down what it finds:

$$L_D = \mathbb{E}_z[f(G(z))] - \mathbb{E}_x[f(x)] \qquad L_G = -\mathbb{E}_z[f(G(z))]$$

$-L_D$ is then the distance up to a factor, and falls as pictures get better: a loss curve one can read. Some Lipschitz
bound is kept by clipping every weight to $[-c, c]$, $c = 0.01$, after each step (algorithm 1), which the authors
themselves call terrible; see `wgan_gp`.

As in the paper: RMSprop without momentum, five critic updates for one of the generator, each on fresh images, no
sigmoid, clipping; normalisation parameters are not clipped. Unlike it: steps of 5e-4, ten times as long, since at the
paper's 5e-5 our digits are blots still after 3,800 updates and digits after 1,300 at ours; the networks are our
`dcgan`'s, and the critic does not get 100 updates at the very start and at every 500th step, as the authors' code gives
it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gan_core import losses
from gan_core.recipe import Phase, register
from gan_core.recipes.dcgan import Convolutional, ConvolutionalConfig
from gan_core.train_options import TrainOptions


@dataclass(frozen=True)
class WGANConfig(ConvolutionalConfig):
    """What a `wgan` is."""

    clip: float = 0.01
    """Largest absolute value of a critic's weight."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.clip > 0, f"clip is {self.clip:g}; it must be above 0.")


class Wasserstein(Convolutional):
    """The game; variants keep the critic's slope in bounds, each in its own way."""

    phases = (Phase("d", nets=("D",), repeats=5), Phase("g", nets=("G",)))
    comparative = True

    def critic_loss(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        return {"wasserstein": losses.wasserstein(real, fake)}

    def generator_loss(self, fake: Tensor) -> Tensor:
        return -fake.mean()


@register("wgan")
class WGAN(Wasserstein):
    """A dcgan on the Wasserstein distance, its critic clipped."""

    Config = WGANConfig
    config: WGANConfig
    train_options = TrainOptions(lr=5e-4, optimizer="rmsprop", batch_size=64)

    @torch.no_grad()
    def after_update(self, phase: str, nets: nn.ModuleDict) -> None:
        if phase == "g":
            return
        for module in nets["D"].modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                for parameter in module.parameters():
                    parameter.clamp_(-self.config.clip, self.config.clip)
