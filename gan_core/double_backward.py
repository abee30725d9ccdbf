"""Convolutions whose gradient can itself be differentiated fast: what a gradient penalty spends its time on.

PyTorch computes the second derivative in a convolution's weights as a convolution with a kernel as large as the image,
group by group. It is the ordinary weight gradient of two tensors that are at hand, for which there are fast kernels;
NVIDIA's StyleGAN code makes the same observation.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

Shape = tuple[tuple[int, ...], tuple[int, ...], int]  # stride, padding, groups
backward = torch.ops.aten.convolution_backward


class FastDoubleBackward(TorchFunctionMode):
    """Inside, `nn.Conv2d` is differentiated twice as fast; its values and gradients are the same.

    With `create_graph`, gradients flow to a convolution's input only: those in its weights come with the second
    backward. That is what penalties on a slope in the input need, and all they need.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func is torch.conv2d and not kwargs and isinstance(args[4], tuple) and args[5] == (1, 1):
            x, weight, bias, stride, padding, _, groups = args
            return _Convolution.apply(x, weight, bias, (stride, padding, groups))
        return func(*args, **(kwargs or {}))


def _convolution(x: Tensor, weight: Tensor, bias: Tensor | None, shape: Shape) -> Tensor:
    stride, padding, groups = shape
    return torch.conv2d(x, weight, bias, stride, padding, 1, groups)


def _gradient(dy: Tensor, x: Tensor, weight: Tensor, shape: Shape, of: int) -> Tensor:
    """The gradient in x (of = 0) or in the weight (of = 1) of a convolution whose output has the gradient dy."""
    stride, padding, groups = shape
    wanted = [of == 0, of == 1, False]
    found: Tensor = backward(dy, x, weight, None, stride, padding, (1, 1), False, (0, 0), groups, wanted)[of]
    return found


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, shape: Shape) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.shape, ctx.has_bias = shape, bias is not None
        return _convolution(x, weight, bias, shape)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        dx: Tensor = _InputGradient.apply(dy, x, weight, ctx.shape)
        if torch.is_grad_enabled():  # the first backward of two
            return dx, None, None, None
        dbias = dy.sum((0, 2, 3)) if ctx.has_bias else None
        return dx, _gradient(dy, x, weight, ctx.shape, of=1), dbias, None


class _InputGradient(torch.autograd.Function):
    """dx of dy and the weight; linear in both."""

    @staticmethod
    def forward(ctx: Any, dy: Tensor, x: Tensor, weight: Tensor, shape: Shape) -> Tensor:
        ctx.save_for_backward(dy, weight)
        ctx.shape = shape
        return _gradient(dy, x, weight, shape, of=0)

    @staticmethod
    def backward(ctx: Any, ddx: Tensor) -> tuple[Tensor | None, ...]:
        dy, weight = ctx.saved_tensors
        return _convolution(ddx, weight, None, ctx.shape), None, _gradient(dy, ddx, weight, ctx.shape, of=1), None
