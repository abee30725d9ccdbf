"""The nearest training image, and whether a generator repeats training images."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gan_core.errors import UsageError
from gan_core.metrics.rows import as_rows, same_width, squared_distances

TAIL = 0.01  # of held-out images: as near to one training image as these counts as a copy
ALARM = 5  # times as many copies among samples as among held-out images
FEW = 2  # images of a set, which are no evidence even where they are more than TAIL of it
LEAST = ALARM * FEW + 1  # fewer images could not raise an alarm


@dataclass(frozen=True)
class Nearest:
    """The nearest reference of each query.

    Attributes:
        distance: [N] float64, Euclidean.
        index: [N] int64, the reference's row number.
    """

    distance: Tensor
    index: Tensor


def nearest(queries: Tensor, references: Tensor) -> Nearest:
    """The nearest reference of each query.

    Args:
        queries: [N, D].
        references: [M, D].

    Returns:
        Distances (an exact copy has exactly 0) and row numbers of the references.

    Raises:
        UsageError: A set is empty or has numbers that are not finite; the widths differ.
    """
    queries, references = as_rows(queries, "images"), as_rows(references, "training images")
    found = _neighbours(queries, references, 1)
    return Nearest(found.distance[:, 0], found.index[:, 0])


@dataclass(frozen=True)
class Memorisation:
    """How near samples are to training images, against held-out images, which are no copies.

    Attributes:
        ratio: Median distance of samples to their nearest training image, over that of held-out images. About 1 for
            a generator as good as the data, 0 for copies; one that shows only plain pictures also has less than 1.
        copies: Share of samples that count as copies.
        held_out_copies: The same share of held-out images, about 1 %: what chance gives.
        flagged: Whether copies are so many that the generator repeats training images.
    """

    ratio: float
    copies: float
    held_out_copies: float
    flagged: bool


def memorisation(samples: Tensor, held_out: Tensor, train: Tensor) -> Memorisation:
    """Whether samples repeat training images.

    A copy is much nearer to one training image than to any other. So each image is measured by its distance to the
    nearest training image over that to the second nearest (the measure of Yoon 2023, "Diffusion probabilistic models
    generalize when they fail to memorize"). Unlike the distance itself, this is not small for pictures that are
    merely plain or typical. An image counts as a copy where its value is within the lowest 1 % of the held-out
    images' values, and the set is flagged where copies are over 5 times as many among samples as among held-out
    images. Held-out images in place of samples are flagged with a probability of at
    most .004 (around 200 of them; far less with 1,000).

    Training images whose features are exactly equal count once.

    Args:
        samples: [N, D].
        held_out: [M, D], images of the same source that the generator was not trained on.
        train: [T, D].

    Raises:
        UsageError: Fewer than 11 samples or held-out images, or 2 different training images; at least half of the
            held-out images are training images; numbers that are not finite; the widths differ.
    """
    samples = as_rows(samples, "generated images", least=LEAST)
    held_out = as_rows(held_out, "held-out images", least=LEAST)
    train = as_rows(torch.unique(as_rows(train, "training images"), dim=0), "different training images", least=2)
    to_samples, to_held_out = _neighbours(samples, train, 2).distance, _neighbours(held_out, train, 2).distance
    usual = to_held_out[:, 0].median()
    if usual == 0:
        raise UsageError("At least half of the held-out images are training images too, so copies cannot be told.")
    values, expected_values = to_samples[:, 0] / to_samples[:, 1], to_held_out[:, 0] / to_held_out[:, 1]
    threshold = expected_values.quantile(TAIL, interpolation="lower")
    copies, expected = (float((v <= threshold).double().mean()) for v in (values, expected_values))
    flagged = copies > ALARM * max(expected, FEW / min(len(samples), len(held_out)))
    return Memorisation(float(to_samples[:, 0].median() / usual), copies, expected, flagged)


def _neighbours(queries: Tensor, references: Tensor, k: int) -> Nearest:
    """The k nearest references of each query: distances [N, k] and row numbers [N, k]."""
    same_width(queries, references)
    found = [squared.topk(k, largest=False).indices for _, squared in squared_distances(queries, references)]
    index = torch.cat(found)
    # From differences: the matrix product that found them rounds too much where a distance is nearly 0.
    distance = torch.stack([(queries - references[index[:, i]]).norm(dim=1) for i in range(k)], dim=1)
    return Nearest(distance, index)
