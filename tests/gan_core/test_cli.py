"""The command line, as a person types it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image

import gan_core
from gan_core import training
from gan_core.checkpoint import load_checkpoint, save_checkpoint
from gan_core.cli import COMMANDS, main
from gan_core.cli.training import planned
from gan_core.distributed import Processes
from gan_core.pictures import read_settings
from gan_core.plan import read_plan
from gan_core.runs import Run, find_run

from .test_trainer import assert_equal

ROOT = Path(__file__).parents[2]
TINY = ["--width", "4", "--image_size", "16", "--batch_size", "8", "--precision", "fp32", "--log_every", "2"]


def train(out, *flags, recipe="dcgan"):
    main(["train", recipe, *TINY, "--out", str(out), *flags])
    return Run(out)


def refused(capsys, *words):
    with pytest.raises(SystemExit) as end:
        main(list(words))
    assert end.value.code == 2
    return capsys.readouterr().err


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run of 6 steps."""
    folder = tmp_path_factory.mktemp("runs") / "six"
    return train(folder, "--steps", "6", "--sample_every", "3", "--checkpoint_every", "4")


def test_a_run_leaves_what_the_contract_names(run):
    names = {path.name for path in run.folder.iterdir()}
    assert names >= {"config.json", "metrics.jsonl", "state.json", "log.txt", "samples", "checkpoint.pt", "model"}
    state = run.state()
    assert (state["status"], state["step"], state["steps"], state["images_seen"]) == ("done", 6, 6, 48)
    rows, _ = run.metrics()
    assert [row["step"] for row in rows] == [2, 4, 6]
    assert rows[0].keys() >= {"images_seen", "seconds", "images_per_second", "d/real", "d/fake", "g/adversarial"}
    assert list(run.samples()) == [0, 3, 6]
    assert "done: " in run.log_tail()


def test_the_recorded_command_makes_the_same_model_again(run, tmp_path, capsys):
    command = gan_core.load(run.folder).training["command"].split()
    assert command[:3] == ["python", "train.py", "dcgan"]
    main(["train", *command[2:], "--out", str(tmp_path / "again")])
    again = gan_core.load(tmp_path / "again")
    assert torch.equal(again.sample(4), gan_core.load(run.folder).sample(4))


def test_generate_one_sheet_and_single_files(run, tmp_path, capsys):
    main(
        ["generate", "--model_path", str(run.folder), "--num_samples", "4", "--seed", "3", "--out", f"{tmp_path}/s.png"]
    )
    with Image.open(tmp_path / "s.png") as sheet:
        assert sheet.size == (33, 33)
    assert read_settings(tmp_path / "s.png")["seed"] == 3
    main(["generate", "--model-path", str(run.folder), "--num-samples", "2", "--out", str(tmp_path / "files")])
    assert sorted(path.name for path in (tmp_path / "files").iterdir()) == ["seed0-0000.png", "seed0-0001.png"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["trian"], "There is no command 'trian' (did you mean 'train'?)."),
        (["train", "dcgn"], "There is no recipe 'dcgn' (did you mean 'dcgan'?)."),
        (["train", "--bach_size", "3"], "--batch-size"),
        (["train", "--image_size", "20"], "image_size is 20"),
        (["train", "--steps", "3", "--epochs", "1"], "Both --steps and --epochs"),
        (["train", "--seed", "-1"], "The seed is -1"),
        (["train", "--evaluate_every", "-1"], "evaluate_every is -1; it must be 0 (off) or more"),
        (["train", "--dataset", "nowhere"], "nowhere is neither a data set nor a folder"),
        (["train", "--batch_size", "5000"], "There are 4000 images, fewer than one batch of 5000"),
        (["train", "cgan", "--dataset", "faces"], "the data has no classes: take digits"),
        (["train", "biggan", "--num_classes", "3"], "num_classes is 3, but the data has 10 classes"),
        (["train", "--resume"], "--resume needs --out"),
        (["train", "--precision", "fp32", "--out", "/tmp/a b"], "'a b' cannot name a run"),
        (["generate", "--model_path", "checkpoints/generator.pth"], "bare weights file"),
        (["generate", "--model_path", "nothing-here"], "neither a model folder nor a Hub id"),
        (["generate", "--out", "samples.jpg"], "it takes a .png"),
        (["generate", "--label", "seven"], "unconditional: it takes no labels"),
        (["generate", "--truncation", "9"], "truncation is 9"),
        (["generate", "--truncation", "0.5", "--controls", "truncation", "0.7"], "The truncation is given twice"),
        (["generate", "--num_samples", "999999999"], "--num_samples is 999,999,999; it takes 1 to 10,000"),
        (["generate", "--raw"], "weights/dcgan-digits has no checkpoint of a run"),
    ],
)
def test_what_does_not_fit_is_one_sentence_and_status_2(capsys, words, sentence, runs):
    assert sentence in refused(capsys, *words)
    assert not runs.exists()


