import concurrent.futures
import os
import shutil
import threading

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


def test_unfinished_uploads_count_too(monkeypatch, tmp_path):
    monkeypatch.setattr(output, "FOLDER", tmp_path)
    monkeypatch.setattr(output, "KEEP", 2)
    for age in range(4):
        (tmp_path / f"tmp{age}").write_bytes(b"x")
        os.utime(tmp_path / f"tmp{age}", (age, age))
    output.prune()
    assert sorted(child.name for child in tmp_path.iterdir()) == ["tmp2", "tmp3"]


def test_pruning_bears_that_others_remove_files_meanwhile(monkeypatch, tmp_path):
    monkeypatch.setattr(output, "FOLDER", tmp_path)
    monkeypatch.setattr(output, "KEEP", 5)
    done = threading.Event()

    def come_and_go():
        while not done.is_set():
            folder = output.new_folder()
            (folder / "upload").write_bytes(b"x")
            shutil.rmtree(folder, ignore_errors=True)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        others = [pool.submit(come_and_go) for _ in range(2)]
        try:
            for _ in range(300):
                output.prune()
        finally:
            done.set()
    assert all(isinstance(other.exception(), FileNotFoundError | None) for other in others)  # pruned under its hands
    shutil.rmtree(tmp_path)
    output.prune()


def test_gradio_serves_and_uploads_there():
    assert os.environ["GRADIO_TEMP_DIR"] == str(output.FOLDER)
