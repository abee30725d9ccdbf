"""Data: a person's folders in every shape they come in."""

import itertools
import multiprocessing
import os
import warnings
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from PIL import Image

from gan_core.data import ImageData, load_data
from gan_core.data.folder import SUFFIXES, StreamedImages, folder
from gan_core.data.picture_file import read_image
from gan_core.errors import UsageError


@pytest.fixture(autouse=True)
def nothing_held_out(monkeypatch):
    """A few pictures stay together, whatever their encoder writes; the split has tests of its own."""
    monkeypatch.setattr("gan_core.data.folder.HELD_OUT", 2**300)


def take(iterator, n):
    return list(itertools.islice(iterator, n))


@contextmanager
def as_nobody():
    """Without root's right to read everything."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def save(path, mode="RGB", size=(20, 30), colour=128):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path)
    return path


def test_a_flat_folder_of_mixed_sizes_and_modes(tmp_path):
    save(tmp_path / "grey.png", "L", (5, 90), 200)
    save(tmp_path / "palette.gif", "P", (64, 64), 0)
    save(tmp_path / "rgb.jpg", "RGB", (300, 20), (200, 100, 0))
    save(tmp_path / "rgba.png", "RGBA", (10, 10), (255, 0, 0, 0))
    Image.fromarray(np.full((8, 8), 32896, dtype=np.uint16)).save(tmp_path / "deep.png")
    data = folder(tmp_path, image_size=16)
    assert data.images.shape == (5, 3, 16, 16) and data.classes is None and data.labels is None
    deep, grey, _, rgb, rgba = data.images
    assert torch.equal(deep, torch.full_like(deep, 128))  # 16 bit keeps its range
    assert torch.equal(grey, torch.full_like(grey, 200))
    assert (rgb[0].float() - 200).abs().max() <= 2 and rgb[2].max() <= 2
    assert torch.equal(rgba, torch.full_like(rgba, 255))  # transparent on white


def test_a_folder_of_grey_pictures_is_grey_unless_asked(tmp_path):
    save(tmp_path / "a.png", "L")
    save(tmp_path / "b.png", "1", colour=1)
    assert folder(tmp_path).channels == 1
    assert folder(tmp_path, channels=3).channels == 3


def test_sub_folders_are_classes(tmp_path):
    for name in ("cats", "dogs"):
        save(tmp_path / name / "1.png")
        save(tmp_path / name / "deeper" / "2.png")
    data = folder(tmp_path, image_size=16)
    assert data.classes == ("cats", "dogs") and data.labels.tolist() == [0, 0, 1, 1]


def test_one_folder_inside_another_is_looked_through(tmp_path):
    save(tmp_path / "outer" / "inner" / "1.png")
    assert folder(tmp_path).classes is None


def test_what_macos_adds_is_no_picture_and_no_class(tmp_path):
    save(tmp_path / "outer" / "1.png")
    for name in ("outer/._1.png", "outer/.DS_Store", ".DS_Store", "__MACOSX/outer/._1.png", ".Trashes/2.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"resource fork")
    data = folder(tmp_path)
    assert len(data) == 1 and data.classes is None


@pytest.mark.parametrize("forbidden", [".", "cats"])
def test_a_folder_that_may_not_be_read_is_one_sentence(tmp_path, forbidden):
    save(tmp_path / "pictures" / "cats" / "1.png")
    save(tmp_path / "pictures" / "dogs" / "1.png")
    tmp_path.parent.chmod(0o755)
    tmp_path.chmod(0o755)
    (tmp_path / "pictures" / forbidden).chmod(0)
    with as_nobody(), pytest.raises(UsageError, match=r"pictures(/cats)? cannot be read \(Permission denied\)\.$"):
        load_data(str(tmp_path / "pictures"))


def test_only_the_formats_named_are_opened(tmp_path):
    save(tmp_path / "drawing.eps").rename(tmp_path / "drawing.png")  # Pillow would start Ghostscript for it
    with Image.open(tmp_path / "drawing.png") as image:
        assert image.format == "EPS"
    with pytest.raises(UsageError, match=r"drawing\.png cannot be read as a picture \(it is no PNG, JPEG"):
        read_image(tmp_path / "drawing.png", 16, 1)


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_every_suffix_can_be_read(tmp_path, suffix):
    assert read_image(save(tmp_path / f"a{suffix}"), 16, 3).float().mean() == pytest.approx(128 / 3, abs=2)


def test_exif_rotation_is_honoured(tmp_path):
    image = Image.new("RGB", (20, 20), "black")
    image.paste("white", (0, 0, 20, 10))  # white above
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise: white to the right
    image.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    pixels = read_image(tmp_path / "turned.jpg", 20, 1)[0].float()
    assert pixels[:, 12:].mean() > 240 and pixels[:, :8].mean() < 15


def test_a_folder_without_pictures(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(UsageError, match="holds no pictures"):
        folder(tmp_path)


def test_a_few_unreadable_files_are_skipped_and_named(tmp_path, caplog):
    for k in range(30):
        save(tmp_path / f"{k:02d}.png")
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    assert len(folder(tmp_path)) == 30
    assert "skipped: broken.png cannot be read as a picture" in caplog.text


def test_many_unreadable_files_are_an_error(tmp_path):
    save(tmp_path / "good.png")
    cut = save(tmp_path / "cut.png", size=(200, 200))
    cut.write_bytes(cut.read_bytes()[:60])
    with pytest.raises(UsageError, match=r"1 of 2 pictures in .* cannot be read: cut\.png"):
        folder(tmp_path)


def test_an_image_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    save(tmp_path / "bomb.png", size=(40, 40))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pytest would make an error of Pillow's warning
        with pytest.raises(UsageError, match=r"bomb\.png unpacks to more than the 1,000 pixels allowed"):
            folder(tmp_path)


def test_a_folder_too_big_for_memory_streams_the_same_batches(tmp_path):
    for k in range(12):
        save(tmp_path / str(k % 2) / f"{k}.png", colour=(k * 20, 0, 0))
    held, streamed = folder(tmp_path, 16), folder(tmp_path, 16, memory_limit=0)
    assert isinstance(held, ImageData) and isinstance(streamed, StreamedImages)
    assert (streamed.classes, streamed.channels, len(streamed)) == (held.classes, held.channels, len(held))
    assert torch.equal(streamed.examples(5), held.examples(5)) and torch.equal(streamed.labels, held.labels)
    rows = torch.tensor([11, 0, 4])
    assert torch.equal(streamed.pictures(rows), held.pictures(rows))
    with pytest.raises(UsageError, match="fewer than one batch of 16"):
        streamed.batches(16, seed=0, start=0)
    batches = streamed.batches(4, seed=1, start=8)
    assert not multiprocessing.active_children()  # they start with the first batch
    for ours, theirs in zip(take(batches, 3), take(held.batches(4, seed=1, start=8), 3), strict=True):
        assert torch.equal(ours.images, theirs.images) and torch.equal(ours.labels, theirs.labels)
    assert len(multiprocessing.active_children()) == streamed.workers
