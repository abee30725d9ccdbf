r"""gen_1 with a deeper critic: its patches are 46x46 pixels, and it normalises over the batch.

Source: the public code of the project that the document "Model information" describes, where GEN_2 is only a heading;
on the ground of Isola, Zhu, Zhou, Efros, "Image-to-Image Translation with Conditional Adversarial Networks", 2016,
arXiv:1611.07004.

Generator and game are those of `gen_1`:

$$L_D = \tfrac12\,\mathbb{E}_y[\mathrm{softplus}(-D(y))] + \tfrac12\,\mathbb{E}_x[\mathrm{softplus}(D(G(x)))]
\qquad L_G = \mathbb{E}_x[\mathrm{softplus}(-D(G(x)))] + \lambda\,\mathbb{E}_{x,y}[\lvert G(x) - y\rvert]$$

The critic has three convolutions of stride 2, the second and third followed by batch normalisation, so it gives a map
of 63x63 for pictures of 512x512. As there: layers, $\lambda = 100$, Adam at 2e-4 with betas (0.5, 0.999).
"""

from __future__ import annotations

from torch import nn

from gan_core.image_networks import patch_critic
from gan_core.recipe import register
from gan_core.recipes.gen_1 import Gen1


@register("gen_2")
class Gen2(Gen1):
    """gen_1's game against a critic that sees more."""

    def critic(self) -> nn.Module:
        channels = self.config.image_shape[0]
        return patch_critic(
            channels, self.config.width, strides=(2, 2, 2), norm=self.config.critic_norm("batch"), batch_bias=True
        )
