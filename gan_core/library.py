"""The models at hand: found in folders, runs and the Hub, loaded once per process."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

from gan_core.checkpoint import load_checkpoint
from gan_core.errors import UsageError
from gan_core.hub import cached_folder, cached_models, is_repo_id, pull
from gan_core.loading import load_folder
from gan_core.metrics.extractor import EXTRACTOR
from gan_core.model import Model
from gan_core.model_folder import CONFIG, WEIGHTS, read_config
from gan_core.progress import Progress
from gan_core.recipe import Recipe, nearest, recipe_class
from gan_core.runs import Run, runs_folder

HOMES = ("weights", "runs")  # first words of local names: nobody's account on the Hub is asked for them
_CACHE: OrderedDict[tuple[str, int, int], Model] = OrderedDict()
_CACHE_SIZE = 8  # as many as are compared side by side, and two
_LOCK = threading.Lock()


def load(where: str | Path, revision: str | None = None, raw: bool = False) -> Model:
    """A model from a model folder, a run folder, or the Hub; loaded once per process while it does not change.

    Args:
        where: A folder, or "owner/name" on the Hub.
        revision: Branch, tag or commit on the Hub.
        raw: The generator as the optimizer left it, from the run's checkpoint, instead of the averaged one.

    Raises:
        UsageError: It is none of these, cannot be had, or is damaged; the message says what to pass instead. Or there
            is no checkpoint to take raw weights from.
    """
    folder = find(where, revision)
    checkpoint = checkpoint_beside(folder) if raw else None
    if raw and checkpoint is None:
        raise UsageError(f"{where} has no checkpoint of a run, so only its averaged generator can be had.")
    for pause in (0.05, 0.2):
        with suppress(UsageError):
            return _load_once(folder, checkpoint)
        time.sleep(pause)  # perhaps a trainer is just replacing the folder
    return _load_once(folder, checkpoint)


def raw_weights(name: str) -> bool:
    """Whether `load` has raw weights for one of `local_models`: it is that of a run whose checkpoint is still there."""
    return name in local_models() and checkpoint_beside(find(name)) is not None


def checkpoint_beside(folder: Path) -> Path | None:
    """The training state that a run has kept of a model folder of its own."""
    folder = folder.resolve()
    run = Run(folder.parent)
    file = {run.model_folder: run.checkpoint_file, run.best_folder: run.best_file}.get(folder)
    return file if file is not None and file.is_file() else None


def _load_once(folder: Path, checkpoint: Path | None) -> Model:
    file = checkpoint or folder / CONFIG
    try:
        stat = file.stat()
    except FileNotFoundError:
        raise UsageError(f"{folder} is no model folder any more.") from None
    key = (str(file.resolve()), stat.st_mtime_ns, stat.st_size)
    with _LOCK:
        if key not in _CACHE:
            _CACHE[key] = load_folder(folder) if checkpoint is None else _load_raw(folder, checkpoint)
            while len(_CACHE) > _CACHE_SIZE:
                _CACHE.popitem(last=False)
        _CACHE.move_to_end(key)
        return _CACHE[key]


def _load_raw(folder: Path, checkpoint: Path) -> Model:
    model, nets = load_folder(folder), load_checkpoint(checkpoint).get("nets", {})
    trained = {name: tensor for name, tensor in nets.items() if name.split(".")[0] in model.generators}
    try:
        model.generators.load_state_dict(trained)
    except RuntimeError:
        raise UsageError(f"{checkpoint} does not hold the networks of the model in {folder}.") from None
    model.recipe.settle(model.generators)
    return model


def find(where: str | Path, revision: str | None = None) -> Path:
    """The model folder behind a folder, a run or a Hub id; a Hub id is downloaded.

    Raises:
        UsageError: See `load`.
    """
    path = _local(where)
    if path.is_dir():
        for folder in (path, path / "model"):
            if _is_model(folder):
                return folder
        if (path / EXTRACTOR).is_file():
            raise UsageError(
                f"{path} is a feature extractor, which judges pictures and draws none: "
                f"evaluate a model with --features {path.name.removeprefix('features-')}."
            )
        hint = "it has not saved a model yet" if (path / "state.json").exists() else f"it has no {CONFIG} and {WEIGHTS}"
        raise UsageError(f"{path} is no model folder: {hint}.")
    refuse_bare_weights(path)
    if Path(where).parts[:1] and Path(where).parts[0] in HOMES:
        raise UsageError(f"There is no model {str(where)!r}{nearest(str(where), local_models())}.")
    if is_repo_id(str(where)):
        return pull(str(where), revision)
    raise UsageError(f"{where} is neither a model folder nor a Hub id (owner/name).")


def refuse_bare_weights(path: Path) -> None:
    """Raises `UsageError` for a file of weights alone, with what to pass instead."""
    if path.suffix in {".pth", ".pt", ".pkl", ".ckpt", ".bin", ".safetensors"}:
        raise UsageError(
            f"{path} is a bare weights file, which does not say what it is (and a pickle is never loaded): "
            "pass a model folder such as weights/dcgan-digits, a run such as runs/NAME, or a Hub id owner/name."
        )


def _local(where: str | Path) -> Path:
    """The path itself, or what "weights/NAME", "runs/NAME" and "runs/NAME/best" mean wherever one stands."""
    path = Path(where)
    with suppress(RuntimeError):  # ~somebody who has no home here
        path = path.expanduser()
    if not path.is_dir() and len(path.parts) in (2, 3):
        homes = dict(zip(HOMES, (project_folder() / "weights", runs_folder()), strict=True))
        if path.parts[0] in homes:
            return homes[path.parts[0]].joinpath(*path.parts[1:])
    return path


def is_local(where: str | Path) -> bool:
    """Whether it names a folder of this machine, not a model on the Hub."""
    return _local(where).is_dir()


def project_folder() -> Path:
    """Where weights/ lies: the folder that holds this package."""
    return Path(__file__).resolve().parent.parent


def local_models() -> list[str]:
    """Models in folders, as `load` takes them.

    Bundled ones ("weights/NAME"), then those of runs: the last ("runs/NAME") and the best ("runs/NAME/best").
    """
    names = [f"weights/{folder.name}" for folder in _children(project_folder() / "weights") if _is_model(folder)]
    for run in map(Run, _children(runs_folder())):
        names += [f"runs/{run.name}"] if _is_model(run.model_folder) else []
        names += [f"runs/{run.name}/best"] if _is_model(run.best_folder) else []
    return names


def available(of: type[Recipe] = Recipe) -> list[str]:
    """Models that can be had without a download: local ones, then what the Hub cache holds ("owner/name").

    Args:
        of: The kind of recipe whose models are asked for. A damaged one is of any kind: its use says what is wrong.
    """
    names = local_models() + cached_models()
    return names if of is Recipe else [name for name in names if is_of(name, of)]


def is_of(name: str, kind: type[Recipe]) -> bool:
    """Whether one of `available` is a model of such a recipe; True of one that is damaged, or gone in this moment."""
    try:
        folder = find(name) if name.split("/")[0] in HOMES else cached_folder(name)
        return folder is None or issubclass(recipe_class(read_config(folder)["recipe"]), kind)
    except UsageError:
        return True


def find_listed(name: str, revision: str | None = None, progress: Progress | None = None) -> Path:
    """`find` for names that come from strangers: a local model or a Hub id, never another path.

    Args:
        name: One of `local_models`, or "owner/name".
        revision: Branch, tag or commit on the Hub.
        progress: See `hub.pull`.

    Returns:
        The model folder; that of a Hub model is named by its commit.

    Raises:
        UsageError: It is neither, or cannot be had.
    """
    if name in local_models():
        return find(name)
    refuse_bare_weights(Path(name))
    if not is_repo_id(name) or name.split("/")[0] in HOMES:
        raise UsageError(f"There is no model {name!r}{nearest(name, available())}, or give a Hub id owner/name.")
    return pull(name, revision, progress)


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _is_model(folder: Path) -> bool:
    return (folder / CONFIG).is_file() and (folder / WEIGHTS).is_file()
