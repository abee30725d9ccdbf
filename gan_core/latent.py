"""Latent vectors: from seeds, and on the way from one to the next."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gan_core.errors import UsageError

MAX_SEED = 2**32 - 1
Path = Literal["slerp", "lerp"]


def latents(seed: int, n: int, latent_dim: int) -> Tensor:
    """z ~ N(0, I) of a seed, [n, latent_dim], float32.

    `np.random.RandomState(seed).randn(n, latent_dim)`, the convention of the published StyleGAN tools: row k does
    not depend on n.

    Raises:
        UsageError: The seed is not an integer from 0 to 2^32 - 1, or n is below 1.
    """
    check_seed(seed)
    if n < 1:
        raise UsageError(f"{n} images were asked for; it takes at least 1.")
    return torch.from_numpy(np.random.RandomState(int(seed)).randn(n, latent_dim)).float()


def check_seed(seed: object) -> None:
    """Raises `UsageError` unless it is a whole number from 0 to 2^32 - 1."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed <= MAX_SEED:
        raise UsageError(f"The seed is {seed!r}; it takes a whole number from 0 to {MAX_SEED}.")


def lerp(a: Tensor, b: Tensor, t: Tensor | float) -> Tensor:
    """The straight line (1 - t) a + t b; a, b [..., d], t a number or [..., 1]."""
    return a + (b - a) * t


def slerp(a: Tensor, b: Tensor, t: Tensor | float) -> Tensor:
    r"""The great circle $\frac{\sin((1-t)\Omega)}{\sin\Omega} a + \frac{\sin(t\Omega)}{\sin\Omega} b$ (Shoemake 1985).

    $\Omega$ is the angle between a and b, [..., d]. Between Gaussian latents it keeps the length typical where the
    straight line passes through a region the generator never saw (White 2016, arXiv:1609.04468). Parallel vectors
    take the straight line.
    """
    cosine = F.cosine_similarity(a, b, dim=-1).unsqueeze(-1)
    omega = cosine.clamp(-1, 1).acos()
    sine = omega.sin()
    safe = sine.clamp_min(1e-6)
    arc = ((1 - t) * omega).sin() / safe * a + (t * omega).sin() / safe * b
    return torch.where(sine < 1e-4, lerp(a, b, t), arc)


def between(a: Tensor, b: Tensor, t: Tensor | float, path: Path = "slerp") -> Tensor:
    """The point t of the way from a to b."""
    return slerp(a, b, t) if path == "slerp" else lerp(a, b, t)


def walk(seeds: Sequence[int], frames: int, latent_dim: int, path: Path = "slerp", loop: bool = True) -> Tensor:
    """A walk through the first latents of several seeds, [frames, latent_dim].

    Without `loop` it starts at the first seed and ends at the last; with it, it returns to the first, whose second
    visit is left out so that a repeated film does not stutter.

    Raises:
        UsageError: Fewer than 2 seeds, or fewer frames than seeds.
    """
    if len(seeds) < 2:
        raise UsageError(f"A walk needs at least 2 key seeds; got {list(seeds)}.")
    if frames < len(seeds):
        raise UsageError(f"{frames} frames cannot visit {len(seeds)} key seeds; take at least {len(seeds)}.")
    keys = torch.cat([latents(seed, 1, latent_dim) for seed in (*seeds, *seeds[:1])[: len(seeds) + loop]])
    position = torch.linspace(0, len(keys) - 1, frames + loop, dtype=torch.float64)[:frames]
    leg = position.long().clamp_max(len(keys) - 2)
    return between(keys[leg], keys[leg + 1], (position - leg).float()[:, None], path)


def morph(start: int, end: int, count: int, num_classes: int) -> Tensor:
    """The straight way from one class to another as weights of all classes, [count, num_classes]: labels of a model.

    Raises:
        UsageError: There is no such class, or fewer than 2 points are asked for.
    """
    for label in (start, end):
        if not 0 <= label < num_classes:
            raise UsageError(f"The class is {label}; it takes an index from 0 to {num_classes - 1}.")
    if count < 2:
        raise UsageError(f"A way from class to class in {count} points has no ends; it takes at least 2.")
    ends = F.one_hot(torch.tensor([start, end]), num_classes).float()
    return lerp(ends[0], ends[1], torch.linspace(0, 1, count)[:, None])
