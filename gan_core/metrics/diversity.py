"""How different the images of one set are from each other."""

import torch
from torch import Tensor

from gan_core.errors import UsageError
from gan_core.metrics.rows import as_rows, squared_distances

MS_SSIM_SIDE = 176  # the fifth scale, a 16th of the side, holds a window of 11 pixels
CHUNK = 4


def pairwise_distance(features: Tensor) -> float:
    """Mean Euclidean distance over all pairs of different rows; nothing is subsampled.

    Args:
        features: [N, D].

    Raises:
        UsageError: There are fewer than 2 rows, or numbers that are not finite.
    """
    rows = as_rows(features, "images", least=2)
    total = 0.0
    for block, squared in squared_distances(rows, rows):
        squared.diagonal(block.start).zero_()
        total += float(squared.sqrt_().sum())
    return total / (len(rows) * (len(rows) - 1))


def within_class_diversity(features: Tensor, labels: Tensor) -> float:
    """Mean distance of an image to another one of its class: `pairwise_distance` of each class, weighted by its images.

    So every image counts once, whatever the size of its class: rare classes, whose few pairs tell little, weigh
    little. (That classes are rare is told by the class histogram.) Classes of a single image are left out.

    Args:
        features: [N, D].
        labels: [N] class indices.

    Raises:
        UsageError: The lengths differ; no class has 2 images; numbers are not finite.
    """
    rows = as_rows(features, "images", least=2)
    if labels.shape != (len(rows),):
        raise UsageError(f"There are {len(rows)} rows of features, but labels of the shape {list(labels.shape)}.")
    classes, counts = torch.unique(labels.cpu(), return_counts=True)
    classes, counts = classes[counts > 1], counts[counts > 1]
    if not len(classes):
        raise UsageError("Diversity within a class needs a class of at least 2 images; every class has one at most.")
    distances = torch.tensor([pairwise_distance(rows[labels.cpu() == c]) for c in classes], dtype=torch.float64)
    return float((distances * counts).sum() / counts.sum())


def ms_ssim_diversity(images: Tensor, pairs: int = 100, seed: int = 0) -> float:
    """1 - mean multi-scale structural similarity of random pairs of different images: 0 if all are the same.

    The similarity is that of Odena 2017 (arXiv:1610.09585, section 4.2), who take 100 pairs within a class.

    Args:
        images: [N, C, H, W] uint8, sides of 176 and more.
        pairs: How many.
        seed: Of the pairs.

    Raises:
        UsageError: The sides are too small, there are fewer than 2 images, or they are not uint8.
    """
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure as ms_ssim

    if images.dtype != torch.uint8 or images.ndim != 4 or len(images) < 2:
        raise UsageError(
            f"MS-SSIM takes at least 2 uint8 images [N, C, H, W]; there are {list(images.shape)} of {images.dtype}."
        )
    if min(images.shape[-2:]) < MS_SSIM_SIDE:
        height, width = images.shape[-2:]
        raise UsageError(
            f"MS-SSIM needs sides of at least {MS_SSIM_SIDE} pixels; these images have {width} x {height}. "
            "Feature diversity works at every size."
        )
    generator = torch.Generator().manual_seed(seed)
    first = torch.randint(len(images), (pairs,), generator=generator)
    second = (first + torch.randint(1, len(images), (pairs,), generator=generator)) % len(images)
    total = 0.0
    for a, b in zip(torch.split(first, CHUNK), torch.split(second, CHUNK), strict=True):
        similarity = ms_ssim(images[a].float() / 255, images[b].float() / 255, data_range=1.0)
        total += float(similarity) * len(a)
    return 1 - total / pairs
