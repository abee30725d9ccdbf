"""Which classes a set of images falls into, and how evenly."""

import math

import torch
from torch import Tensor

from gan_core.errors import UsageError
from gan_core.metrics.rows import as_rows


def class_histogram(probabilities: Tensor) -> Tensor:
    """The share of images whose most probable class is each, [K] float64, summing to 1.

    Args:
        probabilities: [N, K] of a classifier.

    Raises:
        UsageError: There is no image, or a number is not finite.
    """
    rows = as_rows(probabilities, "images")
    return torch.bincount(rows.argmax(1), minlength=rows.shape[1]).double() / len(rows)


def entropy(shares: Tensor) -> float:
    r"""$-\sum_k p_k \log p_k$ in nats: 0 for one class, $\log K$ for even shares.

    Args:
        shares: [K], not negative, summing to 1.

    Raises:
        UsageError: They are no shares.
    """
    shares = shares.detach().to("cpu", torch.float64)
    if shares.ndim != 1 or not (shares >= 0).all() or not math.isclose(float(shares.sum()), 1, abs_tol=1e-6):
        raise UsageError("Class shares are one row of numbers that are not negative and sum to 1.")
    return float(torch.special.entr(shares).sum())


def kl_to_uniform(shares: Tensor) -> float:
    r"""$\sum_k p_k \log(K p_k)$ in nats, the Kullback-Leibler divergence of the shares from even ones.

    Even a perfect generator's N images give about $(K - 1) / 2N$.

    Args:
        shares: [K], not negative, summing to 1.

    Raises:
        UsageError: They are no shares.
    """
    return max(0.0, math.log(len(shares)) - entropy(shares))
