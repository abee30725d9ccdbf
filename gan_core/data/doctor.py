"""The data set doctor: looks at every picture of a data set."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gan_core.data.channels import with_channels
from gan_core.data.findings import SPLITS, Findings, Spread
from gan_core.data.folder import (
    DEFAULT_SIZE,
    GREY_MODES,
    MEMORY_LIMIT,
    Listing,
    refuse_unreadable,
    scan,
    sub_folders,
)
from gan_core.data.images import ImageData, Images, Split, to_unit_range
from gan_core.data.layout import SIDE_BY_SIDE, Layout, find
from gan_core.data.pairs import PairListing, scan_pairs
from gan_core.data.picture_file import read_image
from gan_core.data.registry import DATASETS, find_folder, load_data
from gan_core.errors import UsageError

SHOWN = 64  # images of a contact sheet


@dataclass(frozen=True)
class Seen:
    """What is known of a stored picture.

    Attributes:
        mode: Of Pillow.
        size: Width and height in pixels.
        transparent: Whether it has transparent parts, or could have.
        digest: SHA-256 of its pixels, in hex.
    """

    mode: str
    size: tuple[int, int]
    transparent: bool
    digest: str

    @classmethod
    def of(cls, image: Image.Image) -> Seen:
        """Of a picture that is decoded."""
        deep = image.mode.startswith("I")  # 16 bits do not fit into RGBA
        pixels = image.tobytes() if deep else image.convert("RGBA").tobytes()
        digest = hashlib.sha256(repr((image.size, deep)).encode() + pixels).hexdigest()
        return cls(image.mode, image.size, image.has_transparency_data, digest)


def examine(where: str, image_size: int | None = None) -> Findings:
    """Looks at every image of a data set.

    Args:
        where: A name in `DATASETS`, or the path of a folder of pictures.
        image_size: Side that they would be trained at; None takes the data's own.

    Raises:
        UsageError: It is neither; it cannot be downloaded; the folder holds no readable pictures, or pictures to
            translate that do not fit together; the size is none.
    """
    if image_size is not None and image_size < 1:
        raise UsageError(f"image_size is {image_size}; it must be above 0.")
    if where in DATASETS:
        return _examine_set(where, {split: load_data(where, image_size, split=split) for split in SPLITS})
    path = find_folder(where)
    try:
        layout, size = find(path), image_size or DEFAULT_SIZE
        return _examine_pairs(where, path, layout, size) if layout else _examine_folder(where, path, size)
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
        examples=_examples(train),
        widths=Spread(side, side, side),
        heights=Spread(side, side, side),
        attributes={key: len(attribute.names) for key, attribute in attributes.items()},
        inputs={split: len(of.inputs) for split, of in given.items() if of.inputs is not None},
        input_channels=train.given.channels if train.given else None,
        paired=tuple(split for split, of in given.items() if of.paired),
        duplicates=duplicates,
        leaks=leaks,
    )


def _examine_folder(name: str, path: Path, size: int) -> Findings:
    seen: dict[Path, Seen] = {}
    listing = scan(path, lambda file, image: seen.update({file: Seen.of(image)}))
    if not listing.files:
        refuse_unreadable(listing.path, listing.unreadable, listing.total)
    channels = 1 if listing.grey else 3
    rows = {split: [row for row, where in enumerate(listing.splits) if where == split] for split in SPLITS}
    labels = {split: [listing.labels[row] for row in of] if listing.labels else [] for split, of in rows.items()}
    shown = [listing.files[row] for row in _some(listing, SHOWN)]
    examples = to_unit_range(torch.stack([read_image(file, size, channels) for file in shown]))
    return dataclasses.replace(
        _findings(name, listing.path, size, channels, examples, (listing,), seen, listing.unreadable),
        classes=_by_class(listing.classes, labels),
        streamed=len(rows["train"]) * channels * size * size > MEMORY_LIMIT,
        spoilers=_spoilers(listing, seen),
    )


def _spoilers(listing: Listing, seen: Mapping[Path, Seen]) -> tuple[str, ...]:
    """The few files but for which all in a folder would be pairs side by side."""
    if sub_folders(listing.path) not in SIDE_BY_SIDE:
        return ()
    others = [file for file in listing.files if seen[file].size[0] != 2 * seen[file].size[1]]
    few = len(others) < len(listing.files) / 2
    return tuple(str(file.relative_to(listing.path)) for file in others) if few else ()


def _examine_pairs(name: str, path: Path, layout: Layout, size: int) -> Findings:
    seen: dict[Path, Seen] = {}
    whole = scan_pairs(path, layout, lambda file, image: seen.update({file: Seen.of(image)}))
    inputs, images = whole.inputs, whole.images
    listings = (images.listing,) if layout == "side by side" else (inputs.listing, images.listing)
    shown = min(len(_some(side.listing, SHOWN // 2)) for side in (inputs, images))
    examples = beside(
        inputs.read(_some(inputs.listing, shown), size, inputs.channels),
        images.read(_some(images.listing, shown), size, images.channels),
    )
    found = _findings(name, whole.path, size, images.channels, examples, listings, seen, whole.unreadable)
    given = counts_of(inputs.listing)
    return dataclasses.replace(
        found,
        layout=layout,
        inputs=given,
        input_channels=inputs.channels,
        paired=SPLITS if whole.paired else (),
        oblong=0 if layout == "side by side" else found.oblong,  # the halves are square
        refused=_refusal(whole, size) if found.counts["train"] and given["train"] else "",
    )


def _examples(images: Images) -> Tensor:
    """Of a registered set, what a contact sheet shows."""
    if not isinstance(images, ImageData) or images.inputs is None:
        return images.examples(min(SHOWN, len(images)))
    count = min(SHOWN // 2, len(images.inputs), len(images))
    sides = (side[torch.linspace(0, len(side) - 1, count).long()] for side in (images.inputs, images.images))
    return beside(*sides)


def _refusal(whole: PairListing, size: int) -> str:
    """What training would say of so many pictures of this size; "" where it takes them."""
    try:
        whole.part("train").refuse_big(size, whole.images.channels)
    except UsageError as error:
        return str(error)
    return ""


def _findings(
    name: str,
    path: Path,
    size: int,
    channels: int,
    examples: Tensor,
    listings: Sequence[Listing],
    seen: Mapping[Path, Seen],
    unreadable: Mapping[Path, str],
) -> Findings:
    """What can be told of every folder, from the pictures that were seen; of listings, the last is trained on."""
    kept = [seen[file] for listing in listings for file in listing.files]
    duplicates: list[tuple[str, ...]] = []
    leaks: list[tuple[str, ...]] = []
    for listing in listings:  # that both sides of a pair are equal is nothing wrong
        files = zip(listing.files, listing.splits, strict=True)
        found = equals({str(file.relative_to(path)): (split, seen[file].digest) for file, split in files})
        duplicates += found[0]
        leaks += found[1]
    return Findings(
        name=name,
        kind="pictures",
        from_folder=True,
        image_size=size,
        channels=channels,
        counts=counts_of(listings[-1]),
        classes=None,
        examples=examples,
        widths=Spread.of(picture.size[0] for picture in kept),
        heights=Spread.of(picture.size[1] for picture in kept),
        modes=dict(Counter(picture.mode for picture in kept).most_common()),
        oblong=sum(picture.size[0] != picture.size[1] for picture in kept),
        small=sum(min(picture.size) < size for picture in kept),
        grey=sum(seen[file].mode in GREY_MODES for of in listings if not of.grey for file in of.files),
        transparent=sum(picture.transparent for picture in kept),
        duplicates=tuple(duplicates),
        leaks=tuple(leaks),
        unreadable={str(file.relative_to(path)): reason for file, reason in unreadable.items()},
        files=len(seen) + len(unreadable),
        own_splits=listings[-1].own_splits,
    )


def counts_of(listing: Listing) -> dict[Split, int]:
    """How many pictures each split has."""
    return {split: listing.splits.count(split) for split in SPLITS}


def _some(listing: Listing, count: int) -> list[int]:
    """Rows of a contact sheet, spread evenly over those to train on, where there are any."""
    rows = [row for row, split in enumerate(listing.splits) if split == "train"] or range(len(listing.files))
    return [rows[k] for k in np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]


def beside(inputs: Tensor, images: Tensor) -> Tensor:
    """Inputs [n, c, H, W] uint8, and pictures [n, C, H, W] to the right of them, as [n, 1 or 3, H, 2 W] in [-1, 1]."""
    channels = max(inputs.shape[1], images.shape[1])
    return to_unit_range(torch.cat([with_channels(side, channels) for side in (inputs, images)], dim=3))


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
