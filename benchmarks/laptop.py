"""Recipes as `python train.py NAME --dataset DATA` makes them."""

from typing import Any

from gan_core import create
from gan_core.data import Images
from gan_core.recipe import Recipe


def laptop(name: str, data: Images, **changes: Any) -> Recipe:
    """A recipe at its laptop size for this data, some fields of its config changed.

    Raises:
        UsageError: There is no recipe of that name.
    """
    return create(name, **changes).resolve(data.image_size, data.channels, len(data.classes or ()), data.given)
