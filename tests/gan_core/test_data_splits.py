"""Data: what a folder holds out is decided by content, and never trained on."""

import hashlib
import shutil

import pytest
import torch
from PIL import Image

from gan_core.data import load_data
from gan_core.data.folder import folder, scan
from gan_core.errors import UsageError


def paint(path, number):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), (number % 256, number // 256, 50)).save(path)


@pytest.fixture
def two_hundred(tmp_path):
    for k in range(200):
        paint(tmp_path / "pictures" / ("cats" if k % 2 else "dogs") / f"{k:03d}.png", k)
    return tmp_path / "pictures"


def contents(data):
    return {data.pictures(torch.tensor([row])).numpy().tobytes() for row in range(len(data))}


def test_about_one_picture_in_ten_is_held_out_and_the_others_are_trained_on(two_hundred):
    train, test = load_data(str(two_hundred)), load_data(str(two_hundred), split="test")
    assert len(train) + len(test) == 200 and 8 <= len(test) <= 35
    assert not contents(train) & contents(test)
    assert train.classes == test.classes == ("cats", "dogs")
    assert set(test.labels.tolist()) == {0, 1} and test.fingerprint != train.fingerprint


def test_held_out_is_what_the_hash_of_the_file_says(two_hundred):
    listing = scan(two_hundred)
    for file, split in zip(listing.files, listing.splits, strict=True):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert split == ("test" if int(digest, 16) % 10 == 0 else "train")


def test_names_do_not_matter_and_equal_files_stay_together(two_hundred, tmp_path):
    before = contents(folder(two_hundred, split="test"))
    for k, file in enumerate(sorted(two_hundred.rglob("*.png"))):
        shutil.copy(file, two_hundred / "cats" / f"copy-{k}.png")
        file.rename(two_hundred / "dogs" / f"renamed-{199 - k}.png")
    test = folder(two_hundred, split="test")
    assert contents(test) == before and len(test) == 2 * len(before)


def test_sub_folders_train_and_test_are_the_splits(tmp_path):
    for k in range(6):
        paint(tmp_path / "outer" / ("test" if k == 5 else "train") / ("cats" if k % 2 else "dogs") / f"{k}.png", k)
    train, test = folder(tmp_path), folder(tmp_path, split="test")  # also inside another folder, as in a zip
    assert (len(train), len(test)) == (5, 1) and train.classes == test.classes == ("cats", "dogs")
    assert train.labels.tolist() == [0, 0, 1, 1, 1] and test.labels.tolist() == [0]


def test_flat_sub_folders_train_and_test_are_no_classes(tmp_path):
    paint(tmp_path / "train" / "a.png", 1)
    paint(tmp_path / "test" / "b.png", 2)
    assert folder(tmp_path).classes is None and folder(tmp_path).labels is None


@pytest.mark.parametrize("more", ["valid/c.png", "c.png"])
def test_with_anything_else_beside_them_train_and_test_are_no_splits(tmp_path, more):
    for name in ("train/a.png", "test/b.png", more):
        paint(tmp_path / name, len(name))
    assert not scan(tmp_path).own_splits


def test_a_split_without_pictures_is_one_sentence(tmp_path, monkeypatch):
    paint(tmp_path / "a.png", 1)
    monkeypatch.setattr("gan_core.data.folder.HELD_OUT", 2**300)
    with pytest.raises(UsageError, match="has no pictures for the test split, all 1 fall into the other; add pictures"):
        load_data(str(tmp_path), split="test")
    monkeypatch.setattr("gan_core.data.folder.HELD_OUT", 1)
    with pytest.raises(UsageError, match="has no pictures for the train split"):
        load_data(str(tmp_path))


def test_the_fingerprint_of_a_streamed_folder_follows_size_and_content(two_hundred):
    def streamed(size=8, split="train"):
        return folder(two_hundred, size, split=split, memory_limit=0).fingerprint

    first = streamed()
    assert first == streamed() and len({first, streamed(16), streamed(split="test")}) == 3
    paint(two_hundred / "cats" / "001.png", 999)
    paint(two_hundred / "cats" / "003.png", 998)
    assert streamed() != first
