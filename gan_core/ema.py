"""Exponential moving average of the generator: the weights that are sampled, saved and shipped."""

import copy

import torch
from torch import Tensor, nn


class EMA:
    """A running average of networks, in eval mode.

    After a step of n images, each weight moves by $e \\leftarrow \\beta e + (1-\\beta) p$ with
    $\\beta = 2^{-n/h}$, where the half-life h is `half_life` images but at most 5 % of the images seen, so that
    the first, useless weights are forgotten early (the ramp-up of Karras 2019, arXiv:1912.04958).

    Args:
        nets: The networks to follow; they are copied.
        half_life: In images; 0 follows without averaging.
    """

    RAMP_UP = 0.05

    def __init__(self, nets: nn.ModuleDict, half_life: float) -> None:
        self.nets = copy.deepcopy(nets).eval().requires_grad_(False)
        self.half_life = half_life

    def beta(self, images: int, images_seen: int) -> float:
        """The decay of a step of `images`, the last of `images_seen`."""
        half_life = min(self.half_life, self.RAMP_UP * images_seen)
        return 0.5 ** (images / half_life) if half_life > 0 else 0.0

    @torch.no_grad()
    def update(self, nets: nn.ModuleDict, images: int, images_seen: int) -> None:
        """Moves the average towards `nets`; buffers (batch-norm statistics) are copied, never interpolated."""
        weight = 1 - self.beta(images, images_seen)
        averaged: list[Tensor] = list(self.nets.parameters())
        current: list[Tensor] = [p for name in self.nets for p in nets[name].parameters()]
        torch._foreach_lerp_(averaged, current, weight)
        for name, net in self.nets.items():
            for ours, theirs in zip(net.buffers(), nets[name].buffers(), strict=True):
                ours.copy_(theirs)
