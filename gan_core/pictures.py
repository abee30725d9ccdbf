"""Tensors to pictures, and settings inside PNG files."""

import json
import math
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from gan_core.data.picture_file import open_image
from gan_core.errors import UsageError

SETTINGS_KEY = "parameters"  # the text chunk that image tools of the field read
MAX_SETTINGS = 10_000


def to_uint8(images: Tensor) -> Tensor:
    """[-1, 1] to uint8 [0, 255]: clamped, (x + 1) * 127.5, rounded; never stretched to a batch's own range."""
    return ((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def to_pil(image: Tensor, scale: int = 1) -> Image.Image:
    """One image [C, H, W] in [-1, 1] as a grey or RGB picture, each pixel repeated `scale` times."""
    pixels = to_uint8(image).permute(1, 2, 0).contiguous().cpu()
    picture = Image.fromarray(pixels.squeeze(2).numpy())
    return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)


def grid(images: Tensor, columns: int | None = None, scale: int = 1, gap: int = 1) -> Image.Image:
    """Images [N, C, H, W] in [-1, 1] as one picture, row by row.

    Args:
        images: What to show.
        columns: By default as square as possible.
        scale: Screen pixels per image pixel.
        gap: Image pixels of mid-grey between the images.
    """
    count, channels, height, width = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    sheet = torch.zeros(channels, rows * (height + gap) - gap, columns * (width + gap) - gap)
    for k, image in enumerate(images):
        top, left = k // columns * (height + gap), k % columns * (width + gap)
        sheet[:, top : top + height, left : left + width] = image
    return to_pil(sheet, scale)


def save_png(picture: Image.Image, path: Path, settings: dict[str, Any]) -> None:
    """Writes a PNG with the settings as JSON in a text chunk."""
    info = PngInfo()
    info.add_text(SETTINGS_KEY, json.dumps(settings, sort_keys=True))
    picture.save(path, format="PNG", pnginfo=info)


def read_settings(path: Path) -> dict[str, Any]:
    """The settings that `save_png` put into a picture.

    Raises:
        UsageError: It is no readable picture, or carries no settings of the playground.
    """
    text = open_image(path).info.get(SETTINGS_KEY)
    if not isinstance(text, str) or len(text) > MAX_SETTINGS:
        raise UsageError(f"{path.name} carries no playground settings; drop a PNG that was saved here.")
    try:
        settings = json.loads(text)
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        raise UsageError(f"{path.name} carries settings of another program; drop a PNG that was saved here.")
    return settings
