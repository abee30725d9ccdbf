"""The data set doctor: what it finds in folders made for it, and what the command line says of it."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from gan_core.cli import main
from gan_core.data import DATASETS
from gan_core.data.doctor import equals, examine
from gan_core.data.findings import Spread
from gan_core.data.folder import folder
from gan_core.errors import UsageError


@pytest.fixture(autouse=True)
def nothing_held_out(monkeypatch):
    monkeypatch.setattr("gan_core.data.folder.HELD_OUT", 2**300)


def noise(seed, width=32, height=32):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def save(image, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


@pytest.fixture
def mess(tmp_path):
    """25 cats, of which one is there three times, 5 dogs in odd shapes and modes, and a broken file."""
    home = tmp_path / "mess"
    for k in range(22):
        save(noise(k), home / "cats" / f"{k:02d}.png")
    for name in ("copy.bmp", "copy.tif", "same.png"):
        save(noise(0), home / "cats" / name)
    save(noise(100, 90, 40), home / "dogs" / "wide.png")
    save(noise(101, 10, 30), home / "dogs" / "small.png")
    save(noise(102).convert("L"), home / "dogs" / "grey.png")
    save(noise(103).convert("RGBA"), home / "dogs" / "clear.png")
    Image.fromarray(np.full((32, 32), 40_000, dtype=np.uint16)).save(home / "dogs" / "deep.png")
    (home / "dogs" / "broken.jpg").write_bytes(b"no picture")
    return home


def test_a_folder_is_counted_measured_and_compared(mess):
    found = examine(str(mess), image_size=16)
    assert found.counts == {"train": 30, "test": 0}
    assert found.classes == {"cats": {"train": 25, "test": 0}, "dogs": {"train": 5, "test": 0}}
    assert (found.widths, found.heights) == (Spread(10, 32, 90), Spread(30, 32, 40))
    assert found.modes == {"RGB": 27, "L": 1, "RGBA": 1, "I;16": 1}
    assert (found.oblong, found.small, found.transparent) == (2, 1, 1)
    assert found.duplicates == (("cats/00.png", "cats/copy.bmp", "cats/copy.tif", "cats/same.png"),)
    assert not found.leaks
    assert list(found.unreadable) == ["dogs/broken.jpg"] and "cannot be read" in found.unreadable["dogs/broken.jpg"]
    assert (found.image_size, found.channels, found.streamed, found.own_splits) == (16, 3, False, False)
    assert torch.equal(found.examples, folder(mess, 16).examples(30))


def test_what_becomes_of_a_folder_and_what_is_wrong_is_said(mess):
    found = examine(str(mess), image_size=16)
    notes = " ".join(found.notes)
    for words in (
        "About one picture in ten",
        "Every picture becomes 16x16 pixels, in colour.",
        "2 pictures are not square",
        "1 picture is smaller than 16 pixels",
        "2 pictures are grey among coloured ones",
        "1 picture is made to be transparent",
    ):
        assert words in notes
    assert found.warnings == [
        "1 of 31 files cannot be read: they are skipped.",
        "1 picture is there more than once in a split.",
        "The test split has no pictures: add some, or sort them into folders train and test.",
    ]


def test_pictures_in_both_splits_are_found_whatever_their_format(tmp_path):
    for k in range(4):
        save(noise(k), tmp_path / "train" / "cats" / f"{k}.png")
    save(noise(2), tmp_path / "test" / "cats" / "2.bmp")
    save(noise(9), tmp_path / "test" / "dogs" / "9.png")
    found = examine(str(tmp_path))
    assert found.own_splits and found.counts == {"train": 4, "test": 2}
    assert found.leaks == found.duplicates == (("test/cats/2.bmp", "train/cats/2.png"),)
    assert found.warnings == [
        "1 picture is in both splits: measures would take learning by heart for skill. Remove one of each.",
        "The train split has no pictures of dogs.",
    ]


def test_equal_digests_are_one_group():
    digests = {"a": ("train", "1"), "b": ("test", "2"), "c": ("train", "2"), "d": ("train", "1"), "e": ("test", "3")}
    assert equals(digests) == ((("a", "d"), ("b", "c")), (("b", "c"),))


def test_a_picture_that_is_turned_by_its_exif_equals_the_turned_one(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    save(noise(1, 20, 10), tmp_path / "upright.png")
    noise(1, 20, 10).rotate(90, expand=True).save(tmp_path / "turned.png", exif=exif)
    assert examine(str(tmp_path)).duplicates == (("turned.png", "upright.png"),)


def test_too_many_unreadable_files_are_told_not_raised_and_none_readable_is_one_sentence(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(UsageError, match=r"1 of 1 pictures in .* cannot be read: a\.png"):
        examine(str(tmp_path))
    save(noise(1), tmp_path / "b.png")
    assert examine(str(tmp_path)).warnings[0] == (
        "1 of 2 files cannot be read: too many, training refuses this folder until they are gone."
    )
    with pytest.raises(UsageError, match="1 of 2 pictures"):
        folder(tmp_path)


def test_digits_are_healthy():
    found = examine("digits")
    assert found.counts == {"train": 4000, "test": 1000} and found.classes["7"] == {"train": 400, "test": 100}
    assert not found.duplicates and not found.warnings and not found.notes and found.examples.shape == (64, 1, 32, 32)


def test_points_are_no_pictures():
    found = examine("ring")
    assert found.kind == "points" and found.counts == DATASETS["ring"].counts
    assert found.notes == ["Points of the plane, not pictures: `python -m benchmarks coverage` trains on them."]


# ------------------------------------------------------------------------------------------------------ command line


def run(capsys, *words):
    main(["data", *map(str, words)])
    return capsys.readouterr().out


def refused(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main(["data", *map(str, words)])
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_all_data_sets_are_listed_without_loading_any(capsys, monkeypatch):
    monkeypatch.setattr("gan_core.data.registry.load_data", None)
    lines = run(capsys).splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(DATASETS)
    assert "4,000" in lines[1] and "1,000" in lines[1] and "CC BY-SA 3.0" in lines[1]


def test_a_folder_is_told_and_written_down(mess, tmp_path, capsys):
    out = run(
        capsys, mess, "--image_size", 16, "--sheet", tmp_path / "new" / "s.png", "--json", tmp_path / "new" / "s.json"
    )
    for words in (
        "30 pictures, 30 to train on and 0 to test on",
        "10 to 90, median 32",
        "RGB 27",
        "cats   25     0",
        "broken.jpg cannot be read as a picture",
        "cats/00.png = cats/copy.bmp",
    ):
        assert words in out
    with Image.open(tmp_path / "new" / "s.png") as sheet:
        assert sheet.size == (6 * 17 - 1, 5 * 17 - 1)
    report = json.loads((tmp_path / "new" / "s.json").read_text())
    assert report["counts"] == {"train": 30, "test": 0} and report["widths"] == {"low": 10, "median": 32, "high": 90}
    assert "examples" not in report and len(report["warnings"]) == 3


def test_what_does_not_fit_is_one_sentence(tmp_path, capsys):
    assert "nowhere is neither a data set nor a folder" in refused(capsys, "nowhere")
    assert "~nobody-here is neither a data set nor a folder" in refused(capsys, "~nobody-here")
    assert "image_size is -3; it must be above 0" in refused(capsys, "digits", "--image_size", "-3")
    assert f"{tmp_path} cannot be written" in refused(capsys, "digits", "--json", tmp_path)
    assert "holds no pictures" in refused(capsys, tmp_path)
    assert "--sheet is s.jpg; it takes a .png" in refused(capsys, "digits", "--sheet", "s.jpg")
    assert "ring holds points, of which there is no contact sheet" in refused(capsys, "ring", "--sheet", "s.png")
    assert "need a data set's name or a folder" in refused(capsys, "--json", "x.json")
