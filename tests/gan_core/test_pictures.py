"""Pictures and the settings inside them."""

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gan_core.card import duration
from gan_core.errors import UsageError
from gan_core.pictures import grid, read_settings, save_png, to_pil, to_uint8


def test_pixels_are_clamped_and_rounded_not_stretched():
    values = torch.tensor([-2.0, -1.0, 0.0, 0.002, 1.0, 3.0])
    assert to_uint8(values).tolist() == [0, 0, 128, 128, 255, 255]
    dim = torch.full((1, 2, 2), -0.5)
    assert np.array(to_pil(dim)).max() == 64


def test_grey_and_colour_and_whole_factors():
    assert to_pil(torch.zeros(1, 4, 4)).mode == "L"
    colour = to_pil(torch.stack([torch.ones(2, 2), -torch.ones(2, 2), -torch.ones(2, 2)]), scale=3)
    assert colour.size == (6, 6) and colour.getpixel((5, 5)) == (255, 0, 0)


def test_a_grid_places_row_by_row():
    images = torch.linspace(-1, 1, 5).view(5, 1, 1, 1).expand(5, 1, 2, 2)
    sheet = np.array(grid(images, columns=3))
    assert sheet.shape == (5, 8)
    assert [sheet[0, 0], sheet[0, 3], sheet[0, 6], sheet[3, 0]] == [0, 64, 128, 191]


def test_settings_survive_a_png(tmp_path):
    settings = {"seed": 3, "model": "weights/ä"}
    save_png(to_pil(torch.zeros(1, 4, 4)), tmp_path / "x.png", settings)
    assert read_settings(tmp_path / "x.png") == settings


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "carries no playground settings"),
        ("a cat, masterpiece", "settings of another program"),
        ("[1]", "settings of another program"),
        ("x" * 20_000, "carries no playground settings"),
    ],
)
def test_pictures_without_settings(tmp_path, text, sentence):
    info = PngInfo()
    if text is not None:
        info.add_text("parameters", text)
    Image.new("L", (4, 4)).save(tmp_path / "x.png", pnginfo=info)
    with pytest.raises(UsageError, match=sentence):
        read_settings(tmp_path / "x.png")


def test_no_picture_at_all(tmp_path):
    (tmp_path / "x.png").write_bytes(b"no")
    with pytest.raises(UsageError, match="cannot be read as a picture"):
        read_settings(tmp_path / "x.png")


@pytest.mark.parametrize(("seconds", "text"), [(41, "41 s"), (185, "3 min 5 s"), (7800, "2 h 10 min")])
def test_durations_for_people(seconds, text):
    assert duration(seconds) == text
