"""The models that can be looked at without a download, and where they lie."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from gan_core import UsageError
from gan_core.hub import cached_folder
from gan_core.library import available, find, local_models


def folder_of(name: str) -> Path:
    """Where an installed model lies; one from the Hub is looked up in its cache, without a request.

    Raises:
        UsageError: It has gone meanwhile.
    """
    folder = find(name) if name in local_models() else cached_folder(name)
    if folder is None:
        raise UsageError(f"{name} is in the Hub cache no longer; add it again.")
    return folder


def everything() -> dict[str, Path]:
    """Every installed model by the name that a person knows it by."""
    found = {}
    for name in available():
        with suppress(UsageError):  # deleted in this moment
            found[name] = folder_of(name)
    return found
