"""The data set doctor: looks at every picture of a data set."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gan_core.data.findings import SPLITS, Findings, Spread
from gan_core.data.folder import (
    DEFAULT_SIZE,
    MEMORY_LIMIT,
    Listing,
    refuse_unreadable,
    scan,
)
from gan_core.data.images import ImageData, Images, Split, to_unit_range
from gan_core.data.picture_file import read_image
from gan_core.data.registry import DATASETS, find_folder, load_data
from gan_core.errors import UsageError

SHOWN = 64  # images of a contact sheet


def examine(where: str, image_size: int | None = None) -> Findings:
    """Looks at every image of a data set.

    Args:
        where: A name in `DATASETS`, or the path of a folder of pictures.
        image_size: Side that they would be trained at; None takes the data's own.

    Raises:
        UsageError: It is neither; it cannot be downloaded; the folder holds no readable pictures; the size is none.
    """
    if image_size is not None and image_size < 1:
        raise UsageError(f"image_size is {image_size}; it must be above 0.")
    if where in DATASETS:
        return _examine_set(where, {split: load_data(where, image_size, split=split) for split in SPLITS})
    path = find_folder(where)
    try:
        return _examine_folder(where, path, image_size or DEFAULT_SIZE)
    except OSError as error:
        raise UsageError(f"{error.filename or where} cannot be read ({error.strerror or error}).") from error


def _examine_set(name: str, splits: dict[Split, Images]) -> Findings:
    train = splits["train"]
    side = train.image_size
    kind: Literal["pictures", "points"] = "points" if DATASETS[name].kind == "points" else "pictures"
    digests: dict[str, tuple[Split, str]] = {}
    if kind == "pictures":
        for split, images in splits.items():
            for row in range(len(images)):
                pixels = images.pictures(torch.tensor([row])).numpy().tobytes()
                digests[f"{split} {row}"] = split, hashlib.sha256(pixels).hexdigest()
    duplicates, leaks = equals(digests)
    labels = {split: [] if of.labels is None else of.labels.tolist() for split, of in splits.items()}
    attributes = train.attributes if isinstance(train, ImageData) else {}
    given = {split: of for split, of in splits.items() if isinstance(of, ImageData) and of.inputs is not None}
    return Findings(
        name=name,
        kind=kind,
        from_folder=False,
        image_size=side,
        channels=train.channels,
        counts={split: len(images) for split, images in splits.items()},
        classes=_by_class(train.classes, labels),
        examples=train.examples(min(SHOWN, len(train))),
        widths=Spread(side, side, side),
        heights=Spread(side, side, side),
        attributes={key: len(attribute.names) for key, attribute in attributes.items()},
        inputs={split: len(of.inputs) for split, of in given.items() if of.inputs is not None},
        paired=tuple(split for split, of in given.items() if of.paired),
        duplicates=duplicates,
        leaks=leaks,
    )


def _examine_folder(name: str, path: Path, size: int) -> Findings:
    seen: list[tuple[str, tuple[int, int], bool, str]] = []  # mode, size, transparent, digest of the pixels

    def visit(_: Path, image: Image.Image) -> None:
        deep = image.mode.startswith("I")  # 16 bits do not fit into RGBA
        pixels = image.tobytes() if deep else image.convert("RGBA").tobytes()
        digest = hashlib.sha256(repr((image.size, deep)).encode() + pixels).hexdigest()
        seen.append((image.mode, image.size, image.has_transparency_data, digest))

    listing = scan(path, visit)
    if not listing.files:
        refuse_unreadable(listing.path, listing.unreadable, len(listing.unreadable))
    channels = 1 if listing.grey else 3
    names = [str(file.relative_to(listing.path)) for file in listing.files]
    rows = {split: [row for row, where in enumerate(listing.splits) if where == split] for split in SPLITS}
    labels = {split: [listing.labels[row] for row in of] if listing.labels else [] for split, of in rows.items()}
    duplicates, leaks = equals(
        {file: (split, digest) for file, split, (*_, digest) in zip(names, listing.splits, seen, strict=True)}
    )
    return Findings(
        name=name,
        kind="pictures",
        from_folder=True,
        image_size=size,
        channels=channels,
        counts={split: len(of) for split, of in rows.items()},
        classes=_by_class(listing.classes, labels),
        examples=_some(listing, rows["train"] or rows["test"], size, channels),
        widths=Spread.of(width for _, (width, _), *_ in seen),
        heights=Spread.of(height for _, (_, height), *_ in seen),
        modes=dict(Counter(mode for mode, *_ in seen).most_common()),
        oblong=sum(width != height for _, (width, height), *_ in seen),
        small=sum(min(shape) < size for _, shape, *_ in seen),
        transparent=sum(transparent for *_, transparent, _ in seen),
        duplicates=duplicates,
        leaks=leaks,
        unreadable={str(file.relative_to(listing.path)): reason for file, reason in listing.unreadable.items()},
        own_splits=listing.own_splits,
        streamed=len(rows["train"]) * channels * size * size > MEMORY_LIMIT,
    )


def _some(listing: Listing, rows: list[int], size: int, channels: int) -> Tensor:
    """Images of a contact sheet, spread evenly over these rows, [n, C, H, W] in [-1, 1]."""
    chosen = np.linspace(0, len(rows) - 1, min(SHOWN, len(rows))).astype(int)
    return to_unit_range(torch.stack([read_image(listing.files[rows[k]], size, channels) for k in chosen]))


def _by_class(classes: tuple[str, ...] | None, labels: Mapping[Split, list[int]]) -> dict[str, dict[Split, int]] | None:
    if classes is None:
        return None
    found = {split: Counter(of) for split, of in labels.items()}
    return {name: {split: found[split][label] for split in SPLITS} for label, name in enumerate(classes)}


def equals(
    digests: Mapping[str, tuple[Split, str]],
) -> tuple[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]]:
    """The groups of pictures with the same digest, and those of them that have members in both splits.

    Args:
        digests: Split and digest of each picture, by its name.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for name, (_, digest) in digests.items():
        groups[digest].append(name)
    duplicates = tuple(tuple(group) for group in groups.values() if len(group) > 1)
    return duplicates, tuple(group for group in duplicates if len({digests[name][0] for name in group}) > 1)
