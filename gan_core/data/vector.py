"""Vector drawings to pixels."""

import io
from collections.abc import Iterable

import numpy as np
from PIL import Image
from tqdm import tqdm


def rasterise(svg: str, size: int) -> np.ndarray:
    """A square SVG as [3, size, size] uint8, on white where it is transparent.

    System fonts are not looked at: the same drawing gives the same pixels on every machine.
    """
    import resvg_py

    png = resvg_py.svg_to_bytes(
        svg_string=svg, width=size, height=size, background="white", skip_system_fonts=True, dpi=96
    )
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).transpose(2, 0, 1)


def rasterise_all(drawings: Iterable[str], count: int, size: int, title: str) -> np.ndarray:
    """`count` drawings as [count, 3, size, size] uint8, with a progress bar.

    One after the other: resvg holds Python's lock, so threads would only take turns.
    """
    images = np.empty((count, 3, size, size), np.uint8)
    for k, svg in enumerate(tqdm(drawings, title, count, unit=" images", disable=None, leave=False)):
        images[k] = rasterise(svg, size)
    return images
