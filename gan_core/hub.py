"""Model folders on the Hugging Face Hub: pulled, listed, published.

Importing this costs little and settles nothing: huggingface_hub reads HF_ENDPOINT, HF_HOME, HF_HUB_OFFLINE and the
time limits HF_HUB_ETAG_TIMEOUT and HF_HUB_DOWNLOAD_TIMEOUT (10 s each) when it is first used.
"""

from __future__ import annotations

import io
import logging
import re
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import Any, Literal

import huggingface_hub
from huggingface_hub.errors import HfHubHTTPError
from tqdm import tqdm

from gan_core.atomic import replacing
from gan_core.card import LIBRARY, write_card
from gan_core.errors import UsageError
from gan_core.hub_errors import ERRORS, explained, explaining, timeout, why_unreachable
from gan_core.loading import load_folder
from gan_core.model_folder import CARD, CONFIG, MODEL_FILES, WEIGHTS, read_config
from gan_core.progress import Progress
from gan_core.runs import is_public
from gan_core.version import __version__

log = logging.getLogger(__name__)

MAX_BYTES = 200_000_000  # of one model: a stranger may name any, and a Space's disk is small
SPARE_BYTES = 1_000_000_000  # of the disk stay free, however many are named

_NAME = r"\w(?:[\w.-]{0,94}\w)?"
_REPO_ID = re.compile(rf"(?!.*(?:--|\.\.)){_NAME}/{_NAME}(?<!\.git)", re.ASCII)
_REVISION = re.compile(r"(?!.*\.\.)[\w.-]+(?:/[\w.-]+)*", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
# The config is first, so that what is no model of ours is known before its weights come; the weights are last, so that
# a folder in the cache that has them is complete.
_ORDER = (CONFIG, *(name for name in MODEL_FILES if name not in (CONFIG, WEIGHTS)), WEIGHTS)

_unreachable = threading.Event()
_noting = threading.Lock()


def is_repo_id(text: str) -> bool:
    """Whether it could be an id `owner/name` by the Hub's rules."""
    return _REPO_ID.fullmatch(text) is not None


def is_offline() -> bool:
    """Whether the last attempt to reach the Hub failed, or HF_HUB_OFFLINE forbids it: models come from the cache."""
    return _unreachable.is_set() or huggingface_hub.is_offline_mode()


def pull(repo_id: str, revision: str | None = None, progress: Progress | None = None) -> Path:
    """A model's folder in the Hub cache, downloaded as far as it is not there; its name is the commit.

    Only the files of a model folder are fetched, whatever else the repository holds. A commit in the cache costs no
    request. Where the Hub cannot be reached, what the cache has for the revision is taken, see `is_offline`.

    Args:
        repo_id: `owner/name`.
        revision: Branch, tag or commit; None is the newest on `main`.
        progress: Called in this thread with the fraction done and a text; without it, bars are drawn on a terminal.

    Raises:
        UsageError: The id or the revision does not exist or is not for this login; it holds no model of the playground,
            or more than `MAX_BYTES`; the disk is full; or the Hub cannot be reached and the cache does not have it.
    """
    _check_repo_id(repo_id)
    if revision is not None and not _REVISION.fullmatch(revision):
        raise UsageError(f"{revision!r} is no revision; it takes a branch, a tag or a commit.")
    if revision is not None and _COMMIT.fullmatch(revision) and (folder := cached_folder(repo_id, revision)):
        return folder
    try:
        folder = _download(repo_id, revision, progress)
    except ERRORS as error:
        reason = why_unreachable(error)
        if reason is None:
            raise explained(error, repo_id, revision) from error
        _unreachable.set()
        cached = cached_folder(repo_id, revision)
        if cached is None:
            which = repo_id if revision is None else f"{revision} of {repo_id}"
            message = f"The Hugging Face Hub cannot be reached ({reason}), and {which} is not in the cache."
            raise UsageError(message) from error
        log.warning("The Hugging Face Hub cannot be reached (%s); %s is taken from the cache.", reason, repo_id)
        return cached
    _unreachable.clear()
    return folder


def cached_folder(repo_id: str, revision: str | None = None) -> Path | None:
    """The complete model folder that the cache has for a revision, as the Hub last said; no request is made."""
    found = huggingface_hub.try_to_load_from_cache(repo_id, WEIGHTS, revision=revision)
    folder = Path(found).parent if isinstance(found, str) else None
    return folder if folder and (folder / CONFIG).is_file() else None


def cached_models() -> list[str]:
    """Ids of the playground's models in the Hub cache whose newest commit is there; no request is made."""
    from huggingface_hub import constants

    folders = Path(constants.HF_HUB_CACHE).glob("models--*")
    ids = (folder.name.removeprefix("models--").replace("--", "/") for folder in folders)
    return sorted(repo_id for repo_id in ids if is_repo_id(repo_id) and _is_ours(cached_folder(repo_id)))


def is_cached(folder: Path) -> bool:
    """Whether a model folder lies in the cache: it came from the Hub."""
    from huggingface_hub import constants

    return folder.resolve().is_relative_to(Path(constants.HF_HUB_CACHE).resolve())


def list_models(owner: str) -> list[str]:
    """Ids of an owner's models that say they are the playground's, sorted.

    Raises:
        UsageError: This cannot be an owner, or the Hub cannot be asked.
    """
    if not is_repo_id(f"{owner}/name"):
        raise UsageError(f"{owner!r} cannot be a user or an organization on the Hub.")
    with explaining(owner):
        return sorted(model.id for model in _client().list_models(author=owner, filter=LIBRARY))


def publish(folder: Path, repo_id: str, private: bool = False) -> str:
    """Uploads a model folder in one commit, its card written anew for its name there; returns the page's address.

    Args:
        folder: It is loaded first: a damaged model is never published.
        repo_id: `owner/name`, created if there is none.
        private: Only its owner will see it.

    Raises:
        UsageError: This is a public Space, the folder holds no sound model, nobody is logged in, or the Hub refuses.
    """
    check_may_upload(repo_id)
    load_folder(folder)
    files: dict[str, Path | bytes] = {name: folder / name for name in MODEL_FILES if (folder / name).is_file()}
    size = (folder / WEIGHTS).stat().st_size
    files[CARD] = write_card(repo_id, read_config(folder), parameter_bytes=size).encode()
    return upload(repo_id, files, "model", private, may_remove=lambda name: name in MODEL_FILES)


def check_may_upload(repo_id: str) -> None:
    """Raises `UsageError` on a public Space, for a malformed id, and where nobody is logged in."""
    if reason := is_public():
        raise UsageError(reason)
    _check_repo_id(repo_id)
    if huggingface_hub.get_token() is None:
        raise UsageError(
            "Nobody is logged in to Hugging Face here: run `hf auth login`, or set HF_TOKEN to a token that may write."
        )


def upload(
    repo_id: str,
    files: Mapping[str, Path | bytes],
    kind: Literal["model", "space"],
    private: bool,
    may_remove: Callable[[str], bool],
) -> str:
    """Makes a repository, created if there is none, hold these files, in one commit; returns its page's address.

    Args:
        repo_id: `owner/name`.
        files: Content by path in the repository.
        kind: What the repository is; a Space is a docker Space.
        private: Only its owner will see it.
        may_remove: Whether a path that the repository has, and `files` has not, is to go.

    Raises:
        UsageError: The Hub refuses, or what should be private is public already.
    """
    api = _client()
    with explaining(repo_id):
        sdk = "docker" if kind == "space" else None
        # private=None leaves the choice to the owner's settings on the Hub
        page = api.create_repo(repo_id, repo_type=kind, private=private or None, space_sdk=sdk, exist_ok=True)
        stays_public = private and not api.repo_info(repo_id, repo_type=kind, timeout=timeout()).private
        there = api.list_repo_files(repo_id, repo_type=kind)
    if stays_public:
        raise UsageError(f"{repo_id} exists and is public: make it private on its page first, or drop --private.")
    add = [huggingface_hub.CommitOperationAdd(name, content) for name, content in files.items()]
    remove = [huggingface_hub.CommitOperationDelete(name) for name in there if name not in files and may_remove(name)]
    with explaining(repo_id):
        message = f"Upload with GAN Playground {__version__}"
        api.create_commit(repo_id, [*add, *remove], repo_type=kind, commit_message=message)
    return str(page)


def _download(repo_id: str, revision: str | None, progress: Progress | None) -> Path:
    """What `pull` does where the Hub answers."""
    # On a public Space strangers name the model: its owner's login does not fetch private ones for them.
    api = _client(token=False if is_public() else None)
    info = _look_up(api, repo_id, revision)
    folder = cached_folder(repo_id, info.sha) or _fetch(api, repo_id, info, progress)
    if progress:
        progress(1.0, f"{repo_id} is here")
    if cached_folder(repo_id, revision) != folder:
        # Here huggingface_hub looks up, offline, which commit a branch or tag is.
        ref = folder.parents[1] / "refs" / (revision or "main")
        with _noting:
            ref.parent.mkdir(parents=True, exist_ok=True)
            with replacing(ref) as file:
                file.write(folder.name.encode())
    return folder


def _fetch(
    api: huggingface_hub.HfApi, repo_id: str, info: huggingface_hub.ModelInfo, progress: Progress | None
) -> Path:
    """Downloads the files of a model folder into the cache."""
    there = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    sizes = {name: there[name] for name in _ORDER if name in there}
    _check_sizes(repo_id, sizes)
    total, done = sum(sizes.values()), 0
    for name, size in sizes.items():
        download = partial(api.hf_hub_download, repo_id, name, revision=info.sha)
        path = _reporting(download, progress, name, done, total) if progress else download()
        folder = Path(path).parent
        if name == CONFIG:
            read_config(folder)
        done += size
    return folder


def _look_up(
    api: huggingface_hub.HfApi, repo_id: str, revision: str | None, tries: int = 3
) -> huggingface_hub.ModelInfo:
    """A model's commit and the sizes of its files; what the Hub cannot do at the moment is tried again."""
    try:
        return api.model_info(repo_id, revision=revision, files_metadata=True, timeout=timeout())
    except HfHubHTTPError as error:
        if error.response.status_code < 500 or tries == 1:
            raise
    time.sleep(1)
    return _look_up(api, repo_id, revision, tries - 1)


def _check_sizes(repo_id: str, sizes: dict[str, int]) -> None:
    from huggingface_hub import constants

    for name in (CONFIG, WEIGHTS):
        if name not in sizes:
            raise UsageError(f"{repo_id} holds no model of the playground: it has no {name}.")
    total = sum(sizes.values())
    if total > MAX_BYTES:
        raise UsageError(f"{repo_id} has {total / 1e6:,.0f} MB; models up to {MAX_BYTES / 1e6:,.0f} MB are pulled.")
    cache = Path(constants.HF_HUB_CACHE)
    cache.mkdir(parents=True, exist_ok=True)
    if total + SPARE_BYTES > shutil.disk_usage(cache).free:
        raise UsageError(f"There is no room for the {total / 1e6:,.1f} MB of {repo_id} on the disk of {cache}.")


def _reporting(download: Callable[..., str], progress: Progress, name: str, done: int, total: int) -> str:
    """Runs the download of one file, and says ten times a second how far it takes the whole.

    It runs in a thread of its own, and hf_xet counts in yet another one: Streamlit and Gradio want to hear of it in the
    thread that asked.
    """
    received = 0

    class Counter(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs, file=io.StringIO())

        def update(self, n: float | None = 1) -> None:
            nonlocal received
            super().update(n)
            received = max(received, int(self.n))  # hf_xet has two bars: bytes received, bytes written

    with ThreadPoolExecutor(max_workers=1) as pool:
        path = pool.submit(download, tqdm_class=Counter)
        finished = False
        while not finished:
            finished = path in wait([path], timeout=0.1).done
            here = done + received
            progress(min(here / total, 1.0), f"{name}, {here / 1e6:.1f} of {total / 1e6:.1f} MB")
    return path.result()


def _is_ours(folder: Path | None) -> bool:
    try:
        return folder is not None and bool(read_config(folder))
    except UsageError:
        return False


def _client(token: Literal[False] | None = None) -> huggingface_hub.HfApi:
    return huggingface_hub.HfApi(library_name=LIBRARY, library_version=__version__, token=token)


def _check_repo_id(repo_id: str) -> None:
    if not is_repo_id(repo_id):
        raise UsageError(f"{repo_id!r} is no Hub id; it takes owner/name.")
