"""Frechet distance of two feature sets, each taken for a Gaussian (Heusel 2017, arXiv:1706.08500, equation 6)."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gan_core.metrics.rows import as_rows, same_width


@dataclass(frozen=True)
class Moments:
    """Mean and covariance of features.

    Attributes:
        mean: [D] float64.
        covariance: [D, D] float64, unbiased (divided by n - 1).
    """

    mean: Tensor
    covariance: Tensor

    @cached_property
    def factor(self) -> Tensor:
        r"""[D, rank] with covariance $= F F^\top$: eigenvectors times roots of eigenvalues.

        Eigenvalues below $D \varepsilon \lambda_{\max}$, negative ones among them, are rounding and are left out, as
        in `torch.linalg.matrix_rank`: fewer rows than features give a rank of n - 1.
        """
        values, vectors = torch.linalg.eigh(self.covariance)
        kept = values > len(values) * torch.finfo(torch.float64).eps * values[-1]
        factor: Tensor = vectors[:, kept] * values[kept].sqrt()
        return factor


def moments(features: Tensor) -> Moments:
    """Mean and unbiased covariance.

    Args:
        features: [N, D].

    Raises:
        UsageError: There are fewer than 2 rows, or numbers that are not finite.
    """
    rows = as_rows(features, "images", least=2)
    mean = rows.mean(0)
    centred = rows - mean
    return Moments(mean, centred.T @ centred / (len(rows) - 1))


def frechet_distance(a: Moments, b: Moments) -> float:
    r"""$|\mu_a - \mu_b|^2 + \mathrm{tr} A + \mathrm{tr} B - 2 \sum_i \sqrt{\lambda_i(AB)}$, at least 0.

    With $A = F_a F_a^\top$ and $B = F_b F_b^\top$ the eigenvalues of $AB$ are the squared singular values of
    $F_a^\top F_b$, so the last sum is the sum of these singular values. Nothing can turn negative or complex, and
    no root is taken of a rounding error: singular covariances are as exact as others.

    It is biased upwards for few rows, and compares only at equal numbers of rows.

    Raises:
        UsageError: The moments are of different numbers of features.
    """
    same_width(a.covariance, b.covariance)
    roots = torch.linalg.svdvals(a.factor.T @ b.factor).sum()
    distance = (a.mean - b.mean).square().sum() + a.covariance.trace() + b.covariance.trace() - 2 * roots
    return max(0.0, float(distance))
