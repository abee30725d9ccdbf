"""How GANs work, from the two networks to what makes them train: text beside figures that are computed on the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from gan_core.library import project_folder
from pages.cards import with_links
from pages.dirac import show_dirac
from pages.family import show_family
from pages.pointers import Pointer, point
from pages.questions import show_questions
from pages.saturation import show_pulls, show_saturation
from pages.verdicts import FAVOURITE, show_verdicts

LESSONS = Path(__file__).with_name("lessons")
WIDTH = 860  # pixels; a line of text that is longer is hard to read
THREE = "weights/gan-digits", "weights/dcgan-digits", "weights/lsgan-digits"
COVERAGE = project_folder() / "docs" / "coverage.png"


def lesson(name: str) -> None:
    """A text of the folder beside this file."""
    st.markdown(with_links((LESSONS / f"{name}.md").read_text(encoding="utf-8")))


def networks() -> None:
    lesson("networks")
    show_verdicts()
    point(Pointer("playground.py", "Draw other pictures, each with its verdict", {"model": FAVOURITE}))


def game() -> None:
    lesson("game")
    show_saturation()
    lesson("other_games")
    show_pulls()
    saturating = {"recipe": "gan", "batch_norm": "false", "saturating": "true"}
    point(
        Pointer("train.py", "Train on the saturating form", saturating),
        Pointer("train.py", "And on least squares", {"recipe": "lsgan"}),
    )


def step() -> None:
    lesson("step")
    point(Pointer("train.py", "Watch a small one train", {"recipe": "gan", "steps": "2000"}))


def unstable() -> None:
    lesson("unstable")
    show_dirac()
    lesson("stable")
    options = {"recipe": "dcgan", "leaky_generator": "true", "upsample": "pixel_shuffle", "downsample": "avg_pool"}
    point(
        Pointer("train.py", "A dcgan with R1", {"recipe": "dcgan", "r1": "1.0", "critic_norm": "none"}),
        Pointer("train.py", "A dcgan that lets gradients pass", options),
    )


def collapse() -> None:
    lesson("collapse")
    if COVERAGE.exists():  # a Space does without the documentation
        with st.container(border=True, key="figure"):
            st.image(COVERAGE, width="stretch", alt="Where the samples of each objective fall, on a ring and on a grid")
            st.caption("Samples of objectives on eight and on twenty-five clusters: missing modes can be counted.")
    st.code("python -m benchmarks coverage --plot modes.png", language="sh")
    lesson("cures")
    point(
        Pointer("train.py", "Make one collapse", {"recipe": "gan", "batch_norm": "false"}),
        Pointer("train.py", "The same game in packs of two", {"recipe": "gan", "batch_norm": "false", "pack": "2"}),
    )


def evaluation() -> None:
    lesson("evaluation")
    point(Pointer("evaluate.py", "Compare models, with floors", {}))


def family() -> None:
    st.markdown("Every recipe answers to something that an older one suffered from. All of these run here.")
    show_family()
    point(
        Pointer("models.py", "What sets them apart, in one table", {"show": "Differences"}),
        Pointer("playground.py", "Three of them on the same seed", {"models": ",".join(THREE)}),
    )


def applications() -> None:
    lesson("applications")


CHAPTERS: dict[str, Callable[[], None]] = {
    "Two networks": networks,
    "The game": game,
    "One step of training": step,
    "Why it is unstable": unstable,
    "Collapse": collapse,
    "How good is it?": evaluation,
    "The family": family,
    "What GANs are for": applications,
    "Questions": show_questions,
}


def anchor(title: str) -> str:
    """The part of the address that leads to a chapter."""
    return title.lower().replace(" ", "-").removesuffix("?")


with st.container(horizontal_alignment="center"), st.container(width=WIDTH):
    st.title("Learn")
    st.markdown(
        "How GANs work, in nine short chapters. Most figures are computed as you open them; links lead to the "
        "experiment."
    )
    st.markdown(" · ".join(f"[{title}](#{anchor(title)})" for title in CHAPTERS))
    for title, show in CHAPTERS.items():
        st.header(title, anchor=anchor(title), divider="gray")
        show()
