"""What a person may say for a class, a name, an index or a blend of classes, as what a generator takes."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan_core.errors import UsageError
from gan_core.recipe import nearest


def class_index(label: Any, classes: Sequence[str]) -> int:
    """The index of a class that is given by its name or its index, which may be text too.

    Raises:
        UsageError: There is no such class; of a name, the nearest is named.
    """
    if label in classes:
        return classes.index(label)
    if isinstance(label, str) and not label.isdecimal():
        raise UsageError(f"There is no class {label!r}{nearest(label, classes)}.")
    try:
        index = int(label) if isinstance(label, str) else operator.index(label)
    except (TypeError, ValueError):  # no whole number, or one of thousands of digits
        index = -1
    if not 0 <= index < len(classes):
        raise UsageError(
            f"The label is {label!r}; it takes a class's name, or its class index from 0 to {len(classes) - 1}."
        )
    return index


def labels_of(labels: Any, classes: Sequence[str], n: int) -> Tensor:
    """The labels of n pictures.

    Args:
        labels: A class by name or index, for all pictures; a sequence of n of them; weights of the classes, float
            [n, len(classes)]; None is class k modulo their number for picture k.
        classes: Their names.
        n: Number of pictures.

    Returns:
        int64 [n], or the weights.

    Raises:
        UsageError: The labels do not fit.
    """
    count = len(classes)
    if labels is None:
        return torch.arange(n) % count
    if isinstance(labels, Tensor) and labels.is_floating_point() and labels.ndim:
        return _checked_weights(labels, n, count)
    chosen = [labels] * n if np.ndim(labels) == 0 else list(labels)
    if len(chosen) != n:
        raise UsageError(f"{len(chosen)} labels were given for {n} pictures; it takes one for all, or one for each.")
    return torch.tensor([class_index(label, classes) for label in chosen])


def _checked_weights(weights: Tensor, n: int, count: int) -> Tensor:
    if weights.shape != (n, count):
        raise UsageError(
            f"Weights of classes of shape {tuple(weights.shape)} were given; for {n} pictures of {count} classes it "
            f"takes ({n}, {count})."
        )
    sums = weights.sum(1)
    if not ((weights >= 0).all() and torch.allclose(sums, torch.ones_like(sums), atol=1e-4)):
        raise UsageError("Weights of classes must be 0 or more, and those of a picture must sum to 1.")
    return weights.float()
