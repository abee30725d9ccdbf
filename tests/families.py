"""The registered recipes by what they do."""

from gan_core import list_recipes
from gan_core.noise import NoiseRecipe
from gan_core.recipe import RECIPES
from gan_core.translation import TranslationRecipe

NOISE = [name for name in list_recipes() if issubclass(RECIPES[name], NoiseRecipe)]
TRANSLATION = [name for name in list_recipes() if issubclass(RECIPES[name], TranslationRecipe)]
