"""Bounds for a canvas: Gradio keeps what browsers send it in memory, as much as they send, until it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import gradio as gr
from gradio.components.image_editor import EditorData
from gradio.data_classes import DataWithFiles, FileData
from PIL import Image
from starlette.exceptions import HTTPException

from gan_core.data.picture_file import FORMATS

PARTS = ("background", "layer", "composite")
LAYERS = 8
KEEP = 32  # drawings whose event has not come yet
KEEP_BYTES = 100_000_000  # of them, at most
MAX_PIXELS = 50_000_000  # of a drawing's parts together: a small file may unpack to very many


def bound(canvas: gr.ImageEditor) -> None:
    """Has a canvas refuse what is no drawing of a reasonable size, and forget the oldest of very many.

    A drawing comes in parts, or as the names of files that were uploaded: both are looked at before they are unpacked.
    """
    accept, decode, kept = canvas.accept_blobs, canvas.preprocess, canvas.blob_storage

    def decode_bounded(payload: EditorData | None) -> Any:
        if payload is not None:
            given = kept.get(payload.id) if payload.id is not None else payload
            refuse_large([] if given is None else [given.background, given.composite, *given.layers])
        return decode(payload)

    def accept_bounded(data: DataWithFiles) -> None:
        refuse_odd(data)
        accept(data)
        kept[data.data["id"]] = kept.pop(data.data["id"])  # now the newest
        while len(kept) > KEEP or sum(map(taken, kept.values())) > KEEP_BYTES:
            del kept[next(iter(kept))]

    accept_bounded._is_server_fn = True  # type: ignore[attr-defined]  # how Gradio knows what browsers may call
    canvas.accept_blobs = accept_bounded
    canvas.preprocess = decode_bounded


def refuse_large(parts: Sequence[FileData | bytes | None]) -> None:
    """Raises `gr.Error` for a drawing of too many layers or pixels, or of what is no picture in a known format."""
    there = [part for part in parts if part is not None]
    pixels = [pixels_of(BytesIO(part) if isinstance(part, bytes) else part.path) for part in there]
    if not all(pixels):
        raise gr.Error("A part of the drawing is no picture.", print_exception=False)
    if len(there) > LAYERS + 2 or sum(pixels) > MAX_PIXELS:
        raise gr.Error(f"A drawing may have {LAYERS} layers and {MAX_PIXELS:,} pixels in all.", print_exception=False)


def pixels_of(file: BytesIO | str) -> int:
    """How many a picture would unpack to; 0 of what is none."""
    try:
        with Image.open(file, formats=FORMATS) as picture:
            return picture.width * picture.height
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return 0


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
    pixels = pixels_of(BytesIO(data.files[0][1]))
    if not pixels:
        raise HTTPException(422, "This is no picture.")
    if pixels > MAX_PIXELS:
        raise HTTPException(413, f"A drawing may have {MAX_PIXELS:,} pixels.")
