"""Where pictures and films go that the browser fetches: one folder of this process, bounded, gone when it ends."""

import itertools
import os
import shutil
import tempfile
import threading
from pathlib import Path

KEEP = 200  # answers whose files stay: far more than a queue of visitors has on its screens

_owner = tempfile.TemporaryDirectory(prefix="gan-playground-")
FOLDER = Path(_owner.name).resolve()
os.environ["GRADIO_TEMP_DIR"] = str(FOLDER)  # Gradio serves this folder, and its uploads share it
_numbers = itertools.count()
_lock = threading.Lock()


def new_folder() -> Path:
    """An empty folder for the files of one answer; the oldest answers and uploads beyond `KEEP` are removed."""
    with _lock:
        folder = FOLDER / f"answer-{next(_numbers)}"
        folder.mkdir()
        oldest_first = sorted(FOLDER.iterdir(), key=lambda child: child.stat().st_mtime_ns)
        for old in oldest_first[:-KEEP]:
            shutil.rmtree(old, ignore_errors=True)
    return folder
