"""Where pictures, films and uploads go: one folder of this process, bounded, gone when it ends."""

import asyncio
import atexit
import itertools
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEEP = 1000  # answers, live pictures and uploads that stay: far more than a queue of visitors has on its screens
KEEP_BYTES = 500_000_000  # of them, at most
PRUNE_EVERY = 3  # seconds
MAX_FILE = 10_000_000  # bytes of one upload
MAX_BODY = MAX_FILE + 1_000_000  # bytes of one request: a file and what is around it

TAKE_FILES = ("/upload", "/component_server")  # the last takes what is drawn, see `canvas`

FOLDER = Path(tempfile.mkdtemp(prefix="gan-playground-")).resolve()
os.environ["GRADIO_TEMP_DIR"] = str(FOLDER)  # Gradio serves this folder, and its uploads share it
_numbers = itertools.count()


def new_folder() -> Path:
    """An empty folder for the files of one answer."""
    folder = FOLDER / f"answer-{next(_numbers)}"
    folder.mkdir(parents=True)
    return folder


async def keep_bounded() -> None:
    """Prunes for ever; a server runs this beside its requests."""
    while True:
        await asyncio.sleep(PRUNE_EVERY)
        await asyncio.to_thread(prune)


def prune() -> None:
    """Removes what is oldest beyond `KEEP` or `KEEP_BYTES`."""
    found = []
    for child in FOLDER.glob("*"):  # an upload is a file until it has come to its end
        with suppress(OSError):  # Gradio moves and removes files meanwhile
            taken = sum(file.stat().st_size for file in (child, *child.rglob("*")) if file.is_file())
            found.append((child.stat().st_mtime_ns, taken, child))
    room = KEEP_BYTES
    for place, (_, taken, child) in enumerate(sorted(found, reverse=True)):
        room -= taken
        if place >= KEEP or room < 0:
            with suppress(OSError):
                shutil.rmtree(child) if child.is_dir() else child.unlink()


class BoundedRequests:
    """Keeps the playground's requests to `MAX_BODY`, for Gradio bounds each file and takes a thousand at once.

    Files are taken where uploads and drawings go and nowhere else: from its other routes Gradio leaves them in /tmp
    for ever.
    """

    def __init__(self, app: ASGIApp, path: str) -> None:
        self.app, self.path = app, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 413 to a longer body, and 415 to files elsewhere."""
        if scope["type"] != "http" or not scope["path"].startswith(self.path):
            return await self.app(scope, receive, send)
        left = MAX_BODY

        async def bounded() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413, f"A request may have {MAX_BODY:,} bytes.")
            return message

        is_form = dict(scope["headers"]).get(b"content-type", b"").lower().startswith(b"multipart/")
        if is_form and not scope["path"].rstrip("/").endswith(TAKE_FILES):
            return await PlainTextResponse("Files are taken by /upload.", 415)(scope, receive, send)
        await self.app(scope, bounded, send)


@atexit.register
def remove() -> None:
    """Removes the folder; a server calls this when it shuts down, for a signal ends it without more ado."""
    shutil.rmtree(FOLDER, ignore_errors=True)
