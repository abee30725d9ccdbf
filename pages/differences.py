"""What sets the recipes apart: a table that is found out, with the time that sampling takes here."""

from __future__ import annotations

import statistics
import threading
import time
from contextlib import suppress

import pandas as pd
import streamlit as st
from torch import nn

from gan_core import Model, UsageError
from gan_core.catalogue import laptop, noise_recipes, paper, translation_recipes
from gan_core.layers import memory_format
from gan_core.library import find, local_models
from gan_core.model_folder import read_config
from gan_core.noise import NoiseRecipe
from gan_core.recipe import Recipe
from gan_core.traits import traits, translator_traits

DATA = "digits"  # one judge has measured all of the box on them; other distances may not stand beside theirs
PICTURES, ROUNDS = 64, 5
_ONE_AT_A_TIME = threading.Lock()

HOW_TO_READ = (
    "Each row is what the recipe's own code shows when it is built and run at its defaults. From the top, by age: "
    "most of what changes from one row to a later one is an answer to something that the earlier one suffered from. "
    "The loss is the critic's; where that is cross-entropy, the generator's is the non-saturating form. Norms are "
    "those of the layers of generator (G) and critic (D); *n_critic* is how often D is updated for each update of G; "
    f"sizes and times are at laptop size for 32x32 grey pictures. FD is the distance of the bundled model's {DATA} to "
    "real ones, and its floor what real pictures score that nobody trained on. A click on a column's head sorts by "
    "it."
)
HOW_TO_READ_TRANSLATORS = (
    "These turn pictures into pictures. The critic judges whole pictures or patches of them, in some recipes beside "
    "the input; a pixel is drawn from the surroundings that *looks at* gives, in pixels of the input. Sizes are at "
    "laptop size for 64x64 coloured pictures, of all generators (G) and critics (D)."
)
COLUMNS = {
    "recipe": st.column_config.TextColumn(pinned=True),
    "paper": st.column_config.LinkColumn(display_text=r"abs/(.*)"),
    "regulariser": st.column_config.TextColumn(width=270),
    "parameters of G": st.column_config.NumberColumn("size of G", format="localized", help="Parameters.", width=80),
    "of D": st.column_config.NumberColumn("size of D", format="localized", help="Parameters.", width=80),
    "condition": st.column_config.TextColumn(width=70),
    "n_critic": st.column_config.NumberColumn(width=60),
    "FD": st.column_config.NumberColumn(format="%.2f", width=50),
    "floor": st.column_config.NumberColumn(format="%.2f", width=50),
    "ms": st.column_config.NumberColumn("ms a picture", format="%.2f", help="Measured here.", width=90),
    "year": st.column_config.NumberColumn(format="%d", width=50),
    "learns from": st.column_config.TextColumn(width=100),
    "looks at": st.column_config.TextColumn(width=70),
}


@st.cache_data(show_spinner=False)
def found() -> dict[str, dict[str, str | int]]:
    """What sets every recipe from noise to images apart, by its name; it stays while the process does."""
    return {recipe.name: traits(recipe).cells() for recipe in noise_recipes()}


@st.cache_resource(show_spinner=False)
def milliseconds() -> dict[str, float]:
    """What was measured in this process, for all sessions: by recipe, milliseconds a picture."""
    return {}


def distances() -> dict[str, tuple[float, float]]:
    """FD and floor of the best bundled model of each recipe."""
    best: dict[str, tuple[float, float]] = {}
    for name in local_models():
        if not name.startswith("weights/"):
            continue
        with suppress(UsageError):
            described = read_config(find(name))
            fd = described["metrics"].get("fd")
            if fd and described["training"].get("dataset") == DATA:
                here = (fd["value"], fd["floor"])
                best[described["recipe"]] = min(here, best.get(described["recipe"], here))
    return best


def table() -> pd.DataFrame:
    """One row a recipe, the oldest first; what is not known yet is empty."""
    judged, timed, rows = distances(), milliseconds(), []
    for recipe in noise_recipes():
        fd, floor = judged.get(recipe.name, (None, None))
        measured = {"FD": fd, "floor": floor, "ms": timed.get(recipe.name)}
        rows.append({"recipe": recipe.name} | found()[recipe.name] | measured | source(recipe))
    return pd.DataFrame(rows)


@st.cache_data(show_spinner=False)
def table_of_translators() -> pd.DataFrame:
    """One row a recipe that translates, the oldest first."""
    return pd.DataFrame(
        {"recipe": recipe.name} | translator_traits(recipe).cells() | source(recipe) for recipe in translation_recipes()
    )


def source(recipe: type[Recipe]) -> dict[str, str | int]:
    """The last cells of a row: the recipe's paper."""
    year, arxiv = paper(recipe)
    return {"year": year, "paper": f"https://arxiv.org/abs/{arxiv}"}


def show_differences() -> None:
    """The tables, how to read them, and the button that measures."""
    st.markdown(HOW_TO_READ)
    shown = table().dropna(axis=1, how="all")
    st.dataframe(shown, hide_index=True, height="content", column_config=COLUMNS, placeholder="")
    if not milliseconds() and st.button("Measure sampling on this machine", key="measure", icon=":material/timer:"):
        measure()
    st.markdown(HOW_TO_READ_TRANSLATORS)
    st.dataframe(table_of_translators(), hide_index=True, height="content", column_config=COLUMNS)


def measure() -> None:
    """Times all recipes in turns, so that whatever else the machine does falls on all of them."""
    bar = st.progress(0.0, "Waiting for another measurement ...")
    with _ONE_AT_A_TIME:
        if not milliseconds():
            models = {recipe.name: fresh(recipe) for recipe in noise_recipes()}
            seconds: dict[str, list[float]] = {name: [] for name in models}
            for turn in range(ROUNDS + 1):
                for k, (name, model) in enumerate(models.items()):
                    bar.progress((turn + k / len(models)) / (ROUNDS + 1), f"{name} draws {PICTURES} pictures ...")
                    # the recipe's own defaults: a fresh progan's would be its first stage
                    full = {control.name: control.default for control in model.recipe.controls}
                    began = time.perf_counter()
                    model.sample(PICTURES, **full)
                    seconds[name].append(time.perf_counter() - began)
            timed = {name: 1000 * statistics.median(times[1:]) / PICTURES for name, times in seconds.items()}
            milliseconds().update(timed)  # at once: a session that leaves halfway leaves nothing
    st.rerun()


def fresh(recipe: type[NoiseRecipe]) -> Model:
    """A model of the recipe's laptop size with its first weights."""
    made = laptop(recipe)
    generator = made.build()["G"].eval().requires_grad_(False)
    classes = None if made.num_classes is None else tuple(str(k) for k in range(made.num_classes))
    generators = nn.ModuleDict({"G": generator.to(memory_format=memory_format(generator))})
    return Model(made, generators, classes=classes)
