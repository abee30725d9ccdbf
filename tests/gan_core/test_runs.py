"""Runs as processes of their own: started, watched from anywhere, stopped, killed, resumed."""

import os
import signal
import time

import psutil
import pytest

from gan_core.cli import main
from gan_core.errors import UsageError
from gan_core.runs import Run, estimate, find_run, free_name, is_public, list_runs, resume, start

TINY = ["--hidden", "8", "--batch_size", "8", "--precision", "fp32", "--log_every", "1", "--checkpoint_every", "10"]


def wait_for(condition, seconds=60):
    deadline = time.time() + seconds
    while not condition():
        assert time.time() < deadline, "it took too long"
        time.sleep(0.05)


def test_the_life_of_a_run(runs, light):
    run = start("life", "gan", [*TINY, "--steps", "1000000"])
    assert run.state()["status"] == "starting"
    with pytest.raises(UsageError, match="There is a run 'life' already"):
        start("life", "gan", TINY)
    wait_for(lambda: run.checkpoint_file.exists() and run.state()["step"] > 20)
    assert run.state()["status"] == "running"
    with pytest.raises(UsageError, match="in use by another process"):
        run.delete()
    with pytest.raises(UsageError, match="in use by another process"):
        resume("life")

    os.kill(run.state()["pid"], signal.SIGKILL)
    wait_for(lambda: run.state()["status"] == "crashed")
    other = light("from gan_core.runs import find_run; print(find_run('life').state()['status'])")  # a fresh app
    assert other.communicate()[0].strip() == "crashed"
    crashed_at = run.metrics()[0][-1]["step"]

    resume("life")
    with pytest.raises(UsageError, match="The run life is going already"):
        resume("life")
    wait_for(lambda: run.state()["status"] == "running" and run.metrics()[0][-1]["step"] > crashed_at)
    run.stop()
    wait_for(lambda: run.state()["status"] == "stopped")
    wait_for(lambda: f"stopped at step {run.state()['step']}" in run.log_tail())  # said after it is
    steps = [row["step"] for row in run.metrics()[0]]
    assert steps == list(range(1, run.state()["step"] + 1))  # nothing twice, nothing lost
    wait_for(lambda: not psutil.pid_exists(run.state()["pid"]))
    run.delete()
    assert list_runs() == []


def test_a_trainer_that_fails_at_once_shows_why(runs):
    run = start("bad", "gan", [*TINY, "--dataset", "nowhere"])
    wait_for(lambda: run.state()["status"] == "crashed")
    assert "nowhere is neither a data set nor a folder" in run.log_tail()


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a b", "x" * 65, "-x"])
def test_names_that_could_be_paths(runs, name):
    with pytest.raises(UsageError, match="cannot name a run"):
        start(name, "gan", [])
    with pytest.raises(UsageError, match="cannot name a run"):
        find_run(name)


def test_a_run_that_is_not_there(runs):
    with pytest.raises(UsageError, match="There is no run 'ghost'"):
        resume("ghost")


@pytest.mark.parametrize("variable", [("SPACE_ID", "me/space"), ("GAN_PLAYGROUND_PUBLIC", "1")])
def test_a_public_space_does_not_train(runs, monkeypatch, variable):
    monkeypatch.setenv(*variable)
    with pytest.raises(UsageError, match="off on a public Space"):
        start("x", "gan", [])
    assert not runs.exists()


def test_a_private_space_may_be_told_to_train(monkeypatch):
    monkeypatch.setenv("SPACE_ID", "me/space")
    monkeypatch.setenv("GAN_PLAYGROUND_PUBLIC", "0")
    assert is_public() is None


def test_metrics_are_read_on_from_an_offset_and_half_a_line_waits(tmp_path):
    run = Run(tmp_path)
    assert run.metrics() == ([], 0)
    run.metrics_file.write_text('{"step": 1}\n{"st')
    rows, offset = run.metrics()
    assert rows == [{"step": 1}]
    with run.metrics_file.open("a") as file:
        file.write('ep": 2}\n')
    assert run.metrics(offset)[0] == [{"step": 2}]


def test_a_pid_used_again_by_another_program_is_not_the_run(tmp_path):
    run = Run(tmp_path)
    me = psutil.Process()
    run.write_state(status="running", pid=me.pid, pid_started=me.create_time())
    assert run.state()["status"] == "running"
    run.write_state(pid_started=me.create_time() - 1000)
    assert run.state()["status"] == "crashed"


def test_free_name_counts_up(runs):
    for name in ("x", "x-2"):
        (runs / name).mkdir(parents=True)
        Run(runs / name).write_state(status="done")
    assert free_name("x") == "x-3" and free_name("y") == "y"


def test_an_estimate_before_starting(runs):
    measured = estimate("gan", [*TINY, "--steps", "200"])
    assert measured["steps"] == 200 and measured["precision"] == "fp32"
    assert measured["seconds"] == pytest.approx(200 * measured["seconds_per_step"])
    assert 50e6 < measured["memory_bytes"] < 3e9


def test_an_estimate_of_what_does_not_fit_says_what_the_command_does(tmp_path, monkeypatch, capsys):
    words = ["gan", *TINY, "--dataset", "nowhere"]
    with pytest.raises(SystemExit) as end:
        main(["estimate", *words])
    said = capsys.readouterr().err
    command = tmp_path / "python"  # a process that ends like this one, in less time
    command.write_text(f'#!/bin/sh\ntest "$*" = "-m gan_core estimate {" ".join(words)}" || exit 1\n')
    with command.open("a") as file:
        file.write(f"cat >&2 <<'END'\n{said}END\nexit {end.value.code}\n")
    command.chmod(0o755)
    monkeypatch.setattr("gan_core.runs.sys.executable", str(command))
    with pytest.raises(UsageError, match="^nowhere is neither a data set nor a folder"):
        estimate(words[0], words[1:])
