"""Classic GANs behind one trainer: `create` a recipe, train it, `load` a model, sample it.

import gan_core

gan_core.list_recipes()
model = gan_core.load("weights/dcgan-digits")
images = model.sample(16, seed=0)  # [16, 1, 32, 32] in [-1, 1]
"""

import gan_core.recipes  # noqa: F401  registers every recipe
from gan_core.errors import UsageError
from gan_core.library import load
from gan_core.model import Model
from gan_core.recipe import Batch, Control, Phase, Recipe, create, list_recipes, register
from gan_core.trainer import Trainer
from gan_core.version import __version__

__all__ = [
    "Batch", "Control", "Model", "Phase", "Recipe", "Trainer", "UsageError", "__version__",
    "create", "list_recipes", "load", "register",
]  # fmt: skip
