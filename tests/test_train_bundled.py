"""How models come into the box: trained, gone on with, landed from a run, refreshed; and what is refused."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from gan_core.checkpoint import load_checkpoint
from gan_core.cli import main as gan
from gan_core.loading import load_folder
from gan_core.model_folder import read_config
from gan_core.report import Report
from gan_core.runs import Run
from scripts import train_bundled
from scripts.box_table import tables
from scripts.bundled import Recorded

TINY = "gan --hidden 8 --maxout_units 4 --batch_size 8 --steps 4 --precision fp32"
README = "# Box\n\n<!-- python scripts/train_bundled.py -->\nold rows\n<!-- end -->\n\nafter\n"


@pytest.fixture
def box(tmp_path, runs, monkeypatch):
    """An empty box of which one small model is recorded, and a judge who knows beforehand."""
    known = {"conditional": None} | read_config(train_bundled.WEIGHTS / "gan-digits")["metrics"]
    weights, golden = tmp_path / "weights", tmp_path / "golden"
    weights.mkdir()
    golden.mkdir()
    (weights / "README.md").write_text(README)
    monkeypatch.setattr(train_bundled, "WEIGHTS", weights)
    monkeypatch.setattr(train_bundled, "GOLDEN", golden)
    monkeypatch.setattr(train_bundled, "BUNDLED", {"gan-digits": Recorded(TINY, 1, threads=2)})
    monkeypatch.setattr(train_bundled, "evaluate", lambda model, progress: Report(**known | {"model": "gan"}))
    return weights


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run by the recorded command, but for the intervals at which it was looked at."""
    folder = tmp_path_factory.mktemp("runs") / "elsewhere"
    gan(["train", *TINY.split(), "--sample_every", "2", "--monitor_every", "0", "--out", str(folder)])
    return folder


def asked(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["train_bundled.py", *map(str, words)])
    train_bundled.main()


def refused(monkeypatch, capsys, *words):
    with pytest.raises(SystemExit) as end:
        asked(monkeypatch, *words)
    assert end.value.code == 2
    return capsys.readouterr().err


def test_a_finished_run_lands(box, finished, monkeypatch, capsys):
    asked(monkeypatch, "gan-digits", "--from", finished)
    model = load_folder(box / "gan-digits")
    assert model.training["command"] == f"python train.py {TINY}"  # no intervals, no folders of this machine
    assert (model.training["threads"], model.training["steps"]) == (2, 4)
    assert model.metrics["model"] == "weights/gan-digits" and model.metrics["n"] == 5000
    assert np.array_equal(np.load(box.parent / "golden" / "gan-digits.npy"), model.sample(1, seed=0)[0])
    readme = (box / "README.md").read_text()
    assert readme.startswith("# Box") and readme.endswith("after\n") and "old rows" not in readme
    assert f"| [gan-digits](gan-digits/README.md) | `python train.py {TINY}` | 2 |" in readme
    assert str(finished) not in "".join(
        path.read_text() for path in box.rglob("*.*") if path.suffix in (".md", ".json")
    )

    before = {path.name: path.read_bytes() for path in (box / "gan-digits").iterdir()}
    (box / "gan-digits" / "README.md").write_text("stale")
    (box / "README.md").write_text(README)
    asked(monkeypatch, "--refresh")
    after = {path.name: path.read_bytes() for path in (box / "gan-digits").iterdir()}
    assert after == before
    assert (box / "README.md").read_text() == readme


def test_the_list_says_how_far_each_is(box, finished, runs, monkeypatch, capsys):
    asked(monkeypatch)
    line = capsys.readouterr().out.splitlines()[1]
    assert line.split() == ["gan-digits", *f"python train.py {TINY} missing about 1 min".split()]
    shutil.copytree(finished, runs / "gan-digits")
    asked(monkeypatch)
    assert "run done at step 4 of 4" in capsys.readouterr().out
    state = json.loads((runs / "gan-digits" / "state.json").read_text())
    me = train_bundled.Run(runs / "gan-digits")
    monkeypatch.setattr(type(me), "_process_lives", lambda self, state: True)
    (runs / "gan-digits" / "state.json").write_text(json.dumps(state | {"status": "running", "step": 2}))
    (runs / "gan-digits" / "metrics.jsonl").write_text('{"step": 2, "seconds": 60.0}\n')
    asked(monkeypatch)
    line = capsys.readouterr().out.splitlines()[1]
    assert "run running at step 2 of 4" in line and line.endswith("1 min 0 s left")
    assert "gan-digits is running at step 2 of 4 in" in refused(monkeypatch, capsys, "gan-digits")


def test_training_goes_on_with_its_run_and_lands(box, runs, monkeypatch, capsys):
    """The process itself is played by this one."""
    started = []

    def run(words, env):
        started.append((words[2:], env["OMP_NUM_THREADS"]))
        assert words[:2] == [sys.executable, str(train_bundled.ROOT / "train.py")]
        try:
            gan(["train", *words[2:]] if len(started) > 1 else ["train", *words[2:], "--steps", "2"])
        except SystemExit as end:
            return SimpleNamespace(returncode=end.code)
        if len(started) == 1:  # it was told to stop
            Run(runs / "gan-digits").write_state(status="stopped", steps=4)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(train_bundled.subprocess, "run", run)
    said = refused(monkeypatch, capsys, "gan-digits")
    assert "gan-digits is stopped at step 2 of 4; the same command goes on with" in said
    assert not (box / "gan-digits").exists()
    asked(monkeypatch, "gan-digits")
    out = ["--out", str(runs / "gan-digits")]
    assert started == [([*TINY.split(), *out], "2"), ([*TINY.split(), *out, "--resume"], "2")]
    assert load_folder(box / "gan-digits").training["steps"] == 4


