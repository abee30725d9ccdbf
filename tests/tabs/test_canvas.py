"""What browsers may send to a canvas, and how much of it is kept."""

import io

import gradio as gr
import pytest
from gradio.components.image_editor import EditorData
from gradio.data_classes import DataWithFiles, FileData
from PIL import Image
from starlette.exceptions import HTTPException

from tabs import canvas


@pytest.fixture
def editor():
    with gr.Blocks():
        editor = gr.ImageEditor()
    canvas.bound(editor)
    return editor


def png(size=(8, 8)):
    buffer = io.BytesIO()
    Image.new("1", size).save(buffer, "PNG")
    return buffer.getvalue()


def part(content=None, **changes):
    described = {"type": "composite", "index": "null", "id": "a"} | changes
    return DataWithFiles(data=described, files=[("blob", png() if content is None else content)])


def test_a_drawing_is_kept_until_it_is_asked_for(editor):
    editor.accept_blobs(part())
    editor.accept_blobs(part(type="background"))
    editor.accept_blobs(part(type="layer", index="1"))
    kept = editor.blob_storage["a"]
    assert kept.composite == kept.background == kept.layers[1] == png() and kept.layers[0] is None
    assert getattr(editor.accept_blobs, "_is_server_fn", False)  # or browsers could not call it


@pytest.mark.parametrize(
    "odd", [{"type": "film"}, {"index": "1000000000"}, {"index": "-1"}, {"id": None}, {"content": b"no picture"}]
)
def test_what_a_canvas_does_not_send_is_refused(editor, odd):
    with pytest.raises(HTTPException) as refused:
        editor.accept_blobs(part(**{"type": "layer"} | odd))
    assert refused.value.status_code == 422 and not editor.blob_storage


def test_a_bomb_is_refused_before_it_is_unpacked(editor):
    bomb = png((8000, 8000))
    assert len(bomb) < 100_000
    with pytest.raises(HTTPException) as refused:
        editor.accept_blobs(part(bomb))
    assert refused.value.status_code == 413 and not editor.blob_storage


def test_the_oldest_drawings_are_forgotten(editor, monkeypatch):
    for k in range(canvas.KEEP + 5):
        editor.accept_blobs(part(id=str(k)))
        editor.accept_blobs(part(id="3", type="background"))  # goes on being drawn
    assert len(editor.blob_storage) == canvas.KEEP and "3" in editor.blob_storage and "5" not in editor.blob_storage
    monkeypatch.setattr(canvas, "KEEP_BYTES", 3 * len(png()))
    editor.accept_blobs(part(id="new"))
    assert list(editor.blob_storage) == ["3", "new"]  # of two parts and of one


def named(tmp_path, count, size):
    """A drawing as the names of uploaded files: a background and so many layers."""
    file = tmp_path / "a.png"
    file.write_bytes(png(size))
    part = FileData(path=str(file))
    return EditorData(background=part, layers=[part] * count, composite=part, id=None)


def test_a_drawing_of_files_is_bounded_too(editor, tmp_path):
    assert editor.preprocess(named(tmp_path, 1, (40, 40)))["background"].shape[:2] == (40, 40)
    with pytest.raises(gr.Error, match="8 layers and 50,000,000 pixels"):
        editor.preprocess(named(tmp_path, 9, (40, 40)))
    with pytest.raises(gr.Error, match="8 layers and 50,000,000 pixels"):
        editor.preprocess(named(tmp_path, 3, (4000, 3000)))  # each fits, all five do not


def test_parts_that_fit_may_be_too_much_together(editor):
    for kind in ("background", "composite", "layer"):
        editor.accept_blobs(part(png((4500, 4500)), type=kind, index="0" if kind == "layer" else "null"))
    with pytest.raises(gr.Error, match="pixels in all"):
        editor.preprocess(EditorData(background=None, layers=[], composite=None, id="a"))


def test_a_format_that_uploads_may_not_have_is_not_opened_by_the_canvas_either(editor, tmp_path):
    file = tmp_path / "a.ppm"  # Pillow reads it, and its header alone says how much is to be unpacked
    Image.new("RGB", (40, 40)).save(file)
    with pytest.raises(gr.Error, match="no picture"):
        editor.preprocess(EditorData(background=FileData(path=str(file)), layers=[], composite=None, id=None))
