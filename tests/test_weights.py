"""The models in the box: small, strict, unchanged, described as they are, and digits to a judge that never saw them."""

import re

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.neighbors import KNeighborsClassifier

import gan_core
from gan_core.card import sheet_layout, write_card
from gan_core.data.digits import digits
from gan_core.model_folder import MODEL_FILES, read_config
from gan_core.readable import at
from gan_core.recipe import RECIPES, Inputs
from scripts.bundled import BUNDLED, plainly
from scripts.train_bundled import GOLDEN, WEIGHTS, golden, in_box, with_rows
from tests.families import NOISE, TRANSLATION

NAMES = [name for name in BUNDLED if in_box(name)]
EVERY = pytest.mark.parametrize("name", NAMES)
TRANSLATE = [name for name in NAMES if name.split("-")[0] in TRANSLATION]
DRAW = [name for name in NAMES if name not in TRANSLATE]
LIMITS = {True: 8e6, False: 5e6}  # bytes of a generator that translates, and of one that draws


def test_there_is_one_for_each_recipe():
    assert {f"{recipe}-digits" for recipe in NOISE} <= set(BUNDLED)
    assert set(BUNDLED) == set(NAMES)


def test_all_are_recorded_and_small_together():
    assert {folder.parent.name for folder in WEIGHTS.glob("*/config.json")} == set(NAMES)
    assert sum(path.stat().st_size for path in WEIGHTS.rglob("*")) < 110e6


@pytest.mark.parametrize("name", list(BUNDLED))
def test_a_name_says_what_the_command_makes(name):
    plan = BUNDLED[name].plan()
    assert name == f"{plan.recipe.name}-{plan.run.dataset}"
    assert plainly(plan) == plan and plan.run.precision != "auto"  # nothing is left to the machine


@EVERY
def test_the_folder_is_whole_and_small(name):
    assert {path.name for path in (WEIGHTS / name).iterdir()} <= set(MODEL_FILES)
    assert (WEIGHTS / name / "model.safetensors").stat().st_size < LIMITS[name in TRANSLATE]


@EVERY
def test_it_was_made_by_the_recorded_command(name):
    plan, model = BUNDLED[name].plan(), gan_core.load(WEIGHTS / name)
    assert model.training["command"] == plan.command() and model.training["threads"] == BUNDLED[name].threads
    assert model.training["steps"] == plan.run.steps and model.training["precision"] == plan.run.precision
    recipe = RECIPES[plan.recipe.name]
    given = Inputs(model.config.channels_in, recipe.pairs) if name in TRANSLATE else None
    resolved = recipe(plan.recipe.config).resolve(model.image_size, model.channels, len(model.classes or ()), given)
    assert model.config == resolved.config


@EVERY
def test_the_card_says_what_the_config_does(name):
    described, size = read_config(WEIGHTS / name), (WEIGHTS / name / "model.safetensors").stat().st_size
    card = (WEIGHTS / name / "README.md").read_text(encoding="utf-8")
    assert card == write_card(name, described, size)
    drawing = (r"\| FD, .*\(floor", r"\| Recall .*held-out", r"\| Coverage .*held-out")
    beside = r" \|.*input .*nearest training picture "
    translating = [rf"\| {row}.*{beside}" for row in ("FD, ", "Kernel", "PSNR", "SSIM", "Difference from the truth")]
    translating.append(r"\| Edges ")
    if name == "cyclegan-faces_masked":
        places = (
            "L1 where the truth differs",
            "SSIM where it differs",
            "L1 where it does not",
            "SSIM where it does not",
        )
        translating += [rf"\| {row}.*{beside}" for row in places]
    if name.startswith("cyclegan"):
        translating += [r"\| Difference after there and back", r"\| Difference where nothing is to be done"]
    for fact in (*(translating if name in TRANSLATE else drawing), r"\| Time .* with \d+ thread"):
        assert re.search(fact, card), fact


@EVERY
def test_the_sheet_is_the_models(name):
    """Unselected samples; inputs, what becomes of them, and true pictures below each other."""
    model = gan_core.load(WEIGHTS / name)
    with Image.open(WEIGHTS / name / "samples.png") as sheet:
        drawn = np.asarray(model.sheet(*sheet_layout(model.classes)).convert(sheet.mode), dtype=int)
        assert np.abs(drawn - np.asarray(sheet)).max() <= 2


@pytest.mark.parametrize("name", DRAW)
def test_the_sheet_shows_what_the_card_says(name):
    described = read_config(WEIGHTS / name)
    count, columns = sheet_layout(described["classes"])
    side = described["image"]["size"]
    scale = max(1, 64 // side)
    with Image.open(WEIGHTS / name / "samples.png") as sheet:
        assert sheet.size == tuple(scale * (number * (side + 1) - 1) for number in (columns, count // columns))


def test_the_table_is_that_of_the_cards():
    readme = (WEIGHTS / "README.md").read_text(encoding="utf-8")
    assert with_rows(readme) == readme and readme.count("\n| [") >= len(NAMES)


@EVERY
def test_it_still_draws_the_same_picture(name):
    stored = torch.from_numpy(np.load(GOLDEN / f"{name}.npy"))
    assert torch.allclose(golden(gan_core.load(WEIGHTS / name)), stored, atol=1e-4)


def better(sources, path, other, *, less=False):
    """Whether the model's number is above another source's, or below it."""
    own, others = (at(sources[name], path) for name in ("model", other))
    return own < others if less else own > others


@pytest.mark.parametrize("name", TRANSLATE)
def test_it_beats_what_could_be_had_without_it(name):
    """On held-out inputs, by the report that it carries."""
    sources = read_config(WEIGHTS / name)["metrics"]["sources"]
    kind = RECIPES[name.split("-")[0]]
    if kind.makes_inputs:
        assert better(sources, "truth.psnr", "input") or better(sources, "features", "input", less=True)
    elif kind.pairs:
        others = ("input", "nearest")
        by_l1 = all(better(sources, "truth.l1", other, less=True) for other in others)
        assert by_l1 or all(better(sources, "truth.ssim", other) for other in others)
    elif name == "cyclegan-faces_masked":
        assert better(sources, "fd", "input", less=True)
        assert sources["model"]["truth"]["kept"]["l1"] <= 0.05
        assert all(better(sources, "truth.changed.ssim", other) for other in ("input", "nearest"))
    else:
        assert better(sources, "fd", "input", less=True)


@pytest.fixture(scope="module")
def judge():
    """Five nearest training images; right on 93 % of the test digits."""
    train, test = digits("train"), digits("test")
    judge = KNeighborsClassifier(5).fit(train.images.flatten(1).numpy(), train.labels.numpy())
    assert judge.score(test.images.flatten(1).numpy(), test.labels.numpy()) > 0.92
    return judge


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("-digits")])
def test_all_ten_digits_are_drawn_and_none_too_often(name, judge):
    model = gan_core.load(WEIGHTS / name)
    drawn = judge.predict(((model.sample(500, seed=1) + 1) * 127.5).flatten(1).numpy())
    shares = np.bincount(drawn, minlength=10) / 500
    assert shares.min() > 0.01 and shares.max() < 0.4, shares
    if model.classes is not None:  # asked for in turn
        assert (drawn == np.arange(500) % 10).mean() > 0.8
