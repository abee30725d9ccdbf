import html
import json
import shutil
from urllib.parse import parse_qs, urlsplit

import pytest
import torch
from torch import nn

from gan_core import Model, create, list_recipes
from gan_core.examples import Examples
from gan_core.latent import MAX_SEED
from gan_core.model_folder import CRITIC, EXAMPLES, MODEL_FILES
from gan_core.recipe import RECIPES
from pages.cards import with_links
from pages.differences import distances
from tests.families import NOISE, TRANSLATION
from tests.pages.test_evaluate_page import REPORT, TRANSLATED

SOURCES = "model", "input", "truth"


def links(at):
    return {link.proto.label for link in at.get("page_link")}


def test_home_without_models_says_what_to_do(open_page, nothing_bundled):
    at = open_page("home.py")
    assert "Train one on the Train page" in at.info[0].value
    assert {"**Playground**", "**Train**", "**Models**"} <= links(at)


def test_home_shows_samples_at_once_and_new_ones_when_asked(open_page, nothing_bundled, trained):
    at = open_page("home.py")
    assert not at.info
    assert "Play with tiny" in links(at)
    before = at.get("image")[0].proto.imgs[0].url
    at.button(key="new_samples").click().run()
    assert not at.exception
    assert at.get("image")[0].proto.imgs[0].url != before  # a picture's address is the hash of its content


@pytest.fixture
def bundled(tmp_path, nothing_bundled):
    """An installation with three models in the box, of which two were judged, on different data."""
    for name, fd, floor in (("a-unknown", None, None), ("b-worse", 2.0, 0.5), ("c-better", 9.0, 3.0)):
        recipe = create("gan", image_size=16, channels=1, latent_dim=8, hidden=16)
        generators = nn.ModuleDict({"G": recipe.build()["G"].eval()})
        training = {"dataset": "digits", "images_seen": 0, "steps": 0, "seconds": 0.0}
        metrics = {} if fd is None else REPORT | {"fd": REPORT["fd"] | {"value": fd, "floor": floor}}
        Model(recipe, generators, training=training, metrics=metrics).save(tmp_path / "weights" / name)


def test_home_shows_one_model_at_a_time_the_best_first(open_page, bundled):
    at = open_page("home.py")
    assert len(at.get("image")) == 1
    assert at.button_group(key="wall").options == ["c-better", "b-worse", "a-unknown"]
    assert "Play with c-better" in links(at)
    at.button_group(key="wall").set_value("weights/a-unknown").run()
    assert "Play with a-unknown" in links(at)


def test_home_does_not_ask_for_the_report_of_a_stranger(open_page, bundled, trained, runs):
    file = runs / "tiny" / "model" / "config.json"
    described = json.loads(file.read_text())
    described["metrics"] = REPORT | {"fd": REPORT["fd"] | {"floor": 0.0}}
    file.write_text(json.dumps(described))
    at = open_page("home.py")
    assert not at.exception and "Play with c-better" in links(at)


def save_translator(folder, metrics=None):
    """A tiny, untrained model of gen_1 with two examples."""
    recipe = RECIPES["gen_1"](RECIPES["gen_1"].Config.tiny())
    generators = nn.ModuleDict({"G": recipe.build()["G"].eval()})
    examples = Examples(torch.zeros(2, 1, 16, 16, dtype=torch.uint8), None)
    training = {"dataset": "batik", "images_seen": 1, "steps": 1, "seconds": 1.0}
    Model(recipe, generators, examples=examples, training=training, metrics=metrics or {}).save(folder)


def test_home_shows_what_becomes_of_pictures_the_best_first(open_page, nothing_bundled, tmp_path):
    # left of the way from the inputs' FD to that of real pictures: half, a tenth
    for name, fds in (("a-far", (6.0, 10.0, 2.0)), ("b-near", (11.0, 101.0, 1.0))):
        sources = {key: TRANSLATED["sources"][key] | {"fd": fd} for key, fd in zip(SOURCES, fds, strict=True)}
        save_translator(tmp_path / "weights" / name, TRANSLATED | {"sources": TRANSLATED["sources"] | sources})
    at = open_page("home.py")
    assert at.button_group(key="pairs").options == ["b-near", "a-far"] and len(at.get("image")) == 1
    at.button_group(key="pairs").set_value("weights/a-far").run()
    (link,) = (link for link in at.get("page_link") if "Draw or upload a picture for a-far" in link.proto.label)
    assert link.proto.query_string == "translate=weights%2Fa-far"


