"""Data: embedded digits, a person's folders in every shape they come in, and the order of training."""

import io
import itertools
import multiprocessing
import os
import urllib.request
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from PIL import Image

from gan_core.data import ImageData, load_data
from gan_core.data.archive import unpack
from gan_core.data.digits import digits
from gan_core.data.folder import SUFFIXES, StreamedImages, folder, read_image
from gan_core.data.images import order, to_unit_range
from gan_core.errors import UsageError


def take(iterator, n):
    return list(itertools.islice(iterator, n))


# ------------------------------------------------------------------------------------------------------------ digits


def test_digits_are_padded_never_resized():
    data = digits()
    assert data.images.shape == (4000, 1, 32, 32) and data.images.dtype == torch.uint8
    border = torch.ones(32, 32, dtype=torch.bool)
    border[2:-2, 2:-2] = False
    assert not data.images[..., border].any()
    assert torch.equal(data.images[..., 2:-2, 2:-2], digits(image_size=28).images)


def test_digits_split_is_the_last_hundred_of_each_class():
    train, test = digits("train"), digits("test")
    assert len(train) == 4000 and len(test) == 1000
    assert torch.equal(train.labels.bincount(), torch.full((10,), 400))
    seen = {image.numpy().tobytes() for image in train.images}
    assert not any(image.numpy().tobytes() in seen for image in test.images)


def test_digits_in_colour_and_other_sizes():
    assert digits(image_size=64, channels=3).images.shape == (4000, 3, 64, 64)
    small, full = (digits(image_size=size).images.float().mean().item() for size in (16, 32))
    assert small == pytest.approx(full, rel=0.02)


def test_pixels_lie_in_minus_one_to_one():
    batch = next(digits().batches(64, seed=0, start=0))
    assert batch.images.min() == -1 and batch.images.max() == 1 and batch.labels.shape == (64,)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10"])
def test_a_download_without_a_network_names_what_works(name, monkeypatch):
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # a port where nobody listens
    monkeypatch.setattr(urllib.request, "_opener", None)  # it reads the proxies once; and no later test should see ours
    with pytest.raises(UsageError, match=f"{name} could not be downloaded .* embedded set 'digits'"):
        load_data(name)


