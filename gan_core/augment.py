"""Differentiable augmentation of what the critic sees: real and generated pictures alike, in every phase.

Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", 2020, arXiv:2006.10738: the critic cannot
learn a small data set by heart, and because both sides are augmented, the generator does not learn the augmentation.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Augment = Literal[
    "none", "color", "translation", "cutout", "color,translation", "color,cutout", "translation,cutout",
    "color,translation,cutout",
]  # fmt: skip


def augment(images: Tensor, policy: Augment) -> Tensor:
    """Pictures [N, C, H, W] in [-1, 1], each changed at random and by itself; gradients flow through.

    Args:
        images: Left as they are.
        policy: "none", or names of the steps below, joined by commas; they are taken in that order.
    """
    if policy == "none":
        return images
    images = images.float()
    for step in policy.split(","):
        images = STEPS[step](images)
    return images


def color(images: Tensor) -> Tensor:
    """Brightness moved by up to 0.5, saturation scaled by 0 to 2, contrast by 0.5 to 1.5."""
    brightness, saturation, contrast = torch.rand(3, len(images), 1, 1, 1, device=images.device)
    images = images + (brightness - 0.5)
    grey = images.mean(1, keepdim=True)
    images = grey + (images - grey) * (2 * saturation)
    mean = images.mean((1, 2, 3), keepdim=True)
    changed: Tensor = mean + (images - mean) * (contrast + 0.5)
    return changed


def translation(images: Tensor, share: float = 0.125) -> Tensor:
    """Moved by up to `share` of the side in both directions; what comes in is 0, mid-grey."""
    n, _, height, width = images.shape
    padded = F.pad(images, (1, 1, 1, 1))  # whatever lies further outside reads this border
    rows = (_positions(n, height, share, images.device) + 1).clamp(0, height + 1)
    columns = (_positions(n, width, share, images.device) + 1).clamp(0, width + 1)
    picture = torch.arange(n, device=images.device)[:, None, None]
    moved: Tensor = padded.permute(0, 2, 3, 1)[picture, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def _positions(n: int, side: int, share: float, device: torch.device) -> Tensor:
    """Where each pixel of a line is read from, [n, side]: one offset a picture."""
    furthest = int(side * share + 0.5)
    offset = torch.randint(-furthest, furthest + 1, (n, 1), device=device)
    return torch.arange(side, device=device) + offset


def cutout(images: Tensor, share: float = 0.5) -> Tensor:
    """A square of `share` of the side is 0, mid-grey; its centre lies anywhere in the picture."""
    n, _, height, width = images.shape
    rows, columns = _cut(n, height, share, images.device), _cut(n, width, share, images.device)
    return images * ~(rows[:, None, :, None] & columns[:, None, None, :])


def _cut(n: int, side: int, share: float, device: torch.device) -> Tensor:
    """Which pixels of a line are cut out, [n, side]."""
    cut = int(side * share + 0.5)
    first = torch.randint(0, side, (n, 1), device=device) - cut // 2
    position = torch.arange(side, device=device)
    return (first <= position) & (position < first + cut)


STEPS = {"color": color, "translation": translation, "cutout": cutout}