def test_new_samples_have_a_seed_that_the_playground_takes(open_page, nothing_bundled, trained, monkeypatch):
    monkeypatch.setattr("random.randint", lambda low, high: high)
    at = open_page("home.py")
    at.button(key="new_samples").click().run()
    (link,) = (link for link in at.get("page_link") if "Play with" in link.proto.label)
    assert parse_qs(link.proto.query_string)["seed"] == [str(MAX_SEED)]


def test_a_damaged_model_is_said_and_the_page_goes_on(open_page, nothing_bundled, trained, runs):
    (runs / "tiny" / "model" / "model.safetensors").write_bytes(b"cut")
    at = open_page("home.py")
    assert "truncated or changed" in at.warning[0].value
    assert "**Train**" in links(at)
    (runs / "tiny" / "model" / "config.json").write_text("{")
    assert "cannot be read as JSON" in open_page("models.py").warning[0].value


def test_the_playground_gets_the_query(open_page):
    at = open_page("home.py")
    at.switch_page("playground.py")
    at.query_params.update(model="runs/a b&c", seed="7")
    at.run()
    assert not at.exception
    (frame,) = at.get("iframe")
    address = urlsplit(frame.proto.src)
    assert address.path == "/playground/"
    assert parse_qs(address.query) == {"model": ["runs/a b&c"], "seed": ["7"], "__theme": ["light"]}


def test_models_without_models_says_what_to_do(open_page, nothing_bundled):
    assert "No model is installed yet" in open_page("models.py").info[0].value


def test_every_installed_model_has_a_card(open_page, nothing_bundled, trained):
    at = open_page("models.py")
    texts = [markdown.value for markdown in at.markdown]
    assert "**runs/tiny**" in texts
    assert any("| latent&#95;dim | 8 |" in text for text in texts)
    assert any('gan_core.load("runs/tiny")' in code.value for code in at.code)
    assert any("gan on digits, 16x16 grey" in caption.value for caption in at.caption)


EVIL = (
    "![x](https://evil.example/x.png)",
    '<img src="https://evil.example/x.png">',
    "a | b\n\n![x](https&#58;//evil.example/x.png)",
    "[x]: https://evil.example/x.png",
)


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_of_a_strangers_model_is_markdown(open_page, nothing_bundled, trained, runs, evil):
    folder = runs / "tiny" / "model"
    described = json.loads((folder / "config.json").read_text())
    described["recipe"] = evil
    described["training"] |= {"dataset": evil, evil: [evil], "command": evil}
    described["metrics"] = {evil: {"a": evil}}
    (folder / "config.json").write_text(json.dumps(described))
    (folder / "README.md").write_text(evil)
    at = open_page("models.py")
    shown = [element.value for element in (*at.markdown, *at.caption, *at.warning)]
    assert sum("evil" in text for text in shown) >= 2
    assert not any("evil.example" in text for text in shown)
    assert [code.value for code in at.code][0] == evil


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b"{"),
        ("config.json", b"[]"),
        ("config.json", b'{"format": 1, "![x](https://evil.example/x.png)": 1}'),
        ("samples.png", b"no picture"),
        ("samples.png", b"\x89PNG\r\n\x1a\n cut"),
        ("samples.png", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
        ("README.md", b"\xff\xfe"),
    ],
)
def test_one_bad_model_does_not_hide_the_next(open_page, nothing_bundled, trained, runs, name, content):
    shutil.copytree(runs / "tiny", runs / "a-bad-one")
    (runs / "a-bad-one" / "model" / name).write_bytes(content)
    at = open_page("models.py")
    assert "**runs/tiny**" in [markdown.value for markdown in at.markdown]
    assert len(at.warning) == (name == "config.json")
    assert not any("evil.example" in warning.value for warning in at.warning)
    open_page("home.py")


