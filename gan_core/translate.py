"""A picture of any size and mode through a network that translates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from gan_core.data.folder import to_mode
from gan_core.data.images import to_unit_range
from gan_core.pictures import to_pil
from gan_core.translation import TranslationRecipe


@torch.no_grad()
def translated(
    recipe: TranslationRecipe, generators: nn.ModuleDict, image: Image.Image, seed: int, controls: Mapping[str, float]
) -> Image.Image:
    """The picture that a picture becomes, `recipe.factor` times as wide and as high.

    Args:
        recipe: With a resolved config.
        generators: By name, in eval mode.
        image: Of any size and mode.
        seed: Of what is drawn at random.
        controls: Checked, by name.
    """
    pixels = np.array(to_mode(image, recipe.config.channels_in))
    inputs = to_unit_range(torch.from_numpy(pixels).view(image.height, image.width, -1).permute(2, 0, 1)[None])
    padded = reflected(inputs, recipe.multiple, least=recipe.smallest)
    device = next(generators.parameters()).device
    drawn = recipe.translate(generators, padded.to(device), seed, **controls).cpu()
    return to_pil(drawn[0, :, : recipe.factor * image.height, : recipe.factor * image.width].float())


def reflected(inputs: Tensor, multiple: int, least: int) -> Tensor:
    """Inputs [N, c, H, W] mirrored beyond their right and lower borders to sides that are multiples of a number.

    A picture that is too small to be mirrored that far goes back and forth.

    Args:
        inputs: What to enlarge.
        multiple: Of which both sides must be.
        least: Which both sides must have at least.
    """
    rows, columns = (back_and_forth(side, max(least, -(-side // multiple) * multiple)) for side in inputs.shape[2:])
    return inputs[:, :, rows][:, :, :, columns]


def back_and_forth(length: int, wanted: int) -> Tensor:
    """Indices 0, 1, ..., length - 1, length - 2, ..., 1, 0, 1, ...: the first `wanted` of them."""
    period = max(1, 2 * (length - 1))
    place = torch.arange(wanted) % period
    return torch.minimum(place, period - place)
