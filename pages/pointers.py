"""Links from a text to the experiment that shows what it says."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from gan_core.library import is_of
from gan_core.noise import NoiseRecipe

ICONS = {
    "playground.py": ":material/palette:", "learn.py": ":material/school:", "train.py": ":material/model_training:",
    "evaluate.py": ":material/straighten:", "models.py": ":material/deployed_code:",
    "datasets.py": ":material/photo_library:",
}  # fmt: skip


def in_playground(model: str) -> dict[str, str]:
    """The query that opens the playground with a model, on the tab that is for it."""
    return {"model" if is_of(model, NoiseRecipe) else "translate": model}


class Pointer(NamedTuple):
    """A page in a certain state: its file, what the link says, and the query that sets the state."""

    page: str
    label: str
    query: dict[str, str]


def point(*pointers: Pointer) -> None:
    """Draws links beside each other."""
    with st.container(horizontal=True):
        for page, label, query in pointers:
            st.page_link(page, label=label, icon=ICONS[page], query_params=query)
