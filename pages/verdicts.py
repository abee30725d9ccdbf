"""A trained discriminator at work: what it says of its generator's pictures, and of real ones."""

from __future__ import annotations

from typing import NamedTuple

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
import torch
from PIL import Image
from torch import Tensor

from gan_core import Model, UsageError
from gan_core.data import load_data
from gan_core.library import find, load, local_models
from gan_core.model_folder import read_config
from gan_core.pictures import grid
from pages.curves import PALETTE
from pages.plots import REAL_COLOUR

PICTURES, SHOWN, BINS, SIDE = 256, 12, 20, 64
DATA, FAVOURITE = "digits", "weights/gan-digits"


class Verdicts(NamedTuple):
    """Probabilities of being real, of generated and of held-out pictures; the generated ones by them, lowest first."""

    fake: Tensor
    real: Tensor
    ranked: Image.Image


@st.cache_data(show_spinner=False)
def judges(names: tuple[str, ...]) -> list[str]:
    """Those of the models whose discriminator has a verdict on single digits."""
    found = []
    for name in names:
        try:
            model = load(name)
        except UsageError:
            continue
        if model.has_verdict and model.classes is None and model.training.get("dataset") == DATA:
            found.append(name)
    return sorted(found, key=lambda name: name != FAVOURITE)


@st.cache_data(show_spinner=False, max_entries=20)
def verdicts(name: str, sha256: str) -> Verdicts:
    """What the discriminator of a model says of its first pictures; with other weights, the answer is another."""
    model = load(name)
    drawn = model.sample(PICTURES)
    held_out = load_data(DATA, model.image_size, model.channels, split="test").examples(PICTURES)
    fake, real = model.verdict(drawn), model.verdict(held_out)
    places = torch.linspace(0, PICTURES - 1, SHOWN).long()
    return Verdicts(fake, real, grid(drawn[fake.argsort()[places]], columns=SHOWN, scale=enlarged(model)))


def enlarged(model: Model) -> int:
    """The factor that makes its pictures large enough to look at."""
    return max(1, SIDE // model.image_size)


def shares(found: Verdicts) -> pd.DataFrame:
    """Columns `of`, `verdict`, `share`: two histograms."""
    tables = []
    for of, values in (("generated", found.fake), ("real, held out", found.real)):
        counts, edges = np.histogram(values.numpy(), BINS, (0, 1))
        tables.append(pd.DataFrame({"of": of, "verdict": edges[:-1], "end": edges[1:], "share": counts / len(values)}))
    return pd.concat(tables)


def histogram(table: pd.DataFrame) -> alt.Chart:
    """Both histograms over each other."""
    colour = alt.Scale(domain=["generated", "real, held out"], range=[PALETTE[0], REAL_COLOUR])
    unit = alt.Scale(domain=(0, 1))
    return (
        alt.Chart(table, height=260)
        .mark_bar(opacity=0.6, binSpacing=1)
        .encode(
            x=alt.X("verdict:Q", title="D(x), the probability of being real", bin="binned", scale=unit),
            x2="end:Q",
            y=alt.Y("share:Q", title=None, stack=None, axis=alt.Axis(format="%", tickCount=4)),
            color=alt.Color("of:N", title=None, scale=colour, legend=alt.Legend(orient="top")),
            tooltip=["of:N", alt.Tooltip("share:Q", format=".1%")],
        )
    )


@st.fragment
def show_verdicts() -> None:
    """The verdicts of a model to choose; nothing where no model has one."""
    names = judges(tuple(name for name in local_models() if name.startswith("weights/")))
    if not names:
        return
    name = st.selectbox("Model", names, key="judge", width=260)
    found = verdicts(name, read_config(find(name))["sha256"])
    st.image(found.ranked, width="stretch", alt=f"Pictures of {name}, the least believed first")
    st.caption(
        f"{SHOWN} of {PICTURES} generated digits, from the one that D believes least ({found.fake.min():.0%}) to the "
        f"one that it believes most ({found.fake.max():.0%})."
    )
    st.altair_chart(histogram(shares(found)), width="stretch", alt="What D says of generated and of real pictures")