def test_cuda_where_there_is_none(capsys, runs):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert "There is no cuda device here" in refused(capsys, "train", "--device", "cuda")


def test_a_taken_folder_is_refused_and_left_alone(run, capsys):
    before = run.checkpoint_file.read_bytes()
    assert "There is a run in" in refused(capsys, "train", *TINY, "--out", str(run.folder))
    assert run.checkpoint_file.read_bytes() == before and run.state()["status"] == "done"


def test_without_out_a_free_name_is_found(runs, capsys):
    for _ in range(2):
        main(["train", "gan", "--hidden", "8", "--batch_size", "8", "--steps", "1", "--precision", "fp32"])
    assert sorted(path.name for path in runs.iterdir()) == ["gan-digits", "gan-digits-2"]


def test_resume_goes_on_and_equals_an_uninterrupted_run(run, tmp_path, capsys):
    short = train(tmp_path / "short", "--steps", "4")
    main(["train", "--out", str(short.folder), "--resume", "--steps", "6"])
    assert short.state()["status"] == "done"
    ours, theirs = load_checkpoint(short.checkpoint_file), load_checkpoint(run.checkpoint_file)
    assert_equal(ours, theirs)
    assert [row["step"] for row in short.metrics()[0]] == [2, 4, 6]


def test_resume_drops_what_lies_past_the_checkpoint(run, tmp_path, capsys):
    short = train(tmp_path / "short", "--steps", "4", "--sample_every", "2")
    with short.metrics_file.open("a") as file:
        file.write(json.dumps({"step": 5, "images_seen": 40}) + "\n")
    short.sample_file(5).write_bytes(b"")
    short.stop_file.touch()
    main(["train", "--out", str(short.folder), "--resume", "--steps", "6"])
    assert [row["step"] for row in short.metrics()[0]] == [2, 4, 6]
    assert 5 not in short.samples() and not short.stop_file.exists()


def test_resume_refuses_other_settings_by_name(run, capsys):
    said = refused(capsys, "train", "dcgan", "--out", str(run.folder), "--resume", "--lr", "1e-3", "--seed", "4")
    assert "lr was 0.0004, now 0.001" in said and "seed was 0, now 4" in said
    assert "recipe was dcgan, now gan" in refused(capsys, "train", "gan", "--out", str(run.folder), "--resume")


def test_resume_of_nothing(tmp_path, capsys):
    assert "There is no run in" in refused(capsys, "train", "--out", str(tmp_path / "none"), "--resume")


def test_another_thread_count_is_said(run, tmp_path, capsys, caplog):
    short = train(tmp_path / "short", "--steps", "2")
    torch.set_num_threads(1)
    try:
        main(["train", "--out", str(short.folder), "--resume", "--steps", "3"])
    finally:
        torch.set_num_threads(2)
    assert "threads was 2, is now 1" in caplog.text


def test_init_starts_from_a_models_weights(run, tmp_path, capsys):
    still = ("--steps", "1", "--lr", "1e-12", "--ema_half_life", "0")
    tuned = train(tmp_path / "tuned", *still, "--init", str(run.folder))
    before, after = gan_core.load(run.folder), gan_core.load(tuned.folder)
    fresh = gan_core.load(train(tmp_path / "fresh", *still).folder)
    weights = [model.generators.state_dict()["G.project.0.weight"] for model in (before, after, fresh)]
    raw = load_checkpoint(run.checkpoint_file)["ema"]["G.project.0.weight"]
    assert torch.allclose(weights[1], raw, atol=1e-6) and not torch.allclose(weights[2], raw, atol=1e-6)


