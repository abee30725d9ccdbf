"""The data set doctor: what is in a data set, what will become of it, and what is wrong with it."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gan_core.data.folder import (
    DEFAULT_SIZE,
    GREY_MODES,
    MEMORY_LIMIT,
    UNREADABLE_SHARE,
    Listing,
    refuse_unreadable,
    scan,
)
from gan_core.data.images import ImageData, Images, Split, to_unit_range
from gan_core.data.picture_file import read_image
from gan_core.data.registry import DATASETS, find_folder, load_data
from gan_core.errors import UsageError

SHOWN = 64  # images of a contact sheet
SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass(frozen=True)
class Spread:
    """The smallest, the middle and the largest of some numbers of pixels."""

    low: int
    median: int
    high: int

    @classmethod
    def of(cls, values: Iterable[int]) -> Spread:
        """Of at least one value."""
        ordered = sorted(values)
        return cls(ordered[0], ordered[len(ordered) // 2], ordered[-1])


@dataclass(frozen=True, eq=False)
class Findings:
    """What the doctor found.

    Attributes:
        name: As it was asked for.
        kind: "pictures", or "points" of the plane.
        from_folder: Whether they are somebody's files; other sets are prepared already.
        image_size: Side of the images as they are trained on.
        channels: As they are trained on.
        counts: Images by split.
        classes: Images by class and split, or None.
        attributes: What else is known of every image, and the number of words for it.
        inputs: Pictures that can be translated to these, by split; empty where there are none.
        paired: The splits in which each input shows what its picture does.
        widths: In pixels, as they are stored.
        heights: In pixels, as they are stored.
        modes: Images by mode of Pillow: "RGB", "L" ...
        oblong: How many are not square.
        small: How many have a side below `image_size`.
        transparent: How many have transparent parts, or could have.
        duplicates: Names of pictures that are equal pixel by pixel, in groups.
        leaks: Those groups that have pictures in both splits.
        unreadable: What the reader of each skipped file said, by its name.
        own_splits: Whether the folder has its splits as sub-folders.
        streamed: Whether the files are read while training, being too many to be held in memory.
        examples: Some of the training images, [n, C, H, W] in [-1, 1].
    """

    name: str
    kind: Literal["pictures", "points"]
    from_folder: bool
    image_size: int
    channels: int
    counts: Mapping[Split, int]
    classes: Mapping[str, Mapping[Split, int]] | None
    examples: Tensor
    widths: Spread
    heights: Spread
    modes: Mapping[str, int] = field(default_factory=dict)
    attributes: Mapping[str, int] = field(default_factory=dict)
    inputs: Mapping[Split, int] = field(default_factory=dict)
    paired: tuple[Split, ...] = ()
    oblong: int = 0
    small: int = 0
    transparent: int = 0
    duplicates: tuple[tuple[str, ...], ...] = ()
    leaks: tuple[tuple[str, ...], ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    own_splits: bool = False
    streamed: bool = False

    @property
    def notes(self) -> list[str]:
        """What will become of the data, sentence by sentence."""
        if self.kind == "points":
            return ["Points of the plane, not pictures: `python -m benchmarks coverage` trains on them."]
        size, said = self.image_size, []
        if self.inputs:
            counts = " and ".join(f"{self.inputs[split]:,} to {split} on" for split in SPLITS)
            belongs = {(): "none belongs to a picture", SPLITS: "each belongs to a picture"}
            which = belongs.get(self.paired, f"only those of the {' and '.join(self.paired)} split belong to a picture")
            said.append(f"There are inputs to translate, {counts}; {which}. Recipes that draw from noise leave them.")
        if self.from_folder:
            said.append(
                "The sub-folders train and test are the splits."
                if self.own_splits
                else "About one picture in ten, chosen by its content, is held out for testing and never trained on."
            )
            said.append(f"Every picture becomes {size}x{size} pixels, {'grey' if self.channels == 1 else 'in colour'}.")
        if self.oblong:
            said.append(f"{pictures(self.oblong)} not square: the centre square is kept, the rest is cut off.")
        if self.small:
            said.append(f"{pictures(self.small)} smaller than {size} pixels: enlarged, they stay blurred.")
        if self.channels == 3 and (grey := sum(self.modes.get(mode, 0) for mode in GREY_MODES)) and self.from_folder:
            said.append(f"{pictures(grey)} grey among coloured ones: their grey stays.")
        if self.transparent:
            said.append(f"{pictures(self.transparent)} made to be transparent: what shows through is white.")
        if self.streamed:
            said.append("They are too many to be held in memory, and are read while training.")
        return said

    @property
    def warnings(self) -> list[str]:
        """What is wrong with the data, and what to do about it, sentence by sentence."""
        said = []
        if self.unreadable:
            total = sum(self.counts.values()) + len(self.unreadable)
            refused = len(self.unreadable) > UNREADABLE_SHARE * total
            said.append(
                f"{len(self.unreadable)} of {total:,} files cannot be read: "
                + ("too many, training refuses this folder until they are gone." if refused else "they are skipped.")
            )
        if self.leaks:
            said.append(
                f"{pictures(len(self.leaks))} in both splits: measures would take learning by heart for skill. "
                "Remove one of each."
            )
        if len(self.duplicates) > len(self.leaks):
            said.append(f"{pictures(len(self.duplicates) - len(self.leaks))} there more than once in a split.")
        for split in SPLITS:
            if not self.counts[split]:
                said.append(f"The {split} split has no pictures: add some, or sort them into folders train and test.")
            elif self.classes and (empty := [name for name, counts in self.classes.items() if not counts[split]]):
                more = f" and {len(empty) - 3} more" if len(empty) > 3 else ""
                said.append(f"The {split} split has no pictures of {', '.join(empty[:3])}{more}.")
        return said

    def as_dict(self) -> dict[str, Any]:
        """Everything but the images, for JSON."""
        kept = {name: value for name, value in vars(self).items() if name not in ("examples", "widths", "heights")}
        return kept | {
            "widths": vars(self.widths),
            "heights": vars(self.heights),
            "notes": self.notes,
            "warnings": self.warnings,
        }


def pictures(count: int) -> str:
    """The beginning of a sentence about so many."""
    return "1 picture is" if count == 1 else f"{count:,} pictures are"


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
