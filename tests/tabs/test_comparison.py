import json

import pytest
import torch
from PIL import Image

from gan_core import UsageError, load
from gan_core.catalogue import noise_recipes
from gan_core.library import find, local_models
from gan_core.model_folder import EXAMPLES, MODEL_FILES
from gan_core.pictures import read_settings, save_png
from tabs.compare import save, summary
from tabs.comparison import (
    MAX_MODELS,
    Comparison,
    Entry,
    compare,
    default_models,
    found,
    is_drawn,
    read_link,
    shared_classes,
)
from tabs.panel import default_model
from tabs.poster import COLUMNS, poster
from tabs.settings import Settings
from tests.tabs.tiny import tiny_model

TWO = Comparison(("runs/a", "runs/b"), seed=7, images=5)
FD = {"fd": {"value": 1.234, "floor": 0.4}, "dataset": "digits", "extractor": {"sha256": "0f"}}


def entries(comparison=TWO, **models):
    return list(
        compare(comparison, models or {"runs/a": tiny_model(), "runs/b": tiny_model("biggan", ("x", "y", "z"))})
    )


def measured(metrics, name="runs/a"):
    model = tiny_model()
    model.metrics = metrics
    return Entry(name, model, torch.zeros(4, 1, 16, 16), 0.5)


def test_each_model_draws_the_seed_as_it_does_alone():
    first, second = entries()
    assert torch.equal(first.pictures, tiny_model().sample(5, seed=7))
    assert torch.equal(second.pictures, tiny_model("biggan", ("x", "y", "z")).sample(5, seed=7))
    assert first.milliseconds > 0


def test_one_class_is_for_the_models_that_have_classes():
    chosen = Comparison(("a", "b"), images=4, label=1)
    first, second = entries(chosen)
    assert torch.equal(first.pictures, tiny_model().sample(4))
    assert torch.equal(second.pictures, tiny_model("biggan", ("x", "y", "z")).sample(4, labels=1))
    with pytest.raises(UsageError, match="from 0 to 2"):
        entries(Comparison(("a", "b"), label=3))
    with pytest.raises(UsageError, match="share no classes"):
        entries(chosen, a=tiny_model("cgan", ("x", "y", "z")), b=tiny_model("cgan", ("u", "v", "w")))
    assert shared_classes([tiny_model()]) is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"models": ("a",)}, "takes 2 to 6 models; there are 1"),
        ({"models": tuple("abcdefg")}, "there are 7"),
        ({"models": ("a", "b", "a")}, "a is to be compared with itself"),
        ({"models": ("a", 3)}, "The model is '3'"),
        ({"seed": -1}, "The seed is '-1'"),
        ({"images": 17}, "from 4 to 16"),
        ({"label": "x"}, "The label is 'x'"),
    ],
)
def test_comparisons_that_cannot_be(change, sentence):
    with pytest.raises(UsageError, match=sentence):
        Comparison(**{"models": ("a", "b")} | change)


def test_a_caption_says_name_recipe_size_latency_and_distance():
    entry = measured(FD)
    size = entry.facts()["parameters"]
    assert size == sum(p.numel() for p in entry.model.generators.parameters())
    assert entry.caption().split("\n") == [
        "runs/a", f"dcgan · {size / 1000:.0f} k parameters", "0.500 ms a picture", "FD 1.23 (floor 0.400)",
    ]  # fmt: skip
    assert measured({}, "lab/x@" + "0123456789" * 4).caption().split("\n")[::3] == ["lab/x@01234567", "FD not measured"]


@pytest.mark.parametrize("fd", [3.0, {"value": 1.0}, {"value": "1", "floor": 0.1}, {"value": float("nan"), "floor": 1}])
def test_what_a_stranger_calls_a_distance_is_checked(fd):
    assert measured({"fd": fd, "extractor": 5}).caption().endswith("FD not measured")
    assert json.dumps(measured({"fd": fd}).facts(), allow_nan=False)


def test_distances_that_do_not_compare_are_said_to():
    alike, other = [measured(FD), measured(FD)], measured(FD | {"dataset": "faces"})
    assert "do not compare" not in summary(alike, 1.0)
    assert "do not compare" in summary([*alike, other], 1.0)
    assert "FD" not in summary([measured({})], 1.0)


def test_a_comparison_survives_its_png():
    files, whole = save(TWO, entries())
    assert Comparison.from_png(whole) == TWO
    assert [row["model"] for row in read_settings(whole)["measured"]] == ["runs/a", "runs/b"]
    assert [Comparison.from_png(file) for file in files] == [TWO, TWO]
    with pytest.raises(UsageError, match="drop it on the Compare tab"):
        Settings.from_png(whole)


