"""The old content or the new, whatever happens in between."""

import threading
import time
from pathlib import Path

import pytest

from gan_core.atomic import remove_partials, replacing, replacing_folder
from gan_core.runs import Run


def content(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def write_folder(path, text):
    with replacing_folder(path) as folder:
        (folder / "file").write_text(text)


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    with replacing(tmp_path / "a") as file:
        file.write(b"old")
    with pytest.raises(KeyError), replacing(tmp_path / "a") as file:
        file.write(b"new")
        raise KeyError
    assert content(tmp_path) == {"a": "old"}


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    write_folder(tmp_path / "a", "old")
    with pytest.raises(KeyError), replacing_folder(tmp_path / "a") as folder:
        (folder / "file").write_text("half")
        raise KeyError
    assert content(tmp_path / "a") == {"file": "old"}
    write_folder(tmp_path / "a", "new")
    assert content(tmp_path / "a") == {"file": "new"}
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_rename_that_is_refused_brings_the_old_folder_back(tmp_path, monkeypatch):
    write_folder(tmp_path / "a", "old")
    rename = Path.rename

    def refusing(self, target):
        if self.name.endswith(".partial") and not self.name.endswith(".old.partial"):
            raise PermissionError("in use")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refusing)
    with pytest.raises(PermissionError):
        write_folder(tmp_path / "a", "new")
    monkeypatch.undo()
    assert content(tmp_path / "a") == {"file": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_a_killed_writer_left_is_tidied_and_the_old_folder_comes_back(tmp_path):
    write_folder(tmp_path / "a", "old")
    (tmp_path / "a").rename(tmp_path / "a.123.old.partial")  # killed between the two renames
    (tmp_path / "a.123.partial").mkdir()
    (tmp_path / "b.partial").write_text("somebody else's")
    remove_partials(tmp_path / "a")
    assert content(tmp_path / "a") == {"file": "old"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b.partial"]


def test_threads_do_not_write_into_each_others_files(tmp_path):
    run, errors = Run(tmp_path), []

    def write(name):
        try:
            for step in range(100):
                run.write_state(status=name, step=step)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_kill_9_in_the_middle_of_a_write_leaves_the_old_content_or_the_new(tmp_path, light):
    path, whole = tmp_path / "file", {bytes([k]) * 30_000_000 for k in (1, 2)}
    path.write_bytes(bytes([1]) * 30_000_000)
    writer = light(
        "from pathlib import Path; from gan_core.atomic import replacing\n"
        "while True:\n"
        f"    with replacing(Path({str(path)!r})) as file:\n"
        "        for _ in range(30): file.write(bytes([2]) * 1_000_000)"
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("*.partial")) and time.monotonic() < deadline:
        time.sleep(0.001)
    writer.kill()
    writer.communicate()
    assert list(tmp_path.glob("*.partial")), "killed too late to matter"
    assert path.read_bytes() in whole
