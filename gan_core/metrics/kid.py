"""Kernel distance of two feature sets (Binkowski 2018, arXiv:1801.01401) with an interval."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gan_core.metrics.rows import BLOCK, as_rows, same_width


@dataclass(frozen=True)
class Interval:
    """An estimate and where it may lie, all in its own unit."""

    value: float
    low: float
    high: float


def kernel_distance(real: Tensor, fake: Tensor, seed: int = 0, resamples: int = 200, level: float = 0.95) -> Interval:
    r"""Unbiased squared maximum mean discrepancy with $k(x, y) = (x \cdot y / D + 1)^3$ over all rows, no subsets.

    $$\frac{\sum_{i \ne j} k(x_i, x_j)}{n(n-1)} + \frac{\sum_{i \ne j} k(y_i, y_j)}{m(m-1)}
    - \frac{2 \sum_{ij} k(x_i, y_j)}{nm}$$

    The interval is a percentile bootstrap of both sets. A resample is a weight for each row (how often it was drawn),
    and its value the weighted form of the same statistic; pairs of a row with itself stay out even when the row was
    drawn twice, or every resample would be too large by about the mean of $k(x, x)/n$. Where the two distributions
    are equal, a bootstrap of this statistic is known to be too wide, never too narrow.

    Args:
        real: [N, D].
        fake: [M, D].
        seed: Of the resamples.
        resamples: How many.
        level: Share of repetitions in which the interval shall hold the true value, in (0, 1).

    Returns:
        Value and interval, not multiplied by anything (papers often print it times 1,000). The value can be negative:
        it is unbiased around 0 for equal distributions.

    Raises:
        UsageError: A set has fewer than 2 rows or numbers that are not finite; the widths differ.
    """
    x, y = as_rows(real, "real images", least=2), as_rows(fake, "generated images", least=2)
    same_width(x, y)
    generator = torch.Generator().manual_seed(seed)
    u, v = (_weights(len(rows), resamples, generator) for rows in (x, y))
    values = _mean_within(x, u) + _mean_within(y, v) - 2 * _mean_between(x, y, u, v)
    tail = (1 - level) / 2
    low, high = values[1:].quantile(torch.tensor([tail, 1 - tail], dtype=torch.float64)).tolist()
    return Interval(float(values[0]), low, high)


def _weights(n: int, resamples: int, generator: torch.Generator) -> Tensor:
    """How often each row counts, [1 + resamples, n]: once in the data itself, then as drawn with replacement."""
    drawn = torch.randint(n, (resamples, n), generator=generator)
    counts = torch.zeros(resamples, n, dtype=torch.float64)
    counts.scatter_add_(1, drawn, torch.ones((), dtype=torch.float64).expand_as(drawn))
    return torch.cat([torch.ones(1, n, dtype=torch.float64), counts])


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T).div_(x.shape[1]).add_(1).pow_(3)


def _mean_within(rows: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean of the kernel over pairs of different rows, for each line of weights."""
    total = torch.zeros(len(weights), dtype=torch.float64)
    for start in range(0, len(rows), BLOCK):
        kernel = _kernel(rows[start : start + BLOCK], rows)
        kernel.diagonal(start).zero_()
        total += (kernel @ weights.T * weights[:, start : start + BLOCK].T).sum(0)
    pairs: Tensor = weights.sum(1).square() - weights.square().sum(1)
    return total / pairs


def _mean_between(x: Tensor, y: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """Weighted mean of the kernel over pairs of one row of each set, for each line of weights."""
    total = torch.zeros(len(u), dtype=torch.float64)
    for start in range(0, len(x), BLOCK):
        total += (_kernel(x[start : start + BLOCK], y) @ v.T * u[:, start : start + BLOCK].T).sum(0)
    return total / (len(x) * len(y))
