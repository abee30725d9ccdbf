"""Three digits as one colour picture: 1,000 modes that a classifier of digits can count.

After Metz et al., "Unrolled Generative Adversarial Networks", 2016, arXiv:1611.02163, there with all of MNIST.
"""

import numpy as np
import torch

from gan_core.data.digits import digits
from gan_core.data.images import ImageData, Split
from gan_core.errors import UsageError

COUNT = {"train": 20_000, "test": 5_000}
SEED = {"train": 0, "test": 1}
CLASSES = tuple(f"{number:03d}" for number in range(1000))


def stacked_digits(split: Split = "train", image_size: int | None = None, channels: int | None = None) -> ImageData:
    """Digits drawn at random for red, green and blue; class 100 r + 10 g + b.

    Args:
        split: "train" (20,000 pictures of the 4,000 training digits) or "test" (5,000 of the 1,000 others).
        image_size: 32 if None.
        channels: 3.

    Raises:
        UsageError: Another number of channels is asked for.
    """
    if channels not in (None, 3):
        raise UsageError(f"channels is {channels}; stacked_digits takes 3, a digit in each.")
    return stack(digits(split, image_size), COUNT[split], SEED[split])


def stack(single: ImageData, count: int, seed: int) -> ImageData:
    """`count` pictures, each of three random ones of `single`, whose classes are the ten digits."""
    assert single.labels is not None
    rows = torch.from_numpy(np.random.default_rng(seed).integers(len(single), size=(count, 3)))
    labels = single.labels[rows] @ torch.tensor([100, 10, 1])
    return ImageData("stacked_digits", single.images[rows, 0], labels, CLASSES)
