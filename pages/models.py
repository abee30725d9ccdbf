"""Every recipe explained from its own source, and every installed model with its card."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import streamlit as st
from PIL import Image

from gan_core import UsageError, list_recipes
from gan_core.card import plain
from gan_core.catalogue import summary
from gan_core.hub import is_offline, pull
from gan_core.library import available, is_of
from gan_core.model_folder import SHEET, read_config
from gan_core.noise import NoiseRecipe
from gan_core.readable import readable
from gan_core.recipe import Inputs, Recipe, recipe_class
from gan_core.translation import TranslationRecipe
from pages.cards import facts, option_table, with_links
from pages.diagram import Stage, count, diagram, networks
from pages.differences import show_differences
from pages.installed import folder_of
from pages.pointers import Pointer, in_playground, point

CARDS_PER_ROW = 3
SHEET_SIDE = 4096  # pixels; a bigger sheet of samples is not shown


@st.cache_data(show_spinner=False)
def traced(name: str) -> tuple[dict[str, tuple[int, list[Stage]]], int]:
    """Networks of a recipe at laptop size, and the parameters of the published size."""
    recipe = recipe_class(name)
    laptop, paper = (fitted(recipe, config) for config in (recipe.Config(), recipe.Config.paper()))
    return networks(laptop), sum(size for size, _ in networks(paper).values())


def fitted(recipe: type[Recipe], config: Any) -> Recipe:
    """A recipe for the pictures that its networks are shown with; what its config says stays."""
    if issubclass(recipe, TranslationRecipe):
        return recipe(config).resolve(
            64, 3, inputs=Inputs(config.input_channels or (1 if recipe.pairs else 3), recipe.pairs)
        )
    return recipe(config).resolve(32, 1, 10)


def explain(recipe: type[Recipe]) -> None:
    """The card of a recipe."""
    text, layers, options = st.tabs(["What it computes", "Networks", "Options"])
    _, _, body = recipe.about().partition("\n\n")  # the first line is the card's title
    text.markdown(with_links(body))
    nets, paper_size = traced(recipe.name)
    with layers:
        total = sum(size for size, _ in nets.values())
        translates = issubclass(recipe, TranslationRecipe)
        pictures = "coloured 64x64 pictures" if translates else "32x32 grey pictures"
        st.markdown(
            f"**{count(total)}** parameters at laptop size, shown here for {pictures}; "
            f"**{count(paper_size)}** at the published size."
        )
        for name, (size, stages) in nets.items():
            st.markdown(f"**{name}**, {count(size)} parameters")
            if stages:
                st.html(diagram(stages, f"Layers of {name} of {recipe.name}"))
    with options:
        st.markdown(option_table(recipe.Config(), recipe.Config.paper()))
        st.markdown(option_table(recipe.train_options))


def sheet_of(folder: Path) -> bytes | None:
    """The PNG with a model's samples, None where there is none that can be shown."""
    try:
        raw = (folder / SHEET).read_bytes()
        with Image.open(io.BytesIO(raw), formats=["PNG"]) as sheet:
            if max(sheet.size) > SHEET_SIDE:
                return None
            sheet.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):  # what Pillow says of a damaged PNG
        return None
    return raw


def installed(name: str) -> None:
    """The card of a model that is here, perhaps a stranger's: its texts are shown as they are, never as Markdown."""
    try:
        folder = folder_of(name)
        described, size = read_config(folder), megabytes(folder)
    except (UsageError, OSError) as error:
        st.warning(f"**{name}**: {plain(error)}")
        return
    if sheet := sheet_of(folder):
        st.image(sheet, width="stretch", alt=f"Samples of {name}")
    image, training = described["image"], described["training"]
    colour = "grey" if image["channels"] == 1 else "colour"
    st.markdown(f"**{name}**")
    st.caption(
        f"{plain(described['recipe'])} on {plain(training.get('dataset', 'unknown pictures'))}, "
        f"{image['size']}x{image['size']} {colour}, {size:.1f} MB on disk"
    )
    for label, value in list(readable(described["metrics"]).items())[:1]:  # the first of its figures
        st.caption(plain(f"{label}: {value}"))
    point(
        Pointer("playground.py", "Open in the playground", in_playground(name)),
        Pointer("evaluate.py", "Evaluate", {"model": name}),
    )
    with st.expander("Model card"):
        st.markdown(facts(described))
        if "command" in training:
            st.caption("Made by")
            st.code(str(training["command"]), language="sh", wrap_lines=True)
        st.caption("Use")
        noise = is_of(name, NoiseRecipe)
        use = "images = model.sample(16, seed=0)" if noise else 'picture = model.translate(Image.open("picture.png"))'
        imports = "import gan_core" if noise else "import gan_core\nfrom PIL import Image"
        st.code(f'{imports}\n\nmodel = gan_core.load("{name}")\n{use}')


def megabytes(folder: Path) -> float:
    """What the files of a folder take."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def add_from_hub() -> None:
    """A field for a Hub id, and the download it asks for."""
    with st.form("from_hub", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.text_input("Add from the Hugging Face Hub", key="hub", placeholder="owner/name")
        revision = st.text_input("Revision", key="revision", placeholder="main", width=160)
        asked = st.form_submit_button("Add", icon=":material/download:")
    if asked:
        add(wanted.strip(), revision.strip() or None)
    if is_offline():
        st.caption("The Hub could not be reached at the last attempt; models that were added before work without it.")


def add(name: str, revision: str | None) -> None:
    """Downloads a model, and says how it went."""
    bar = st.progress(0.0, f"Looking for {plain(name)} ...")
    try:
        pull(name, revision, progress=bar.progress)
    except UsageError as error:
        bar.empty()
        st.error(plain(error))
    else:
        bar.progress(1.0, f"{name} is here{', from the cache: the Hub cannot be reached' if is_offline() else ''}.")


def show_installed() -> None:
    """A card for every model that can be had without a download, and the way to have more."""
    add_from_hub()
    names = available()
    if not names:
        st.info(
            "No model is installed yet. Train one on the Train page, or add one by its Hub id above.",
            icon=":material/inbox:",
        )
    drawing = [name for name in names if is_of(name, NoiseRecipe)]  # and what is damaged
    translating = [name for name in names if name not in drawing]
    for title, group in (("From noise to pictures", drawing), ("From picture to picture", translating)):
        if group:
            st.subheader(title, divider="gray")
        for start in range(0, len(group), CARDS_PER_ROW):
            for column, name in zip(st.columns(CARDS_PER_ROW), group[start : start + CARDS_PER_ROW], strict=False):
                with column, st.container(border=True, height="stretch"):
                    installed(name)


def show_recipes() -> None:
    """A card for every recipe; its content is only made when it is opened."""
    for name in list_recipes():
        recipe = recipe_class(name)
        with st.expander(f"**{name}** · {summary(recipe)}", key=f"about-{name}", on_change="rerun") as card:
            if card.open:
                explain(recipe)


CHAPTERS = {"Installed models": show_installed, "Recipes": show_recipes, "Differences": show_differences}

st.title("Models")
for tab, show in zip(st.tabs(list(CHAPTERS), key="show", bind="query-params"), CHAPTERS.values(), strict=True):
    if tab.open:
        with tab:
            show()
