"""A person's own pictures: a folder of images, flat or with one sub-folder per class, split into train and test."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from gan_core.data.images import ImageData, Images, Split, order, to_unit_range
from gan_core.data.picture_file import open_image, read_image
from gan_core.errors import UsageError
from gan_core.recipe import Batch

log = logging.getLogger(__name__)

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
DEFAULT_SIZE = 64
MEMORY_LIMIT = 2**30  # bytes of decoded images; a bigger folder streams through workers
UNREADABLE_SHARE = 0.05
GREY_MODES = frozenset({"1", "L", "I;16", "I;16B", "I", "F"})
HELD_OUT = 10  # one picture in so many is never trained on


@dataclass(frozen=True)
class Listing:
    """The pictures found in a folder.

    Attributes:
        path: The folder.
        files: Sorted paths that open as pictures.
        digests: SHA-256 of each file, in hex.
        splits: Which split each belongs to.
        own_splits: Whether they are the sub-folders train and test, not a choice by content.
        labels: Class index of each, or None for a flat folder.
        classes: Sub-folder names, or None.
        grey: Whether every picture is grey.
        unreadable: What each skipped file's reader said, by path.
    """

    path: Path
    files: tuple[Path, ...]
    digests: tuple[str, ...]
    splits: tuple[Split, ...]
    own_splits: bool
    labels: tuple[int, ...] | None
    classes: tuple[str, ...] | None
    grey: bool
    unreadable: dict[Path, str]

    @property
    def total(self) -> int:
        """How many files there are, unreadable ones too."""
        return len(self.files) + len(self.unreadable)

    def part(self, split: Split, sorted_by_hand: str = "sub-folders train and test") -> Listing:
        """The pictures of one split; classes and colour stay those of the whole folder.

        Args:
            split: "train" or "test".
            sorted_by_hand: Where a person can put them to decide about it.

        Raises:
            UsageError: It has none.
        """
        files = [file for file, where in zip(self.files, self.splits, strict=True) if where == split]
        if not files:
            raise UsageError(
                f"{self.path} has no pictures for the {split} split, all {len(self.files)} fall into the other; "
                f"add pictures, or sort them into {sorted_by_hand}."
            )
        return self.only(files)

    def only(self, files: Sequence[Path]) -> Listing:
        """These files of it, in this order."""
        row_of = {file: row for row, file in enumerate(self.files)}
        rows = [row_of[file] for file in files]
        return dataclasses.replace(
            self,
            files=tuple(files),
            digests=tuple(self.digests[row] for row in rows),
            splits=tuple(self.splits[row] for row in rows),
            labels=None if self.labels is None else tuple(self.labels[row] for row in rows),
        )


def folder(
    path: Path,
    image_size: int | None = None,
    channels: int | None = None,
    split: Split = "train",
    memory_limit: int = MEMORY_LIMIT,
) -> Images:
    """Pictures of mixed sizes and modes, centre-cropped to squares and resized.

    Args:
        path: The folder; with sub-folders that hold pictures, each is a class.
        image_size: 64 if None.
        channels: If None, 1 where every picture is grey, else 3.
        split: The sub-folder of that name where there are just train and test; else about one picture in ten is the
            test split, by the hash of its file, so that equal files are never on both sides.
        memory_limit: In bytes; above it the pictures are read while training, by worker processes.

    Raises:
        UsageError: There are no pictures, or none in this split, or more than 5 % of the files cannot be read.
        OSError: A folder cannot be listed.
    """
    whole = scan(path)
    refuse_unreadable(whole.path, whole.unreadable, whole.total)
    listing = whole.part(split)
    size = image_size or DEFAULT_SIZE
    channels = channels or (1 if listing.grey else 3)
    if len(listing.files) * channels * size * size > memory_limit:
        return StreamedImages(str(path), listing, size, channels)
    rows = tqdm(listing.files, desc=f"reading {path.name}", unit=" images", disable=None, leave=False)
    images = torch.stack([read_image(file, size, channels) for file in rows])
    labels = None if listing.labels is None else torch.tensor(listing.labels)
    return ImageData(str(path), images, labels, listing.classes)


def refuse_unreadable(path: Path, unreadable: Mapping[Path, str], total: int) -> None:
    """Names the files of a folder that are skipped, or raises `UsageError` where they are more than 5 % of all."""
    if len(unreadable) > UNREADABLE_SHARE * total:
        shown = "; ".join(list(unreadable.values())[:3])
        raise UsageError(f"{len(unreadable)} of {total} pictures in {path} cannot be read: {shown}.")
    for reason in unreadable.values():
        log.warning("skipped: %s", reason)


def scan(path: Path, visit: Callable[[Path, Image.Image], None] | None = None) -> Listing:
    """Looks at every picture below a folder; unreadable ones are left out, with what their reader said.

    Args:
        path: The folder.
        visit: Is shown every picture, decoded and upright, in the order of the listing's files.

    Raises:
        UsageError: There are no pictures.
        OSError: A folder cannot be listed.
    """
    *_, path = unwrapped(path)
    candidates = list(pictures_below(path))
    if not candidates:
        raise UsageError(
            f"{path} holds no pictures; it takes {', '.join(sorted(SUFFIXES))}, flat or in class sub-folders."
        )
    files: list[Path] = []
    digests: list[str] = []
    unreadable: dict[Path, str] = {}
    modes: set[str] = set()
    for file in tqdm(candidates, desc=f"checking {path.name}", unit=" files", disable=None, leave=False):
        try:
            image = open_image(file)
        except UsageError as error:
            unreadable[file] = str(error)
            continue
        files.append(file)
        digests.append(hashlib.sha256(file.read_bytes()).hexdigest())
        modes.add(image.mode)
        if visit is not None:
            visit(file, image)
    places = [file.relative_to(path).parts[:-1] for file in files]
    own_splits = sub_folders(path) == set(get_args(Split)) and all(places)
    splits: list[Split]
    if own_splits:
        splits = ["test" if place[0] == "test" else "train" for place in places]
        places = [place[1:] for place in places]
    else:
        splits = [split_of(digest) for digest in digests]
    labels, classes = labelled([place[0] if place else "" for place in places])
    grey = modes <= GREY_MODES
    return Listing(path, tuple(files), tuple(digests), tuple(splits), own_splits, labels, classes, grey, unreadable)


def split_of(digest: str) -> Split:
    """Where a digest in hex puts what it was taken of."""
    return "test" if int(digest, 16) % HELD_OUT == 0 else "train"


def labelled(names: list[str]) -> tuple[tuple[int, ...] | None, tuple[str, ...] | None]:
    """Class index of each picture and the classes' names, from the sub-folder that each lies in; "" is at the top.

    Pictures at the top make a flat folder, whatever lies below it; a single sub-folder tells nothing apart.
    """
    classes = tuple(sorted(set(names)))
    if "" in classes or len(classes) < 2:
        return None, None
    return tuple(classes.index(name) for name in names), classes


def is_hidden(name: str) -> bool:
    """Whether a file or folder is none of the person's own: dot files, and what macOS adds to folders and zips."""
    return name.startswith(".") or name == "__MACOSX"


