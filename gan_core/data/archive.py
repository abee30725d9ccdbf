"""A zip of pictures, from a person who may not mean well."""

import lzma
import shutil
import zipfile
import zlib
from pathlib import Path, PureWindowsPath
from typing import BinaryIO

from gan_core.data.folder import SUFFIXES, is_hidden
from gan_core.errors import UsageError

MAX_FILES = 100_000
MAX_BYTES = 4 * 2**30
ENCRYPTED = 1  # a bit of a member's flags
# What comes through zipfile; ValueError for offsets and names, RuntimeError for an unknown method or folders too deep.
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, RuntimeError)


def unpack(archive: Path | BinaryIO, into: Path) -> int:
    """Unpacks the pictures of a zip into a new folder and returns their number.

    Only regular files with a picture's suffix are written; sub-folders are kept, since they may be classes.

    Args:
        archive: Path or open file of the zip.
        into: Must not exist, its parent must; removed again if anything is wrong.

    Raises:
        UsageError: It is no zip, is damaged or encrypted, names a path outside itself or one that cannot be written,
            holds no pictures, or unpacks to too much.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [m for m in opened.infolist() if not m.is_dir() and wanted(m.filename)]
            total = sum(member.file_size for member in members)
            if not members:
                raise UsageError(f"The zip holds no pictures; it takes {', '.join(sorted(SUFFIXES))}.")
            if any(member.flag_bits & ENCRYPTED for member in members):
                raise UsageError("The zip is encrypted; make one without a password.")
            if len(members) > MAX_FILES or total > MAX_BYTES:
                raise UsageError(
                    f"The zip unpacks to {len(members):,} pictures of {total / 2**30:.1f} GiB together; "
                    f"at most {MAX_FILES:,} and {MAX_BYTES / 2**30:.0f} GiB are taken."
                )
            into.mkdir()
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
    except UsageError:  # itself a ValueError
        raise
    except OSError as error:  # a name that is too long, or a file's and a folder's; bzip2 has it for damaged data
        raise UsageError(f"The zip cannot be unpacked ({error.strerror or error}).") from error
    except DAMAGED as error:
        raise UsageError(f"The file cannot be unpacked as a zip ({str(error) or 'it ends too early'}).") from error
    return len(members)


def wanted(name: str) -> bool:
    """Whether a member is a picture worth unpacking; a path that leaves the archive is an error."""
    path = PureWindowsPath(name)  # knows both separators, and drives
    if path.anchor or ".." in path.parts:
        raise UsageError(f"The zip names a path outside itself ({name!r}); nothing was unpacked.")
    return path.suffix.lower() in SUFFIXES and not any(map(is_hidden, path.parts))
