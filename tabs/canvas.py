"""Bounds for a canvas: Gradio keeps what browsers send it in memory, as much as they send, until it is drawn."""

from __future__ import annotations

from io import BytesIO

import gradio as gr
from gradio.data_classes import DataWithFiles
from PIL import Image
from starlette.exceptions import HTTPException

from gan_core.data.picture_file import FORMATS

PARTS = ("background", "layer", "composite")
LAYERS = 8
KEEP = 32  # drawings whose event has not come yet
KEEP_BYTES = 100_000_000  # of them, at most
MAX_PIXELS = 25_000_000  # of one picture: a small file may unpack to very many


def bound(canvas: gr.ImageEditor) -> None:
    """Has a canvas refuse what is no picture of a reasonable size, and forget the oldest of very many."""
    accept, kept = canvas.accept_blobs, canvas.blob_storage

    def accept_bounded(data: DataWithFiles) -> None:
        refuse_odd(data)
        accept(data)
        kept[data.data["id"]] = kept.pop(data.data["id"])  # now the newest
        while len(kept) > KEEP or sum(map(taken, kept.values())) > KEEP_BYTES:
            del kept[next(iter(kept))]

    accept_bounded._is_server_fn = True  # type: ignore[attr-defined]  # how Gradio knows what browsers may call
    canvas.accept_blobs = accept_bounded


def taken(drawing: gr.components.image_editor.EditorDataBlobs) -> int:
    """Bytes of a drawing."""
    return sum(len(part) for part in (drawing.background, drawing.composite, *drawing.layers) if part is not None)


def refuse_odd(data: DataWithFiles) -> None:
    """Answers 422 to what a canvas does not send, and 413 to pictures of too many pixels."""
    described = data.data
    index = str(described.get("index"))
    fits = (
        described.get("type") in PARTS
        and isinstance(described.get("id"), str)
        and (index in ("null", "None", "") or (index.isdecimal() and int(index) < LAYERS))
        and len(data.files) == 1
    )
    if not fits:
        raise HTTPException(422, "This is no part of a drawing.")
    try:
        with Image.open(BytesIO(data.files[0][1]), formats=FORMATS) as picture:
            wide, high = picture.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise HTTPException(422, "This is no picture.") from None
    if wide * high > MAX_PIXELS:
        raise HTTPException(413, f"A picture may have {MAX_PIXELS:,} pixels.")
