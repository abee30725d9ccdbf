import os

from tabs import output


def test_the_output_folder_is_bounded_and_keeps_the_newest(monkeypatch, tmp_path):
    monkeypatch.setattr(output, "FOLDER", tmp_path)
    monkeypatch.setattr(output, "KEEP", 3)
    made = []
    for age in range(6):
        folder = output.new_folder()
        (folder / "picture.png").write_bytes(b"x")
        os.utime(folder, (age, age))
        made.append(folder)
    assert sorted(tmp_path.iterdir()) == sorted(made[-3:])


def test_gradio_serves_and_uploads_there():
    assert os.environ["GRADIO_TEMP_DIR"] == str(output.FOLDER)
