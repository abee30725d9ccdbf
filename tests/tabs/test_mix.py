import json

import numpy as np
import pytest
from PIL import Image

from gan_core import UsageError
from gan_core.latent import latents
from gan_core.pictures import to_uint8
from tabs.mix import explained, layers_of, models_with_styles, no_styles, save, table
from tabs.settings import Settings
from tests.tabs.tiny import tiny_model


@pytest.fixture(scope="module")
def stylish():
    return tiny_model("stylegan")


def cells(paper, side, rows, columns):
    """The grey values of a table's pictures: (row, column), 0 being the border."""
    paper = np.asarray(paper.convert("RGBA"))
    scale, gap = 96 // side, 96 // 8

    def start(k):
        return 0 if k == 0 else 96 + gap + (k - 1) * scale * (side + 1)

    return {
        (row, column): paper[start(row) : start(row) + 96 : scale, start(column) : start(column) + 96 : scale]
        for row in range(rows + 1)
        for column in range(columns + 1)
    }


def test_the_table_has_sources_at_its_border_and_their_mixes_inside(stylish):
    found = cells(table(stylish, (1, 2), (5, 6, 7), 3, 4, {}), 16, 2, 3)
    z = {seed: latents(seed, 1, stylish.latent_dim) for seed in (1, 2, 5, 6, 7)}

    def grey(images):
        return to_uint8(images)[0, 0].numpy()

    assert (found[0, 0][..., 3] == 0).all()  # nothing stands in the corner
    for row, seed in enumerate((1, 2), start=1):
        assert np.array_equal(found[row, 0][..., 0], grey(stylish.decode(z[seed])))
        for column, other in enumerate((5, 6, 7), start=1):
            assert np.array_equal(found[row, column][..., 0], grey(stylish.mix(z[seed], z[other], 3, 4)))
            assert (found[row, column][..., 3] == 255).all()
    assert np.array_equal(found[0, 2][..., 0], grey(stylish.decode(z[6])))


def test_controls_apply_to_all_of_the_table(stylish):
    found = cells(table(stylish, (1, 2), (5,), 1, 6, {"truncation": 0.0, "noise": 0.0}), 16, 2, 1)
    assert all(np.array_equal(found[1, 1], found[place]) for place in ((0, 1), (1, 0), (2, 0), (2, 1)))


def test_the_png_says_how_to_make_it_again(stylish):
    settings = Settings("runs/a", controls={"truncation": 0.5})
    file = save(stylish, settings, "1 2", "5", 2, 3)
    with pytest.raises(UsageError, match="mix.png is a table of mixed styles"):
        Settings.from_png(file)
    with Image.open(file) as picture:
        carried = json.loads(picture.text["parameters"])
    assert carried["controls"]["truncation"] == 0.5
    assert (carried["rows"], carried["columns"], carried["layers"]) == ("1 2", "5", [2, 3])


@pytest.mark.parametrize(
    ("rows", "columns", "layers", "sentence"),
    [
        ((), (1,), (1, 2), "The rows have 0 seeds; it takes 1 to 8"),
        ((1,), tuple(range(9)), (1, 2), "The columns have 9 seeds"),
        ((1,), (2,), (1, 7), "Styles of layers 1 to 7 were asked for"),
        ((1,), (2,), (3, 2), "Styles of layers 3 to 2 were asked for"),
    ],
)
def test_tables_that_cannot_be(stylish, rows, columns, layers, sentence):
    with pytest.raises(UsageError, match=sentence):
        table(stylish, rows, columns, *layers, {})


def test_the_finer_half_is_mixed_unless_asked(stylish):
    assert layers_of(stylish, None, None) == (4, 6)
    assert layers_of(stylish, 1, None) == (1, 6)
    assert explained(stylish, 1, 6).startswith("Layers 1 to 6 of 6, which draw at 4 to 16 pixels,")
    assert "draw at 8 pixels" in explained(stylish, 3, 4)


def test_a_model_without_styles_is_told_which_have_them(runs):
    tiny_model().save(runs / "plain" / "model")
    tiny_model("stylegan").save(runs / "styled" / "model")
    assert "runs/styled" in models_with_styles()
    assert "runs/plain" not in models_with_styles()
    assert "runs/styled" in no_styles("dcgan")


def test_where_no_model_has_styles_it_is_said_how_to_get_one(monkeypatch):
    monkeypatch.setattr("tabs.mix.models_with_styles", list)
    assert "python train.py stylegan" in no_styles("dcgan")
