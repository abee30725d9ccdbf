r"""Adversarial losses and penalties by their usual names, all unscaled means over the batch, all on raw scores.

Below, $\ell$ is the critic's logit and $D = \sigma(\ell)$ its probability of "real"; $-\log\sigma(\ell) =
\mathrm{softplus}(-\ell)$ and $-\log(1-\sigma(\ell)) = \mathrm{softplus}(\ell)$, which never overflow.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_core.double_backward import FastDoubleBackward


def cross_entropy(logits: Tensor, target: float) -> Tensor:
    r"""Mean of $-y\log D - (1-y)\log(1-D)$ over logits of any shape, with $y$ = `target`, in [0, 1]."""
    return (target * F.softplus(-logits) + (1 - target) * F.softplus(logits)).mean()


def discriminator_real(logits: Tensor, label: float = 1.0) -> Tensor:
    r"""Cross-entropy of real images, with $y$ = `label`.

    `label` = 0.9 is one-sided label smoothing (Salimans 2016, section 3.4); fakes keep the label 0.

    Args:
        logits: [N].
        label: Target probability of real images, in (0, 1].
    """
    return cross_entropy(logits, label)


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


def least_squares(scores: Tensor, target: float) -> Tensor:
    r"""Mean of $\tfrac12(s-t)^2$ over scores [N] and their target (Mao 2016, arXiv:1611.04076, equation 9)."""
    return 0.5 * (scores - target).square().mean()


def wasserstein(real: Tensor, fake: Tensor) -> Tensor:
    r"""Mean score of fakes minus that of reals, what a Wasserstein critic minimises (Arjovsky 2017, equation 2).

    Its negative estimates the distance between the two distributions, up to the critic's Lipschitz constant.
    """
    return fake.mean() - real.mean()


def hinge_critic(real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    r"""Means of $\max(0, 1-s)$ over scores of reals and of $\max(0, 1+s)$ over those of fakes (Lim 2017)."""
    return {"real": F.relu(1 - real).mean(), "fake": F.relu(1 + fake).mean()}


def relativistic(better: Tensor, worse: Tensor) -> Tensor:
    r"""Mean of $\mathrm{softplus}(-(s_i - s'_i))$ over pairs (Jolicoeur-Martineau 2018, arXiv:1807.00734).

    Args:
        better: [N], scores that should be the higher ones: of reals for the critic, of fakes for the generator.
        worse: [N], as many.
    """
    if better.shape != worse.shape:
        raise ValueError(f"{len(better)} and {len(worse)} scores make no pairs")
    return F.softplus(worse - better).mean()


Critic = Callable[[Tensor], Tensor]


def gradient_penalty(critic: Critic, real: Tensor, fake: Tensor, pack: int = 1) -> Tensor:
    r"""Mean of $(\lVert\nabla_x s(x)\rVert_2 - 1)^2$ at points between real and generated images.

    Each point is $x = r + t(f - r)$ with one $t \sim U(0, 1)$ a score (Gulrajani 2017, arXiv:1704.00028, algorithm 1).
    The norm is over all that one score sees: an image's C, H and W, or those of a pack. In fp32.

    Args:
        critic: Images [N, C, H, W] to scores; without batch statistics, or each gradient is one of the
            scores of all images; progan's and stylegan's minibatch deviation is such a statistic, by their papers.
        real: [N, C, H, W].
        fake: [N, C, H, W].
        pack: Consecutive images that one score sees.
    """
    real, fake = real.detach().float(), fake.detach().float()
    t = torch.rand(len(real) // pack, 1, 1, 1, device=real.device).repeat_interleave(pack, dim=0)
    gradients = _gradients(critic, real + t * (fake - real))
    norms: Tensor = torch.linalg.vector_norm(gradients, dim=1)  # a root of squares has no gradient at 0
    return (norms - 1).square().mean()


def zero_centered_penalty(critic: Critic, images: Tensor) -> Tensor:
    r"""Mean of $\lVert\nabla_x s(x)\rVert_2^2$ at images [N, C, H, W]: R1 of reals, R2 of fakes (Mescheder 2018).

    A recipe multiplies it by $\gamma/2$ (arXiv:1801.04406, equation 9), and by its interval where it is lazy. The
    gradient is with respect to the images as they are, whatever the critic's augmentation does to them. In fp32.
    """
    return _gradients(critic, images.detach().float()).square().sum(1).mean()


def _gradients(critic: Critic, images: Tensor) -> Tensor:
    """The gradient of each score in all that it saw, [scores, pixels]; itself differentiable."""
    with torch.autocast(images.device.type, enabled=False):
        images = images.requires_grad_(True)
        with FastDoubleBackward():
            scores = critic(images)
        gradients: Tensor = torch.autograd.grad(scores.sum(), images, create_graph=True)[0]
    return gradients.reshape(len(scores), -1)
