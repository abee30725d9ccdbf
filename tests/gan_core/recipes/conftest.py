"""Fixtures for the tests of single recipes."""

import dataclasses

import pytest
import torch

from gan_core.recipe import RECIPES, Batch
from gan_core.translation import TranslationRecipe
from tests.families import own_options


@pytest.fixture
def tiny():
    """Makes a recipe at test size with changes to its config, its networks, and a batch for it."""

    def make(name, n=8, **changes):
        recipe = RECIPES[name](dataclasses.replace(RECIPES[name].Config.tiny(), **changes), own_options(name, n))
        torch.manual_seed(0)
        nets = recipe.build().train()
        channels, size = recipe.config.image_shape
        labels = None if recipe.num_classes is None else torch.arange(n) % recipe.num_classes
        images = torch.rand(n, channels, size, size) * 2 - 1
        if isinstance(recipe, TranslationRecipe) and not recipe.makes_inputs:
            return recipe, nets, Batch(images, inputs=torch.rand(n, recipe.config.channels_in, size, size) * 2 - 1)
        return recipe, nets, Batch(images, labels)

    return make