def test_a_model_from_the_cache_says_that_the_hub_is_out_of_reach(
    open_page, nothing_bundled, trained, runs, hub, connect, free_port
):
    hub.add(
        "lab/tiny",
        {name: (runs / "tiny" / "model" / name).read_bytes() for name in MODEL_FILES if name not in (CRITIC, EXAMPLES)},
    )

    def add():
        at = open_page("models.py")
        at.text_input(key="hub").set_value("lab/tiny")
        at.button[0].click().run()
        assert not at.exception and not at.error
        return at.get("progress")[0].proto.text, [caption.value for caption in at.caption]

    text, captions = add()
    assert text == "lab/tiny is here."
    assert not any("could not be reached" in caption for caption in captions)
    connect(f"http://127.0.0.1:{free_port()}")
    text, captions = add()
    assert text == "lab/tiny is here, from the cache: the Hub cannot be reached."
    assert any("could not be reached" in caption for caption in captions)


@pytest.mark.parametrize("recipe", list_recipes())
def test_every_recipe_is_explained(open_page, nothing_bundled, recipe):
    at = open_page("models.py", show="Recipes")
    at.session_state[f"about-{recipe}"] = True
    at.run()
    assert not at.exception
    text = "\n".join(markdown.value for markdown in at.markdown)
    assert "](https://arxiv.org/abs/" in text
    assert "| `image_size` | automatic |" in text
    assert "parameters at laptop size" in text
    diagrams = [html.proto.body for html in at.get("html") if f"of {recipe}" in html.proto.body]
    assert len(diagrams) == (4 if recipe == "cyclegan" else 2)


def test_differences_have_a_row_a_recipe_and_times_when_asked(open_page, nothing_bundled, monkeypatch):
    monkeypatch.setattr("pages.differences.PICTURES", 1)
    monkeypatch.setattr("pages.differences.ROUNDS", 1)
    at = open_page("models.py", show="Differences")
    table = at.dataframe[0].value
    assert set(table["recipe"]) == set(NOISE)
    assert "ms" not in table and "FD" not in table
    assert set(at.dataframe[1].value["recipe"]) == set(TRANSLATION)
    at.button(key="measure").click().run()
    assert not at.exception
    assert (at.dataframe[0].value["ms"] > 0).all()
    assert not any(button.key == "measure" for button in at.button)


def test_the_distance_of_a_recipe_is_its_best_models_on_digits(bundled, tmp_path):
    def judge(name, dataset, value):
        file = tmp_path / "weights" / name / "config.json"
        described = json.loads(file.read_text())
        described["training"]["dataset"], described["metrics"] = dataset, {"fd": {"value": value, "floor": 0.4}}
        file.write_text(json.dumps(described))

    judge("b-worse", "digits", 2.0)
    judge("c-better", "faces", 1.0)
    assert distances() == {"gan": (2.0, 0.4)}
    judge("c-better", "digits", 1.5)
    assert distances() == {"gan": (1.5, 0.4)}


def test_an_id_that_is_none_is_refused(open_page, nothing_bundled):
    at = open_page("models.py")
    at.text_input(key="hub").set_value("nonsense")
    at.button[0].click().run()
    assert html.unescape(at.error[0].value) == "'nonsense' is no Hub id; it takes owner/name."


def test_docstrings_become_streamlit_markdown():
    text = with_links("See arXiv:1406.2661: $$a$$ and\n$$b\n= c$$")
    assert text == "See [arXiv:1406.2661](https://arxiv.org/abs/1406.2661): \n$$\na\n$$\n and\n\n$$\nb\n= c\n$$\n"


def test_a_model_that_translates_is_sent_to_its_own_tab(open_page, nothing_bundled, trained, runs):
    save_translator(runs / "sketches" / "model")
    at = open_page("models.py")
    assert [title.value for title in at.subheader] == ["From noise to pictures", "From picture to picture"]
    assert any("runs/sketches" in markdown.value for markdown in at.markdown)
    assert any("model.translate(" in code.value for code in at.code)
    links = {link.proto.page: link.proto.query_string for link in at.get("page_link")}  # of the last
    assert links["play"] == "translate=runs%2Fsketches" and links["evaluate"] == "model=runs%2Fsketches"
