"""Line art from a photograph, for models that colour drawings."""

from __future__ import annotations

import numpy as np
from PIL import Image

FINEST, COARSEST = 0.5, 4.0  # pixels of blur before edges are looked for
PAPER = 224  # what is as bright in each colour is paper
BARE = 0.15  # of a drawing is paper at least; of the batiks' line art .18 to .79


def is_drawing(picture: Image.Image) -> bool:
    """Whether enough of a picture is white paper for a drawing; photographs seldom have as much of it.

    Args:
        picture: Of any mode; transparent parts count as white.
    """
    from gan_core.data.picture_file import to_mode

    return bool((np.asarray(to_mode(picture, 3)) >= PAPER).all(axis=2).mean() >= BARE)


def line_art(picture: Image.Image, side: int, detail: float = 0.35, flip: bool = False) -> Image.Image:
    """The edges of a picture as thin black lines on white (Canny 1986, "A Computational Approach to Edge Detection").

    Args:
        picture: Of any mode; transparent parts count as white.
        side: The longer side of the line art in pixels. Edges are looked for at twice that, so lines come out smooth.
        detail: 0 to 1; how small the things are whose edges count.
        flip: White lines on black instead.

    Returns:
        A grey picture.
    """
    from skimage.feature import canny
    from skimage.morphology import dilation

    from gan_core.data.picture_file import to_mode

    grey = to_mode(picture, 1)
    scale = 2 * side / max(grey.size)
    wide, high = (max(2, 2 * round(scale * length / 2)) for length in grey.size)
    pixels = np.asarray(grey.resize((wide, high), Image.Resampling.LANCZOS), dtype=float) / 255
    found = canny(pixels, sigma=COARSEST * (FINEST / COARSEST) ** detail)  # type: ignore[no-untyped-call]
    thick = dilation(found, np.ones((3, 3)))  # so that one is dark all through in the end
    lines = Image.fromarray(np.where(thick == flip, 255, 0).astype(np.uint8))
    return lines.resize((wide // 2, high // 2), Image.Resampling.BOX)
