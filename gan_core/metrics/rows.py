"""Feature rows as every metric takes them: float64, finite, enough of them; and their distances, in blocks."""

from collections.abc import Iterator

import torch
from torch import Tensor

from gan_core.errors import UsageError

BLOCK = 512  # rows at a time: a block against 10,000 rows is 41 MB


def as_rows(features: Tensor, what: str, least: int = 1) -> Tensor:
    """Features on the CPU in float64.

    Args:
        features: [N, D].
        what: Whose features they are, for the error sentence: "real images".
        least: How many rows the metric needs.

    Raises:
        UsageError: It is no matrix of finite numbers, or has fewer rows.
    """
    if features.ndim != 2:
        raise UsageError(f"Features are rows [N, D]; those of the {what} have the shape {list(features.shape)}.")
    if len(features) < least:
        raise UsageError(f"This metric needs at least {least} {what}; there {are(len(features))}.")
    rows = features.detach().to("cpu", torch.float64)
    broken = int((~rows.isfinite().all(1)).sum())
    if broken:
        raise UsageError(f"The features of {broken} of {len(rows)} {what} are not finite numbers.")
    return rows


def are(count: int) -> str:
    """ "is 1", "are 7"."""
    return f"is {count}" if count == 1 else f"are {count}"


def same_width(a: Tensor, b: Tensor) -> None:
    """Refuses rows of different numbers of features: they are of different extractors."""
    if a.shape[1] != b.shape[1]:
        raise UsageError(
            f"Features of {a.shape[1]} and of {b.shape[1]} numbers cannot be compared; take them from one extractor."
        )


def squared_distances(queries: Tensor, references: Tensor) -> Iterator[tuple[slice, Tensor]]:
    r"""Blocks of $|q|^2 + |r|^2 - 2 q \cdot r$ with the rows they belong to.

    One matrix product is several times faster than differences, but rounds to about $10^{-15}$ of the squared norms.
    Both sets are moved so that the references' mean is the origin, which keeps the norms no larger than distances.

    Args:
        queries: [N, D] float64.
        references: [M, D] float64.

    Yields:
        Which queries, and their squared distances [at most BLOCK, M], never negative.
    """
    origin = references.mean(0)
    queries, references = queries - origin, references - origin
    norms = references.square().sum(1)
    for start in range(0, len(queries), BLOCK):
        block = queries[start : start + BLOCK]
        squared = torch.addmm(norms, block, references.T, alpha=-2).add_(block.square().sum(1, keepdim=True))
        yield slice(start, start + len(block)), squared.clamp_(min=0)
