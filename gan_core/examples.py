"""What a model that translates is shown with: some inputs, and the pictures they truly belong to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gan_core.data import ImageData, Images
from gan_core.data.channels import with_channels
from gan_core.data.images import to_unit_range
from gan_core.data.picture_file import opened
from gan_core.errors import UsageError
from gan_core.pictures import grid, to_uint8
from gan_core.translation import TranslationRecipe

COUNT = 8
MOST = 64  # that a stranger's file may hold


@dataclass(frozen=True, eq=False)
class Examples:
    """Inputs, and their true pictures where these are known.

    Attributes:
        inputs: [n, c, S / factor, S / factor] uint8.
        truths: [n, C, S, S] uint8, or None.
        factor: How many times the side of its input a picture has.
    """

    inputs: Tensor
    truths: Tensor | None
    factor: int = 1

    @classmethod
    def of(cls, data: Images, recipe: TranslationRecipe) -> Examples:
        """Some of a data set, spread evenly over it, and of what the recipe makes of it.

        Raises:
            UsageError: It has no inputs, and the recipe makes none.
        """
        if recipe.makes_inputs:
            truths = data.pictures(spread(len(data)))
            return cls(to_uint8(recipe.inputs_of(to_unit_range(truths))), truths, recipe.factor)
        if not isinstance(data, ImageData) or data.inputs is None:
            raise UsageError(f"{data.name} has no inputs to translate.")
        rows = spread(len(data.inputs))
        return cls(data.inputs[rows], data.images[rows] if data.paired else None)

    @property
    def enlarged(self) -> Tensor:
        """The inputs, as large as their pictures: each pixel a square."""
        return self.inputs.repeat_interleave(self.factor, dim=2).repeat_interleave(self.factor, dim=3)

    def sheet(self, drawn: Tensor) -> Image.Image:
        """Rows of inputs, of what was drawn from them, [n, C, S, S] in [-1, 1], and of true pictures."""
        channels, side = drawn.shape[1:3]
        rows = [to_unit_range(with_channels(self.enlarged, channels)), drawn]
        if self.truths is not None:
            rows.append(to_unit_range(self.truths))
        return grid(torch.cat(rows), columns=len(drawn), scale=max(1, 64 // side))

    def save(self, path: Path) -> None:
        """A PNG: the inputs in a row, as large as their pictures, below it the true pictures."""
        rows = [self.enlarged] if self.truths is None else [self.enlarged, self.truths]
        strips = [torch.cat([*with_channels(row, 3)], dim=2) for row in rows]
        Image.fromarray(torch.cat(strips, dim=1).permute(1, 2, 0).numpy()).save(path, format="PNG")

    @classmethod
    def read(cls, path: Path, side: int, input_channels: int, channels: int, factor: int = 1) -> Examples:
        """What `save` wrote, of pictures with this side.

        Raises:
            UsageError: It is no such picture.
        """
        with opened(path) as image:  # its size is looked at before it is unpacked: it may be a stranger's
            rows, count = image.height // side, image.width // side
            if image.size != (count * side, rows * side) or not (1 <= rows <= 2 and 1 <= count <= MOST):
                raise UsageError(f"{path} does not hold rows of pictures of {side} pixels.")
            values = np.array(image.convert("RGB"))
        pixels = torch.from_numpy(values).view(rows, side, count, side, 3).permute(0, 2, 4, 1, 3)
        inputs = with_channels(pixels[0, :, :, ::factor, ::factor], input_channels)
        return cls(inputs, with_channels(pixels[1], channels) if rows == 2 else None, factor)


def spread(length: int) -> Tensor:
    """Indices of the examples among so many."""
    return torch.linspace(0, length - 1, min(COUNT, length)).long()
