"""Grey and colour of uint8 images."""

import torch
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow converts to "L"


def with_channels(images: Tensor, channels: int | None) -> Tensor:
    """[N, C, H, W] uint8 with 1 or 3 channels: colours weighed to grey, grey repeated; None changes nothing."""
    if channels is None or channels == images.shape[1]:
        return images
    if channels == 3:
        return images.repeat(1, 3, 1, 1)
    grey = sum(weight * images[:, k].float() for k, weight in enumerate(LUMA))
    return torch.as_tensor(grey).round().to(torch.uint8)[:, None]
