import hashlib
import html
import io
import os
import signal

import pytest

from gan_core import UsageError
from gan_core.data import archive
from gan_core.data.cache import cache_folder
from gan_core.plan import DEFAULT_RECIPE
from gan_core.recipe import recipe_class
from gan_core.runs import find_run, list_runs
from pages.run_form import linked
from tests.pages.conftest import picture, zipped

TINY = {"gan.hidden": 16, "gan.maxout_units": 8, "gan.batch_size": 8, "gan.image_size": 16, "log_every": 5}


@pytest.fixture
def form(open_page):
    """The form of a new `gan` run."""
    at = open_page("train.py")
    return at.selectbox(key="recipe").set_value("gan").run()


def fill(at, **options):
    for key, value in options.items():
        at.number_input(key=key).set_value(value)
    return at.run()


def command(at):
    return at.code[0].value


def keys(at):
    return {widget.key for widget in at.button}


def captions(at):
    return [caption.value for caption in at.caption]


def test_only_what_differs_becomes_a_flag(form):
    assert command(form) == "python train.py gan --out runs/gan-digits"
    form.number_input(key="gan.betas.1").set_value(0.0)
    form.number_input(key="gan.image_size").set_value(16)
    form.number_input(key="gan.dropout").set_value(recipe_class("gan").Config().dropout)  # as it was
    form.selectbox(key="gan.latent").set_value("uniform")
    form.selectbox(key="precision").set_value("fp32")
    form.toggle(key="gan.saturating").set_value(True)
    form.text_input(key="name").set_value("mine")
    fill(form, steps=20)
    assert command(form) == (
        "python train.py gan --image_size 16 --latent uniform --saturating --betas 0.0 0.999 --steps 20 "
        "--precision fp32 --out runs/mine"
    )


def test_the_form_opens_with_the_recipe_that_the_command_line_takes(open_page):
    assert open_page("train.py").selectbox(key="recipe").value == DEFAULT_RECIPE == "dcgan"


def test_a_link_fills_the_form_and_what_it_leaves_out_has_its_default(form, open_page):
    fill(form, **{"gan.dropout": 0.5})
    form.query_params.update(recipe="gan", batch_norm="false", pack="2", latent="uniform", steps="20")
    form.run()
    assert (
        command(form)
        == "python train.py gan --pack 2 --latent uniform --no_batch_norm --steps 20 --out runs/gan-digits"
    )
    assert "batch_norm to false" in html.unescape(form.info[0].value)
    fill(form, steps=30)  # it is followed once
    assert "--steps 30" in command(form)
    form.query_params.update(pack="1")  # another link
    form.run()
    assert "--steps 20" in command(form) and "--pack" not in command(form)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"recipe": "gann"}, "There is no recipe 'gann' (did you mean 'gan'?)."),
        ({"recipe": "gan", "packs": "2"}, "gan has no option 'packs' (did you mean 'pack'?)."),
        ({"recipe": "gan", "dataset": "/etc"}, "There is no data set '/etc' for gan"),
        ({"recipe": "gan", "pack": "two"}, "pack is 'two' in this link"),
        ({"recipe": "gan", "pack": "1" + "0" * 30}, "in this link, and takes no such value."),
        ({"recipe": "gan", "lr": "nan"}, "lr is 'nan' in this link"),
        ({"recipe": "gan", "saturating": "yes"}, "saturating is 'yes' in this link"),
        ({"recipe": "gan", "latent": "![x](https://evil.example/x.png)"}, "in this link, and takes no such value."),
    ],
)
def test_a_link_that_fits_nothing_is_one_sentence(query, sentence):
    with pytest.raises(UsageError) as refused:
        linked(query)
    assert sentence in str(refused.value)


def test_a_strangers_link_is_no_markdown_and_loses_nothing(form):
    fill(form, **{"gan.dropout": 0.5})
    form.query_params.update(recipe="gan", init="![x](https://evil.example/x.png)", lr="1")
    form.query_params.update(packs="![x](https://evil.example/x.png)")
    form.run()
    assert "packs" in form.warning[0].value and "](" not in form.warning[0].value
    assert "--dropout 0.5" in command(form)