def test_a_downloaded_set_is_read_and_padded(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    raw = tmp_path / "gan-playground" / "torchvision" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    images, labels = digits(image_size=28).images[:50], digits().labels[:50]
    for part in ("train", "t10k"):  # the IDX format: magic number, sizes, bytes
        header = np.array([0x803, 50, 28, 28], dtype=">i4").tobytes()
        (raw / f"{part}-images-idx3-ubyte").write_bytes(header + images.numpy().tobytes())
        header = np.array([0x801, 50], dtype=">i4").tobytes()
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(header + labels.to(torch.uint8).numpy().tobytes())
    data = load_data("mnist")
    assert torch.equal(data.images, digits().images[:50]) and torch.equal(data.labels, labels)
    assert load_data("mnist", image_size=28, channels=3).images.shape == (50, 3, 28, 28)


def test_an_unknown_data_set_names_the_nearest(tmp_path):
    with pytest.raises(UsageError, match=r"digit is neither a data set nor a folder \(did you mean 'digits'\?\)"):
        load_data("digit")
    (tmp_path / "file.txt").touch()
    with pytest.raises(UsageError, match="is a file, not a folder"):
        load_data(str(tmp_path / "file.txt"))


# ------------------------------------------------------------------------------------------------------------- order


def test_each_epoch_is_a_permutation_and_epochs_differ():
    batches = np.concatenate(take(order(10, 4, seed=0, start=0, rank=0, world=1), 5))
    first, second = batches[:10], batches[10:]
    assert sorted(first) == sorted(second) == list(range(10))
    assert list(first) != list(second)


def test_the_order_is_a_function_of_what_was_seen():
    whole = take(order(10, 4, seed=3, start=0, rank=0, world=1), 6)
    later = take(order(10, 4, seed=3, start=12, rank=0, world=1), 3)
    assert np.array_equal(whole[3:], later)


def test_ranks_share_the_joined_batch():
    joined = take(order(24, 8, seed=0, start=0, rank=0, world=1), 4)
    ranks = [take(order(24, 4, seed=0, start=0, rank=rank, world=2), 4) for rank in range(2)]
    assert np.array_equal(joined, np.concatenate(ranks, axis=1))


def test_fewer_images_than_a_batch():
    data = ImageData("few", torch.zeros(5, 1, 4, 4, dtype=torch.uint8))
    with pytest.raises(UsageError, match="There are 5 images, fewer than one batch of 8"):
        data.batches(8, seed=0, start=0)


def test_fewer_images_than_any_batch_takes():
    with pytest.raises(UsageError, match="Training takes at least 2 images; there is 1"):
        order(1, 8, seed=0, start=0, rank=0, world=1)
    with pytest.raises(UsageError, match="Training takes at least 8 images; there are 7"):
        order(7, 2, seed=0, start=0, rank=0, world=4)
    with pytest.raises(UsageError, match="take --batch_size 2 or less"):
        order(8, 4, seed=0, start=0, rank=0, world=4)


# ----------------------------------------------------------------------------------------------------------- folders


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
    with pytest.raises(UsageError, match=r"drawing\.png cannot be read as a picture \(cannot identify"):
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
    with pytest.raises(UsageError, match=r"bomb\.png unpacks to more than the 1,000 pixels allowed"):
        folder(tmp_path)


def test_a_folder_too_big_for_memory_streams_the_same_batches(tmp_path):
    for k in range(12):
        save(tmp_path / str(k % 2) / f"{k}.png", colour=(k * 20, 0, 0))
    held, streamed = folder(tmp_path, 16), folder(tmp_path, 16, memory_limit=0)
    assert isinstance(held, ImageData) and isinstance(streamed, StreamedImages)
    assert (streamed.classes, streamed.channels, len(streamed)) == (held.classes, held.channels, len(held))
    assert torch.equal(streamed.examples(5), held.examples(5))
    for ours, theirs in zip(
        take(streamed.batches(4, seed=1, start=8), 3), take(held.batches(4, seed=1, start=8), 3), strict=True
    ):
        assert torch.equal(ours.images, theirs.images) and torch.equal(ours.labels, theirs.labels)


def test_workers_start_with_the_first_batch(tmp_path):
    for k in range(4):
        save(tmp_path / f"{k}.png")
    data = folder(tmp_path, 16, memory_limit=0)
    with pytest.raises(UsageError, match="fewer than one batch of 8"):
        data.batches(8, seed=0, start=0)
    batches = data.batches(2, seed=0, start=0)
    assert not multiprocessing.active_children()
    next(batches)
    assert len(multiprocessing.active_children()) == data.workers


# -------------------------------------------------------------------------------------------------------------- zips


def make_zip(path, names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"content")
    return path


def test_a_zip_gives_its_pictures_and_nothing_else(tmp_path):
    names = ["a/1.png", "b/2.JPG", "run.py", "a/notes.txt", "__MACOSX/1.png", ".hidden/3.png"]
    assert unpack(make_zip(tmp_path / "x.zip", names), tmp_path / "out") == 2
    found = sorted(str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*") if p.is_file())
    assert found == ["a/1.png", "b/2.JPG"]


@pytest.mark.parametrize("name", ["../evil.png", "/etc/evil.png", "a/../../evil.png", "..\\evil.png", "C:/evil.png"])
def test_a_zip_with_a_path_outside_itself_is_refused_whole(tmp_path, name):
    with pytest.raises(UsageError, match="names a path outside itself"):
        unpack(make_zip(tmp_path / "x.zip", ["fine.png", name]), tmp_path / "in" / "out")
    assert not (tmp_path / "in").exists() and not list(tmp_path.rglob("*.png"))


def test_a_zip_that_is_none_or_holds_none_or_too_much(tmp_path, monkeypatch):
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(UsageError, match="cannot be unpacked as a zip"):
        unpack(tmp_path / "text.zip", tmp_path / "out")
    with pytest.raises(UsageError, match="holds no pictures"):
        unpack(make_zip(tmp_path / "x.zip", ["a.txt"]), tmp_path / "out")
    monkeypatch.setattr("gan_core.data.archive.MAX_BYTES", 10)
    with pytest.raises(UsageError, match="unpacks to 2 pictures"):
        unpack(make_zip(tmp_path / "y.zip", ["1.png", "2.png"]), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def refused(content, tmp_path, match):
    """Asserts that a zip's bytes are refused in one sentence, with nothing left behind."""
    before = set(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match=match) as error:
        unpack(io.BytesIO(content), tmp_path / "out")
    assert str(error.value).endswith(".") and "\n" not in str(error.value) and len(str(error.value)) < 200
    assert set(tmp_path.rglob("*")) == before


METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def compressed(method):
    """A zip of two pictures' worth of noise, and where the second's data begins."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name in ("1.png", "2.png"):
            archive.writestr(name, np.random.default_rng(0).integers(0, 64, 20_000, dtype=np.uint8).tobytes())
        start = archive.getinfo("2.png").header_offset + 30 + len("2.png")  # the fixed part of a header, and the name
    return bytearray(buffer.getvalue()), start


@pytest.mark.parametrize("method", METHODS)
def test_a_damaged_zip_is_one_sentence(tmp_path, method):
    whole, start = compressed(method)
    assert unpack(io.BytesIO(whole), tmp_path / "whole") == 2
    for offset in (0, 4, 9, 100, 9000):
        broken = whole.copy()
        broken[start + offset : start + offset + 50] = b"\xff" * 50
        refused(broken, tmp_path, "unpacked")
    refused(whole[:-1000], tmp_path, "File is not a zip file")


def test_a_zip_whose_data_ends_early_is_one_sentence(tmp_path):
    cut, _ = compressed(zipfile.ZIP_STORED)
    sizes = cut.rindex(b"PK\x01\x02") + 20  # compressed and not, as the directory claims them
    cut[sizes : sizes + 8] = 2 * (10**6).to_bytes(4, "little")
    refused(cut, tmp_path, "it ends too early")


def test_a_zip_whose_directory_is_elsewhere_is_one_sentence(tmp_path):
    moved, _ = compressed(zipfile.ZIP_DEFLATED)
    offset = moved.rindex(b"PK\x05\x06") + 16
    moved[offset : offset + 4] = (10**6).to_bytes(4, "little")
    refused(moved, tmp_path, "cannot be unpacked as a zip")


def test_folders_nested_too_deeply_in_a_zip_are_one_sentence(tmp_path):
    refused(make_zip(tmp_path / "x.zip", ["a/" * 1900 + "1.png"]).read_bytes(), tmp_path, "cannot be unpacked")


def test_an_encrypted_zip_is_one_sentence(tmp_path):
    locked, _ = compressed(zipfile.ZIP_DEFLATED)
    locked[locked.rindex(b"PK\x03\x04") + 6] |= 1
    locked[locked.rindex(b"PK\x01\x02") + 8] |= 1
    refused(locked, tmp_path, "The zip is encrypted")


@pytest.mark.parametrize("names", [["a.png", "a.png/b.png"], ["a.png/b.png", "a.png"], [f"{'x' * 300}.png"]])
def test_a_zip_with_names_that_cannot_be_written_is_one_sentence(tmp_path, names):
    refused(make_zip(tmp_path / "x.zip", names).read_bytes(), tmp_path, "The zip cannot be unpacked")


def test_odd_names_in_a_zip(tmp_path):
    assert unpack(make_zip(tmp_path / "x.zip", [".", "/", "./1.png", "a//2.png"]), tmp_path / "out") == 2
    assert (tmp_path / "out" / "1.png").exists() and (tmp_path / "out" / "a" / "2.png").exists()


def test_to_unit_range_ends():
    assert to_unit_range(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1.0, 1.0]
