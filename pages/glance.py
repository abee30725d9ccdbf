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
from gan_core.data import DATASETS, load_data
from gan_core.data.cache import cache_folder
from gan_core.data.channels import with_channels
from gan_core.data.images import ImageData, Images, to_unit_range
from gan_core.pictures import grid

VERSION = 1  # of what is kept in the cache: one more when its form or a data set's look changes
EXAMPLES, SIDE = 24, 64  # images of a strip, and pixels of each at least
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
        if DATASETS[name].wait or not DATASETS[name].embedded:
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
            strip_of(shown_of(images)).save(file, format="PNG")
        with replacing(home / f"{name}-{VERSION}.json") as file:  # last: where it is, all is
            file.write(json.dumps(asdict(found)).encode())


@st.cache_data(show_spinner=False)
def sketch(name: str) -> Image.Image | None:
    """A strip of a set that is drawn on first use, of which only these few images are drawn."""
    few = DATASETS[name].few
    return strip_of(shown_of(few(EXAMPLES))) if few else None


def shown_of(images: Images) -> Tensor:
    """Some images, [EXAMPLES, C, H, W] in [-1, 1]; where there are inputs to translate, these come first."""
    if not isinstance(images, ImageData) or images.inputs is None:
        return images.examples(EXAMPLES)
    rows = torch.linspace(0, len(images.inputs) - 1, EXAMPLES // 2).long()
    inputs = with_channels(images.inputs[rows], images.channels)
    return torch.cat([to_unit_range(inputs), images.examples(EXAMPLES // 2)])


def strip_of(images: Tensor) -> Image.Image:
    """Images [N, C, H, W] in [-1, 1] in two rows."""
    return grid(images, columns=len(images) // 2, scale=max(1, SIDE // images.shape[-1]))
