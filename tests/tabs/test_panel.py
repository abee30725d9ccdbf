import html

import gradio as gr
import pytest
import torch

from gan_core import UsageError, create
from gan_core.card import plain
from gan_core.catalogue import laptop, noise_recipes
from gan_core.checkpoint import save_checkpoint
from gan_core.model_folder import EXAMPLES, MODEL_FILES
from gan_core.runs import Run
from tabs import build
from tabs.panel import NO_CLASS, SLIDERS, ModelPanel, about, load, told
from tabs.sample import read_link
from tabs.settings import Settings
from tests.tabs.tiny import tiny_model


@pytest.fixture
def tiny(runs):
    tiny_model().save(runs / "tiny" / "model")
    tiny_model(classes=("zero", "one")).save(runs / "classy" / "model")


def test_names_of_strangers_reach_no_other_folder(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    tiny_model().save(tmp_path / "private" / "model")
    monkeypatch.chdir(tmp_path)
    for name in (str(tmp_path / "private"), "private/model", "./private/model", "runs/../private", "~/private", "\0"):
        with pytest.raises(UsageError):
            load(name)


def test_a_bare_weights_file_is_not_taken_for_a_hub_id(tiny, hub):
    with pytest.raises(UsageError, match="bare weights file"):
        load("checkpoints/generator.pth")
    assert not hub.requests


@pytest.mark.parametrize(
    "dataset", ["![x](https://evil.example/x.png)", '<img src="//evil.example/x.png">', "&#47;", 5]
)
def test_a_strangers_words_are_shown_as_they_are(dataset):
    model = tiny_model()
    model.training = model.training | {"dataset": dataset}
    said = about(model)
    assert said.split("trained on ")[1] == plain(str(dataset).rsplit("/", 1)[-1])
    assert not set("![]()<>/") & set(said.split("trained on ")[1])


def test_plain_text_reads_the_same():
    text = "a_b *c* `d` | [e](f) <g> &amp; 1.5 \n# é"
    assert html.unescape(plain(text)) == text
    assert set(plain("![<>]()|*_`$:\\\n")) <= set("&#;0123456789")


def test_errors_are_no_html():
    with pytest.raises(gr.Error) as caught, told():
        raise UsageError("There is no <img src=x> of 'me'.")
    assert caught.value.message == "There is no &lt;img src=x&gt; of 'me'."


def test_a_name_is_taken_with_blanks_around_it(tiny):
    assert load(" runs/tiny ").name == "runs/tiny"
    assert load("runs/tiny", "some-branch").revision is None  # a local model has none


def test_a_hub_model_is_called_by_its_commit_and_asked_for_once(hub, tmp_path):
    tiny_model().save(tmp_path / "model")
    files = {name: (tmp_path / "model" / name).read_bytes() for name in MODEL_FILES if name != EXAMPLES}
    commit = hub.add("lab/tiny", files).commit(files)
    heard = []
    model, name, revision = load("lab/tiny", None, lambda done, text: heard.append(done))
    assert (name, revision) == ("lab/tiny", commit)
    assert heard[-1] == 1
    asked = len(hub.requests)
    again = load("lab/tiny", revision)
    assert torch.equal(again.model.sample(1), model.sample(1))
    assert len(hub.requests) == asked


def test_a_model_from_the_cache_says_that_the_hub_is_out_of_reach(hub, connect, tmp_path, free_port):
    tiny_model().save(tmp_path / "model")
    hub.add("lab/tiny", {name: (tmp_path / "model" / name).read_bytes() for name in MODEL_FILES if name != EXAMPLES})

    def line(name):
        loaded = load(name)
        with gr.Blocks():
            return ModelPanel().show(loaded.model, Settings(loaded.name, loaded.revision))[2]

    assert "cannot be reached" not in line("lab/tiny")
    connect(f"http://127.0.0.1:{free_port()}")
    assert "from the cache, for the Hub cannot be reached" in line("lab/tiny")
    assert "cannot be reached" not in line("weights/dcgan-digits")


def test_a_link_opens_with_its_model_and_settings(tiny):
    model, settings, complaints = read_link({"model": "runs/classy", "seed": "4", "label": "1"})
    assert (settings.model, settings.seed, settings.label, complaints) == ("runs/classy", 4, 1, [])
    assert model.classes == ("zero", "one")


def test_a_link_to_a_model_that_is_gone_opens_another_and_says_so(tiny):
    model, settings, complaints = read_link({"model": "runs/gone", "seed": "4"})
    assert (settings.model, settings.seed) == (load(None).name, 4)
    assert len(complaints) == 1
    assert "There is no model 'runs/gone'" in complaints[0]


def test_no_event_of_the_page_is_an_endpoint_for_others(tiny):
    page = build()
    public = [
        function.api_name for function in page.fns.values() if function.api_visibility != "private" and function.fn
    ]
    assert sorted(public) == ["compare", "interpolate", "mix", "sample", "translate"]


def test_everything_that_runs_a_model_takes_turns(tiny):
    page = build()
    ours = [function for function in page.fns.values() if function.fn is not None and function.name != "roll"]
    assert {function.concurrency_id for function in ours} == {"model", "loading"}
    assert {function.concurrency_limit for function in ours if function.concurrency_id == "model"} == {1}
    assert page.analytics_enabled is False


def trained(folder):
    """A run whose optimizer has gone further than the average."""
    model, run = tiny_model(), Run(folder)
    model.save(run.model_folder)
    weights = model.generators.state_dict()
    save_checkpoint(run.checkpoint_file, {"nets": {name: tensor + 1 for name, tensor in weights.items()}})
    return run


def test_raw_weights_are_those_of_the_checkpoint_and_offered_only_then(runs):
    run = trained(runs / "trained")
    tiny_model().save(runs / "tiny" / "model")
    raw, averaged = load("runs/trained", raw=True).model, load("runs/trained").model
    average = averaged.generators.state_dict()
    assert all(torch.equal(value, average[name] + 1) for name, value in raw.generators.state_dict().items())
    with pytest.raises(UsageError, match="runs/tiny is no run that still has its checkpoint"):
        load("runs/tiny", raw=True)

    with gr.Blocks():
        panel = ModelPanel()
        for name, offered in (("runs/trained", True), ("runs/tiny", False)):
            assert panel.show(load(name).model, Settings(name))[panel.shown.index(panel.raw)].visible is offered
    values = ["runs/trained", "", True, NO_CLASS]
    model, settings = panel.read(values)
    assert settings.raw and torch.equal(model.sample(1), raw.sample(1))
    run.checkpoint_file.unlink()
    assert panel.read(values)[1].raw is False


def test_there_is_a_slider_for_every_control():
    made = [laptop(recipe) for recipe in noise_recipes()]
    made.append(create("stylegan", growing="progressive", image_size=32, channels=1))
    assert max(len(recipe.controls) for recipe in made) <= SLIDERS


def test_a_link_asks_for_raw_weights(runs):
    trained(runs / "trained")
    query = {"model": "runs/trained", "raw": "true"}
    assert read_link(query)[1].raw is True
    assert read_link(query | {"raw": "false"})[1].raw is False
    _, settings, (complaint,) = read_link(query | {"raw": "perhaps"})
    assert (settings.raw, complaint) == (False, "raw is 'perhaps'; it takes true or false.")
    _, settings, (complaint,) = read_link({"model": "weights/dcgan-digits", "raw": "true"})
    assert settings.raw is False
    assert "no run that still has its checkpoint" in complaint
