"""The options of a run as a form, and the links that fill it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeGuard

import streamlit as st

from gan_core import UsageError
from gan_core.card import plain
from gan_core.data import DATASETS, list_datasets
from gan_core.fields import fields_of
from gan_core.noise import NoiseConfig
from gan_core.plan import DEFAULT_STEPS, RunOptions, usual
from gan_core.recipe import Recipe, nearest, recipe_class
from gan_core.train_options import TrainOptions
from gan_core.translation import TranslationConfig, TranslationRecipe
from pages.forms import AUTOMATIC, Option, edit, from_text, preset

COMMON = ("steps", "batch_size", "image_size", "lr")  # the others wait behind an expander
PLACEHOLDERS = {"steps": f"{DEFAULT_STEPS:,}", "epochs": "instead of steps", "init": "from scratch"}


def takes_inputs(recipe: type[Recipe]) -> TypeGuard[type[TranslationRecipe]]:
    """Whether a recipe is to be given the inputs that it learns to translate, not pictures alone."""
    return issubclass(recipe, TranslationRecipe) and not recipe.makes_inputs


def pictures(recipe: type[Recipe]) -> list[str]:
    """The data sets that a recipe can be trained on."""
    kinds = ("pairs",) if takes_inputs(recipe) else ("pictures", "pairs")
    names = [name for name in list_datasets() if DATASETS[name].kind in kinds]
    return [name for name in names if DATASETS[name].paired] if takes_inputs(recipe) and recipe.pairs else names


def dataset_key(recipe: type[Recipe]) -> str:
    """Where the form keeps the chosen data set: those that are given inputs have a choice of their own."""
    return "pairs" if takes_inputs(recipe) else "dataset"


def options_of(recipe: type[Recipe]) -> dict[str, list[Option]]:
    """Every option of a recipe and of a run, in groups."""
    translates = issubclass(recipe, TranslationRecipe)
    base = TranslationConfig if translates else NoiseConfig
    prefix, shared = f"{recipe.name}.", {field.name for field in dataclasses.fields(base)}
    config = fields_of(recipe.Config)
    run = fields_of(RunOptions, usual(recipe))
    groups = {
        f"Networks of {recipe.name}": ([field for field in config if field.name not in shared], prefix),
        "Pictures" if translates else "Pictures, noise, and what every recipe can take": (
            [field for field in config if field.name in shared],
            prefix,
        ),
        "Training": (fields_of(TrainOptions, recipe.train_options), prefix),
        "Run": ([field for field in run if field.name != "dataset"], ""),  # that is chosen apart, with pictures
    }
    return {
        title: [Option(field, f"{start}{field.name}", PLACEHOLDERS.get(field.name, AUTOMATIC)) for field in fields]
        for title, (fields, start) in groups.items()
    }


def choose_options(recipe: type[Recipe]) -> dict[str, object]:
    """Draws a widget for every option of a recipe and of a run, and returns their values by name."""
    options = options_of(recipe)
    every = {option.field.name: option for group in options.values() for option in group}
    values = edit(every[name] for name in COMMON if name in every)
    with st.expander("All other options", icon=":material/tune:"):
        for title, group in options.items():
            st.markdown(f"**{title}**")
            values |= edit(option for option in group if option.field.name not in COMMON)
    return values


class Linked(NamedTuple):
    """What a link fills the form with: recipe, data set, and the options that it names."""

    recipe: type[Recipe]
    dataset: str
    given: dict[str, Any]


def linked(query: Mapping[str, str]) -> Linked:
    """What a link's query asks for, such as `recipe=gan&saturating=true`.

    Raises:
        UsageError: It names something that there is not, or a value that does not fit.
    """
    options = dict(query)
    recipe = recipe_class(options.pop("recipe"))
    fitting = pictures(recipe)
    dataset = options.pop("dataset", recipe.dataset)
    if dataset not in fitting:
        raise UsageError(f"There is no data set {dataset[:40]!r} for {recipe.name}{nearest(dataset, fitting)}.")
    fields = {option.field.name: option.field for group in options_of(recipe).values() for option in group}
    for name in options:
        if name not in fields:
            raise UsageError(f"{recipe.name} has no option {name[:40]!r}{nearest(name, fields)}.")
    return Linked(recipe, dataset, {name: from_text(fields[name], text) for name, text in options.items()})


def follow_link() -> None:
    """Fills the form as the page's address says, once; what a link leaves out has its default."""
    query = {name: text for name, text in st.query_params.to_dict().items() if name != "run"}
    if query == st.session_state.get("followed", {}):
        return  # the address stays as it is, so that the browser's way back does
    st.session_state["followed"] = query
    if "recipe" not in query:
        return
    try:
        recipe, dataset, given = linked(query)
    except UsageError as error:
        st.warning(plain(error))
        return
    for group in options_of(recipe).values():
        for option in group:
            preset(option, given.get(option.field.name, option.field.default))
    st.session_state.update({"recipe": recipe.name, dataset_key(recipe): dataset, "name": ""})
    if given:
        settings = ", ".join(f"{name} to {plain(query[name])}" for name in given)
        st.info(f"The link has set {settings}; all else is as it comes.", icon=":material/link:")