def test_pngs_of_one_model_are_no_comparison(tmp_path):
    save_png(Image.new("L", (4, 4)), tmp_path / "a.png", {"model": "runs/a"})
    with pytest.raises(UsageError, match="carries no comparison"):
        Comparison.from_png(tmp_path / "a.png")


def test_a_poster_shows_every_sheet_below_its_caption():
    colours = ["#ff0000", "#00ff00", "#0000ff", "#ffff00"]
    sheets = [(Image.new("RGB", (40 + 10 * k, 30), colour), f"name {k}\nfact") for k, colour in enumerate(colours)]
    paper = poster("title", [*sheets, (Image.new("L", (20, 20), 128), "grey\nfact")])
    found = {colour: count for count, colour in paper.getcolors(paper.width * paper.height)}
    assert [found[Image.new("RGB", (1, 1), colour).getpixel((0, 0))] for colour in colours] == [1200, 1500, 1800, 2100]
    assert found[128, 128, 128] >= 400
    below = [y for y in range(paper.height) if (255, 255, 0) in {paper.getpixel((x, y)) for x in range(paper.width)}]
    beside = [y for y in range(paper.height) if (255, 0, 0) in {paper.getpixel((x, y)) for x in range(paper.width)}]
    assert COLUMNS == 3
    assert min(below) > max(beside)


def test_a_first_visit_compares_what_is_bundled_by_the_age_of_the_papers(runs):
    tiny_model("wgan").save(runs / "mine" / "model")
    names = default_models()
    assert all(name.startswith("weights/") for name in names)
    assert 2 <= len(names) <= 6
    assert {load(name).training["dataset"] for name in names} == {"digits"}
    assert default_model() in names
    ages = [[recipe.name for recipe in noise_recipes()].index(load(name).recipe.name) for name in names]
    assert ages == sorted(ages)


@pytest.mark.parametrize("more", [["progan"], ["progan", "r3gan"]])
def test_a_first_visit_compares_no_more_than_fit_and_always_the_default_model(more, monkeypatch, tmp_path):
    bundled = [name for name in local_models() if name.startswith("weights/") and name.endswith("-digits")]
    for recipe in more:
        tiny_model(recipe).save(tmp_path / f"{recipe}-digits")
    folders = {name: find(name) for name in bundled}
    folders |= {f"weights/{recipe}-digits": tmp_path / f"{recipe}-digits" for recipe in more}
    monkeypatch.setattr("tabs.comparison.library.local_models", lambda: list(folders))
    monkeypatch.setattr("tabs.comparison.library.find", folders.get)
    names = default_models()
    assert len(names) == MAX_MODELS == len(set(names))
    assert default_model() in names


def test_a_link_says_a_whole_comparison(runs):
    tiny_model().save(runs / "a" / "model")
    tiny_model("cgan", ("x", "y", "z")).save(runs / "b" / "model")
    query = {"models": "runs/a,runs/b", "seed": "9", "images": "99", "label": "2"}
    comparison, models, complaints = read_link(query)
    assert comparison == Comparison(("runs/a", "runs/b"), seed=9, label=2)
    assert list(models) == ["runs/a", "runs/b"]
    assert complaints == ["The number of images is '99'; it takes a whole number from 4 to 16."]
    _, models, (complaint,) = read_link({"models": "runs/a,runs/gone,runs/b"})
    assert "There is no model 'runs/gone'" in complaint
    assert list(models) == ["runs/a", "runs/b"]
    with pytest.raises(UsageError, match="takes 2 to 6 models; there are 1"):
        read_link({"models": "runs/a,runs/gone"})


def test_a_hub_model_is_named_with_its_commit(hub, tmp_path):
    tiny_model().save(tmp_path / "model")
    files = {name: (tmp_path / "model" / name).read_bytes() for name in MODEL_FILES if name != EXAMPLES}
    commit = hub.add("lab/tiny", files).commit(files)
    name, model = found("lab/tiny")
    assert name == f"lab/tiny@{commit}"
    assert is_drawn(["lab/tiny", "runs/a"], [name, "runs/a"]) and is_drawn([name], [name])
    assert not is_drawn(["lab/tiny@main"], [name]) and not is_drawn(["lab/tiny"], [name, "runs/a"])
    asked = len(hub.requests)
    assert found(name) == (name, model)
    assert len(hub.requests) == asked