def test_recipes_keep_their_own_options(form):
    fill(form, **{"gan.batch_size": 8})
    form.selectbox(key="recipe").set_value("dcgan").run()
    assert command(form) == "python train.py dcgan --out runs/dcgan-digits"
    form.selectbox(key="recipe").set_value("gan").run()
    assert command(form) == "python train.py gan --batch_size 8 --out runs/gan-digits"


def test_a_bad_option_is_one_sentence_and_loses_nothing(form):
    fill(form, **{"gan.dropout": 2.0, "steps": 20})
    assert [error.value for error in form.error] == ["dropout is 2; it must lie in [0, 1)."]
    assert form.button(key="start").disabled
    fill(form, **{"gan.dropout": 0.25})
    assert not form.error
    assert command(form) == "python train.py gan --dropout 0.25 --steps 20 --out runs/gan-digits"


@pytest.mark.parametrize("name", ["a/b", "../b", ".hidden", "a b"])
def test_a_name_that_is_no_folder_is_refused(form, name):
    form.text_input(key="name").set_value(name).run()
    form.button(key="start").click().run()
    assert f"{name!r} cannot name a run" in form.error[0].value
    assert list_runs() == []


def test_start_watch_and_delete(form, open_page, wait_for):
    fill(form, steps=20, **TINY)
    form.button(key="start").click().run()
    assert form.query_params["run"] == "gan-digits"
    assert not form.exception
    wait_for("gan-digits", "done")

    seen = open_page("train.py", run="gan-digits")  # another session: the truth is on disk
    assert "done" in [badge.value for badge in seen.markdown if "done" in badge.value][0]
    assert len(seen.get("vega_lite_chart") + seen.get("arrow_vega_lite_chart")) == 2
    assert len(seen.session_state["history"].frame) == 4
    assert not seen.error
    assert keys(seen) == {"all_runs", "delete"}

    again = open_page("train.py")
    again.text_input(key="name").set_value("gan-digits").run()
    again.button(key="start").click().run()
    assert [error.value for error in again.error] == [
        "There is a run 'gan-digits' already; choose another name or delete that one."
    ]

    seen.button(key="delete").click().run()
    assert "run" not in seen.query_params
    assert list_runs() == []


@pytest.mark.slow  # what it does on disk, tests/gan_core/test_runs.py shows; here it is the page
def test_stop_resume_and_crash(form, open_page, wait_for):
    fill(form, steps=1_000_000, **TINY, sample_every=20)
    form.text_input(key="name").set_value("long").run()
    form.button(key="start").click().run()
    wait_for("long", "running", step=50)
    form.run()
    assert keys(form) == {"all_runs", "stop"}

    assert form.select_slider(key="snapshot").value == "newest"
    newest = max(find_run("long").samples())
    form.select_slider(key="snapshot").set_value(20).run()
    wait_for("long", "running", step=newest + 21)
    form.run()
    assert "Step 20" in captions(form)  # moved by hand: it stays
    form.button(key="stop").click().run()
    stopped_at = wait_for("long", "stopped").state()["step"]

    form.run()
    assert keys(form) == {"all_runs", "resume", "delete"}
    assert "Step 20" in captions(form)
    form.button(key="resume").click().run()
    run = wait_for("long", "running", step=stopped_at + 1)
    os.kill(run.state()["pid"], signal.SIGKILL)
    wait_for("long", "crashed")

    seen = open_page("train.py", run="long")
    assert "without finishing" in seen.error[0].value
    assert "checkpoint and model saved" in seen.code[0].value
    log = next(box for box in seen.expander if box.label == "Log")
    assert log.proto.expanded
    assert f"Step {max(run.samples()):,}" in captions(seen)  # another session has moved nothing


