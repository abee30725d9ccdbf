"""The models at hand: found in folders, runs and the Hub, loaded once per process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from gan_core.errors import UsageError
from gan_core.hub import is_repo_id, pull
from gan_core.model import CONFIG, WEIGHTS, Model, load_folder

_CACHE: OrderedDict[tuple[str, int, int], Model] = OrderedDict()
_CACHE_SIZE = 8
_LOCK = threading.Lock()


def load(where: str | Path, revision: str | None = None) -> Model:
    """A model from a model folder, a run folder, or the Hub; loaded once per process while it does not change.

    Args:
        where: A folder, or "owner/name" on the Hub.
        revision: Branch, tag or commit on the Hub.

    Raises:
        UsageError: It is none of these, cannot be had, or is damaged; the message says what to pass instead.
    """
    folder = find(where, revision)
    stat = (folder / CONFIG).stat()
    key = (str(folder.resolve()), stat.st_mtime_ns, stat.st_size)
    with _LOCK:
        if key not in _CACHE:
            _CACHE[key] = load_folder(folder)
            while len(_CACHE) > _CACHE_SIZE:
                _CACHE.popitem(last=False)
        _CACHE.move_to_end(key)
        return _CACHE[key]


def find(where: str | Path, revision: str | None = None) -> Path:
    """The model folder behind a folder, a run or a Hub id; a Hub id is downloaded.

    Raises:
        UsageError: See `load`.
    """
    path = Path(where).expanduser()
    if path.is_dir():
        for folder in (path, path / "model"):
            if (folder / CONFIG).exists() and (folder / WEIGHTS).exists():
                return folder
        hint = "it has not saved a model yet" if (path / "state.json").exists() else f"it has no {CONFIG} and {WEIGHTS}"
        raise UsageError(f"{path} is no model folder: {hint}.")
    if path.suffix in {".pth", ".pt", ".pkl", ".ckpt", ".bin", ".safetensors"}:
        raise UsageError(
            f"{path} is a bare weights file, which does not say what it is (and a pickle is never loaded): "
            "pass a model folder such as weights/dcgan-digits, a run such as runs/NAME, or a Hub id owner/name."
        )
    if is_repo_id(str(where)):
        return pull(str(where), revision)
    raise UsageError(f"{where} is neither a model folder nor a Hub id (owner/name).")


def installed(roots: Sequence[Path]) -> list[Path]:
    """Model folders below the given folders, sorted by name; runs count by their exported model."""
    found = []
    for root in roots:
        for child in sorted(root.iterdir()) if root.is_dir() else []:
            for folder in (child, child / "model"):
                if (folder / WEIGHTS).exists() and (folder / CONFIG).exists():
                    found.append(folder)
    return found
