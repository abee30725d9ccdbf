"""Spectral normalisation: layers whose weight, as a matrix, has a largest singular value of about 1."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Spectral(nn.Module):
    """A layer whose weight is divided by its largest singular value (Miyato 2018, arXiv:1802.05957).

    One power iteration a forward pass in training moves the singular vectors u and v; in evaluation they stay. They are
    new tensors each time, for another pass may still be waiting for its backward.
    """

    normalises = "spectral"

    weight: Tensor
    u: Tensor
    v: Tensor

    def __init__(self, *shape: int, **options: Any) -> None:
        super().__init__(*shape, **options)
        nn.init.orthogonal_(self.weight)
        rows = self.weight.detach().flatten(1)
        self.register_buffer("u", torch.zeros(rows.shape[0]))
        self.register_buffer("v", torch.zeros(rows.shape[1]))
        if not rows.is_meta:  # a blueprint has no values
            self.u = F.normalize(torch.randn_like(self.u), dim=0)
            self.v = F.normalize(rows.T @ self.u, dim=0)

    def normalised(self) -> Tensor:
        """The weight over its largest singular value, in fp32: products and sums, which autocast leaves alone."""
        rows = self.weight.flatten(1)
        if self.training:
            with torch.no_grad():
                self.v = F.normalize((rows * self.u[:, None]).sum(0), dim=0)
                self.u = F.normalize((rows * self.v).sum(1), dim=0)
        return self.weight / (self.u[:, None] * rows * self.v).sum()


class SpectralConv2d(Spectral, nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self._conv_forward(x, self.normalised(), self.bias)
        return y


class SpectralLinear(Spectral, nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.normalised(), self.bias)


class SpectralEmbedding(Spectral, nn.Embedding):
    def forward(self, x: Tensor) -> Tensor:
        return F.embedding(x, self.normalised())
