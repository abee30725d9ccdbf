"""Data: photographs of scikit-image and scikit-learn, cut into tiles."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan_core.data import DATASETS, load_data, photos
from gan_core.data.photos import FLAT, PHOTOS, path_of, scales, tiles
from gan_core.errors import UsageError

NOTICE = (Path(__file__).parents[2] / "NOTICE").read_text()


def test_the_split_is_by_photograph():
    train, test = (set(PHOTOS[split]) for split in ("train", "test"))
    assert len(train) == 8 and len(test) == 3 and not train & test
    assert len({path_of(file).read_bytes() for file in train | test}) == 11


def test_every_tile_is_of_a_photograph_of_its_split():
    for split in ("train", "test"):
        found = load_data("photos", image_size=128, split=split).images
        own = [
            tiles(torch.from_numpy(np.array(view)).permute(2, 0, 1), 128, 64 if split == "train" else 128)
            for file in PHOTOS[split]
            for view in views(file)
            if min(view.size) >= 128
        ]
        assert torch.equal(found, torch.cat(own))


def views(file):
    """A photograph of at most 640 pixels, and the same at half its size."""
    photo = Image.open(path_of(file)).convert("RGB")
    photo.thumbnail((640, 640), Image.Resampling.LANCZOS)
    return photo, photo.resize((photo.width // 2, photo.height // 2), Image.Resampling.LANCZOS)


def test_tiles_are_squares_of_the_picture_in_reading_order():
    picture = torch.randint(0, 256, (3, 20, 33), dtype=torch.uint8)
    found = tiles(picture, 16, 8)
    assert found.shape == (3, 3, 16, 16)
    assert all(torch.equal(found[k], picture[:, :16, 8 * k : 8 * k + 16]) for k in range(3))
    picture[:, :16, :16] = torch.randint(100, 100 + FLAT, (3, 16, 16))
    assert len(tiles(picture, 16, 8)) == 2  # what shows nothing teaches nothing


@pytest.mark.parametrize(("size", "channels"), [(16, 3), (64, 1), (256, 3)])
def test_shapes_and_range(size, channels):
    for split in ("train", "test"):
        data = load_data("photos", size, channels, split)
        assert data.images.shape == (len(data), channels, size, size) and data.images.dtype == torch.uint8
        assert data.images.min() < 10 and data.images.max() > 245 and data.inputs is None
        assert len({image.numpy().tobytes() for image in data.images}) == len(data)
    batch = next(data.batches(2, seed=0, start=0))
    assert batch.images.abs().max() <= 1


def test_every_photograph_has_room_for_the_largest_tile():
    for file in (*PHOTOS["train"], *PHOTOS["test"]):
        whole, half = scales(Image.open(path_of(file)).convert("RGB"))
        assert min(whole.shape[1:]) >= photos.LARGEST and max(whole.shape[1:]) <= photos.LONGER_SIDE
        assert half.shape == (3, whole.shape[1] // 2, whole.shape[2] // 2)
    for size in (8, 300):
        with pytest.raises(UsageError, match=f"image_size is {size}; photos are cut into tiles of 16 to 256 pixels"):
            load_data("photos", image_size=size)


def test_a_photograph_that_is_missing_is_named(monkeypatch):
    for missing in ("skimage/data/no.png", "no_such_package/no.png"):
        monkeypatch.setitem(PHOTOS, "test", (missing,))
        with pytest.raises(UsageError, match=f"The photograph {missing} is missing: pip install"):
            load_data("photos", split="test")


def test_the_packages_are_not_imported_and_so_cannot_download():
    code = "import sys\nfrom gan_core.data import load_data\nload_data('photos', split='test')\nprint(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "gan_core.data.photos" in modules and not {"skimage", "sklearn", "pooch"} & set(modules)


def test_the_photographers_are_named():
    entry = DATASETS["photos"]
    assert all(name in entry.licence for name in ("CC BY 2.0", "danielbuechele", "vultilion", "scikit-image"))
    assert all(Path(file).stem in NOTICE for files in PHOTOS.values() for file in files)
    assert entry.kind == "pictures" and entry.embedded and not entry.wait
