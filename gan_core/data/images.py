"""Images in the order training sees them: a pure function of (seed, how many were seen)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from gan_core.errors import UsageError
from gan_core.recipe import Batch, Inputs

Split = Literal["train", "test"]
OTHERS = 2**32  # added to the seed of unpaired inputs, whose order is another one


class Images(Protocol):
    """One split of a data set, its images of one size, in memory or streamed.

    Attributes:
        name: As it was asked for.
        image_size: Side in pixels.
        channels: 1 or 3.
        classes: Class names, or None without labels.
        labels: [N] int64 class indices, or None.
        fingerprint: SHA-256 of the content at this size, in hex: what is computed from these images is kept under it.
        given: What there is to be translated to these images, or None.
    """

    @property
    def name(self) -> str: ...

    @property
    def image_size(self) -> int: ...

    @property
    def channels(self) -> int: ...

    @property
    def classes(self) -> tuple[str, ...] | None: ...

    @property
    def labels(self) -> Tensor | None: ...

    @property
    def fingerprint(self) -> str: ...

    @property
    def given(self) -> Inputs | None: ...

    def __len__(self) -> int: ...

    def batches(self, batch_size: int, *, seed: int, start: int, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        """Endless batches of one process, from the point where `start` images have been seen by all of them.

        Each step takes `batch_size * world` images, rank r the r-th part of them, so that the processes together see
        what one process with the joined batch would.
        """
        ...

    def examples(self, n: int) -> Tensor:
        """n images to show, [n, C, H, W] in [-1, 1], spread evenly over the set."""
        ...

    def pictures(self, rows: Tensor) -> Tensor:
        """The images of these indices as they are stored, [n, C, H, W] uint8."""
        ...


def to_unit_range(images: Tensor) -> Tensor:
    """uint8 [0, 255] to float [-1, 1]."""
    return images.float() / 127.5 - 1


def order(length: int, batch_size: int, *, seed: int, start: int, rank: int, world: int) -> Iterator[np.ndarray]:
    """Indices of each batch, [batch_size]: every epoch a fresh permutation, batches running across their borders.

    Raises:
        UsageError: There are fewer images than one batch of all processes.
    """
    if length < 2 * world:  # no batch size is that small
        raise UsageError(
            f"Training takes at least {2 * world} images; there {'is' if length == 1 else 'are'} {length}."
        )
    if length < batch_size * world:
        raise UsageError(
            f"There are {length} images, fewer than one batch of {batch_size * world}; "
            f"add images or take --batch_size {length // world} or less."
        )
    return _order(length, batch_size, seed, start + rank * batch_size, batch_size * world)


def _order(length: int, batch_size: int, seed: int, position: int, stride: int) -> Iterator[np.ndarray]:
    def shuffled(epoch: int) -> np.ndarray:
        return np.random.default_rng((seed, epoch)).permutation(length)

    permutations: dict[int, np.ndarray] = {}
    while True:
        epochs, offsets = np.divmod(np.arange(position, position + batch_size), length)
        permutations = {e: permutations[e] if e in permutations else shuffled(e) for e in np.unique(epochs).tolist()}
        yield np.concatenate([permutations[epoch][offsets[epochs == epoch]] for epoch in permutations])
        position += stride


@dataclass(frozen=True)
class Attribute:
    """One thing that is known about every image.

    Attributes:
        names: What there is.
        values: [N] int64 indices into the names.
    """

    names: tuple[str, ...]
    values: Tensor


@dataclass(frozen=True)
class ImageData:
    """Images in memory as uint8; a batch is an index gather and a cast.

    Attributes:
        name: As it was asked for.
        images: [N, C, H, W] uint8.
        labels: [N] int64 class indices, or None.
        classes: Class names, or None.
        attributes: What else is known, by its name: of a face, what it was drawn from.
        inputs: Pictures of another domain that can be translated to these, [M, c, H, W] uint8, or None.
        paired: Whether inputs[k] shows what images[k] does; else there may be more of one than of the other.
    """

    name: str
    images: Tensor
    labels: Tensor | None = None
    classes: tuple[str, ...] | None = None
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    inputs: Tensor | None = None
    paired: bool = True

    @cached_property
    def fingerprint(self) -> str:
        """See `Images`."""
        digest = hashlib.sha256()
        for part in (self.images,) if self.inputs is None else (self.images, self.inputs):
            digest.update(repr(tuple(part.shape)).encode())
            digest.update(part.contiguous().numpy().data)
        return digest.hexdigest()

    @property
    def given(self) -> Inputs | None:
        return None if self.inputs is None else Inputs(self.inputs.shape[1], self.paired)

    @property
    def image_size(self) -> int:
        return self.images.shape[-1]

    @property
    def channels(self) -> int:
        return self.images.shape[1]

    def __len__(self) -> int:
        return len(self.images)

    def batches(self, batch_size: int, *, seed: int, start: int, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        """See `Images.batches`."""

        def indices(length: int, seed: int) -> Iterator[Tensor]:
            place = {"seed": seed, "start": start, "rank": rank, "world": world}
            return map(torch.from_numpy, order(length, batch_size, **place))

        rows = indices(len(self), seed)
        if self.inputs is None or self.paired:
            return (self._batch(row, row) for row in rows)
        others = indices(len(self.inputs), seed + OTHERS)
        return (self._batch(row, other) for row, other in zip(rows, others, strict=False))

    def _batch(self, rows: Tensor, others: Tensor) -> Batch:
        labels = None if self.labels is None else self.labels[rows]
        inputs = None if self.inputs is None else to_unit_range(self.inputs[others])
        return Batch(to_unit_range(self.images[rows]), labels, inputs, self.paired)

    def examples(self, n: int) -> Tensor:
        """See `Images.examples`."""
        return to_unit_range(self.images[torch.linspace(0, len(self) - 1, n).long()])

    def pictures(self, rows: Tensor) -> Tensor:
        """See `Images.pictures`."""
        return self.images[rows]
