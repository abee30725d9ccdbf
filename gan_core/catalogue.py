"""The recipes as a table, from the registry and the docstrings."""

import re

from gan_core.layers import blueprint, parameter_count
from gan_core.recipe import RECIPES, Recipe, list_recipes

LAPTOP_SIZE, LAPTOP_CHANNELS, LAPTOP_CLASSES = 32, 1, 10


def summary(recipe: type[Recipe]) -> str:
    """The first line of the docstring of the recipe's file."""
    return recipe.about().splitlines()[0]


def arxiv_id(recipe: type[Recipe]) -> str:
    """The paper's arXiv number, from the docstring of the recipe's file."""
    found = re.search(r"arXiv:(\d{4}\.\d{4,5})", recipe.about())
    return found.group(1) if found else ""


def sizes(recipe: type[Recipe]) -> tuple[int, int]:
    """Parameters of all generators and of all critics, at the laptop size on 32x32 grey pictures."""
    with blueprint():
        nets = recipe().resolve(LAPTOP_SIZE, LAPTOP_CHANNELS, LAPTOP_CLASSES).build()
    generators = sum(parameter_count(nets[name]) for name in recipe.generators)
    return generators, parameter_count(nets) - generators


def rows() -> list[list[str]]:
    """One row a recipe: name, what it is, paper, parameters."""
    table = []
    for name in list_recipes():
        recipe = RECIPES[name]
        paper = f"[arXiv:{arxiv_id(recipe)}](https://arxiv.org/abs/{arxiv_id(recipe)})"
        table.append([name, summary(recipe), paper, " / ".join(f"{size:,}" for size in sizes(recipe))])
    return table
