"""The line of architectures, by the age of their papers, each with pictures that its bundled models draw now."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from PIL import Image

from gan_core import UsageError
from gan_core.catalogue import noise_recipes, paper, summary
from gan_core.library import find, load, local_models
from gan_core.model_folder import read_config
from gan_core.noise import NoiseRecipe
from gan_core.pictures import grid
from pages.cards import with_links
from pages.pointers import Pointer, point

SHOWN, SIDE = 10, 64


@st.cache_data(show_spinner=False, max_entries=100)
def strip(name: str, sha256: str) -> Image.Image:
    """A model's first pictures of seed 0 in a row; with other weights, they are others."""
    model = load(name)
    return grid(model.sample(SHOWN), columns=SHOWN, scale=max(1, SIDE // model.image_size))


def bundled() -> dict[str, dict[str, str]]:
    """By recipe, the names of the models in the box, each with the digest of its weights."""
    found: dict[str, dict[str, str]] = {}
    for name in local_models():
        if name.startswith("weights/"):
            described = read_config(find(name))
            found.setdefault(described["recipe"], {})[name] = described["sha256"]
    return found


def show_family() -> None:
    """A row for each recipe, the oldest first."""
    models = bundled()
    for recipe in noise_recipes():
        with st.container(border=True):
            left, right = st.columns([2, 3], gap="medium", vertical_alignment="center")
            with left:
                about(recipe)
            with right:
                show_models(recipe.name, models.get(recipe.name, {}))


def about(recipe: type[NoiseRecipe]) -> None:
    """Year, name and the sentence that the recipe says of itself."""
    year, arxiv = paper(recipe)
    st.markdown(with_links(f"**{recipe.name}** · {year}, arXiv:{arxiv}"))
    st.caption(summary(recipe))


def show_models(recipe: str, models: Mapping[str, str]) -> None:
    """A strip of each model with the way to play with it; where there is none, the way to train one."""
    for name, sha256 in models.items():
        try:
            st.image(strip(name, sha256), width="stretch", alt=f"Pictures that {name} draws")
        except UsageError as error:
            st.warning(str(error))
        else:
            point(Pointer("playground.py", f"Play with {name.split('/')[1]}", {"model": name}))
    if not models:
        point(Pointer("train.py", f"No weights in the box: train a {recipe}", {"recipe": recipe}))
