"""A person's picture in a file of any format, size and mode."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from torch import Tensor

from gan_core.errors import UsageError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")  # of Pillow; others start programs, as EPS does Ghostscript


@contextmanager
def opened(file: Path) -> Iterator[Image.Image]:
    """A picture of which only the header is read so far.

    Raises:
        UsageError: It is no picture, is damaged, or has more pixels than Pillow's decompression-bomb limit.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=FORMATS) as image:
                yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UsageError(f"{file.name} unpacks to more than the {Image.MAX_IMAGE_PIXELS:,} pixels allowed") from None
    except UnidentifiedImageError:  # its own words name the whole path, which a page need not tell strangers
        raise UsageError(f"{file.name} cannot be read as a picture (it is no {', '.join(FORMATS)})") from None
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's readers raise all three on damaged files
        raise UsageError(f"{file.name} cannot be read as a picture ({error})") from None


def open_image(file: Path) -> Image.Image:
    """Decodes a picture, upright by its EXIF orientation; raises as `opened` does."""
    with opened(file) as image:
        image.load()
        return ImageOps.exif_transpose(image)


def read_image(file: Path, size: int, channels: int) -> Tensor:
    """One picture as [channels, size, size] uint8: alpha on white, centre square, antialiased resize."""
    return to_square(open_image(file), size, channels)


def to_mode(image: Image.Image, channels: int) -> Image.Image:
    """A PIL image of any mode in grey or RGB: alpha on white; greys of 16 bits keep their range, scaled to 8 bits.

    White is 1 in a picture of floats, or 255 if any goes beyond 1.
    """
    if image.mode[0] in "IF":  # 16-bit files open as I;16 or I
        levels = np.nan_to_num(np.asarray(image, dtype=np.float64))
        white = 65535 if image.mode[0] == "I" else 255 if levels.max() > 1 else 1
        image = Image.fromarray((255 / white * levels).clip(0, 255).round().astype(np.uint8))
    if image.mode == "LAB":
        lab, srgb = (ImageCms.ImageCmsProfile(ImageCms.createProfile(space)) for space in ("LAB", "sRGB"))
        image = ImageCms.ImageCmsTransform(lab, srgb, "LAB", "RGB").apply(image)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return image.convert("L" if channels == 1 else "RGB")


def to_square(image: Image.Image, size: int, channels: int) -> Tensor:
    """A PIL image of any mode as [channels, size, size] uint8: its centre square, resized with antialiasing."""
    image = ImageOps.fit(to_mode(image, channels), (size, size), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(image)).view(size, size, channels).permute(2, 0, 1).contiguous()