def test_init_of_another_kind_or_size(run, tmp_path, capsys):
    words = ["train", *TINY, "--steps", "1", "--out", str(tmp_path / "x"), "--init", str(run.folder)]
    assert "is a dcgan model; this run trains a gan" in refused(
        capsys, "train", "gan", "--steps", "1", "--out", str(tmp_path / "x"), "--init", str(run.folder)
    )
    assert "its width is 4, not 8" in refused(capsys, *words, "--width", "8")
    assert not (tmp_path / "x").exists()


def test_a_resumed_run_may_be_given_another_length_in_other_words(tmp_path, capsys):
    run = train(tmp_path / "short", "--epochs", "0.004")
    assert run.state()["steps"] == 2
    main(["train", "--out", str(run.folder), "--resume", "--steps", "4"])
    assert run.state()["step"] == 4
    said = refused(capsys, "train", "--out", str(run.folder), "--resume", "--steps", "3")
    assert "The run is at step 4 already; it cannot end at 3." in said


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "film.partial").write_text("precious")
    assert "holds other things and no run" in refused(capsys, "train", *TINY, "--out", str(tmp_path / "mine"))
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["film.partial"]


@pytest.mark.parametrize("damage", ["{", '{"format": 99}', '{"format": 1, "recipe": "dcgan", "odd": 1}'])
def test_a_damaged_config_of_a_run(tmp_path, capsys, damage):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text(damage)
    assert refused(capsys, "train", "--out", str(tmp_path / "run"), "--resume").startswith("error: ")


def test_a_restart_by_torchrun_goes_on_from_the_checkpoint(tmp_path, capsys, monkeypatch):
    short = train(tmp_path / "short", "--steps", "2")
    plan = read_plan(short.folder)

    @contextlib.contextmanager
    def restarted(device_type):
        yield Processes(restarts=1)

    monkeypatch.setattr(training, "processes", restarted)
    training.train(plan, short.folder)
    assert short.state()["status"] == "done" and short.state()["step"] == 2
    with pytest.raises(gan_core.UsageError, match="torchrun may restart needs --out"):
        training.train(plan)


def test_epochs_set_the_length(tmp_path, capsys):
    run = train(tmp_path / "half", "--epochs", "0.01")
    assert run.state()["steps"] == 5  # 40 of 4,000 images, 8 at a time


def test_a_training_that_blows_up_says_where_and_keeps_its_checkpoint(tmp_path, capsys):
    run = train(tmp_path / "wild", "--steps", "2")
    state = load_checkpoint(run.checkpoint_file)
    state["nets"]["G.project.0.weight"].fill_(float("nan"))
    save_checkpoint(run.checkpoint_file, state)
    with pytest.raises(SystemExit) as end:
        main(["train", "--out", str(run.folder), "--resume", "--steps", "9"])
    assert end.value.code == 1
    assert "error: step 2, phase d: the loss is not finite (real = " in capsys.readouterr().err
    assert run.state()["status"] == "crashed" and "not finite" in run.log_tail()
    assert load_checkpoint(run.checkpoint_file)["step"] == 2


def test_a_run_on_a_folder_of_any_name_gets_a_name_that_a_run_may_have(tmp_path, runs, capsys):
    for k in range(8):
        path = tmp_path / "my own pictures!" / f"{k}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("L", (16, 16), k * 30).save(path)
    main(["train", *TINY, "--steps", "1", "--dataset", str(tmp_path / "my own pictures!")])
    assert [path.name for path in runs.iterdir()] == ["dcgan-my-own-pictures-"]
    assert find_run("dcgan-my-own-pictures-").state()["status"] == "done"


