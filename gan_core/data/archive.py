"""A zip of pictures, from a person who may not mean well."""

import shutil
import zipfile
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from gan_core.data.folder import SUFFIXES
from gan_core.errors import UsageError

MAX_FILES = 100_000
MAX_BYTES = 4 * 2**30


def unpack(archive: Path | BinaryIO, into: Path) -> int:
    """Unpacks the pictures of a zip into a new folder and returns their number.

    Only regular files with a picture's suffix are written; sub-folders are kept, since they may be classes.

    Args:
        archive: Path or open file of the zip.
        into: Must not exist; removed again if anything is wrong.

    Raises:
        UsageError: It is no zip, names a path outside itself, holds no pictures, or unpacks to too much.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [m for m in opened.infolist() if not m.is_dir() and wanted(m.filename)]
            total = sum(member.file_size for member in members)
            if not members:
                raise UsageError(f"The zip holds no pictures; it takes {', '.join(sorted(SUFFIXES))}.")
            if len(members) > MAX_FILES or total > MAX_BYTES:
                raise UsageError(
                    f"The zip unpacks to {len(members):,} pictures of {total / 2**30:.1f} GiB together; "
                    f"at most {MAX_FILES:,} and {MAX_BYTES / 2**30:.0f} GiB are taken."
                )
            into.mkdir(parents=True)
            try:
                for member in members:
                    target = into / member.filename
                    target.parent.mkdir(parents=True, exist_ok=True)
                    # zipfile stops at the size the directory claims, so the total above holds
                    with opened.open(member) as source, target.open("wb") as sink:
                        shutil.copyfileobj(source, sink)
            except BaseException:
                shutil.rmtree(into)
                raise
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:  # damaged, encrypted, unknown method
        raise UsageError(f"The file cannot be unpacked as a zip ({error}).") from error
    return len(members)


def wanted(name: str) -> bool:
    """Whether a member is a picture worth unpacking; a path that leaves the archive is an error."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise UsageError(f"The zip names a path outside itself ({name!r}); nothing was unpacked.")
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in SUFFIXES and not hidden
