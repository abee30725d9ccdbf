"""The registered recipes by what they do, and any of them at test size."""

import dataclasses

import torch

from gan_core import list_recipes
from gan_core.noise import NoiseRecipe
from gan_core.recipe import RECIPES
from gan_core.train_options import TrainOptions
from gan_core.translation import TranslationRecipe

NOISE = [name for name in list_recipes() if issubclass(RECIPES[name], NoiseRecipe)]
TRANSLATION = [name for name in list_recipes() if issubclass(RECIPES[name], TranslationRecipe)]


def tiny(name="gen_1", **changes):
    """A recipe at test size with changes to its config, and its networks."""
    recipe = RECIPES[name](dataclasses.replace(RECIPES[name].Config.tiny(), **changes), TrainOptions(batch_size=4))
    torch.manual_seed(0)
    return recipe, recipe.build()
