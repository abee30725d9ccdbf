"""Questions that interviews ask about GANs, answered briefly, each with the experiment that shows the answer."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.cards import with_links
from pages.pointers import Pointer, point

ANSWERS = Path(__file__).with_name("lessons") / "questions"  # a file each: the question, then the answer
NO_NORM = {"recipe": "gan", "batch_norm": "false"}
SHOWN_BY: dict[str, tuple[Pointer, ...]] = {
    "gan": (
        Pointer("playground.py", "Draw pictures from a seed", {"model": "weights/dcgan-digits"}),
        Pointer("train.py", "Watch the two play", {"recipe": "gan", "steps": "2000"}),
    ),
    "networks": (
        Pointer("models.py", "Their layers, one above the other", {"show": "Recipes"}),
        Pointer("playground.py", "Pictures of the one, verdicts of the other", {"model": "weights/gan-digits"}),
    ),
    "captions": (
        Pointer("train.py", "Train one that is told the class", {"recipe": "cgan"}),
        Pointer("train.py", "And one whose critic matches class and picture", {"recipe": "cgan", "projection": "true"}),
    ),
    "collapse": (
        Pointer("train.py", "Make one collapse", NO_NORM),
        Pointer("train.py", "The same game with R1", NO_NORM | {"r1": "1.0"}),
        Pointer("train.py", "And in packs of two", NO_NORM | {"pack": "2"}),
    ),
    "training": (
        Pointer("train.py", "The saturating form, failing", NO_NORM | {"saturating": "true"}),
        Pointer("train.py", "A loss that converges", {"recipe": "r3gan"}),
        Pointer("models.py", "What each paper changed", {"show": "Differences"}),
    ),
    "evaluation": (
        Pointer("evaluate.py", "Compare the models in the box", {}),
        Pointer("playground.py", "Sixty-four pictures, unselected", {"images": "64"}),
    ),
}


def show_questions() -> None:
    """Each question as a card that opens."""
    for name, pointers in SHOWN_BY.items():
        question, _, answer = (ANSWERS / f"{name}.md").read_text(encoding="utf-8").partition("\n\n")
        with st.expander(question):
            st.markdown(with_links(answer))
            point(*pointers)