@pytest.mark.slow
def test_ctrl_c_is_the_trainings_which_saves_and_can_be_gone_on_with(runs):
    """A real process in a group of its own, as in a terminal; it records 100,000 steps, then as many as were done."""

    def begin(steps):
        code = (
            "from scripts import train_bundled\nfrom scripts.bundled import Recorded\n"
            f"words = {TINY.replace('steps 4', f'steps {steps}')!r}\n"
            "train_bundled.BUNDLED = {'gan-digits': Recorded(words, 1)}\n"
            "train_bundled.land = lambda name, run: print('landed')\n"
            "train_bundled.main()"
        )
        words = [sys.executable, "-c", code, "gan-digits"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(words, cwd=train_bundled.ROOT, start_new_session=True, **pipes)

    run, first = Run(runs / "gan-digits"), begin(100_000)
    deadline = time.monotonic() + 60
    while not run.metrics()[0]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.killpg(first.pid, signal.SIGINT)
    said, error = first.communicate(timeout=60)
    steps = load_checkpoint(run.checkpoint_file)["step"]
    assert first.returncode == 2 and "landed" not in said
    assert f"gan-digits is stopped at step {steps:,} of 100,000; the same command goes on with" in error
    said, error = begin(steps + 5).communicate(timeout=60)
    assert "landed" in said and run.state()["step"] == steps + 5, error


def test_a_run_that_ended_before_its_first_checkpoint_begins_anew(box, runs, monkeypatch, capsys):
    run = Run(runs / "gan-digits")
    run.folder.mkdir(parents=True)
    run.config_file.write_text("{}")
    run.write_state(status="crashed")
    monkeypatch.setattr(train_bundled.subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=1))
    refused(monkeypatch, capsys, "gan-digits")
    assert not run.config_file.exists()


@pytest.mark.parametrize(
    ("recorded", "sentence"),
    [
        (Recorded(TINY.replace("steps 4", "steps 5"), 1, threads=2), "recorded one of gan-digits: steps was 4, not 5"),
        (Recorded(TINY.replace("--hidden 8", "--hidden 9"), 1, threads=2), "hidden was 8, not 9"),
        (Recorded(f"{TINY} --lr 0.1", 1, threads=2), "lr was 0.0002, not 0.1"),
        (Recorded("lsgan --steps 4 --precision fp32", 1, threads=2), "recipe was gan, not lsgan"),
        (Recorded(TINY, 1), "took 2 threads; gan-digits takes 1"),
    ],
)  # fmt: skip
def test_a_run_that_was_made_otherwise_does_not_land(recorded, sentence, box, finished, monkeypatch, capsys):
    monkeypatch.setattr(train_bundled, "BUNDLED", {"gan-digits": recorded})
    assert sentence in refused(monkeypatch, capsys, "gan-digits", "--from", finished)
    assert not (box / "gan-digits").exists()


def test_a_run_that_has_not_ended_does_not_land(box, finished, tmp_path, monkeypatch, capsys):
    folder = shutil.copytree(finished, tmp_path / "half")
    Run(folder).write_state(status="stopped", step=3)
    assert "is stopped at step 3 of 4; only a finished one" in refused(
        monkeypatch, capsys, "gan-digits", "--from", folder
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["gan-digit"], "no bundled model 'gan-digit' (did you mean 'gan-digits'?)"),
        (["--from", "x"], "--from takes the name of the one model"),
        (["gan-digits", "--from", "x", "--refresh"], "--from takes the name of the one model"),
        (["gan-digits", "--from", "no-such-run"], "There is no run in no-such-run"),
        (["gan-digits", "--refresh"], "There is no run in"),
    ],
)
def test_what_does_not_fit_is_one_sentence(words, sentence, box, monkeypatch, capsys):
    said = refused(monkeypatch, capsys, *words)
    assert sentence in said and said.count("\n") == 1


def test_a_card_is_written_anew_without_measuring(box, finished, monkeypatch, capsys):
    asked(monkeypatch, "gan-digits", "--from", finished)
    before = {path.name: path.read_bytes() for path in (box / "gan-digits").iterdir()}
    (box / "gan-digits" / "README.md").write_text("stale")
    monkeypatch.setattr(train_bundled, "evaluate", None)
    asked(monkeypatch, "--cards")
    assert {path.name: path.read_bytes() for path in (box / "gan-digits").iterdir()} == before


def test_models_that_translate_have_a_table_of_their_own():
    training = {"command": "python train.py", "threads": 1, "seconds": 61.0, "images_seen": 3200}
    drawing = {"training": training, "metrics": read_config(train_bundled.WEIGHTS / "gan-digits")["metrics"]}

    def source(fd, l1, ssim):
        return {"fd": fd, "truth": {"l1": l1, "ssim": ssim}}

    sources = {
        "model": source(5.0, 0.031, 0.9), "input": source(39.0, 0.25, 0.6), "nearest": source(6.9, 0.24, 0.16),
        "truth": source(1.3, 0.0, 1.0),
    }  # fmt: skip
    lines = tables({"gan-digits": drawing, "gen_1-batik": {"training": training, "metrics": {"sources": sources}}})
    drawn, translated = lines.split("\n\n")
    assert "gan-digits" in drawn and "gen_1-batik" not in drawn and "recall (floor)" in drawn
    assert translated.splitlines()[-1] == (
        "| [gen_1-batik](gen_1-batik/README.md) | `python train.py` | 1 | 1 min 1 s | 3,200 "
        "| 0.0310 (0.250, 0.240) | 0.900 (0.600, 0.160) | 5.00 (39.0, 6.90, 1.30) |"
    )
