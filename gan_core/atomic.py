"""Writing so that a reader, or a power cut, meets the old content or the new, never half of it."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

PARTIAL = ".partial"


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes `path`'s place when the block ends well, and vanishes when it does not.

    It is flushed to the disk before it is renamed. What is left of a killed process ends in `.partial`.
    """
    partial = path.with_name(f"{path.name}.{uuid4().hex}{PARTIAL}")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """An empty folder that takes `path`'s place when the block ends well, and vanishes when it does not.

    No system call swaps two folders everywhere, so for a moment the old one bears a `.old.partial` name;
    `remove_partials` gives it back its own if a process was killed in that moment.
    """
    partial = path.with_name(f"{path.name}.{uuid4().hex}{PARTIAL}")
    old = partial.with_suffix(f".old{PARTIAL}")
    partial.mkdir(parents=True)
    try:
        yield partial
        for file in partial.iterdir():
            with file.open("rb") as written:
                os.fsync(written.fileno())
        if path.exists():
            path.rename(old)
        try:
            partial.rename(path)
        except BaseException:
            if old.exists():
                old.rename(path)
            raise
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)


def remove_partials(path: Path) -> None:
    """Tidies up after killed writers of `path`; a folder that was moved away and not replaced comes back."""
    for partial in sorted(path.parent.glob(f"{path.name}.*{PARTIAL}")):
        if partial.name.endswith(f".old{PARTIAL}") and not path.exists():
            partial.rename(path)
        elif partial.is_dir():
            shutil.rmtree(partial)
        else:
            partial.unlink()
