"""Where prepared data is kept between runs."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gan_core.atomic import replacing


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/gan-playground`, by default `~/.cache/gan-playground`; made if missing."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gan-playground"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def cached_arrays(key: str, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The arrays stored under `key`, or those of `make()`, which are then stored atomically.

    Args:
        key: Names the content and its version, so a new version never meets an old file.
        make: Called on a miss.
    """
    path = cache_folder() / f"{key}.npz"
    if path.exists():
        with np.load(path, allow_pickle=False) as stored:
            return dict(stored)
    arrays = make()
    with replacing(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    return arrays
