"""Building blocks that more than one recipe uses."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

Upsample = Literal["conv_transpose", "pixel_shuffle", "nearest"]
Downsample = Literal["strided_conv", "avg_pool"]
Norm = Literal["batch", "layer", "none"]
Resample = Literal["same", "up", "down"]


def upsample(kind: Upsample, c_in: int, c_out: int, bias: bool = False) -> nn.Module:
    """[N, c_in, S, S] to [N, c_out, 2S, 2S].

    Args:
        kind: conv_transpose is a 4x4 transposed convolution of stride 2; pixel_shuffle a 3x3 convolution to
            4 * c_out channels, rearranged; nearest doubles pixels, then a 3x3 convolution.
        c_in: Channels in.
        c_out: Channels out.
        bias: Whether the convolution has one; normalised layers do without.
    """
    if kind == "conv_transpose":
        return nn.ConvTranspose2d(c_in, c_out, 4, stride=2, padding=1, bias=bias)
    if kind == "pixel_shuffle":
        return nn.Sequential(nn.Conv2d(c_in, 4 * c_out, 3, padding=1, bias=bias), nn.PixelShuffle(2))
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(c_in, c_out, 3, padding=1, bias=bias))


def downsample(kind: Downsample, c_in: int, c_out: int, bias: bool = False) -> nn.Module:
    """[N, c_in, 2S, 2S] to [N, c_out, S, S].

    Args:
        kind: strided_conv is a 4x4 convolution of stride 2; avg_pool a 3x3 convolution, then 2x2 means.
        c_in: Channels in.
        c_out: Channels out.
        bias: Whether the convolution has one; normalised layers do without.
    """
    if kind == "strided_conv":
        return nn.Conv2d(c_in, c_out, 4, stride=2, padding=1, bias=bias)
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, padding=1, bias=bias), nn.AvgPool2d(2))


def normalisation(kind: Norm, channels: int) -> nn.Module:
    """[N, channels, S, S] to the same: over the batch, over each image by itself (layer), or not at all."""
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    return nn.GroupNorm(1, channels) if kind == "layer" else nn.Identity()


class Maxout(nn.Module):
    """The largest of `pieces` affine maps per unit (Goodfellow 2013, arXiv:1302.4389): [N, c_in] to [N, units]."""

    def __init__(self, c_in: int, units: int, pieces: int) -> None:
        super().__init__()
        self.linear = nn.Linear(c_in, units * pieces)
        self.pieces = pieces

    def forward(self, x: Tensor) -> Tensor:
        maps: Tensor = self.linear(x).unflatten(1, (-1, self.pieces))
        return maps.amax(dim=2)


class EqualizedConv2d(nn.Conv2d):
    """A convolution with weights ~ N(0, 1) that are scaled by gain / sqrt(fan_in) when used, its bias not at all.

    So all layers learn at the same speed, whatever their size (Karras 2017, arXiv:1710.10196, section 4.1).
    A 3x3 one may double every pixel before ("up") or take 2x2 means after ("down"), at the price of one 4x4 kernel.
    """

    def __init__(
        self, c_in: int, c_out: int, kernel: int, gain: float = 2**0.5, bias: bool = True, padding: int | None = None,
        resample: Resample = "same",
    ) -> None:  # fmt: skip
        padding = kernel // 2 if padding is None else padding
        super().__init__(c_in, c_out, kernel, stride=2 if resample == "down" else 1, padding=padding, bias=bias)
        nn.init.normal_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)
        self.scale, self.resample = gain / (c_in * kernel**2) ** 0.5, resample

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight * self.scale
        if self.resample == "up":
            weight = 4 * mean_of_shifts(weight).flip(2, 3).transpose(0, 1)
            return F.conv_transpose2d(x, weight, self.bias, stride=2, padding=1)
        y: Tensor = self._conv_forward(x, mean_of_shifts(weight) if self.resample == "down" else weight, self.bias)
        return y


def mean_of_shifts(kernel: Tensor) -> Tensor:
    """A 3x3 kernel followed by the mean of 2x2, [..., 3, 3] to [..., 4, 4]."""
    return F.avg_pool2d(F.pad(kernel, (1, 1, 1, 1)), 2, stride=1)


class EqualizedLinear(nn.Linear):
    """The same for a dense layer; `speed` s makes it learn s times as fast, from the same outputs at first."""

    def __init__(self, c_in: int, c_out: int, gain: float = 2**0.5, speed: float = 1.0) -> None:
        super().__init__(c_in, c_out)
        nn.init.normal_(self.weight, 0.0, 1 / speed)
        nn.init.zeros_(self.bias)
        self.scale, self.speed = gain / c_in**0.5 * speed, speed

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.scale, self.bias * self.speed)


def pixel_norm(x: Tensor) -> Tensor:
    """Each place's vector along dimension 1 brought to a mean square of 1 (Karras 2017, section 4.2)."""
    y: Tensor = x * (x.float().square().mean(1, keepdim=True) + 1e-8).rsqrt().to(x.dtype)
    return y


class MinibatchDeviation(nn.Module):
    """One more channel: how much the pictures of a group differ, on average over channels and places.

    [N, C, H, W] to [N, C + 1, H, W] (Karras 2017, section 3). Groups have four members, or the largest smaller
    number that divides N.
    """

    def forward(self, x: Tensor) -> Tensor:
        n, _, height, width = x.shape
        size = next(size for size in (4, 3, 2, 1) if n % size == 0)
        groups = x.float().reshape(
            size, -1, *x.shape[1:]
        )  # [size, N / size, C, H, W]: a group is spread over the batch
        deviation = (groups.var(0, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3))  # [N / size]
        plane = deviation.repeat(size).view(n, 1, 1, 1).expand(n, 1, height, width)
        return torch.cat([x, plane.to(x.dtype)], dim=1)


def class_vectors(embedding: nn.Embedding, labels: Tensor) -> Tensor:
    """The vectors of classes, [N, d], or blends of them.

    Args:
        embedding: One vector of length d for each of K classes.
        labels: Class indices, int64 [N], or weights of the classes, float [N, K].
    """
    vectors: Tensor = labels @ embedding.weight if labels.is_floating_point() else embedding(labels)
    return vectors


def init_normal(module: nn.Module, std: float = 0.02) -> None:
    """DCGAN's initialisation of one layer, for `module.apply`.

    Weights ~ N(0, std); batch-norm scales ~ N(1, std), not around 0; biases 0.
    """
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, std)
    elif isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
        nn.init.normal_(module.weight, 1.0, std)
    else:
        return
    if module.bias is not None:
        nn.init.zeros_(module.bias)


def parameter_count(module: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def is_convolutional(module: nn.Module) -> bool:
    """Whether any layer is a 2-D convolution: such networks run channels_last."""
    return any(isinstance(m, nn.Conv2d | nn.ConvTranspose2d) for m in module.modules())


def memory_format(module: nn.Module) -> torch.memory_format:
    """channels_last for convolutional networks, contiguous for dense ones."""
    return torch.channels_last if is_convolutional(module) else torch.contiguous_format


@contextmanager
def blueprint() -> Iterator[None]:
    """Networks built inside have shapes but no memory and no values: for counting, and for weights to be put in."""
    with torch.device("meta"), _WithoutInit():
        yield


class _WithoutInit(TorchFunctionMode):
    """Skips torch.nn.init: on the meta device it would do nothing, but import torch's compiler, which takes seconds."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)
