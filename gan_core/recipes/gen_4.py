r"""gen_2, trained for twice as long.

Source: the public code of the project that the document "Model information" describes, where GEN_4 is only a heading;
on the ground of Isola, Zhu, Zhou, Efros, "Image-to-Image Translation with Conditional Adversarial Networks", 2016,
arXiv:1611.07004.

Networks and game are those of `gen_2`:

$$L_D = \tfrac12\,\mathbb{E}_y[\mathrm{softplus}(-D(y))] + \tfrac12\,\mathbb{E}_x[\mathrm{softplus}(D(G(x)))]
\qquad L_G = \mathbb{E}_x[\mathrm{softplus}(-D(G(x)))] + \lambda\,\mathbb{E}_{x,y}[\lvert G(x) - y\rvert]$$

There it has 100 passes through the data where gen_2 has 50. It has a name of its own so that what they buy can be
seen; how long a run is, it is told as any other is (`--steps`, 6,000 for the model in the box where gen_2 has 3,000).
"""

from __future__ import annotations

from gan_core.recipe import register
from gan_core.recipes.gen_2 import Gen2


@register("gen_4")
class Gen4(Gen2):
    """gen_2's networks and game."""
