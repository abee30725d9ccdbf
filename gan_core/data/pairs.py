"""A person's own pictures to translate, A into B: pairs, or two kinds of pictures without pairs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from gan_core.data.folder import (
    DEFAULT_SIZE,
    MEMORY_LIMIT,
    Listing,
    refuse_unreadable,
    scan,
    split_of,
    unwrapped,
)
from gan_core.data.images import ImageData, Split
from gan_core.data.layout import SORTED_BY_HAND, TEST, TRAIN, Layout
from gan_core.data.picture_file import open_image, to_square
from gan_core.errors import UsageError

Visit = Callable[[Path, Image.Image], None]
MOST_NAMES = 3  # of files in a sentence


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

    def refuse_big(self, size: int, channels: int, memory_limit: int = MEMORY_LIMIT) -> None:
        """Raises `UsageError` where these pictures, decoded, take more bytes than the limit."""
        samples = len(self.inputs) * self.inputs.channels + len(self.images) * channels  # at one pixel, each a byte
        if samples * size * size > memory_limit:
            fitting = 2 ** int(math.log2(max(1, memory_limit / samples)) / 2)  # powers of two suit every generator
            raise UsageError(
                f"The pictures in {self.path} take {samples * size * size / 2**30:.1f} GiB at {size} pixels, and those "
                f"to translate may take {memory_limit / 2**30:.1f}: --image_size {fitting} fits, or fewer pictures."
            )


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
    channels = channels or found.images.channels
    found.refuse_big(size, channels, memory_limit)

    def read(side: Side, channels: int) -> Tensor:
        rows = tqdm(range(len(side)), f"reading {path.name}", unit=" images", disable=None, leave=False)
        return side.read(rows, size, channels)

    inputs = read(found.inputs, found.inputs.channels)
    return ImageData(str(path), read(found.images, channels), inputs=inputs, paired=found.paired)


def scan_pairs(path: Path, layout: Layout, visit: Visit | None = None) -> PairListing:
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
        found = side_by_side(path, scan(path, look), sizes)
    elif layout == "by name":
        found = by_name(path, scan(path / "A", look), scan(path / "B", look), sizes)
    else:
        found = unpaired(path, look)
    if not found.inputs or not found.images:
        refuse_unreadable(path, found.unreadable, len(found.unreadable))
    return found


def unpaired(path: Path, look: Visit) -> PairListing:
    """Two kinds of pictures."""
    a, b = (scan(path / name, look) for name in TRAIN)
    if (path / TEST[0]).is_dir():
        a, b = (joined(side, scan(path / name, look)) for side, name in ((a, TEST[0]), (b, TEST[1])))
    return PairListing(path, "unpaired", Side(a), Side(b), a.unreadable | b.unreadable, a.total + b.total)


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
