"""What becomes of a picture on the way to models and back."""

import json

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from gan_core import UsageError
from gan_core.edges import line_art
from gan_core.examples import Examples
from gan_core.latent import MAX_SEED
from tabs import translation
from tabs.comparison import Comparison
from tabs.output import FOLDER
from tabs.panel import load
from tabs.settings import Settings
from tabs.translate import NO_EXAMPLE, TranslateTab, on_canvas, picture_of, shown
from tabs.translate_panel import ALWAYS, AUTOMATIC, NEVER, OWN_SIZE, WHERE_NEEDED, TranslatorsPanel
from tabs.translation import Lines, Translation, beside, example, heatmap, note, received, repeated, run, save_pair
from tests.tabs.tiny import tiny_model, tiny_translator


@pytest.fixture
def models(runs, nothing_bundled):
    """Models that translate, and one that does not."""
    for name, recipe, dataset in (
        ("sketch", "gen_1", "batik"), ("variations", "gen_3", "batik"), ("masks", "cyclegan", "faces_masked"),
        ("larger", "srgan", "photos"), ("whole", "pix2pix", "batik"),
    ):  # fmt: skip
        tiny_translator(recipe, dataset).save(runs / name / "model")
    tiny_model().save(runs / "noise" / "model")


def noise(*size):
    return Image.effect_noise(size or (20, 12), 90)


def test_a_picture_goes_through_each_model(models):
    given, drawn, settings = run(Translation(("runs/sketch", "runs/masks"), seed=3), noise())
    assert given.size == (20, 12) and [one.picture.size for one in drawn] == [(20, 12)] * 2
    for one in drawn:
        assert np.array_equal(one.picture, one.model.translate(given, 3))
    assert settings["models"] == ["runs/sketch", "runs/masks"] and settings["seed"] == 3
    assert settings["size"] == [20, 12]
    assert run(Translation(("runs/larger",)), noise())[1][0].picture.size == (40, 24)


def test_controls_reach_the_models_that_have_them(models):
    picture, names = noise(), ("runs/sketch", "runs/masks")
    forwards, backwards = (
        run(Translation(names, controls=controls), picture)[1] for controls in ({}, {"backwards": 1.0})
    )
    assert np.array_equal(forwards[0].picture, backwards[0].picture)
    assert not np.array_equal(forwards[1].picture, backwards[1].picture)
    with pytest.raises(UsageError, match="None of these models has a control 'backward' .did you mean 'backwards'"):
        run(Translation(names, controls={"backward": 1.0}), picture)


def test_what_a_model_does_not_have_is_not_shown_and_not_asked_for(models):
    with gr.Blocks():
        panel = TranslatorsPanel()
    said = [panel.show([load(f"runs/{name}").model])[-1].constructor_args for name in ("masks", "sketch")]
    assert said == [{"visible": True}, {"visible": False, "value": False}]  # the first as it was left


@pytest.fixture
def tab(models):
    with gr.Blocks() as page, gr.Tabs() as tabs, gr.Tab() as tab:
        return TranslateTab(TranslatorsPanel(), tab, tabs, page)


def test_another_example_is_another(tab):
    model = load("runs/masks").model
    model.examples = Examples(model.examples.inputs[:3], model.examples.inputs[3:6])

    def answers(backwards):
        several = [tab._another(["runs/masks"], backwards, 1) for _ in range(30)]
        for canvas, place in several:
            assert np.array_equal(picture_of(canvas), picture_of(shown(model, place, backwards)))
        return {place for _, place in several}

    assert answers(False) == answers(True) == {0, 2}
    assert not np.array_equal(picture_of(shown(model, 0)), picture_of(shown(model, 0, True)))


def test_an_upload_is_put_on_the_canvas_at_most_as_large_as_the_tab_translates(tab, tmp_path):
    noise(3000, 50).save(tmp_path / "wide.png")
    assert picture_of(tab._uploaded(str(tmp_path / "wide.png"))[0]).size == (1024, 17)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(gr.Error, match=r"text.png cannot be read as a picture \(it is no PNG, JPEG, .*TIFF\)"):
        tab._uploaded(str(tmp_path / "text.png"))


@pytest.fixture
def draw(tab):
    """Asks the tab for what it shows of a picture that models translate."""

    def ask(picture, *names, side=AUTOMATIC, seed=0, backwards=False, lines=NEVER, flip=False, repeat=False, present=0):
        return tab._draw(on_canvas(picture), [*names], side, seed, backwards, lines, 0.5, flip, repeat, present)

    return ask


