"""Data: a zip of pictures, from a person who may not mean well."""

import io
import zipfile

import numpy as np
import pytest

from gan_core.data.archive import unpack
from gan_core.errors import UsageError


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
    refused(cut, tmp_path, "it ends too early|Overlapped entries")  # older and newer patches of Python


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
