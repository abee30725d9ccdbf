"""Line art: lines where a picture has edges, thin, black on white, as large as asked for."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from gan_core.edges import is_drawing, line_art


def square():
    """A black square from 100 to 300 on white, 400 pixels wide."""
    picture = Image.new("RGB", (400, 400), "white")
    ImageDraw.Draw(picture).rectangle((100, 100, 300, 300), fill="black")
    return picture


def test_lines_are_where_the_edges_are_and_nowhere_else():
    lines = np.asarray(line_art(square(), 100))
    assert lines.shape == (100, 100)
    assert lines[50, 25] < 140 and lines[50, 75] < 140 and lines[25, 50] < 140  # the sides of the square
    assert (lines[35:65, 35:65] == 255).all() and (lines[:20] == 255).all()  # and nothing within or without
    assert 0.02 < 1 - lines.mean() / 255 < 0.035  # one and a half pixels wide: 300 of 10,000


def test_polarity_may_be_flipped():
    black, white = (np.asarray(line_art(square(), 64, flip=flip), dtype=int) for flip in (False, True))
    assert np.abs(white - (255 - black)).max() <= 1 and black.min() == 0


def test_detail_brings_out_what_is_small():
    speckled = square()
    draw = ImageDraw.Draw(speckled)
    for x in range(10, 400, 20):
        draw.rectangle((x, 20, x + 3, 23), fill="#999999")

    def dark(detail):
        return (np.asarray(line_art(speckled, 200, detail))[:20] < 200).mean()

    assert dark(1.0) > 0.05 and dark(0.0) < 0.005


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "I;16"])
@pytest.mark.parametrize("size", [(1, 1), (7, 300), (500, 20)])
def test_any_mode_and_shape(mode, size):
    picture = Image.new("I;16", size, 9000) if mode == "I;16" else Image.effect_noise(size, 90).convert(mode)
    lines = line_art(picture, 64)
    assert lines.mode == "L" and max(lines.size) == 64 and min(lines.size) >= 1


def test_drawings_are_told_from_photographs():
    from gan_core.data import DATASETS, load_data

    def drawings(name, part):
        draw = DATASETS[name].few
        pictures = getattr(draw(20) if draw is not None else load_data(name, split="test"), part)[:20]
        return sum(is_drawing(Image.fromarray(picture.permute(1, 2, 0).numpy().squeeze())) for picture in pictures)

    assert drawings("batik", "inputs") == drawings("openmoji_outline", "inputs") == 20
    assert drawings("photos", "images") <= 2 and drawings("batik", "images") == 0
    assert is_drawing(Image.new("RGBA", (9, 9)))  # nothing on transparent ground yet
