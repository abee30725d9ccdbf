"""How a person's folder holds pictures to translate, A into B: its sub-folders tell it from an ordinary one.

* trainA and trainB, and testA and testB or neither: two kinds of pictures, of which none belongs to another.
* A and B, and no others: pairs, two pictures of one size and of the same name up to the suffix.
* train, and test or val or both, with pictures right in them that are all twice as wide as high: pairs side by side,
  A to the left of B. With a single picture of another shape it is an ordinary folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from gan_core.data.folder import pictures_below, sub_folders, unwrapped
from gan_core.data.picture_file import opened
from gan_core.errors import UsageError

Layout = Literal["unpaired", "by name", "side by side"]
SORTED_BY_HAND: dict[Layout, str] = {  # where a person can put pictures to decide about their splits
    "unpaired": "folders trainA, trainB, testA and testB",
    "by name": "sub-folders train and test of both A and B",
    "side by side": "sub-folders train and test",
}
TRAIN, TEST, NAMED = ("trainA", "trainB"), ("testA", "testB"), ("A", "B")
SIDE_BY_SIDE = ({"train", "test"}, {"train", "val"}, {"train", "test", "val"})


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
