r"""The Wasserstein distance with a gradient penalty: the critic's slope is asked to be 1 instead of its weights small.

Paper: Gulrajani et al., "Improved Training of Wasserstein GANs", 2017, arXiv:1704.00028.

Clipped weights make simple critics whose gradients vanish or explode. The best critic has slope 1 almost everywhere
between data and fakes, so that is what is asked for, at points drawn on straight lines between pairs of them (equation
3, algorithm 1):

$$L_D = \mathbb{E}_z[f(G(z))] - \mathbb{E}_x[f(x)]
+ \lambda\,\mathbb{E}_{\hat x}\big[(\lVert\nabla_{\hat x} f(\hat x)\rVert_2 - 1)^2\big],
\quad \hat x = x + t\,(G(z) - x),\; t \sim U(0,1) \qquad L_G = -\mathbb{E}_z[f(G(z))]$$

The norm is that of one image, so the critic has no batch normalisation, which would let an image's score depend on the
others.

As in the paper: $\lambda = 10$, five critic updates for one of the generator, Adam with lr 1e-4 and betas (0, 0.9), a
critic without normalisation ("none") or with layer normalisation ("layer"). Unlike it: the networks are our `dcgan`'s,
not the paper's residual ones; the penalty is computed in fp32.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from gan_core import losses
from gan_core.layers import Norm
from gan_core.recipe import register
from gan_core.recipes.dcgan import ConvolutionalConfig
from gan_core.recipes.wgan import Wasserstein
from gan_core.train_options import TrainOptions


@dataclass(frozen=True)
class WGANGPConfig(ConvolutionalConfig):
    """What a `wgan_gp` is."""

    critic_norm: Norm = "none"
    """Normalisation in the critic: none or layer; the penalty is an image's own, so batch is refused."""
    penalty_weight: float = 10.0
    """Lambda, the weight of the gradient penalty."""

    def __post_init__(self) -> None:
        super().__post_init__()
        fits = self.critic_norm != "batch"
        self.require(fits, "critic_norm is batch; a critic with a gradient penalty takes layer or none.")
        self.require(self.penalty_weight >= 0, f"penalty_weight is {self.penalty_weight:g}; it must be 0 or more.")


@register("wgan_gp")
class WGANGP(Wasserstein):
    """A dcgan on the Wasserstein distance, its critic penalised for slopes other than 1."""

    Config = WGANGPConfig
    config: WGANGPConfig
    train_options = TrainOptions(lr=1e-4, betas=(0.0, 0.9), batch_size=64)

    def penalty(
        self, critic: Callable[[Tensor], Tensor], images: Tensor, fakes: Tensor, images_seen: int
    ) -> dict[str, Tensor]:
        slope = self.config.penalty_weight * losses.gradient_penalty(critic, images, fakes, self.config.pack)
        return {"penalty": slope} | super().penalty(critic, images, fakes, images_seen)
