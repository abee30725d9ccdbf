import os

import pytest

from tabs import output


@pytest.mark.parametrize(("limit", "value"), [("KEEP", 3), ("KEEP_BYTES", 350)])
def test_the_output_folder_is_bounded_and_keeps_the_newest(monkeypatch, tmp_path, limit, value):
    monkeypatch.setattr(output, "FOLDER", tmp_path)
    monkeypatch.setattr(output, limit, value)
    made = []
    for age in range(6):
        folder = output.new_folder()
        (folder / "picture.png").write_bytes(bytes(100))
        os.utime(folder, (age, age))
        made.append(folder)
    output.prune()
    assert sorted(tmp_path.iterdir()) == sorted(made[-3:])


def test_answers_prune_now_and_then(monkeypatch, tmp_path):
    monkeypatch.setattr(output, "FOLDER", tmp_path)
    monkeypatch.setattr(output, "KEEP", 3)
    for _ in range(100):
        output.new_folder()
    assert 3 <= len(list(tmp_path.iterdir())) < 3 + output.PRUNE_EVERY


def test_gradio_serves_and_uploads_there():
    assert os.environ["GRADIO_TEMP_DIR"] == str(output.FOLDER)
