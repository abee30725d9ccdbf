"""What the data set doctor found, and how it is said to people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from torch import Tensor

from gan_core.data.folder import UNREADABLE_SHARE
from gan_core.data.images import Split
from gan_core.data.layout import SORTED_BY_HAND, Layout

SPLITS: tuple[Split, ...] = get_args(Split)
LAYOUTS: dict[Layout, str] = {
    "unpaired": "trainA and trainB hold two kinds of pictures without pairs: A is translated into B.",
    "by name": "A and B hold pairs: each picture in A is translated into the one of its name in B.",
    "side by side": "Every picture is a pair side by side: its left half is translated into the right one.",
}
OWN_SPLITS: dict[Layout | None, str] = {
    None: "The sub-folders train and test are the splits.",
    "unpaired": "trainA and trainB are trained on, testA and testB are not.",
    "by name": "The sub-folders train and test of A and B are the splits.",
    "side by side": "The sub-folder train is trained on, the others are not.",
}


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
        layout: How a folder holds pictures to translate; None for one of ordinary pictures.
        image_size: Side of the images as they are trained on.
        channels: As they are trained on.
        counts: Images by split.
        classes: Images by class and split, or None.
        attributes: What else is known of every image, and the number of words for it.
        inputs: Pictures that can be translated to these, by split; empty where there are none.
        input_channels: Of these; None where there are none.
        paired: The splits in which each input shows what its picture does.
        widths: In pixels, as they are stored.
        heights: In pixels, as they are stored.
        modes: Images by mode of Pillow: "RGB", "L" ...
        oblong: How many are not square.
        small: How many have a side below `image_size`.
        grey: How many are grey among coloured ones.
        transparent: How many have transparent parts, or could have.
        duplicates: Names of pictures that are equal pixel by pixel, in groups.
        leaks: Those groups that have pictures in both splits.
        unreadable: What the reader of each skipped file said, by its name.
        files: How many there are in the folder, unreadable ones too.
        own_splits: Whether the folder has its splits as sub-folders.
        streamed: Whether the files are read while training, being too many to be held in memory.
        spoilers: The few files but for which all would be pairs side by side.
        refused: Why training refuses the folder at this size; "" where it does not.
        examples: Some of the training images, [n, C, H, W] in [-1, 1]; where there are inputs to translate,
            [n, C, H, 2 W] with one of them to the left of each.
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
    input_channels: int | None = None
    paired: tuple[Split, ...] = ()
    oblong: int = 0
    small: int = 0
    grey: int = 0
    transparent: int = 0
    duplicates: tuple[tuple[str, ...], ...] = ()
    leaks: tuple[tuple[str, ...], ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    files: int = 0
    layout: Layout | None = None
    own_splits: bool = False
    spoilers: tuple[str, ...] = ()
    refused: str = ""
    streamed: bool = False

    @property
    def notes(self) -> list[str]:
        """What will become of the data, sentence by sentence."""
        if self.kind == "points":
            return ["Points of the plane, not pictures: `python -m benchmarks coverage` trains on them."]
        size, said = self.image_size, [LAYOUTS[self.layout]] if self.layout else []
        if self.inputs:
            counts = " and ".join(f"{self.inputs[split]:,} to {split} on" for split in SPLITS)
            belongs = {(): "none belongs to a picture", SPLITS: "each belongs to a picture"}
            which = belongs.get(self.paired, f"only those of the {' and '.join(self.paired)} split belong to a picture")
            said.append(f"There are inputs to translate, {counts}; {which}. Recipes that draw from noise leave them.")
        if self.from_folder:
            what = "pair" if self.layout == "by name" else "picture"
            said.append(
                OWN_SPLITS[self.layout]
                if self.own_splits
                else f"About one {what} in ten, chosen by its content, is held out for testing and never trained on."
            )
            both = self.input_channels not in (None, self.channels)
            become = f"A {colour(self.input_channels)}, B {colour(self.channels)}" if both else colour(self.channels)
            said.append(f"Every picture becomes {size}x{size} pixels, {become}.")
        if self.oblong:
            said.append(f"{pictures(self.oblong)} not square: the centre square is kept, the rest is cut off.")
        if self.small:
            said.append(f"{pictures(self.small)} smaller than {size} pixels: enlarged, they stay blurred.")
        if self.grey:
            said.append(f"{pictures(self.grey)} grey among coloured ones: their grey stays.")
        if self.transparent:
            said.append(f"{pictures(self.transparent)} made to be transparent: what shows through is white.")
        if self.streamed:
            said.append("They are too many to be held in memory, and are read while training.")
        return said

    @property
    def warnings(self) -> list[str]:
        """What is wrong with the data, and what to do about it, sentence by sentence."""
        said = [self.refused] if self.refused else []
        if self.spoilers:
            more = f" and {len(self.spoilers) - 3:,} more" if len(self.spoilers) > 3 else ""
            said.append(
                f"All pictures but {', '.join(self.spoilers[:3])}{more} are twice as wide as high: without exception, "
                "they would be taken for pairs side by side."
            )
        if self.unreadable:
            refused = len(self.unreadable) > UNREADABLE_SHARE * self.files
            skipped = "they are skipped" + (", and what they are paired with." if self.layout == "by name" else ".")
            said.append(
                f"{len(self.unreadable)} of {self.files:,} files cannot be read: "
                + ("too many, training refuses this folder until they are gone." if refused else skipped)
            )
        if self.leaks:
            said.append(
                f"{pictures(len(self.leaks))} in both splits: measures would take learning by heart for skill. "
                "Remove one of each."
            )
        if len(self.duplicates) > len(self.leaks):
            said.append(f"{pictures(len(self.duplicates) - len(self.leaks))} there more than once in a split.")
        for split in SPLITS:
            if not self.counts[split] or not self.inputs.get(split, 1):
                by_hand = SORTED_BY_HAND[self.layout] if self.layout else "folders train and test"
                said.append(f"The {split} split has no pictures: add some, or sort them into {by_hand}.")
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


def colour(channels: int | None) -> str:
    """What so many channels make of a picture."""
    return "grey" if channels == 1 else "in colour"


def pictures(count: int) -> str:
    """The beginning of a sentence about so many."""
    return "1 picture is" if count == 1 else f"{count:,} pictures are"
