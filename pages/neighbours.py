"""Samples beside the training images that they are nearest to."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import streamlit as st
import torch
from PIL import Image

from gan_core.data.images import to_unit_range
from gan_core.evaluate import samples
from gan_core.extractors import extractor_for, load_extractor
from gan_core.library import load
from gan_core.metrics.nearest import nearest
from gan_core.metrics.reference import see, seen_real
from gan_core.pictures import grid
from gan_core.reals import real_images, refuse_makers_folder

DRAWN, SHOWN, SIDE = 500, 10, 64


class Pairs(NamedTuple):
    """A sheet, samples above and training images below; their distances; the median one of held-out images."""

    sheet: Image.Image
    distances: list[float]
    usual: float


@st.cache_data(show_spinner=False, max_entries=20)
def nearest_pairs(folder: Path, sha256: str) -> Pairs:
    """The samples of seed 0 that lie nearest to a training image, which are the ones to be suspicious of.

    Args:
        folder: Of the model.
        sha256: Of its weights: with others, the answer is another.

    Raises:
        UsageError: See `gan_core.evaluate.evaluate`.
    """
    model = load(folder)
    refuse_makers_folder(model, folder)
    real, held_out = real_images(model, None, "train"), real_images(model, None, "test")
    extractor = load_extractor(extractor_for(real))
    training = seen_real(real, extractor, ignore).features
    drawn = torch.cat(list(samples(model, DRAWN, 0, ignore)))
    found = nearest(see(extractor, [drawn]).features, training)
    closest = found.distance.argsort()[:SHOWN]
    pairs = torch.cat([drawn[closest], real.pictures(found.index[closest])])
    return Pairs(
        grid(to_unit_range(pairs), columns=SHOWN, scale=max(1, SIDE // model.image_size)),
        found.distance[closest].tolist(),
        float(nearest(seen_real(held_out, extractor, ignore).features, training).distance.median()),
    )


def ignore(done: float, text: str) -> None:
    """Progress that nobody watches: it takes seconds."""
