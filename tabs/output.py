"""Where pictures and films go that the browser fetches: one folder of this process, bounded, gone when it ends."""

import atexit
import itertools
import os
import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

KEEP = 1000  # answers, live pictures and uploads that stay: far more than a queue of visitors has on its screens
KEEP_BYTES = 500_000_000  # of them, at most
PRUNE_EVERY = 20  # answers: looking at a full folder takes as long as making a picture

FOLDER = Path(tempfile.mkdtemp(prefix="gan-playground-")).resolve()
os.environ["GRADIO_TEMP_DIR"] = str(FOLDER)  # Gradio serves this folder, and its uploads share it
_numbers = itertools.count()
_lock = threading.Lock()


def new_folder() -> Path:
    """An empty folder for the files of one answer."""
    number = next(_numbers)
    folder = FOLDER / f"answer-{number}"
    folder.mkdir(parents=True)
    if number % PRUNE_EVERY == 0:
        prune()
    return folder


def prune() -> None:
    """Removes what is oldest beyond `KEEP` or `KEEP_BYTES`."""
    with _lock:
        room = KEEP_BYTES
        newest_first = sorted(FOLDER.iterdir(), key=lambda child: child.stat().st_mtime_ns, reverse=True)
        for place, child in enumerate(newest_first):
            for file in child.iterdir():
                with suppress(FileNotFoundError):  # Gradio removes old files too
                    room -= file.stat().st_size
            if place >= KEEP or room < 0:
                shutil.rmtree(child, ignore_errors=True)


@atexit.register
def remove() -> None:
    """Removes the folder; a server calls this when it shuts down, for a signal ends it without more ado."""
    shutil.rmtree(FOLDER, ignore_errors=True)
