import dataclasses

import pytest
import torch

from gan_core.data import DATASETS, faces, list_datasets
from gan_core.data.cache import cache_folder
from gan_core.errors import UsageError
from pages import glance
from tests.pages.conftest import picture, zipped


@pytest.fixture
def own_cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def few_faces(own_cache_folder, monkeypatch):
    """A faces set that is drawn in no time."""
    monkeypatch.setattr(faces, "SEEDS", {"train": range(30), "test": range(100, 103)})


def texts(at):
    return [element.value for element in (*at.markdown, *at.caption)]


def test_every_data_set_has_a_card_with_its_licence_and_none_is_drawn_or_downloaded(open_page):
    at = open_page("datasets.py")
    shown = "\n".join(texts(at))
    for name in list_datasets():
        assert f"**{name}**" in shown
        assert DATASETS[name].help in shown and DATASETS[name].licence in shown
    wanted = {f"prepare-{name}" for name, entry in DATASETS.items() if entry.wait or not entry.embedded}
    assert {button.key for button in at.button} == wanted
    assert not list(cache_folder().glob("faces*")) and not list(cache_folder().glob("openmoji*"))
    assert "4,000 train" in shown and "1,000 test" in shown and "32x32 grey" in shown


def test_a_slow_set_is_prepared_when_asked(open_page, few_faces):
    at = open_page("datasets.py")
    assert glance.glance("faces") is None
    at.button(key="prepare-faces").click().run()
    assert not at.exception and not at.error
    shown = "\n".join(texts(at))
    assert "64x64 colour" in shown and "glasses, beard" in shown
    assert "prepare-faces" not in {button.key for button in at.button}
    found, strip = glance.glance("faces")
    assert found.classes is None and found.image_size == 64
    assert strip.startswith(b"\x89PNG")


def test_a_download_that_fails_is_said(open_page, monkeypatch):
    def load(**asked):
        raise UsageError("mnist could not be *downloaded*.")

    monkeypatch.setitem(DATASETS, "mnist", dataclasses.replace(DATASETS["mnist"], load=load))
    at = open_page("datasets.py")
    at.button(key="prepare-mnist").click().run()
    assert "mnist could not be" in at.error[0].value and "*downloaded*" not in at.error[0].value


def test_a_glance_is_kept_and_not_loaded_again(own_cache_folder, monkeypatch):
    first = glance.glance("digits")
    monkeypatch.setattr(glance, "load_data", None)
    assert glance.glance("digits") == first
    assert first[0].image_size == 32 and first[0].classes == list("0123456789")


@pytest.mark.parametrize("name", [name for name, entry in DATASETS.items() if entry.wait])
def test_a_set_that_takes_long_to_draw_has_a_sketch(name):
    assert glance.sketch(name).size == (12 * 65 - 1, 2 * 65 - 1)


def test_sketches_show_inputs_above_what_they_become():
    few = DATASETS["batik"].few(24)
    shown = glance.shown_of(few)
    assert shown.shape == (24, 3, 64, 64)
    assert torch.equal(shown[0], few.inputs[0] / 127.5 - 1) and torch.equal(shown[-1], few.images[-1] / 127.5 - 1)
    assert glance.sketch("cifar10") is None


def test_a_public_space_neither_prepares_nor_examines(open_page, monkeypatch):
    monkeypatch.setenv("GAN_PLAYGROUND_PUBLIC", "1")
    at = open_page("datasets.py")
    assert "off on a public Space" in at.info[0].value
    assert all(button.disabled for button in at.button)
    assert not at.text_input
    assert at.file_uploader(key="upload").proto.disabled
    monkeypatch.setattr(glance, "prepare", lambda name: pytest.fail("prepared"))
    at.button(key="prepare-faces").proto.disabled = False  # as a script may press it; Streamlit drops it
    at.button(key="prepare-faces").click().run()
    assert not at.exception and not at.error


def test_points_are_not_offered_for_training(open_page):
    offered = open_page("train.py").selectbox(key="dataset").options
    assert "faces" in offered and not {"ring", "grid"} & set(offered)


def test_examining_a_set_shows_what_the_doctor_finds(open_page):
    at = open_page("datasets.py")
    at.session_state["examine-digits"] = True
    at.run(timeout=60)
    assert not at.exception
    assert {metric.label: metric.value for metric in at.metric} == {
        "train": "4,000", "test": "1,000", "size": "32x32", "doubles": "0", "unreadable": "0",
    }  # fmt: skip
    assert "nothing is wrong" in at.success[0].value


def test_ones_own_zip_is_examined(open_page):
    files = {f"{kind}/{k}.png": picture(k + 100 * (kind == "dogs")) for kind in ("cats", "dogs") for k in range(12)}
    content = zipped(files | {"cats/again.png": picture(0), "dogs/*bad*.png": b"no picture"})
    at = open_page("datasets.py")
    at.file_uploader(key="upload").upload("pets.zip", content, "application/zip").run()
    assert not at.exception and not at.error
    found = {metric.label: metric.value for metric in at.metric}
    assert (found["doubles"], found["unreadable"]) == ("1", "1")
    assert any("cannot be read" in warning.value for warning in at.warning)
    assert any("again.png" in code.value for code in at.code) and any("*bad*.png" in code.value for code in at.code)
    assert list(at.dataframe[0].value.index) == ["cats", "dogs"]


def test_ones_own_zip_of_pairs_is_examined(open_page):
    files = {f"{side}/{k}.png": picture(k + 100 * (side == "B")) for side in "AB" for k in range(40)}
    at = open_page("datasets.py")
    at.file_uploader(key="upload").upload("x.zip", zipped(files | {"A/0.png": b""}), "application/zip").run()
    assert not at.exception and not at.error
    found = {metric.label: metric.value for metric in at.metric}
    assert int(found["train"]) + int(found["test"]) == 39 and found["unreadable"] == "1"
    shown = "\n".join(texts(at))
    assert "A and B hold pairs" in shown and "Right: what it becomes." in shown
    assert "1 of 80 files cannot be read" in at.warning[0].value


def test_a_folder_is_examined_but_not_on_a_public_space(open_page, tmp_path, monkeypatch):
    for k in range(12):
        (tmp_path / f"{k}.png").write_bytes(picture(k))
    at = open_page("datasets.py")
    at.segmented_control(key="where").set_value("folder").run()
    at.text_input(key="folder").set_value(str(tmp_path)).run()
    assert not at.exception
    assert sum(int(metric.value) for metric in at.metric if metric.label in ("train", "test")) == 12
    at.text_input(key="folder").set_value("/no/such*folder*").run()
    assert "is neither a data set nor a folder" in at.error[0].value and "*folder*" not in at.error[0].value
    monkeypatch.setenv("GAN_PLAYGROUND_PUBLIC", "1")
    at.run()
    assert not at.text_input and not at.error
