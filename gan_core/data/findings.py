"""What the data set doctor found, and how it is said to people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from torch import Tensor

from gan_core.data.folder import GREY_MODES, UNREADABLE_SHARE
from gan_core.data.images import Split

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
