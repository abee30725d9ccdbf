import json

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gan_core import UsageError
from gan_core.pictures import save_png
from tabs.settings import Settings
from tests.tabs.tiny import tiny_model

FULL = Settings("runs/tiny", "v1", seed=2**32 - 1, images=64, label=2, controls={"truncation": 0.7})


@pytest.fixture(scope="module")
def model():
    return tiny_model()


@pytest.fixture(scope="module")
def classy():
    return tiny_model(classes=("zero", "one", "two"))


def png(path, settings):
    save_png(Image.new("L", (4, 4)), path, settings)
    return path


def test_settings_survive_a_png(tmp_path, classy):
    assert Settings.from_png(png(tmp_path / "a.png", FULL.describe(classy) | {"index": 3})) == FULL


def test_the_description_names_every_control_and_what_it_was_made_with(model):
    described = Settings("runs/tiny").describe(model)
    assert described["controls"] == {"truncation": 1.0}
    assert set(described) == {
        "model", "revision", "seed", "images", "label", "controls", "raw", "image_size", "device",
        "gan_core",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"seed": -1}, "The seed is '-1'"),
        ({"seed": 2**32}, "takes a whole number from 0 to 4294967295"),
        ({"seed": "7"}, "The seed is '7'"),
        ({"seed": True}, "The seed is 'True'"),
        ({"seed": 1.5}, "The seed is '1.5'"),
        ({"images": 0}, "The number of images is '0'"),
        ({"images": 10**9}, "from 1 to 64"),
        ({"label": -2}, "The label is '-2'"),
        ({"model": ["../../etc"]}, "The model is"),
        ({"revision": 3}, "The revision is '3'"),
        ({"controls": [0.7]}, "The controls are"),
        ({"raw": 1}, "raw is '1'; it takes true or false"),
    ],
)
def test_values_from_a_strangers_png_are_checked(tmp_path, classy, change, sentence):
    file = png(tmp_path / "a.png", FULL.describe(classy) | change)
    with pytest.raises(UsageError, match=sentence):
        Settings.from_png(file)


@pytest.mark.parametrize(
    "text", [None, "Steps: 20, Sampler: Euler", json.dumps({"prompt": "a cat"}), "[1]", "9" * 20_000]
)
def test_pngs_without_our_settings_are_refused_by_name(tmp_path, text):
    info = PngInfo()
    if text is not None:
        info.add_text("parameters", text)
    Image.new("L", (4, 4)).save(tmp_path / "other.png", pnginfo=info)
    with pytest.raises(UsageError, match="other.png carries .*drop a PNG that was saved here"):
        Settings.from_png(tmp_path / "other.png")


def test_what_is_no_picture_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(UsageError, match="cannot be read as a picture"):
        Settings.from_png(tmp_path / "a.png")


def test_an_image_bomb_is_refused(tmp_path):
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")  # 49 kB
    with pytest.raises(UsageError, match="more than the .* pixels"):
        Settings.from_png(tmp_path / "bomb.png")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (Settings("m", label=0), "unconditional"),
        (Settings("m", controls={"trunction": 1.0}), "did you mean 'truncation'"),
        (Settings("m", controls={"truncation": 9}), "truncation is 9"),
        (Settings("m", controls={"truncation": "much"}), "truncation is 'much'"),
    ],
)
def test_settings_that_the_model_does_not_take(model, settings, sentence):
    with pytest.raises(UsageError, match=sentence):
        settings.check(model)


def test_a_class_that_a_conditional_model_does_not_have(classy):
    FULL.check(classy)
    with pytest.raises(UsageError, match="from 0 to 2"):
        Settings("m", label=3).check(classy)


def test_a_link_says_all_settings(classy):
    query = {"seed": "5", "images": "3", "label": "1", "truncation": "0.25", "__theme": "dark", "utm_source": "x"}
    settings, complaints = Settings("m").with_query(query, classy)
    assert settings == Settings("m", seed=5, images=3, label=1, controls={"truncation": 0.25})
    assert complaints == []


def test_bad_values_of_a_link_are_left_out_one_by_one(model):
    query = {"seed": "many", "images": "999", "label": "1", "truncation": "nan", "revision": ""}
    settings, complaints = Settings("m", seed=4).with_query(query | {"seed": "9" * 5000}, model)
    assert settings == Settings("m", seed=4)
    assert len(complaints) == 4
    settings, complaints = Settings("m").with_query({"seed": "many", "images": "7"}, model)
    assert (settings.images, complaints) == (7, ["The seed is 'many'; it takes a whole number from 0 to 4294967295."])
