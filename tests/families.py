"""The registered recipes by what they do, and any of them at test size."""

import dataclasses

import torch

from gan_core import list_recipes
from gan_core.noise import NoiseRecipe
from gan_core.recipe import RECIPES
from gan_core.translation import TranslationRecipe

NOISE = [name for name in list_recipes() if issubclass(RECIPES[name], NoiseRecipe)]
TRANSLATION = [name for name in list_recipes() if issubclass(RECIPES[name], TranslationRecipe)]


def own_options(name, batch_size, **changes):
    """How a recipe is trained by default, in small batches; a schedule of its own ends within a few of them."""
    options = dataclasses.replace(RECIPES[name].train_options, batch_size=batch_size)
    if options.lr_schedule != "constant":
        options = dataclasses.replace(options, lr_horizon=12 * batch_size)
    return dataclasses.replace(options, **changes)


def tiny(name="gen_1", **changes):
    """A recipe at test size with changes to its config, and its networks."""
    recipe = RECIPES[name](dataclasses.replace(RECIPES[name].Config.tiny(), **changes), own_options(name, 4))
    torch.manual_seed(0)
    return recipe, recipe.build()
