"""A person's own pictures to translate, A into B: a folder of pairs, or of two kinds of pictures without pairs.

Its sub-folders tell it from an ordinary folder:

* trainA and trainB, and testA and testB or neither: two kinds of pictures, of which none belongs to another.
* A and B, and no others: pairs, two pictures of one size and of the same name up to the suffix.
* train, and test or val or both, with pictures right in them that are all twice as wide as high: pairs side by side,
  A to the left of B. With a single picture of another shape it is an ordinary folder.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from gan_core.data.folder import (
    DEFAULT_SIZE,
    MEMORY_LIMIT,
    Listing,
    pictures_below,
    refuse_unreadable,
    scan,
    split_of,
    sub_folders,
    unwrapped,
)
from gan_core.data.images import ImageData, Split
from gan_core.data.picture_file import open_image, opened, to_square
from gan_core.errors import UsageError

Layout = Literal["unpaired", "by name", "side by side"]
SORTED_BY_HAND: dict[Layout, str] = {  # where a person can put pictures to decide about their splits
    "unpaired": "folders trainA, trainB, testA and testB",
    "by name": "sub-folders train and test of both A and B",
    "side by side": "sub-folders train and test",
}
TRAIN, TEST, NAMED = ("trainA", "trainB"), ("testA", "testB"), ("A", "B")
SIDE_BY_SIDE = ({"train", "test"}, {"train", "val"}, {"train", "test", "val"})
MOST_NAMES = 3  # of files in a sentence


def find(path: Path) -> Layout | None:
    """How a folder, or the only one in it, holds pictures to translate; None for an ordinary folder of pictures.

    Raises:
        UsageError: A side is missing.
        OSError: A folder cannot be listed.
    """
    for place in unwrapped(path):
        names = sub_folders(place)
        if names & {*TRAIN, *TEST}:
            wanted = (*TRAIN, *TEST) if names & {*TEST} else TRAIN
            refuse_missing(place, names & {*wanted}, wanted)
            return "unpaired"
        if names and names <= {*NAMED}:
            refuse_missing(place, names, NAMED)
            return "by name"
    return "side by side" if names in SIDE_BY_SIDE and holds_side_by_side(place) else None


def refuse_missing(path: Path, found: set[str], wanted: Sequence[str]) -> None:
    """Raises `UsageError` where a folder lacks a side."""
    if missing := [name for name in wanted if name not in found]:
        has = " and ".join(name for name in wanted if name in found)
        raise UsageError(
            f"{path} has {has} but no {' and no '.join(missing)}: pictures are translated from A to B, so every "
            "folder of A goes with one of B."
        )


def holds_side_by_side(path: Path) -> bool:
    """Whether the pictures in sub-folders, and no others, are twice as wide as high, as far as they can be read."""
    shapes = set()
    for file in pictures_below(path):
        if file.parent.parent != path:
            return False
        try:
            with opened(file) as image:
                shapes.add(image.width == 2 * image.height)
        except UsageError:
            continue  # whoever decodes it will name it
        if False in shapes:
            return False
    return bool(shapes)


@dataclass(frozen=True)
class Side:
    """The pictures to translate, or those that they become.

    Attributes:
        listing: The files.
        half: Which half of each is meant, 0 the left and 1 the right one; None for all of it.
    """

    listing: Listing
    half: int | None = None

    @property
    def channels(self) -> int:
        """1 where every picture is grey, else 3."""
        return 1 if self.listing.grey else 3

    def __len__(self) -> int:
        return len(self.listing.files)

    def read(self, rows: Iterable[int], size: int, channels: int) -> Tensor:
        """Some of the pictures, [n, channels, size, size] uint8: see `read_image`."""
        return torch.stack([to_square(self.opened(row), size, channels) for row in rows])

    def opened(self, row: int) -> Image.Image:
        """One picture, decoded and upright."""
        image = open_image(self.listing.files[row])
        if self.half is None:
            return image
        return image.crop((self.half * image.height, 0, (self.half + 1) * image.height, image.height))


@dataclass(frozen=True)
class PairListing:
    """The pictures found in a folder of those to translate, A, and those that they become, B.

    Attributes:
        path: The folder.
        layout: How it holds them.
        inputs: A.
        images: B; of pairs, row by row what A becomes.
        unreadable: What each skipped file's reader said, by path; of a pair, the other one is skipped, too.
        total: How many files there are, unreadable ones too.
    """

    path: Path
    layout: Layout
    inputs: Side
    images: Side
    unreadable: Mapping[Path, str]
    total: int

    @property
    def paired(self) -> bool:
        return self.layout != "unpaired"

    def part(self, split: Split) -> PairListing:
        """The pictures of one split.

        Raises:
            UsageError: It has none.
        """
        by_hand = SORTED_BY_HAND[self.layout]
        inputs, images = (
            dataclasses.replace(side, listing=side.listing.part(split, by_hand)) for side in (self.inputs, self.images)
        )
        return dataclasses.replace(self, inputs=inputs, images=images)


def pairs(
    path: Path,
    layout: Layout,
    image_size: int | None = None,
    channels: int | None = None,
    split: Split = "train",
    memory_limit: int = MEMORY_LIMIT,
) -> ImageData:
    """Pictures B, and as inputs pictures A; each is cropped and resized as in an ordinary folder.

    Args:
        path: The folder.
        layout: What `find` says of it.
        image_size: 64 if None.
        channels: Of B; if None, 1 where every picture of B is grey, else 3. Those of A are always chosen so.
        split: "train", or "test": testA and testB, or the sub-folders test and val. Without them, it is about one in
            ten, by the hash of the file, or of the pair: pairs that have a file in common stay together.
        memory_limit: In bytes, of the decoded pictures.

    Raises:
        UsageError: A side has no pictures, or none in this split; more than 5 % of the files cannot be read; a
            picture has no partner, or one of another size; all together do not fit into memory.
        OSError: A folder cannot be listed.
    """
    whole = scan_pairs(path, layout)
    refuse_unreadable(whole.path, whole.unreadable, whole.total)
    found, size = whole.part(split), image_size or DEFAULT_SIZE
    sides = (found.inputs, found.inputs.channels), (found.images, channels or found.images.channels)
    samples = sum(len(side) * depth for side, depth in sides)  # at one pixel, each a byte
    if samples * size * size > memory_limit:
        fitting = 2 ** int(math.log2(max(1, memory_limit / samples)) / 2)  # powers of two suit every generator
        raise UsageError(
            f"The pictures in {path} take {samples * size * size / 2**30:.1f} GiB at {size} pixels, and those to "
            f"translate may take {memory_limit / 2**30:.1f}: --image_size {fitting} fits, or fewer pictures."
        )

    def read(side: Side, depth: int) -> Tensor:
        rows = tqdm(range(len(side)), f"reading {path.name}", unit=" images", disable=None, leave=False)
        return side.read(rows, size, depth)

    inputs, images = (read(*side) for side in sides)
    return ImageData(str(path), images, inputs=inputs, paired=found.paired)


def scan_pairs(path: Path, layout: Layout, visit: Callable[[Path, Image.Image], None] | None = None) -> PairListing:
    """Looks at every picture of both sides; unreadable ones are left out, with what their reader said.

    Args:
        path: The folder.
        layout: What `find` says of it.
        visit: Is shown every picture that can be read, decoded and upright.

    Raises:
        UsageError: A side has no pictures; a picture has no partner, or one of another size.
        OSError: A folder cannot be listed.
    """
    sizes: dict[Path, tuple[int, int]] = {}

    def look(file: Path, image: Image.Image) -> None:
        sizes[file] = image.size
        if visit is not None:
            visit(file, image)

    *_, path = unwrapped(path)
    if layout == "side by side":
        return side_by_side(path, scan(path, look), sizes)
    if layout == "by name":
        return by_name(path, scan(path / "A", look), scan(path / "B", look), sizes)
    a, b = (scan(path / name, look) for name in TRAIN)
    if (path / TEST[0]).is_dir():
        a, b = (joined(side, scan(path / name, look)) for side, name in ((a, TEST[0]), (b, TEST[1])))
    return PairListing(path, layout, Side(a), Side(b), a.unreadable | b.unreadable, a.total + b.total)


def joined(train: Listing, test: Listing) -> Listing:
    """Pictures to train on and pictures to test on."""
    splits: list[Split] = ["train" for _ in train.files]
    splits += ["test" for _ in test.files]
    return dataclasses.replace(
        train,
        files=train.files + test.files,
        digests=train.digests + test.digests,
        splits=tuple(splits),
        own_splits=True,
        labels=None,
        grey=train.grey and test.grey,
        unreadable=train.unreadable | test.unreadable,
    )


def side_by_side(path: Path, listing: Listing, sizes: Mapping[Path, tuple[int, int]]) -> PairListing:
    """Pairs of a left and a right half."""
    for file in listing.files:
        width, height = sizes[file]
        if width != 2 * height:  # `find` has seen it as it is stored, not upright
            raise UsageError(f"{file} is {width}x{height} when upright; a pair side by side is twice as wide as high.")
    splits: tuple[Split, ...] = tuple("train" if file.parent.name == "train" else "test" for file in listing.files)
    listing = dataclasses.replace(listing, splits=splits, own_splits=True)
    return PairListing(path, "side by side", Side(listing, 0), Side(listing, 1), listing.unreadable, listing.total)


def by_name(path: Path, a: Listing, b: Listing, sizes: Mapping[Path, tuple[int, int]]) -> PairListing:
    """Pairs of equal names; of one that cannot be read, the other is skipped, too."""
    unreadable, total = a.unreadable | b.unreadable, a.total + b.total
    of_a, of_b = named(a), named(b)
    refuse_lonely(path, of_a, of_b, "B")
    refuse_lonely(path, of_b, of_a, "A")
    whole = [(file, of_b[name]) for name, file in of_a.items() if not {file, of_b[name]} & unreadable.keys()]
    for pair in whole:
        if sizes[pair[0]] != sizes[pair[1]]:
            said = " and ".join("{} {}x{}".format(file.relative_to(path), *sizes[file]) for file in pair)
            raise UsageError(f"In {path}, {said} pixels are a pair; both pictures must be of one size.")
    a, b = a.only([one for one, _ in whole]), b.only([other for _, other in whole])
    own_splits = a.own_splits and b.own_splits  # and so, with equal names, the same ones
    splits = a.splits if own_splits else split_together(a.digests, b.digests)
    a, b = (dataclasses.replace(side, splits=splits, own_splits=own_splits) for side in (a, b))
    return PairListing(path, "by name", Side(a), Side(b), unreadable, total)


def named(listing: Listing) -> dict[str, Path]:
    """The files of a side by name, which is all but the suffix; unreadable ones, too."""
    found: dict[str, Path] = {}
    for file in sorted((*listing.files, *listing.unreadable)):
        name = file.relative_to(listing.path).with_suffix("").as_posix()
        if name in found:
            raise UsageError(f"{found[name]} and {file.name} have one name for a pair; rename or remove one of them.")
        found[name] = file
    return found


def refuse_lonely(path: Path, of_side: Mapping[str, Path], of_other: Mapping[str, Path], other: str) -> None:
    """Raises `UsageError` where pictures of a side have no partner in the other."""
    if lonely := [str(file.relative_to(path)) for name, file in of_side.items() if name not in of_other]:
        more = f" and {len(lonely) - MOST_NAMES:,} more" if len(lonely) > MOST_NAMES else ""
        raise UsageError(
            f"In {path}, {', '.join(lonely[:MOST_NAMES])}{more} {'has' if len(lonely) == 1 else 'have'} no picture of "
            f"the same name in {other}; pictures without pairs go into trainA and trainB."
        )


def split_together(of_a: Sequence[str], of_b: Sequence[str]) -> tuple[Split, ...]:
    """The splits of pairs by their digests; those that have a picture in common go where the least of all goes."""
    parent = {digest: digest for digest in (*of_a, *of_b)}

    def least(digest: str) -> str:
        while parent[digest] != digest:
            parent[digest] = digest = parent[parent[digest]]
        return digest

    for pair in zip(of_a, of_b, strict=True):
        low, high = sorted(map(least, pair))
        parent[high] = low
    return tuple(split_of(least(digest)) for digest in of_a)
