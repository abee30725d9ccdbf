"""A model folder to a model: strictly, and never something similar instead."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from torch import nn

from gan_core.errors import UsageError
from gan_core.examples import Examples
from gan_core.layers import blueprint
from gan_core.model import Model
from gan_core.model_folder import CONFIG, CRITIC, EXAMPLES, WEIGHTS, fill, read_config
from gan_core.recipe import Recipe, nearest, recipe_class
from gan_core.translation import TranslationRecipe


def load_folder(folder: Path) -> Model:
    """Reads a model folder, strictly.

    Raises:
        UsageError: A file is missing; config.json has an unknown key, a newer format or values that do not fit; the
            weights do not have the stated digest, or are not those of the stated recipe.
    """
    described = read_config(folder)
    cls = recipe_class(described["recipe"])
    known = [field.name for field in dataclasses.fields(cls.Config)]
    for key in described["config"]:
        if key not in known:
            raise UsageError(
                f"{folder / CONFIG} has a config key {key!r} that {cls.name} does not know{nearest(key, known)}."
            )
    try:
        recipe = cls(cls.Config(**described["config"]))
        with blueprint():  # nothing is allocated before the weights are known to fit
            nets = recipe.build()
    except (TypeError, ValueError, RuntimeError) as error:  # torch's, for numbers no network can have
        raise UsageError(f"{folder / CONFIG} does not describe a {cls.name} ({error}).") from error
    if recipe.config.image_shape != (described["image"]["channels"], described["image"]["size"]):
        raise UsageError(f"{folder / CONFIG} contradicts itself about the size of its pictures.")
    generators = nn.ModuleDict({name: nets[name] for name in recipe.generators})
    critics = nn.ModuleDict({name: net for name, net in nets.items() if name not in recipe.generators})
    fill(generators, folder / WEIGHTS, described["sha256"])
    if "discriminator_sha256" in described:
        fill(critics, folder / CRITIC, described["discriminator_sha256"])
    else:
        critics = nn.ModuleDict()
    classes = described["classes"]
    if recipe.num_classes is not None and recipe.num_classes != len(classes or ()):
        raise UsageError(f"{folder / CONFIG} contradicts itself about the number of its classes.")
    return Model(
        recipe,
        generators,
        critics,
        classes=None if classes is None else tuple(classes),
        examples=examples_of(recipe, folder),
        training=described["training"],
        metrics=described["metrics"],
    )


def examples_of(recipe: Recipe, folder: Path) -> Examples | None:
    """What a model that translates is shown with; None where the folder has nothing of the kind."""
    if not isinstance(recipe, TranslationRecipe) or not (folder / EXAMPLES).is_file():
        return None
    channels, side = recipe.config.image_shape
    return Examples.read(folder / EXAMPLES, side, recipe.config.channels_in, channels, recipe.factor)
