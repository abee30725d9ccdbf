"""A person's own pictures, as a zip that is unpacked once."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import streamlit as st
import torch
from PIL import Image

from gan_core import UsageError
from gan_core.card import plain
from gan_core.data.archive import unpack
from gan_core.data.cache import cache_folder
from gan_core.data.folder import refuse_unreadable, scan
from gan_core.data.images import to_unit_range
from gan_core.data.layout import find
from gan_core.data.pairs import PairListing, scan_pairs
from gan_core.data.picture_file import read_image
from pages.glance import EXAMPLES, SIDE, strip_of

HELP = (
    "Flat, or with one folder per class. To be translated from A to B: pairs of equal names in folders A and B, pairs "
    "side by side in train and test, or no pairs at all in trainA and trainB. It stays here."
)


def choose_zip(off: bool) -> Path | None:
    """Draws an upload, and returns the folder of its pictures; None while it is awaited or does not fit."""
    upload = st.file_uploader("Zip of pictures", "zip", key="upload", disabled=off, help=HELP)
    if upload is None:
        st.caption("Any sizes and formats; each is cropped to its centre square. Some hundred pictures are a start.")
        return None
    try:
        folder = unpacked(upload)
        st.image(first_pictures(folder), width="stretch", alt="Some of the uploaded pictures")
    except UsageError as error:
        st.error(plain(error))
        return None
    return folder


def unpacked(upload: st.runtime.uploaded_file_manager.UploadedFile) -> Path:
    """The folder of an uploaded zip's pictures, named after its content: the same zip is unpacked once.

    Raises:
        UsageError: It is not a zip of pictures.
    """
    home = cache_folder() / "uploads"
    home.mkdir(exist_ok=True)
    folder = home / hashlib.file_digest(upload, "sha256").hexdigest()[:16]
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=home) as temporary:  # a folder in place is a complete one
            unpack(upload, Path(temporary, "pictures"))
            try:
                Path(temporary, "pictures").rename(folder)
            except OSError:
                if not folder.is_dir():  # else another session was first, with the same pictures
                    raise
    return folder


@st.cache_data(show_spinner="Looking for classes ...", max_entries=20)
def class_count(folder: Path) -> int:
    """How many classes the pictures in a folder have; 0 where it is flat."""
    return len(scan(folder).classes or ())


@st.cache_data(show_spinner="Looking at the pictures ...", max_entries=20)
def first_pictures(folder: Path) -> Image.Image:
    """A strip of the pictures in a folder, spread evenly over it; those to translate above what they become.

    Raises:
        UsageError: They cannot be read; one that is to be translated lacks its partner.
    """
    if layout := find(folder):
        return first_pairs(scan_pairs(folder, layout))
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    shown, unreadable = [], None
    for file in files[:: max(1, len(files) // EXAMPLES)][:EXAMPLES]:
        try:
            shown.append(to_unit_range(read_image(file, SIDE, 3)))
        except UsageError as error:  # the training skips and names a few unreadable ones
            unreadable = error
    if unreadable and not shown:
        raise unreadable
    return strip_of(torch.stack(shown))


def first_pairs(whole: PairListing) -> Image.Image:
    """A strip of pictures to translate above those that they become."""
    refuse_unreadable(whole.path, whole.unreadable, whole.total)
    count = min(EXAMPLES // 2, len(whole.inputs), len(whole.images))
    rows = [side.read(torch.linspace(0, len(side) - 1, count).int(), SIDE, 3) for side in (whole.inputs, whole.images)]
    return strip_of(to_unit_range(torch.cat(rows)))
