"""Points of the plane instead of pictures: mixtures of Gaussians whose modes can be counted.

Both are after Srivastava et al., "VEEGAN", 2017, arXiv:1705.07761, with the same centres, shrunk into [-1, 1]: a ring
of radius 1 by 0.8, a grid of spacing 2 by 0.2. Unlike there, the Gaussians are twice as wide, 1/50 of the radius and
1/20 of the spacing, so that a small network can get to know them in minutes at the learning rates of pictures.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from gan_core.data.images import Split, order
from gan_core.errors import UsageError
from gan_core.recipe import Batch

COUNT = {"train": 100_000, "test": 10_000}
SEED = {"train": 0, "test": 1}


@dataclass(frozen=True)
class Points:
    """Points [N, 2, 1, 1] in [-1, 1], as many around each centre: what a trainer takes for pictures of one pixel.

    Attributes:
        name: As it was asked for.
        images: The points, [N, 2, 1, 1] float32; point k belongs to centre k modulo M.
        centres: Of the modes, [M, 2].
        std: Standard deviation of every mode, in both directions.
    """

    name: str
    images: Tensor
    centres: Tensor
    std: float

    image_size = 1
    channels = 2
    classes = None
    labels = None

    def __len__(self) -> int:
        return len(self.images)

    @property
    def given(self) -> None:
        return None

    @cached_property
    def fingerprint(self) -> str:
        """See `Images`."""
        return hashlib.sha256(self.images.numpy().tobytes()).hexdigest()

    def batches(self, batch_size: int, *, seed: int, start: int, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        """See `Images.batches`."""
        indices = order(len(self), batch_size, seed=seed, start=start, rank=rank, world=world)
        return (Batch(self.images[torch.from_numpy(index)]) for index in indices)

    def examples(self, n: int) -> Tensor:
        """See `Images.examples`: [n, 2, 1, 1]."""
        return self.images[torch.linspace(0, len(self) - 1, n).long()]

    def pictures(self, rows: Tensor) -> Tensor:
        """Points are no pictures: always raises `UsageError`."""
        raise no_pictures(self.name)


def no_pictures(name: str) -> UsageError:
    """The sentence for whoever wants pictures of such a data set."""
    return UsageError(f"{name} holds points of the plane, not pictures; `python -m benchmarks coverage` trains on it.")


def ring(split: Split = "train", image_size: int | None = None, channels: int | None = None) -> Points:
    """8 Gaussians on a circle of radius 0.8, of deviation 0.016.

    Args:
        split: "train" (100,000 points) or "test" (10,000 others).
        image_size: Points have 1.
        channels: Points have 2.

    Raises:
        UsageError: Another size or number of channels is asked for.
    """
    angles = torch.arange(8) * (2 * math.pi / 8)
    return _mixture("ring", 0.8 * torch.stack([angles.cos(), angles.sin()], dim=1), 0.016, split, image_size, channels)


def grid(split: Split = "train", image_size: int | None = None, channels: int | None = None) -> Points:
    """25 Gaussians on a square grid of spacing 0.4, of deviation 0.02; see `ring`."""
    side = torch.linspace(-0.8, 0.8, 5)
    return _mixture("grid", torch.cartesian_prod(side, side), 0.02, split, image_size, channels)


def _mixture(
    name: str, centres: Tensor, std: float, split: Split, image_size: int | None, channels: int | None
) -> Points:
    if image_size not in (None, 1) or channels not in (None, 2):
        raise no_pictures(name)
    noise = torch.from_numpy(np.random.default_rng(SEED[split]).normal(0, std, (COUNT[split], 2))).float()
    points = centres.repeat(len(noise) // len(centres), 1) + noise
    return Points(name, points[:, :, None, None], centres, std)