def test_every_command_has_a_one_line_help(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert all(f"  {name} " in said for name in COMMANDS)


def test_list_shows_every_recipe(capsys):
    main(["list"])
    said = capsys.readouterr().out
    assert all(name in said for name in gan_core.list_recipes())


# -------------------------------------------------------------------------------------------------- real processes


def start(*words, cwd, **environment):
    return subprocess.Popen(
        [sys.executable, *words], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip


def wait_for(condition, seconds=90):
    deadline = time.time() + seconds
    while not condition():
        assert time.time() < deadline, "it took too long"
        time.sleep(0.05)


def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path):
    out = tmp_path / "runs" / "interrupted"
    words = [str(ROOT / "train.py"), *TINY, "--steps", "100000", "--out", str(out)]
    process = start(*words, cwd=tmp_path)
    wait_for(lambda: len(Run(out).metrics()[0]) > 2)
    with pytest.raises(gan_core.UsageError, match="in use by another process"), Run(out).lock():
        pass
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    run = Run(out)
    state = run.state()
    assert process.returncode == 0 and state["status"] == "stopped"
    assert f"go on with: python train.py --out {out} --resume" in said
    assert load_checkpoint(run.checkpoint_file)["step"] == state["step"] > 0


def test_kill_9_during_a_checkpoint_loses_nothing_and_the_resumed_run_is_the_same(tmp_path, capsys):
    out = tmp_path / "runs" / "killed"
    flags = [*TINY, "--steps", "9999", "--checkpoint_every", "1", "--out", str(out)]
    process = start(str(ROOT / "train.py"), *flags, cwd=tmp_path)
    wait_for(lambda: Run(out).checkpoint_file.exists() and list(out.glob("checkpoint.pt.*.partial")))
    process.kill()
    process.communicate()
    run = Run(out)
    assert run.state()["status"] == "crashed"
    steps = load_checkpoint(run.checkpoint_file)["step"] + 3
    main(["train", "--out", str(out), "--resume", "--steps", str(steps)])
    whole = train(tmp_path / "whole", "--steps", str(steps))
    assert_equal(load_checkpoint(run.checkpoint_file), load_checkpoint(whole.checkpoint_file))
    assert not list(out.glob("*.partial"))


def test_a_full_disk_ends_a_run_with_one_sentence(tmp_path, capsys, full_disk):
    with full_disk(3000):
        said = refused(capsys, "train", *TINY, "--steps", "50", "--out", str(tmp_path / "full"))
    assert said.strip().splitlines()[-1].startswith("error: ") and "Traceback" not in said


def test_the_scripts_read_the_recipe_from_their_name(tmp_path):
    python = tmp_path / "python"  # in place of the real one: says what it was told
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    for recipe in gan_core.list_recipes():
        script = ROOT / "scripts" / f"train_{recipe}.sh"
        done = subprocess.run([script, "--steps", "1 2"], env=environment, check=True, capture_output=True, text=True)
        program, *words = done.stdout.split()
        assert Path(program).resolve() == ROOT / "train.py" and words == [recipe, "--steps", "1", "2"]


def test_torchrun_ends_with_equal_weights_on_both_ranks(tmp_path, free_port):
    out = tmp_path / "runs" / "two"
    words = ["-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", str(free_port())]
    flags = [*TINY, "--steps", "6", "--monitor_every", "2", "--out", str(out)]
    process = start(*words, str(ROOT / "train.py"), "dcgan", *flags, cwd=tmp_path, OMP_NUM_THREADS="1")
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    run = Run(out)
    assert run.state()["status"] == "done" and run.state()["images_seen"] == 6 * 8 * 2
    assert "2 processes hold the same weights" in run.log_tail()
    assert sum("monitor/d_accuracy" in row for row in run.metrics()[0]) == 3  # rank 0 has looked, alone


@pytest.mark.parametrize(
    ("recipe", "dataset"),
    [("wgan", "digits"), ("gen_3", "batik"), ("pix2pix", "batik"), ("cyclegan", "faces_masked"), ("srgan", "photos")],
)
def test_a_recipe_has_a_data_set_of_its_own(recipe, dataset):
    plan, _ = planned([recipe], "train")
    assert plan.run.dataset == dataset and plan.command() == f"python train.py {recipe}"
    other, _ = planned([recipe, "--dataset", "faces"], "train")
    assert other.run.dataset == "faces" and other.command() == f"python train.py {recipe} --dataset faces"
