r"""How much of the generated set is realistic, and how much of the real set it covers, by nearest neighbours.

A ball $B_k(x)$ around a row reaches to its k-th nearest other row of the same set. Rows on its rim are inside.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from gan_core.metrics.rows import as_rows, same_width, squared_distances

ROUNDING = 1e-12  # of the largest squared norm: what the distances' matrix product may err by, with a wide margin


@dataclass(frozen=True)
class ManifoldScores:
    """Shares in [0, 1]; density alone may exceed 1."""

    precision: float
    recall: float
    density: float
    coverage: float


def manifold_scores(real: Tensor, fake: Tensor, k: int = 5) -> ManifoldScores:
    r"""Precision and recall (Kynkaanniemi 2019, arXiv:1904.06991, equation 2), density and coverage (Naeem 2020,
    arXiv:2002.09797, section 3).

    * precision: the share of fake rows inside the ball of any real row;
    * recall: the share of real rows inside the ball of any fake row;
    * density: how many real balls hold a fake row, on average, divided by k: about 1 where the sets are alike;
    * coverage: the share of real rows whose own ball holds any fake row.

    All depend on both numbers of rows: values compare only at the same ones.

    Args:
        real: [N, D].
        fake: [M, D].
        k: Which nearest neighbour a ball reaches to.

    Raises:
        UsageError: A set has no more than k rows or numbers that are not finite; the widths differ.
    """
    real, fake = as_rows(real, "real images", least=k + 1), as_rows(fake, "generated images", least=k + 1)
    same_width(real, fake)
    real_reach, fake_reach = _squared_reach(real, k), _squared_reach(fake, k)
    realistic = torch.zeros(len(fake), dtype=torch.bool)
    recalled, covered = torch.zeros(2, len(real), dtype=torch.bool)
    hits = 0
    for block, squared in squared_distances(fake, real):
        in_real_ball = squared <= real_reach
        hits += int(in_real_ball.sum())
        realistic[block] = in_real_ball.any(1)
        covered |= in_real_ball.any(0)
        recalled |= (squared <= fake_reach[block, None]).any(0)
    precision, recall, coverage = (share.double().mean().item() for share in (realistic, recalled, covered))
    return ManifoldScores(precision, recall, hits / (k * len(fake)), coverage)


def _squared_reach(rows: Tensor, k: int) -> Tensor:
    """Squared radius of each row's ball, [N], with room for rounding: a row on the rim must not fall out by it."""
    room = ROUNDING * (rows - rows.mean(0)).square().sum(1).max()
    reach = [squared.topk(k + 1, largest=False).values[:, k] for _, squared in squared_distances(rows, rows)]
    return torch.cat(reach) + room  # the first of the k + 1 nearest is the row itself
