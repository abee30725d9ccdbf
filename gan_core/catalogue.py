"""The recipes by the age of their papers, and what their docstrings say of them."""

from __future__ import annotations

import re
from typing import TypeVar

from gan_core.noise import NoiseRecipe
from gan_core.recipe import RECIPES, Recipe
from gan_core.translation import TranslationRecipe

LAPTOP_SIZE, LAPTOP_CHANNELS, LAPTOP_CLASSES = 32, 1, 10
PAPER = re.compile(r"(\d{4}),\s+arXiv:(\d{4}\.\d{4,5})")
Kind = TypeVar("Kind", bound=Recipe)


def summary(recipe: type[Recipe]) -> str:
    """The first line of the docstring of the recipe's file."""
    return recipe.about().splitlines()[0]


def paper(recipe: type[Recipe]) -> tuple[int, str]:
    """Year and arXiv number of the paper, from the docstring of the recipe's file."""
    found = PAPER.search(recipe.about())
    assert found is not None, f"the docstring of {recipe.name} names no paper as 'YEAR, arXiv:NUMBER'"
    return int(found[1]), found[2]


def noise_recipes() -> list[type[NoiseRecipe]]:
    """The recipes from noise to images, by the age of their papers."""
    return by_age(NoiseRecipe)


def translation_recipes() -> list[type[TranslationRecipe]]:
    """The recipes from pictures to pictures, by the age of their papers."""
    return by_age(TranslationRecipe)


def by_age(kind: type[Kind]) -> list[type[Kind]]:
    """The recipes of a kind, that with the oldest paper first, those of one paper by name."""
    found = [recipe for _, recipe in sorted(RECIPES.items()) if issubclass(recipe, kind)]
    return sorted(found, key=lambda recipe: paper(recipe)[1])


def laptop(recipe: type[NoiseRecipe]) -> NoiseRecipe:
    """The recipe at its laptop size for 32x32 grey pictures."""
    return recipe().resolve(LAPTOP_SIZE, LAPTOP_CHANNELS, LAPTOP_CLASSES)


def described() -> list[list[str]]:
    """A table of what the recipes are, and of their papers."""
    rows = [["recipe", "what it is", "paper"]]
    for recipe in by_age(Recipe):
        year, arxiv = paper(recipe)
        rows.append([recipe.name, summary(recipe), f"{year}, arXiv:{arxiv}"])
    return rows
