"""Photographs that scikit-image and scikit-learn come with, cut into tiles: what super-resolution learns from.

Taken are eleven that lie in the packages themselves, so nothing is downloaded, and that are free by the notes beside
them. The split is by photograph: no tile of one that is tested on is trained on.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gan_core.data.images import ImageData, Split
from gan_core.data.picture_file import open_image, to_mode
from gan_core.errors import UsageError

DEFAULT_SIZE, SMALLEST, LARGEST = 64, 16, 256  # of a tile; every photograph has room for the largest
LONGER_SIDE = 640  # bigger photographs are reduced to it; else the retina would be two thirds of all tiles
SCALES = (1, 2)  # each photograph as it is, and at half its size, where a tile holds more of it
FLAT = 8  # a tile with fewer grey levels between its darkest and its brightest value shows nothing
PHOTOS: dict[Split, tuple[str, ...]] = {
    "train": (
        "skimage/data/astronaut.png",
        "skimage/data/camera.png",
        "skimage/data/gravel.png",
        "skimage/data/hubble_deep_field.jpg",
        "skimage/data/ihc.png",
        "skimage/data/retina.jpg",
        "skimage/data/rocket.jpg",
        "sklearn/datasets/images/flower.jpg",
    ),
    "test": (
        "skimage/data/chelsea.png",
        "skimage/data/coffee.png",
        "sklearn/datasets/images/china.jpg",
    ),
}


def photos(split: Split = "train", image_size: int | None = None, channels: int | None = None) -> ImageData:
    """Square tiles of eight photographs, or of three others, each at two scales.

    Training tiles overlap by half, tiles of the test split not at all. Some photographs are grey.

    Args:
        split: "train" or "test", of other photographs.
        image_size: Side of a tile, from 16 to 256; 64 if None. A smaller side makes more tiles, not smaller pictures.
        channels: 3 if None.

    Raises:
        UsageError: No tile is of that size, or a photograph is missing.
    """
    size = image_size or DEFAULT_SIZE
    if not SMALLEST <= size <= LARGEST:
        raise UsageError(f"image_size is {size}; photos are cut into tiles of {SMALLEST} to {LARGEST} pixels.")
    stride = size // 2 if split == "train" else size
    parts = [
        tiles(pixels, size, stride)
        for file in PHOTOS[split]
        for pixels in scales(to_mode(open_image(path_of(file)), channels or 3))
        if min(pixels.shape[1:]) >= size
    ]
    return ImageData("photos", torch.cat(parts))


def path_of(file: str) -> Path:
    """Where a file lies that is named from its package on; the package itself, slow to import, is not.

    Raises:
        UsageError: It is not there.
    """
    package, _, rest = file.partition("/")
    found = find_spec(package)
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (path := Path(folder, rest)).is_file():
            return path
    raise UsageError(f"The photograph {file} is missing: pip install -r requirements.txt brings it.")


def scales(photo: Image.Image) -> list[Tensor]:
    """A photograph at each of its scales, [C, H, W] uint8, reduced with antialiasing."""
    photo.thumbnail((LONGER_SIDE, LONGER_SIDE), Image.Resampling.LANCZOS)
    sizes = [(photo.width // scale, photo.height // scale) for scale in SCALES]
    views = [np.atleast_3d(np.array(photo.resize(size, Image.Resampling.LANCZOS))) for size in sizes]
    return [torch.from_numpy(view).permute(2, 0, 1) for view in views]


def tiles(pixels: Tensor, size: int, stride: int) -> Tensor:
    """Whole squares of a picture [C, H, W] that show something, [N, C, size, size], from the left upper corner on."""
    grid = pixels.unfold(1, size, stride).unfold(2, size, stride)  # [C, rows, columns, size, size]
    squares = grid.permute(1, 2, 0, 3, 4).flatten(0, 1)
    values = squares.flatten(1)
    return squares[values.amax(1).int() - values.amin(1).int() >= FLAT]
