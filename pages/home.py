"""The first page: what a GAN is, and what the models at hand have learnt."""

import dataclasses
import math
import random
from contextlib import suppress

import streamlit as st
from PIL import Image

from gan_core import UsageError
from gan_core.card import plain
from gan_core.data.images import to_unit_range
from gan_core.latent import MAX_SEED
from gan_core.library import available, load
from gan_core.noise import NoiseRecipe
from gan_core.pictures import grid
from gan_core.recipe import Recipe
from gan_core.report import is_of_translations
from gan_core.translation import TranslationRecipe
from pages.installed import folder_of
from pages.pointers import ICONS, in_playground
from pages.reports import carried

ROWS, COLUMNS = 4, 8
SIDE = 128  # pixels of one picture in the wall, at least: enlarged here, so that it stays crisp everywhere
FEW = 2  # models that are shown of those that no one has chosen for the box
CARDS_PER_ROW = 3

NEXT = (
    ("playground.py", "Playground", "Sample, bend and walk through what a model knows; draw, and see it translated."),
    ("learn.py", "Learn", "How the game works and where it breaks, with figures that answer."),
    ("train.py", "Train", "Choose a GAN and pictures, and watch the two networks play."),
    ("evaluate.py", "Evaluate", "How good the pictures are, how varied, how sure that is."),
    ("models.py", "Models", "How each GAN works, what sets it apart, and every model that is installed."),
    ("datasets.py", "Datasets", "What there is to learn from, and what is in it."),
)


def worth_showing(kind: type[Recipe]) -> list[str]:
    """The bundled models of a kind of recipe, the best first; without any, the first that are installed."""
    names = available(kind)
    return sorted((name for name in names if name.startswith("weights/")), key=distance) or names[:FEW]


def distance(name: str) -> float:
    """A bundled model's FD as a multiple of what real pictures score; of one without a report, any other is less.

    Of a model that translates, how much of the way from its inputs to real pictures is left, by their FD.
    """
    with suppress(UsageError):  # said where it is asked for by name
        if (report := carried(folder_of(name))) is not None:
            if is_of_translations(report):
                fd = {source: scores["fd"] for source, scores in report["sources"].items()}
                return float((fd["model"] - fd["truth"]) / (fd["input"] - fd["truth"]))
            return float(report["fd"]["value"] / report["fd"]["floor"])
    return math.inf


def wall(name: str, seed: int) -> None:
    """Unselected pictures of one model, and the way to play with it."""
    try:
        model = load(name)
    except UsageError as error:
        st.warning(plain(error))
        return
    pictures = grid(model.sample(ROWS * COLUMNS, seed), COLUMNS, scale=max(1, SIDE // model.image_size))
    st.image(pictures, width="stretch", alt=f"{ROWS * COLUMNS} pictures that {name} made from seed {seed}")
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("New samples", key="new_samples", icon=":material/casino:", type="primary"):
            st.session_state["wall_seed"] = random.randint(0, MAX_SEED)
            st.rerun()
        st.page_link(
            "playground.py",
            label=f"Play with {short(name)}",
            icon=":material/arrow_forward:",
            query_params={"model": name, "seed": str(seed)},
        )
    st.caption(f"Made a moment ago on this machine from seed {seed}; not selected.")


def pairs(name: str) -> None:
    """What one model makes of the inputs that it came with, and the way to give it others."""
    try:
        model = load(name)
    except UsageError as error:
        st.warning(plain(error))
        return
    if model.examples is not None:
        drawn = model.translations(to_unit_range(model.examples.inputs))
        sheet = dataclasses.replace(model.examples, truths=None).sheet(drawn)
        sheet = sheet.resize((2 * sheet.width, 2 * sheet.height), Image.Resampling.NEAREST)
        st.image(sheet, width="stretch", alt=f"{len(drawn)} pictures, and below each what {name} made of it")
    st.page_link(
        "playground.py",
        label=f"Draw or upload a picture for {short(name)}",
        icon=":material/arrow_forward:",
        query_params=in_playground(name),
    )


def short(name: str) -> str:
    """A model's name without where it is."""
    return name.split("/")[1]


st.title("GAN Playground")
st.markdown(
    "Two networks play a game: a *generator* turns noise into pictures, and a *discriminator* says how probably a "
    "picture is real. Each learns from the other's mistakes. In the end, if all goes well, the generator's pictures "
    "can hardly be told from real ones."
)

if shown := worth_showing(NoiseRecipe):
    chosen = st.pills(
        "Model", shown, default=shown[0], required=True, key="wall", format_func=short, label_visibility="collapsed"
    )
    wall(chosen, st.session_state.setdefault("wall_seed", 0))
else:
    st.info(
        "No model is installed yet. Train one on the Train page, which takes a few minutes, or add one from the "
        "Hugging Face Hub on the Models page.",
        icon=":material/inbox:",
    )

if shown := worth_showing(TranslationRecipe):
    st.subheader("From picture to picture", divider="gray")
    st.markdown(
        "Some generators are given a picture in place of noise. Above what they are given, below what they draw."
    )
    pairs(
        st.pills(
            "Translator", shown, default=shown[0], required=True, key="pairs", format_func=short,
            label_visibility="collapsed",
        )
    )  # fmt: skip

st.subheader("Where to go", divider="gray")
for start in range(0, len(NEXT), CARDS_PER_ROW):
    for column, (page, label, line) in zip(st.columns(CARDS_PER_ROW), NEXT[start : start + CARDS_PER_ROW], strict=True):
        with column, st.container(border=True, height="stretch"):
            st.page_link(page, label=f"**{label}**", icon=ICONS[page])
            st.caption(line)
