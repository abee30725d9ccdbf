r"""Adversarial losses by their usual names, all means over the batch, all on logits.

Below, $\ell$ is the critic's logit and $D = \sigma(\ell)$ its probability of "real"; $-\log\sigma(\ell) =
\mathrm{softplus}(-\ell)$ and $-\log(1-\sigma(\ell)) = \mathrm{softplus}(\ell)$, which never overflow.
"""

import torch.nn.functional as F
from torch import Tensor


def discriminator_real(logits: Tensor, label: float = 1.0) -> Tensor:
    r"""Cross-entropy of real images: mean of $-y\log D - (1-y)\log(1-D)$ with $y$ = `label`.

    `label` = 0.9 is one-sided label smoothing (Salimans 2016, section 3.4); fakes keep the label 0.

    Args:
        logits: [N].
        label: Target probability of real images, in (0, 1].
    """
    return (label * F.softplus(-logits) + (1 - label) * F.softplus(logits)).mean()


def discriminator_fake(logits: Tensor) -> Tensor:
    r"""Cross-entropy of generated images, [N]: mean of $-\log(1-D)$."""
    return F.softplus(logits).mean()


def generator_nonsaturating(logits: Tensor) -> Tensor:
    r"""Mean of $-\log D$ over generated images, [N] (Goodfellow 2014, end of section 3).

    Its gradient in the logit at $\ell = 0$ is $-\tfrac12$ and stays near $-1$ where D is sure of a fake.
    """
    return F.softplus(-logits).mean()


def generator_saturating(logits: Tensor) -> Tensor:
    r"""Mean of $\log(1-D)$ over generated images, [N] (Goodfellow 2014, equation 1).

    Its gradient vanishes where D is sure of a fake: exactly when the generator needs it most.
    """
    return -F.softplus(logits).mean()
