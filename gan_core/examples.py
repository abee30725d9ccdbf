"""What a model that translates is shown with: some inputs, and the pictures they truly belong to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gan_core.data import ImageData
from gan_core.data.channels import with_channels
from gan_core.data.images import to_unit_range
from gan_core.data.picture_file import open_image
from gan_core.errors import UsageError
from gan_core.pictures import grid

COUNT = 8
MOST = 64  # that a stranger's file may hold


@dataclass(frozen=True, eq=False)
class Examples:
    """Inputs, and their true pictures where these are known.

    Attributes:
        inputs: [n, c, S, S] uint8.
        truths: [n, C, S, S] uint8, or None.
    """

    inputs: Tensor
    truths: Tensor | None

    @classmethod
    def of(cls, data: ImageData) -> Examples:
        """Some of a data set, spread evenly over it.

        Raises:
            UsageError: It has no inputs.
        """
        if data.inputs is None:
            raise UsageError(f"{data.name} has no inputs to translate.")
        rows = torch.linspace(0, len(data.inputs) - 1, min(COUNT, len(data.inputs))).long()
        return cls(data.inputs[rows], data.images[rows] if data.paired else None)

    def sheet(self, drawn: Tensor) -> Image.Image:
        """Rows of inputs, of what was drawn from them, [n, C, S, S] in [-1, 1], and of true pictures."""
        channels, side = drawn.shape[1:3]
        rows = [to_unit_range(with_channels(self.inputs, channels)), drawn]
        if self.truths is not None:
            rows.append(to_unit_range(self.truths))
        return grid(torch.cat(rows), columns=len(drawn), scale=max(1, 64 // side))

    def save(self, path: Path) -> None:
        """A PNG: the inputs in a row, below it the true pictures."""
        rows = [self.inputs] if self.truths is None else [self.inputs, self.truths]
        strips = [torch.cat([*with_channels(row, 3)], dim=2) for row in rows]
        Image.fromarray(torch.cat(strips, dim=1).permute(1, 2, 0).numpy()).save(path, format="PNG")

    @classmethod
    def read(cls, path: Path, side: int, input_channels: int, channels: int) -> Examples:
        """What `save` wrote.

        Raises:
            UsageError: It is no such picture.
        """
        image = open_image(path).convert("RGB")
        rows, count = image.height // side, image.width // side
        if image.size != (count * side, rows * side) or not (1 <= rows <= 2 and 1 <= count <= MOST):
            raise UsageError(f"{path} does not hold rows of pictures of {side} pixels.")
        pixels = torch.from_numpy(np.array(image)).view(rows, side, count, side, 3).permute(0, 2, 4, 1, 3)
        inputs = with_channels(pixels[0], input_channels)
        return cls(inputs, with_channels(pixels[1], channels) if rows == 2 else None)
