"""Networks that translate pictures, and critics that judge them patch by patch; more than one recipe uses each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_core.layers import Upsample, upsample

PictureNorm = Literal["instance", "batch", "none"]


def picture_norm(kind: PictureNorm, channels: int, affine: bool = False) -> nn.Module:
    """[N, channels, H, W] to the same: each map of each picture by itself, each map over the batch, or not at all."""
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    return nn.InstanceNorm2d(channels, affine=affine) if kind == "instance" else nn.Identity()


# --------------------------------------------------------------------------------------------------------- generators


class ResidualBlock(nn.Module):
    """relu(x + what two convolutions make of it), of the sketch models."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(x + y)


def convolution(c_in: int, c_out: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    """A convolution, batch normalisation, ReLU, as the sketch models have them."""
    return [nn.Conv2d(c_in, c_out, kernel, stride, padding=kernel // 2), nn.BatchNorm2d(c_out), nn.ReLU()]


def doubling(c_in: int) -> list[nn.Module]:
    """Twice the side and half the channels, as the sketch models do it."""
    half = nn.ConvTranspose2d(c_in, c_in // 2, 3, stride=2, padding=1, output_padding=1)
    return [half, nn.BatchNorm2d(c_in // 2), nn.ReLU()]


def context_at_a_quarter(blocks: int) -> int:
    """How far around a pixel a network looks that has its residual blocks at a quarter of the side, in pixels.

    Convolutions reach 3, 1, 2, then twice 4 a block, in pixels of the full side; doublings at most 6 and 3, whichever
    way they are done; the last convolution 3.
    """
    return 3 + 1 + 2 + 8 * blocks + 6 + 3 + 3


class ReflectedBlock(nn.Module):
    """x + conv(relu(norm(conv(x)))), normalised, with reflected borders (Johnson 2016, arXiv:1603.08155)."""

    def __init__(self, channels: int, norm: PictureNorm) -> None:
        super().__init__()
        convolution = partial(nn.Conv2d, channels, channels, 3, padding=1, padding_mode="reflect")
        self.layers = nn.Sequential(
            convolution(), picture_norm(norm, channels), nn.ReLU(), convolution(), picture_norm(norm, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.layers(x)
        return y


class ResnetGenerator(nn.Module):
    """Two halvings of the side, residual blocks, two doublings (Zhu 2017, arXiv:1703.10593, appendix 7.2).

    Args:
        c_in: Channels of the input.
        c_out: Channels of the picture.
        width: Channels at the full side; each halving doubles them.
        blocks: Residual blocks.
        norm: How it normalises.
        up: How the side is doubled.
    """

    def __init__(
        self, c_in: int, c_out: int, width: int, blocks: int, norm: PictureNorm = "instance",
        up: Upsample = "conv_transpose",
    ) -> None:  # fmt: skip
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(c_in, width, 7, padding=3, padding_mode="reflect"), picture_norm(norm, width), nn.ReLU(),
        ]  # fmt: skip
        for wide in (width, 2 * width):
            layers += [nn.Conv2d(wide, 2 * wide, 3, stride=2, padding=1), picture_norm(norm, 2 * wide), nn.ReLU()]
        layers += [ReflectedBlock(4 * width, norm) for _ in range(blocks)]
        for wide in (4 * width, 2 * width):
            layers += [doubled(up, wide, wide // 2), picture_norm(norm, wide // 2), nn.ReLU()]
        layers += [nn.Conv2d(width, c_out, 7, padding=3, padding_mode="reflect"), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        # [N, c_in, H, W] -> [N, c_out, H, W] in [-1, 1]; H and W are multiples of 4
        images: Tensor = self.layers(x)
        return images


def doubled(kind: Upsample, c_in: int, c_out: int) -> nn.Module:
    """Twice the side; a transposed convolution here has a 3x3 kernel, as in the residual translators' code."""
    if kind == "conv_transpose":
        return nn.ConvTranspose2d(c_in, c_out, 3, stride=2, padding=1, output_padding=1)
    return upsample(kind, c_in, c_out, bias=True)


class UNetGenerator(nn.Module):
    """Halvings down to a few pixels and doublings back, each told what was seen at its side (Isola 2016, appendix 6.1).

    Args:
        c_in: Channels of the input.
        c_out: Channels of the picture.
        width: Channels at half the side; each further halving doubles them, up to eight times as many.
        downs: Halvings, 2 or more.
        norm: How it normalises; with instance, each map has a scale and a shift, and the innermost none: its maps may
            be one pixel.
        up: How the side is doubled.
        dropout: Of the maps that the three innermost doublings give.
    """

    def __init__(
        self, c_in: int, c_out: int, width: int, downs: int, norm: PictureNorm = "instance",
        up: Upsample = "conv_transpose", dropout: float = 0.5,
    ) -> None:  # fmt: skip
        super().__init__()
        widths = [min(width * 2**k, 8 * width) for k in range(downs)]
        bias = norm != "batch"  # which takes away what a bias adds

        def normed(channels: int) -> nn.Module:
            return picture_norm(norm, channels, affine=True)

        def down(c_in: int, c_out: int, bias: bool) -> nn.Module:
            return nn.Conv2d(c_in, c_out, 4, stride=2, padding=1, bias=bias)

        self.downs = nn.ModuleList([down(c_in, widths[0], bias)])
        for k, (before, after) in enumerate(pairwise(widths), start=1):
            inner = nn.Identity() if k == downs - 1 else normed(after)
            self.downs.append(nn.Sequential(nn.LeakyReLU(0.2), down(before, after, bias), inner))
        self.ups = nn.ModuleList()
        for k in range(downs - 1, 0, -1):
            c_mid = widths[k] if k == downs - 1 else 2 * widths[k]  # its own maps beside those of the way down
            doubling = [nn.ReLU(), upsample(up, c_mid, widths[k - 1], bias), normed(widths[k - 1])]
            self.ups.append(nn.Sequential(*doubling, nn.Dropout(dropout if k >= downs - 3 else 0.0)))
        self.to_image = nn.Sequential(nn.ReLU(), upsample(up, 2 * widths[0], c_out, bias=True), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        # [N, c_in, H, W] -> [N, c_out, H, W] in [-1, 1]; H and W are multiples of 2^downs
        seen = []
        for down in self.downs:
            x = down(x)
            seen.append(x)
        x = seen.pop()
        for up in self.ups:
            x = torch.cat([seen.pop(), up(x)], dim=1)
        images: Tensor = self.to_image(x)
        return images


# ------------------------------------------------------------------------------------------------------------ critics


def patch_critic(
    c_in: int, width: int, strides: Sequence[int], norm: PictureNorm, batch_bias: bool = False
) -> nn.Sequential:
    """A PatchGAN: one logit for each patch of a picture (Isola 2016, arXiv:1611.07004, section 3.2.2).

    4x4 convolutions with LeakyReLU between, the first without normalisation, each with twice the channels of the one
    before, up to eight times the first; a last one of stride 1 to logits. Strides (2, 2, 2, 1) see 70x70 pixels.

    Args:
        c_in: Channels of what is judged.
        width: Channels of the first.
        strides: Of all but the last.
        norm: How all but the first and the last normalise.
        batch_bias: Whether convolutions before a BatchNorm have a bias, which it takes away.
    """
    bias = norm != "batch" or batch_bias
    layers: list[nn.Module] = [nn.Conv2d(c_in, width, 4, strides[0], padding=1), nn.LeakyReLU(0.2)]
    wide = width
    for stride in strides[1:]:
        layers += [nn.Conv2d(wide, min(2 * wide, 8 * width), 4, stride, padding=1, bias=bias)]
        wide = min(2 * wide, 8 * width)
        layers += [nn.LeakyReLU(0.2)] if norm == "none" else [picture_norm(norm, wide), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(wide, 1, 4, padding=1))


def pixel_critic(c_in: int, width: int, norm: PictureNorm) -> nn.Sequential:
    """One logit for each pixel: a PatchGAN whose patches are 1x1 (Isola 2016, appendix 6.1.2)."""
    return nn.Sequential(
        nn.Conv2d(c_in, width, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, 1, bias=norm != "batch"),
        picture_norm(norm, 2 * width),
        nn.LeakyReLU(0.2),
        nn.Conv2d(2 * width, 1, 1),
    )


class MultiScale(nn.Module):
    """Critics of a picture at several scales, each half the last (Wang 2018, arXiv:1711.11585)."""

    def __init__(self, *critics: nn.Module) -> None:
        super().__init__()
        self.scales = nn.ModuleList(critics)

    def forward(self, images: Tensor) -> list[Tensor]:
        # [N, C, H, W] -> for each scale, logits [N, 1, h, w]
        logits = []
        for k, critic in enumerate(self.scales):
            images = F.avg_pool2d(images, 3, stride=2, padding=1, count_include_pad=False) if k else images
            logits.append(critic(images))
        return logits