def test_estimate(form, monkeypatch):
    asked = []

    def estimate(recipe, flags):  # the real one is a process, which tests/gan_core/test_runs.py starts
        asked.append((recipe, flags))
        return {"precision": "fp32", "seconds_per_step": 0.1, "memory_bytes": 3e8, "steps": 50, "seconds": 5.0}

    monkeypatch.setattr("gan_core.runs.estimate", estimate)
    fill(form, steps=50, **{"gan.hidden": 16})
    form.button(key="estimate").click().run()
    assert asked == [("gan", ["--hidden", "16", "--steps", "50"])]
    assert "for 50 steps on this machine (100 ms a step in fp32), with 300 MB" in form.info[0].value
    fill(form, steps=60)
    assert not form.info  # it was measured for something else


def test_own_pictures(form):
    form.selectbox(key="dataset").set_value("my own pictures (zip)").run()
    assert form.button(key="start").disabled
    content = zipped({f"cats/{k}.png": picture(k) for k in range(3)})
    form.file_uploader(key="upload").upload("cats.zip", content, "application/zip").run()
    assert not form.error and not form.exception
    assert not form.button(key="start").disabled
    assert "uploads" in command(form) and command(form).endswith("--out runs/gan-pictures")


def test_a_recipe_that_draws_by_class_is_given_none_without(open_page):
    at = open_page("train.py")
    at.selectbox(key="recipe").set_value("cgan").run()
    at.selectbox(key="dataset").set_value("photos").run()
    assert "the data has no classes" in at.error[0].value and at.button(key="start").disabled
    at.selectbox(key="dataset").set_value("openmoji").run()
    assert not at.error and not at.button(key="start").disabled
    at.selectbox(key="dataset").set_value("my own pictures (zip)").run()
    flat = {f"{k}.png": picture(k) for k in range(4)}
    at.file_uploader(key="upload").upload("x.zip", zipped(flat), "application/zip").run()
    assert "the data has no classes" in at.error[0].value and at.button(key="start").disabled
    by_class = {f"{kind}/{k}.png": picture(k) for k, kind in enumerate(["cat", "dog"] * 2)}
    at.file_uploader(key="upload").upload("x.zip", zipped(by_class), "application/zip").run()
    assert not at.error and not at.exception and not at.button(key="start").disabled


def test_own_pairs(open_page):
    at = open_page("train.py")
    at.selectbox(key="recipe").set_value("pix2pix").run()
    at.selectbox(key="pairs").set_value("my own pictures (zip)").run()

    def upload(files):
        at.file_uploader(key="upload").upload("x.zip", zipped(files), "application/zip").run()
        assert not at.exception
        return [error.value for error in at.error]

    assert "the data has no inputs to translate" in upload({f"{k}.png": picture(k) for k in range(3)})[0]
    assert at.button(key="start").disabled
    unpaired = {f"trainA/{k}.png": picture(k) for k in range(3)} | {"trainB/0.png": picture(4)}
    assert "pix2pix learns from pairs" in upload(unpaired)[0]
    assert "trainA but no trainB" in upload({"trainA/0.png": picture(0)})[0]
    assert "has no picture of the same name in B" in upload({"A/0.png": picture(0), "B/1.png": picture(1)})[0]
    assert not upload({f"{side}/{k}.png": picture(k) for k in range(3) for side in "AB"})
    assert not at.button(key="start").disabled
    assert "uploads" in command(at) and command(at).endswith("--out runs/pix2pix-pictures")
    at.selectbox(key="recipe").set_value("cyclegan").run()
    at.selectbox(key="pairs").set_value("my own pictures (zip)").run()
    assert not upload(unpaired) and not at.button(key="start").disabled


