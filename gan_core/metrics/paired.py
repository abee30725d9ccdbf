"""How close translated pictures are to the true ones they belong to: picture k against picture k."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from gan_core.errors import UsageError
from gan_core.metrics.rows import as_rows

SSIM_SIDE = 11  # pixels of its window
CHUNK = 64


def psnr(images: Tensor, truths: Tensor) -> float:
    """Peak signal-to-noise ratio in dB, the mean over pictures; infinite as soon as one picture is exactly right.

    Args:
        images: [N, C, H, W] uint8.
        truths: The same shape.

    Raises:
        UsageError: The shapes differ, the pictures are not uint8, or there is none.
    """
    from torchmetrics.functional.image import peak_signal_noise_ratio

    return _mean(
        partial(peak_signal_noise_ratio, data_range=1.0, dim=(1, 2, 3), reduction="none"), *_pairs(images, truths)
    )


def ssim(images: Tensor, truths: Tensor) -> float:
    """Structural similarity (Wang 2004), the mean over pictures: 1 if they are equal.

    A Gaussian window of 11 pixels (sigma 1.5) around every pixel, edges mirrored, each channel by itself.

    Args:
        images: [N, C, H, W] uint8, sides of 11 and more.
        truths: The same shape.

    Raises:
        UsageError: The shapes differ, the pictures are not uint8 or too small, or there is none.
    """
    from torchmetrics.functional.image import structural_similarity_index_measure

    images, truths = _pairs(images, truths)
    side = min(images.shape[-2:])
    if side < SSIM_SIDE:
        raise UsageError(f"SSIM needs sides of at least {SSIM_SIDE} pixels; these pictures have {side}.")
    return _mean(partial(structural_similarity_index_measure, data_range=1.0, reduction="none"), images, truths)


def l1(images: Tensor, truths: Tensor) -> float:
    """Mean absolute difference of pixels, in units of their range: 0 to 1.

    Args:
        images: [N, C, H, W] uint8.
        truths: The same shape.

    Raises:
        UsageError: The shapes differ, the pictures are not uint8, or there is none.
    """
    return _mean(lambda a, b: (a - b).abs().mean((1, 2, 3)), *_pairs(images, truths))


def feature_distance(a: Tensor, b: Tensor) -> float:
    """Mean Euclidean distance of row k of one set to row k of the other.

    Args:
        a: [N, D].
        b: [N, D].

    Raises:
        UsageError: The shapes differ, there is no row, or a number is not finite.
    """
    a, b = as_rows(a, "pictures"), as_rows(b, "true pictures")
    _same_shape(a, b)
    return float((a - b).norm(dim=1).mean())


def _pairs(images: Tensor, truths: Tensor) -> tuple[Tensor, Tensor]:
    _same_shape(images, truths)
    if images.dtype != torch.uint8 or truths.dtype != torch.uint8 or images.ndim != 4 or not len(images):
        raise UsageError(
            "Pictures are compared as uint8 [N, C, H, W], at least one; "
            f"these are {list(images.shape)} of {images.dtype} and {truths.dtype}."
        )
    return images.cpu(), truths.cpu()


def _mean(measure: Callable[..., Any], images: Tensor, truths: Tensor) -> float:
    """Mean over pictures of a measure that gives one number for each, [n], from float32 pictures in [0, 1]."""
    chunks = zip(torch.split(images, CHUNK), torch.split(truths, CHUNK), strict=True)
    return float(torch.cat([measure(a.float() / 255, b.float() / 255) for a, b in chunks]).double().mean())


def _same_shape(a: Tensor, b: Tensor) -> None:
    if a.shape != b.shape:
        raise UsageError(f"Pairs have equal shapes; these are {list(a.shape)} and {list(b.shape)}.")
