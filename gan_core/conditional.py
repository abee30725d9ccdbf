"""What a conditional model is asked for while it is judged, and how often it draws that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gan_core.data import Images
from gan_core.model import Model


@dataclass(frozen=True)
class Asked:
    """The classes that a model is asked for.

    Attributes:
        labels: [N] int64, one for each picture.
        classes: The names that they stand for.
        as_data: Whether in the shares of the training images; else each in turn.
    """

    labels: Tensor
    classes: tuple[str, ...]
    as_data: bool


def as_the_data(model: Model, real: Images, n: int, seed: int) -> Asked | None:
    """Classes in the shares of the training images: what a model should be asked for that is compared with these.

    Recipes draw fakes with the labels of the batch's real images. Asked for all classes in turn, a model that does this
    well would pay for the data's being uneven. So the labels are those of the training images in a random order that
    follows from the seed, again and again; label k does not depend on n. Where the images are not of the model's
    classes, nothing is known about shares, and it is asked `in_turn`.

    Args:
        model: Any; an unconditional one is asked for nothing.
        real: The training split.
        n: Pictures.
        seed: Of the order.
    """
    if model.classes is None:
        return None
    if real.labels is None or real.classes is None or not set(real.classes) <= set(model.classes):
        return in_turn(model, n)
    generator = torch.Generator().manual_seed(seed)
    rows = [torch.randperm(len(real), generator=generator) for _ in range(math.ceil(n / len(real)))]
    labels = translated(real.labels[torch.cat(rows)[:n]], real.classes, model.classes)
    return Asked(labels, model.classes, as_data=True)


def in_turn(model: Model, n: int) -> Asked | None:
    """Class k modulo their number for picture k; nothing for an unconditional model."""
    if model.classes is None:
        return None
    return Asked(torch.arange(n) % len(model.classes), model.classes, as_data=False)


def translated(labels: Tensor, classes: Sequence[str], into: Sequence[str]) -> Tensor:
    """Labels [N] of some classes as indices into others of the same names."""
    return torch.tensor([into.index(name) for name in classes])[labels]


def share_right(
    labels: Tensor | None, classes: Sequence[str] | None, seen: Tensor | None, known: Sequence[str] | None
) -> float | None:
    """The share of pictures that an extractor takes for what they should show, or None where it cannot tell.

    Args:
        labels: [N], what they should show.
        classes: Names of these labels.
        seen: [N], what the extractor takes each for.
        known: Names of what it can take a picture for.
    """
    if labels is None or classes is None or seen is None or known is None or not set(classes) <= set(known):
        return None
    return float((translated(labels, classes, known) == seen).double().mean())
