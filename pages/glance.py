"""A data set at a glance: a strip of its images and its figures, kept on disk so that no page loads it for them."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass

import streamlit as st
import torch
from PIL import Image
from torch import Tensor

from gan_core.atomic import replacing
from gan_core.data import DATASETS, faces, load_data, openmoji
from gan_core.data.cache import cache_folder
from gan_core.data.images import ImageData, to_unit_range
from gan_core.data.vector import rasterise_all
from gan_core.pictures import grid

VERSION = 1  # of what is kept in the cache: one more when its form or a data set's look changes
EXAMPLES, SIDE = 24, 64  # images of a strip, and pixels of each at least
SLOW = {"openmoji": "half a minute", "faces": "two minutes"}  # what drawing all of them takes on first use
MOJI = (
    "1F600", "1F431", "1F98B", "1F335", "1F34E", "1F355", "1F682", "1F6B2", "1F3E0", "1F30B", "26BD", "1F3B8",
    "1F4A1", "1F511", "1F4DA", "2764", "2B50", "1F680", "1F9E6", "1F3A9", "1F916", "1F47B", "1F419", "1F344",
)  # fmt: skip
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Glance:
    """Figures of a data set.

    Attributes:
        image_size: Side in pixels.
        channels: 1 or 3.
        classes: Class names, or None.
        attributes: What else is known of every image.
    """

    image_size: int
    channels: int
    classes: list[str] | None
    attributes: list[str]


def glance(name: str) -> tuple[Glance, bytes] | None:
    """Figures and strip (a PNG) of a data set of pictures; None while that would take long, or a download."""
    home = cache_folder() / "glances"
    figures, strip = home / f"{name}-{VERSION}.json", home / f"{name}-{VERSION}.png"
    if not figures.exists():
        if name in SLOW or not DATASETS[name].embedded:
            return None
        prepare(name)
    return Glance(**json.loads(figures.read_text(encoding="utf-8"))), strip.read_bytes()


def prepare(name: str) -> None:
    """Draws or downloads a data set, for pages and training alike.

    Raises:
        UsageError: It cannot be downloaded.
    """
    home = cache_folder() / "glances"
    home.mkdir(exist_ok=True)
    with _ONE_AT_A_TIME:
        if (home / f"{name}-{VERSION}.json").exists():
            return  # while this session waited, another has done it
        load_data(name, split="test")
        images = load_data(name)
        found = Glance(
            image_size=images.image_size,
            channels=images.channels,
            classes=None if images.classes is None else list(images.classes),
            attributes=list(images.attributes) if isinstance(images, ImageData) else [],
        )
        with replacing(home / f"{name}-{VERSION}.png") as file:
            strip_of(images.examples(EXAMPLES)).save(file, format="PNG")
        with replacing(home / f"{name}-{VERSION}.json") as file:  # last: where it is, all is
            file.write(json.dumps(asdict(found)).encode())


@st.cache_data(show_spinner=False)
def sketch(name: str) -> Image.Image | None:
    """A strip of a set that is drawn on first use, of which only these few images are drawn."""
    if name == "faces":
        seeds = range(EXAMPLES)
        drawn = rasterise_all((faces.drawing(faces.choose(seed)) for seed in seeds), EXAMPLES, SIDE, "drawing")
    elif name == "openmoji":
        drawn = openmoji.draw(list(MOJI), SIDE)
    else:
        return None
    return strip_of(to_unit_range(torch.from_numpy(drawn)))


def strip_of(images: Tensor) -> Image.Image:
    """Images [N, C, H, W] in [-1, 1] in two rows."""
    return grid(images, columns=len(images) // 2, scale=max(1, SIDE // images.shape[-1]))
