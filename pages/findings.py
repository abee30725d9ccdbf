"""What the doctor finds in a data set, on a page."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from gan_core.card import plain
from gan_core.data.doctor import examine
from gan_core.data.findings import Findings, Spread
from gan_core.pictures import grid

COLUMNS, SIDE = 16, 64  # of the contact sheet: pictures in a row, and pixels of each at least
MOST = 50  # lines of a list

known = st.cache_data(examine, show_spinner=False, max_entries=20)  # of registered sets, which do not change


def show(found: Findings) -> None:
    """Counts, a contact sheet, what becomes of the pictures, and what is wrong with them."""
    total, wrong = sum(found.counts.values()), found.warnings
    with st.container(horizontal=True):
        for split, count in found.counts.items():
            st.metric(split, f"{count:,}", width=110)
        st.metric("size", f"{found.image_size}x{found.image_size}", width=110)
        st.metric("doubles", f"{len(found.duplicates):,}", width=110)
        st.metric("unreadable", f"{len(found.unreadable):,}", width=110)
    for sentence in wrong:
        st.warning(plain(sentence))
    if not wrong:
        st.success(f"{total:,} pictures, and nothing is wrong with them.", icon=":material/check_circle:")
    height, width = found.examples.shape[2:]
    sheet = grid(found.examples, COLUMNS * height // width, scale=max(1, SIDE // found.image_size))
    st.image(sheet, width="stretch", alt=f"{len(found.examples)} of them")
    if found.inputs:
        right = "what it becomes" if "train" in found.paired else "other pictures, of the kind that it becomes"
        st.caption(f"Left: what is to be translated. Right: {right}.")
    for sentence in found.notes:
        st.caption(plain(sentence))
    if found.from_folder:
        modes = ", ".join(f"{mode} {count:,}" for mode, count in found.modes.items())
        st.caption(f"As stored: width {of(found.widths)}, height {of(found.heights)}; modes {modes}.")
    if found.classes:
        counts = pd.DataFrame(found.classes.values(), index=pd.Index(found.classes, name="class"))
        st.dataframe(counts, width="stretch", height=min(400, 36 * (len(counts) + 1)))
    names("Unreadable", list(found.unreadable.values()))
    names("In both splits", [" = ".join(group) for group in found.leaks])
    names("More than once", [" = ".join(group) for group in found.duplicates if group not in found.leaks])


def of(pixels: Spread) -> str:
    """A spread for people."""
    if pixels.low == pixels.high:
        return f"{pixels.low:,}"
    return f"{pixels.low:,} to {pixels.high:,} (median {pixels.median:,})"


def names(title: str, lines: list[str]) -> None:
    """A list of files, the first of many; they are people's names of files, so never Markdown."""
    if lines:
        more = [f"and {len(lines) - MOST:,} more"] if len(lines) > MOST else []
        st.markdown(f"**{title}**")
        st.code("\n".join([*lines[:MOST], *more]), language=None, wrap_lines=True)