def visible(path: Path) -> list[Path]:
    """The entries of a folder that are not hidden, sorted."""
    return sorted(child for child in path.iterdir() if not is_hidden(child.name))


def sub_folders(path: Path) -> set[str]:
    """Names of the folders in a folder."""
    return {child.name for child in visible(path) if child.is_dir()}


def unwrapped(path: Path) -> Iterator[Path]:
    """A folder, then the one that is all it holds, and so on: a zip often holds one folder that holds everything."""
    yield path
    while len(children := visible(path)) == 1 and children[0].is_dir():
        path = children[0]
        yield path


def pictures_below(path: Path) -> Iterator[Path]:
    """The files with a picture's suffix in a folder and its sub-folders, sorted; links to folders are not followed.

    `Path.rglob` would pass over sub-folders that it may not read.
    """
    for child in visible(path):
        if child.is_dir() and not child.is_symlink():
            yield from pictures_below(child)
        elif child.suffix.lower() in SUFFIXES and child.is_file():
            yield child


@dataclass(frozen=True)
class StreamedImages:
    """A folder too big for memory: worker processes decode the pictures of the coming batches."""

    name: str
    listing: Listing
    image_size: int
    channels: int
    workers: int = 2

    @property
    def classes(self) -> tuple[str, ...] | None:
        return self.listing.classes

    @property
    def labels(self) -> Tensor | None:
        return None if self.listing.labels is None else torch.tensor(self.listing.labels)

    @property
    def given(self) -> None:
        return None

    @property
    def fingerprint(self) -> str:
        """See `Images`; here of the files, since decoding them all takes a pass over the data."""
        return hashlib.sha256(repr((self.image_size, self.channels, self.listing.digests)).encode()).hexdigest()

    def __len__(self) -> int:
        return len(self.listing.files)

    def batches(self, batch_size: int, *, seed: int, start: int, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        """See `Images.batches`; the workers start with the first batch."""
        return self._decoded(order(len(self), batch_size, seed=seed, start=start, rank=rank, world=world), seed)

    def _decoded(self, indices: Iterator[np.ndarray], seed: int) -> Iterator[Batch]:
        loader = DataLoader(
            Decoded(self.listing, self.image_size, self.channels),
            batch_sampler=(index.tolist() for index in indices),
            num_workers=self.workers,
            multiprocessing_context="spawn",  # forking a process that runs OpenMP threads can hang
            generator=torch.Generator().manual_seed(seed),  # leaves the global generator alone
        )
        for images, labels in loader:
            yield Batch(to_unit_range(images), labels if self.listing.labels is not None else None)

    def examples(self, n: int) -> Tensor:
        """See `Images.examples`."""
        return to_unit_range(self.pictures(torch.linspace(0, len(self) - 1, n).long()))

    def pictures(self, rows: Tensor) -> Tensor:
        """See `Images.pictures`."""

        def read(row: int) -> Tensor:
            return read_image(self.listing.files[row], self.image_size, self.channels)

        with ThreadPoolExecutor(self.workers) as pool:  # Pillow decodes and resizes without the lock
            return torch.stack(list(pool.map(read, rows.tolist())))


class Decoded(Dataset[tuple[Tensor, int]]):
    """Index to (image, label), decoded when asked for; label 0 for a flat folder."""

    def __init__(self, listing: Listing, size: int, channels: int) -> None:
        self.listing, self.size, self.channels = listing, size, channels

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        label = 0 if self.listing.labels is None else self.listing.labels[row]
        return read_image(self.listing.files[row], self.size, self.channels), label