def test_two_sessions_may_unpack_the_same_zip_at_once(form, monkeypatch):
    content = zipped({"0.png": picture(0)})
    folder = cache_folder() / "uploads" / hashlib.sha256(content).hexdigest()[:16]

    unpack = archive.unpack

    def unpack_while_another_does(source, to):
        unpack(source, to)
        unpack(io.BytesIO(content), folder)

    monkeypatch.setattr("pages.uploads.unpack", unpack_while_another_does)
    form.selectbox(key="dataset").set_value("my own pictures (zip)").run()
    form.file_uploader(key="upload").upload("x.zip", content, "application/zip").run()
    assert not form.error and not form.exception
    assert [file.name for file in folder.rglob("*.png")] == ["0.png"]
    assert [child for child in folder.parent.iterdir() if child.name.startswith("tmp")] == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (zipped({"../evil.png": b"x"}), "The zip names a path outside itself"),
        (zipped({"readme.txt": b"x"}), "The zip holds no pictures"),
        (b"not a zip", "cannot be unpacked as a zip"),
        (zipped({"a.png": b"not a picture"}), "cannot be read as a picture"),
    ],
)
def test_a_zip_that_does_not_fit(form, content, sentence):
    form.selectbox(key="dataset").set_value("my own pictures (zip)").run()
    form.file_uploader(key="upload").upload("x.zip", content, "application/zip").run()
    assert not form.exception
    assert sentence in form.error[0].value
    assert form.button(key="start").disabled


def test_a_public_space_shows_the_form_and_trains_nothing(open_page, monkeypatch):
    monkeypatch.setenv("GAN_PLAYGROUND_PUBLIC", "1")
    at = open_page("train.py")
    assert "off on a public Space" in at.info[0].value
    assert at.button(key="start").disabled and at.button(key="estimate").disabled
    assert command(at)
    at.selectbox(key="dataset").set_value("my own pictures (zip)").run()
    assert at.file_uploader(key="upload").proto.disabled


def test_an_unknown_run_is_said(open_page):
    assert "There is no run 'nowhere'" in open_page("train.py", run="nowhere").error[0].value
    assert "cannot name a run" in open_page("train.py", run="../x").error[0].value


def test_runs_are_listed(open_page, runs):
    for name in ("one", "two"):
        (runs / name).mkdir(parents=True)
        find_run(name).write_state(status="done", step=3, steps=3)
    at = open_page("train.py")
    assert {"show-one", "show-two"} <= keys(at)
    at.button(key="show-two").click().run()
    assert at.query_params["run"] == "two"
    assert at.subheader[0].value == "two"
    at.button(key="all_runs").click().run()
    assert "run" not in at.query_params
    assert at.selectbox(key="recipe").value


def test_a_recipe_that_translates_is_offered_pairs_and_no_other_pictures(open_page):
    at = open_page("train.py")
    at.selectbox(key="recipe").set_value("gen_1").run()
    assert not at.exception
    assert at.selectbox(key="pairs").options == ["batik", "openmoji_outline", "my own pictures (zip)"]
    assert command(at) == "python train.py gen_1 --out runs/gen_1-batik"
    at.selectbox(key="recipe").set_value("dcgan").run()
    assert at.selectbox(key="dataset").value == "digits"
    assert {"batik", "batik_palettes", "faces_masked"} <= set(at.selectbox(key="dataset").options)


def test_a_recipe_that_makes_its_inputs_is_offered_all_pictures(open_page):
    at = open_page("train.py")
    everything = at.selectbox(key="dataset").options
    at.selectbox(key="recipe").set_value("srgan").run()
    assert not at.exception and at.selectbox(key="dataset").options == everything
    assert {"digits", "photos", "batik", "faces_masked", "my own pictures (zip)"} <= set(everything)
    at.selectbox(key="dataset").set_value("photos").run()
    assert command(at) == "python train.py srgan --out runs/srgan-photos"


def test_a_link_to_a_recipe_that_translates(open_page):
    at = open_page("train.py", recipe="gen_1", dataset="openmoji_outline", blocks="3")
    assert (
        command(at) == "python train.py gen_1 --blocks 3 --dataset openmoji_outline --out runs/gen_1-openmoji_outline"
    )
    assert linked({"recipe": "gen_1"}).dataset == "batik"
    with pytest.raises(UsageError, match="There is no data set 'digits' for gen_1"):
        linked({"recipe": "gen_1", "dataset": "digits"})