def test_a_photograph_is_given_as_its_lines_to_what_colours_drawings(draw):
    drawing = Image.new("RGB", (40, 40), "white")
    ImageDraw.Draw(drawing).ellipse((5, 5, 35, 35), outline="black", width=3)
    photograph = noise(40, 40).point(lambda value: value // 2)

    def given(picture, *names, **choices):
        """The longer side of what the models were given, and whether it is lines."""
        settings = draw(picture, *names, **{"lines": WHERE_NEEDED} | choices).settings
        return settings["size"][0], settings["lines"] is not None

    assert given(photograph, "runs/sketch") == (256, True)
    assert given(photograph, "runs/sketch", side=64) == (64, True)
    assert given(photograph, "runs/whole") == (32, True)  # a U-Net is given what it was trained on
    assert given(photograph, "runs/sketch", "runs/whole") == (16, True)
    assert given(photograph, "runs/sketch", lines=NEVER) == given(drawing, "runs/sketch") == (16, False)
    assert given(photograph, "runs/masks") == (32, False) and given(photograph, "runs/masks", lines=ALWAYS)[1]


def test_what_is_to_be_enlarged_is_not_made_smaller_first(draw):
    """An upload; an example is given as small as in training."""

    def given(side, name, present):
        return draw(noise(side, 5), name, present=present).settings["size"][0]

    assert (given(200, "runs/larger", NO_EXAMPLE), given(900, "runs/larger", NO_EXAMPLE)) == (200, 512)
    assert given(200, "runs/larger", 3) == 8
    assert given(200, "runs/sketch", NO_EXAMPLE) == 16


def test_lines_are_shown_as_the_model_is_given_them(draw):
    photograph = noise(40, 40).point(lambda value: value // 2)
    for flip in (False, True):
        answer = draw(photograph, "runs/sketch", lines=WHERE_NEEDED, flip=flip)
        lines = line_art(photograph, 256, 0.5, flip)
        assert np.array_equal(seen(answer.lines), lines.resize((512, 512), Image.Resampling.NEAREST))
        assert np.array_equal(answer.pictures[0], lines.convert("RGB"))
        assert [visible(part) for part in (answer.lines, answer.detail, answer.flip)] == [True] * 3
    answer = draw(photograph, "runs/sketch")
    assert [visible(part) for part in (answer.lines, answer.detail, answer.flip)] == [False] * 3


def test_before_is_left_and_after_is_right(draw):
    picture = noise(16, 16)
    answer = draw(picture, "runs/masks", side=OWN_SIZE)
    before, after = answer.pictures
    assert np.array_equal(before, picture.convert("RGB"))
    assert np.array_equal(after, load("runs/masks").model.translate(picture))
    backwards = draw(picture, "runs/masks", side=OWN_SIZE, backwards=True).pictures[1]
    assert np.array_equal(backwards, load("runs/masks").model.translate(picture, backwards=1))


def test_models_are_beside_each_other_and_variations_have_seeds_of_their_own(draw):
    picture = noise(16, 16)
    answer = draw(picture, "runs/masks", "runs/sketch", side=OWN_SIZE)
    shown_there = [(np.asarray(image), caption.split(" ")[0]) for image, caption in value_of(answer.several)]
    for (pixels, caption), name in zip(shown_there, ("runs/masks", "runs/sketch"), strict=True):
        assert caption == name and np.array_equal(pixels, load(name).model.translate(picture))
    variations = value_of(draw(picture, "runs/variations", side=OWN_SIZE, seed=MAX_SEED).several)
    for (image, caption), seed in zip(variations, (MAX_SEED, 0, 1, 2, 3, 4), strict=True):
        assert caption == f"seed {seed}" and np.array_equal(
            image, load("runs/variations").model.translate(picture, seed)
        )
    assert not visible(draw(picture, "runs/sketch", side=OWN_SIZE).several)


def test_patches_are_those_of_the_first_model_unless_it_translates_backwards(draw):
    picture = noise(16, 16)
    answer = draw(picture, "runs/sketch", "runs/masks", side=OWN_SIZE, backwards=True)  # only the second can
    model = load("runs/sketch").model
    shares = model.patch_map(picture, model.translate(picture))
    assert np.array_equal(seen(answer.patches), heatmap(shares.numpy(), (16, 16)).resize((512, 512), 0))
    assert visible(answer.patches) and answer.patches.constructor_args["label"].startswith("3x3 patches")
    assert visible(draw(picture, "runs/masks").patches)
    assert not visible(draw(picture, "runs/masks", backwards=True).patches)
    assert not visible(draw(picture, "runs/larger").patches)  # its critic judges the whole


def test_a_cloth_repeats_its_pattern_where_asked(draw):
    picture = noise(16, 16)
    answer = draw(picture, "runs/sketch", side=OWN_SIZE, repeat=True)
    expected = repeated(load("runs/sketch").model.translate(picture)).resize((512, 512), 0)
    assert visible(answer.cloth) and np.array_equal(seen(answer.cloth), expected)
    assert not visible(draw(picture, "runs/sketch").cloth)


def test_what_a_unet_is_given_instead_of_a_large_picture_is_said(draw, monkeypatch):
    monkeypatch.setattr("gan_core.translate.ONE_PASS", 1024)
    assert (
        "whole sees a picture as a whole: it was given 32x32 pixels." in draw(noise(64, 64), "runs/whole", side=64).said
    )
    assert "as a whole" not in draw(noise(64, 64), "runs/sketch", side=64).said


def test_that_a_face_is_invented_stands_beside_the_model(models):
    with gr.Blocks():
        panel = TranslatorsPanel()
    beside_masks, beside_cloth = (panel.show([load(name).model])[0] for name in ("runs/masks", "runs/sketch"))
    assert "**The face behind the mask is invented, not recovered" in beside_masks and "invented" not in beside_cloth


def visible(update):
    return update.constructor_args["visible"]


def value_of(update):
    return update.constructor_args["value"]


def seen(update):
    """The pixels of a picture that is shown."""
    return np.asarray(value_of(update))


def test_the_size_is_that_of_the_longer_side():
    assert Translation(("a",), side=64).prepare(noise(200, 100)).size == (64, 32)
    assert Translation(("a",)).prepare(noise(200, 100)).size == (200, 100)
    assert Translation(("a",), side=64).prepare(noise(1000, 1)).size == (64, 1)
    with pytest.raises(UsageError, match="has 2000x10 pixels; here it may have 1024 along a side"):
        Translation(("a",)).prepare(noise(2000, 10))
    picture = noise(200, 100)
    lines = Translation(("a",), side=64, lines=Lines(0.3, flip=True)).prepare(picture)
    assert np.array_equal(lines, line_art(picture, 64, 0.3, flip=True))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"models": ()}, "1 to 4 models; there are 0"),
        ({"models": tuple("abcde")}, "1 to 4 models; there are 5"),
        ({"models": (3,)}, "The model is '3'; it takes text"),
        ({"side": 5000}, "The side is '5000'; it takes a whole number from 0 to 1024"),
        ({"seed": -1}, "The seed is '-1'"),
        ({"models": ("a", "b", "a")}, "a is asked for twice"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(wrong, said):
    with pytest.raises(UsageError, match=said):
        Translation(**{"models": ("a",)} | wrong)


@pytest.mark.parametrize("wrong", [{"detail": -50}, {"detail": "fine"}, {"flip": "no"}, {"detial": 1}, [1]])
def test_lines_that_cannot_be_taken_are_refused(wrong):
    with pytest.raises(UsageError, match="detail|flip"):
        Lines.of(wrong)


def test_only_models_that_translate_are_offered_and_taken(models):
    assert translation.translators() == ["runs/larger", "runs/masks", "runs/sketch", "runs/variations", "runs/whole"]
    assert translation.translator(None)[0] == "runs/larger"
    with pytest.raises(UsageError, match="runs/noise draws from noise; it cannot translate a picture"):
        translation.translator("runs/noise")


def test_without_models_it_is_said_what_to_do(runs, nothing_bundled):
    with pytest.raises(UsageError, match="no model here that translates: train one, such as python train.py gen_1"):
        translation.translator(None)


def test_what_is_hidden_behind_a_mask_is_said_to_be_invented():
    assert "invented, not recovered" in note(tiny_translator("cyclegan", "faces_masked"))
    assert note(tiny_translator("gen_1", "batik")) == "" == note(tiny_translator("gen_1", "/a/folder"))


def test_the_pair_is_one_picture_with_the_settings_inside(models):
    given, drawn, settings = run(Translation(("runs/sketch", "runs/larger")), noise())
    with Image.open(save_pair(given, drawn, settings)) as pair:
        assert pair.size == (3 * 40, 24)  # as high as the highest
        assert json.loads(pair.text["parameters"]) == settings
        assert np.array_equal(np.asarray(pair)[:, 80:], drawn[1].picture)


def test_a_saved_pair_is_no_comparison_of_drawn_pictures(models):
    picture = noise()
    given, drawn, settings = run(Translation(("runs/sketch", "runs/masks")), picture)
    file = save_pair(given, drawn, settings)
    with pytest.raises(UsageError, match="is a translation"):
        Settings.from_png(file)
    with pytest.raises(UsageError, match="carries no comparison"):
        Comparison.from_png(file)


def test_pictures_stand_beside_and_below_each_other():
    red, blue = Image.new("RGB", (2, 4), "red"), Image.new("L", (3, 2), 9)
    both = np.asarray(beside([red, blue]))
    assert both.shape == (4, 8, 3) and (both[:, :2] == (255, 0, 0)).all() and (both[:, 2:] == 9).all()
    cloth = np.asarray(repeated(noise(5, 3)))
    assert cloth.shape == (6, 10, 3) and np.array_equal(cloth[:3, :5], cloth[3:, 5:])


def test_a_map_goes_from_dark_to_light():
    colours = np.asarray(heatmap(np.array([[0.0, 0.5], [0.5, 1.0]]), (8, 8)))
    assert tuple(colours[0, 0]) == translation.INFERNO[0] and tuple(colours[7, 7]) == translation.INFERNO[-1]
    assert np.array_equal(colours[0, 4], colours[4, 0]) and colours.shape == (8, 8, 3)


def test_only_what_was_uploaded_is_read(tmp_path):
    noise().save(tmp_path / "mine.png")
    for path in (tmp_path / "mine.png", "/etc/passwd", FOLDER / ".." / "x.png", FOLDER):
        with pytest.raises(UsageError, match="none that was uploaded here"):
            received({"path": str(path)})
    (FOLDER / "text.png").write_text("no picture")
    with pytest.raises(UsageError, match=r"text.png cannot be read as a picture \(it is no PNG, JPEG, .*TIFF\)"):
        received({"path": str(FOLDER / "text.png")})
    noise().save(FOLDER / "good.png")
    assert received({"path": str(FOLDER / "good.png")}).size == (20, 12)


def test_an_empty_canvas_is_told_from_a_drawing():
    clear, drawn = Image.new("RGBA", (8, 8)), Image.new("RGBA", (8, 8))
    drawn.putpixel((3, 3), (0, 0, 0, 255))
    assert picture_of(None) is None
    assert picture_of({"background": None, "layers": [], "composite": None}) is None
    assert picture_of({"background": None, "layers": [], "composite": clear}) is None
    assert picture_of({"background": None, "layers": [], "composite": drawn}).getpixel((3, 3)) == (0, 0, 0)
    assert picture_of({"background": noise(), "layers": [], "composite": None}).size == (20, 12)


def test_examples_are_shown_large_enough_to_draw_on():
    model = tiny_translator()
    large = shown(model, 3)["background"]
    assert large.size == (512, 512)
    assert np.array_equal(np.asarray(large.convert("L"))[::32, ::32], model.examples.inputs[3, 0])
    assert np.array_equal(np.asarray(example(model, 3)), model.examples.inputs[3, 0])
    assert example(tiny_model(), 0) is None
    given = Translation(("a",), side=16).prepare(large)
    assert np.array_equal(np.asarray(given.convert("L")), model.examples.inputs[3, 0])


def test_palettes_and_bits_are_blended_as_colours():
    line = Image.new("1", (256, 256), 1)
    line.paste(0, (100, 0, 101, 256))
    assert np.asarray(Translation(("a",), side=64).prepare(line)).min() == 191  # a quarter of each of its pixels


def test_the_map_of_patches_is_that_of_the_discriminator():
    model = tiny_translator()
    given = noise(64, 48)
    drawn = model.translate(given)
    shares = model.patch_map(given, drawn)
    assert shares.shape == (48 // 4 - 1, 64 // 4 - 1)  # the document's formula, 63x63 at 256 pixels
    pixels = np.asarray(drawn).transpose(2, 0, 1)[None] / 127.5 - 1
    logits = model.critics["D"](torch.tensor(pixels, dtype=torch.float32))
    assert np.allclose(shares, logits.sigmoid()[0, 0].detach(), atol=1e-5)
    flat = model.patch_map(drawn.crop((0, 0, 64, 8)).convert("L"), drawn.crop((0, 0, 64, 8)))  # mirrored to 16 rows
    assert flat.shape == (2, 64 // 4 - 1)
    for name in ("gen_3", "gen_5", "pix2pix", "cyclegan"):
        found = tiny_translator(name).patch_map(noise(64, 64), Image.effect_noise((64, 64), 50).convert("RGB"))
        assert found.ndim == 2 and 0 <= found.min() <= found.max() <= 1
    with pytest.raises(UsageError, match="no discriminator that says of patches"):
        tiny_translator("srgan").patch_map(noise(64, 64), noise(64, 64))
