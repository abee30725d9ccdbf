"""How close translated pictures are to the true ones they belong to: picture k against picture k."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_core.data.channels import with_channels
from gan_core.errors import UsageError
from gan_core.metrics.rows import as_rows

SSIM_SIDE = 11  # pixels of its window
CHUNK = 64


def psnr(images: Tensor, truths: Tensor) -> float:
    """Peak signal-to-noise ratio in dB, of the mean squared error over all pictures; infinite if all are exactly right.

    Args:
        images: [N, C, H, W] uint8.
        truths: The same shape.

    Raises:
        UsageError: The shapes differ, the pictures are not uint8, or there is none.
    """
    from torchmetrics.image import PeakSignalNoiseRatio

    images, truths = _pairs(images, truths)
    ratio = PeakSignalNoiseRatio(data_range=255.0)
    for start in range(0, len(images), CHUNK):
        part = slice(start, start + CHUNK)
        ratio.update(images[part].float(), truths[part].float())
    return float(ratio.compute())


def ssim(images: Tensor, truths: Tensor, where: Tensor | None = None) -> float:
    """Structural similarity (Wang 2004), the mean over pictures: 1 if they are equal.

    A Gaussian window of 11 pixels (sigma 1.5) around every pixel, edges mirrored, each channel by itself.

    Args:
        images: [N, C, H, W] uint8, sides of 11 and more.
        truths: The same shape.
        where: [N, H, W] bool, the middles of the windows that count; pictures with none are left out.

    Raises:
        UsageError: The shapes differ, the pictures are not uint8 or too small, or there is none.
    """
    from torchmetrics.functional.image import structural_similarity_index_measure

    images, truths = _pairs(images, truths)
    side = min(images.shape[-2:])
    if side < SSIM_SIDE:
        raise UsageError(f"SSIM needs sides of at least {SSIM_SIDE} pixels; these pictures have {side}.")
    maps = partial(structural_similarity_index_measure, data_range=1.0, reduction="none", return_full_image=True)
    return _mean(lambda a, b: maps(a, b)[1], images, truths, where)


def l1(images: Tensor, truths: Tensor, where: Tensor | None = None) -> float:
    """Mean absolute difference of pixels, in units of their range: 0 to 1.

    Args:
        images: [N, C, H, W] uint8.
        truths: The same shape.
        where: [N, H, W] bool, the pixels that count; pictures with none are left out.

    Raises:
        UsageError: The shapes differ, the pictures are not uint8, or there is none.
    """
    return _mean(lambda a, b: (a - b).abs(), *_pairs(images, truths), where)


def edge_agreement(images: Tensor, others: Tensor) -> float:
    r"""Whether edges are where the other picture has them, the mean over pictures: 1 if the two are equal.

    The correlation over pixels of the two gradient magnitudes $\sqrt{g_x^2 + g_y^2}$, by Sobel's kernels on greys,
    borders repeated. A picture without any edge agrees with nothing: 0.

    Args:
        images: [N, 1 or 3, H, W] uint8.
        others: [N, 1 or 3, H, W] uint8.

    Raises:
        UsageError: The numbers or sides of the pictures differ, they are not uint8, or there is none.
    """
    return _mean(_correlation, *_pairs(with_channels(images, 1), with_channels(others, 1)))


def _correlation(a: Tensor, b: Tensor) -> Tensor:
    a, b = (edges - edges.mean(1, keepdim=True) for edges in (_gradients(a).flatten(1), _gradients(b).flatten(1)))
    norms = a.norm(dim=1) * b.norm(dim=1)
    return torch.nan_to_num((a * b).sum(1) / norms)


def _gradients(images: Tensor) -> Tensor:
    """[N, 1, H, W] to the magnitudes of their gradients, the same shape."""
    across = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 8
    kernels = torch.stack([across, across.T])[:, None]
    return torch.hypot(*F.conv2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), kernels).unbind(1))[:, None]


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


def _mean(measure: Callable[..., Any], images: Tensor, truths: Tensor, where: Tensor | None = None) -> float:
    """Mean over pictures of what a measure gives for each, from float32 pictures in [0, 1].

    It gives [n] or maps [n, C, H, W], whose mean over the pixels that count is taken first.
    """
    values = []
    for start in range(0, len(images), CHUNK):
        part = slice(start, start + CHUNK)
        found = measure(images[part].float() / 255, truths[part].float() / 255).double()
        if found.ndim == 4:
            maps = found.mean(1)
            counted = torch.ones_like(maps) if where is None else where[part].double()
            pixels = counted.sum((1, 2))
            found = ((maps * counted).sum((1, 2)) / pixels)[pixels > 0]
        values.append(found)
    return float(torch.cat(values).mean())


def _same_shape(a: Tensor, b: Tensor) -> None:
    if a.shape != b.shape:
        raise UsageError(f"Pairs have equal shapes; these are {list(a.shape)} and {list(b.shape)}.")
