"""What there is to learn from: every data set with its licence, and a look for what is wrong with one's own."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from gan_core import UsageError, runs
from gan_core.card import plain
from gan_core.data import DATASETS, list_datasets, load_data
from gan_core.data.doctor import examine
from gan_core.data.registry import DatasetEntry
from pages import findings
from pages.glance import Glance, glance, prepare, sketch
from pages.plots import scatter
from pages.uploads import choose_zip

CARDS_PER_ROW = 2
POINTS = 2000
MOST_NAMES = 12  # of classes that are listed
USE = """from gan_core.data import load_data

train = load_data("{name}")
test = load_data("{name}", split="test")"""

PUBLIC = (
    "Downloading, drawing and examining are off on a public Space: anyone could use its processor. "
    "Run the playground on your own machine for them."
)


@st.cache_data(show_spinner=False)
def points(name: str) -> pd.DataFrame:
    """Points of a set, to be drawn."""
    return pd.DataFrame(load_data(name).examples(POINTS).flatten(1).numpy(), columns=["x", "y"])


def card(name: str, entry: DatasetEntry, off: bool) -> None:
    """What a data set of pictures looks like, what it holds, and how to get it."""
    known = glance(name)
    strip = known[1] if known else sketch(name)
    if strip:
        st.image(strip, width="stretch", alt=f"Some pictures of {name}")
    about(name, entry)
    badges(entry, known[0] if known else None)
    if not known:
        offer(name, entry, off)
    with st.expander("How to load it", icon=":material/code:"):
        st.code(USE.format(name=name))
        st.code(f"python train.py dcgan --dataset {name}", language="sh")
    if known:
        examine_on_demand(name, off)


def card_of_points(name: str, entry: DatasetEntry) -> None:
    """Points of the plane, and what they are for."""
    left, right = st.columns(2)
    with left:
        st.altair_chart(scatter(points(name)), width="stretch", alt=f"{POINTS:,} points of {name}")
    with right:
        about(name, entry)
        badges(entry, None)
        st.caption("For comparing objectives: how many of the modes does each find?")
        st.code("python -m benchmarks coverage", language="sh", wrap_lines=True)


def about(name: str, entry: DatasetEntry) -> None:
    """Name, content, and under whose terms."""
    st.markdown(f"**{name}**")
    st.caption(entry.help)
    st.caption(f":material/copyright: {entry.licence}.")


def badges(entry: DatasetEntry, figures: Glance | None) -> None:
    """The figures of a data set in a row, and the names that are few enough to read."""
    with st.container(horizontal=True, gap="small"):
        for split, count in entry.counts.items():
            st.badge(f"{count:,} {split}", color="blue")
        if figures:
            colour = "grey" if figures.channels == 1 else "colour"
            st.badge(f"{figures.image_size}x{figures.image_size} {colour}", color="gray")
            if figures.classes:
                st.badge(f"{len(figures.classes):,} classes", color="green")
            if figures.attributes:
                st.badge(f"{len(figures.attributes)} attributes", color="violet")
    if figures and figures.classes and len(figures.classes) <= MOST_NAMES:
        st.caption(f"Classes: {', '.join(figures.classes)}.")
    if figures and figures.attributes:
        st.caption(f"Known of each: {', '.join(figures.attributes)}.")


def offer(name: str, entry: DatasetEntry, off: bool) -> None:
    """The button that draws or downloads a data set; opening the page does neither."""
    if entry.embedded:
        st.caption(f"These few were drawn just now; drawing all takes about {entry.wait}, once.")
        label, icon, text = "Prepare", ":material/brush:", "Drawing ..."
    else:
        label, icon, text = "Download", ":material/download:", "Downloading ..."
    if st.button(label, key=f"prepare-{name}", icon=icon, disabled=off):
        try:
            with st.spinner(text, show_time=True):
                prepare(name)
        except UsageError as error:
            st.error(plain(error))
        else:
            st.rerun()


def examine_on_demand(name: str, off: bool) -> None:
    """What the doctor finds in a data set, once somebody asks."""
    with st.expander("Examine", icon=":material/stethoscope:", key=f"examine-{name}", on_change="rerun") as opened:
        if opened.open and not off:
            with st.spinner("Looking at every picture ...", show_time=True):
                found = findings.known(name)
            findings.show(found)
        elif opened.open:
            st.caption(PUBLIC)


def own_pictures(off: bool) -> None:
    """The doctor's findings on a person's own pictures."""
    st.caption("Before you train: how many there are, of which sizes, which are doubles, and which cannot be read.")
    where = None
    if off or st.segmented_control("Where", ["zip", "folder"], default="zip", key="where") != "folder":
        where = choose_zip(off)
    elif path := st.text_input("Folder", key="folder", placeholder="/home/me/pictures"):
        where = path
    if where is None:
        return
    try:
        with st.spinner("Looking at every picture ...", show_time=True):
            found = examine(str(where))
    except UsageError as error:
        st.error(plain(error))
        return
    findings.show(found)


st.title("Datasets")
off = runs.is_public() is not None
if off:
    st.info(PUBLIC, icon=":material/lock:")
known_tab, own_tab = st.tabs(["Data sets", "Your own pictures"])
with known_tab:
    names = list_datasets()
    for start in range(0, len(names), CARDS_PER_ROW):
        row = names[start : start + CARDS_PER_ROW]
        for column, name in zip(st.columns(CARDS_PER_ROW, gap="medium"), row, strict=False):
            with column, st.container(border=True, height="stretch"):
                if DATASETS[name].kind == "points":
                    card_of_points(name, DATASETS[name])
                else:
                    card(name, DATASETS[name], off)
with own_tab:
    own_pictures(off)
