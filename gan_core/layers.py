"""Building blocks that more than one recipe uses."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

Upsample = Literal["conv_transpose", "pixel_shuffle", "nearest"]
Downsample = Literal["strided_conv", "avg_pool"]
Norm = Literal["batch", "layer", "none"]


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
