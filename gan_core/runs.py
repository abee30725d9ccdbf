"""Training runs on disk: started, watched, stopped, resumed and deleted by name.

A run is its own process in its own session: it survives a closed tab and a restart of the app. All truth is in its
folder, so any process sees the same runs.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from gan_core.atomic import remove_partials, replacing
from gan_core.errors import UsageError

LIVE = ("starting", "running")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}(?<!\.)")
TAIL_BYTES = 20_000


def runs_folder() -> Path:
    """Where runs lie: `$GAN_PLAYGROUND_RUNS`, by default `runs` in the working directory."""
    return Path(os.environ.get("GAN_PLAYGROUND_RUNS", "runs"))


def is_public() -> str | None:
    """Why this place does not train or publish, or None where it may: a public Space lends its processor to all."""
    if os.environ.get("GAN_PLAYGROUND_PUBLIC", "1" if os.environ.get("SPACE_ID") else "0") != "0":
        return (
            "Training and publishing are off on a public Space: anyone could use its processor and its account. "
            "Run the playground on your own machine, or duplicate the Space and set GAN_PLAYGROUND_PUBLIC=0."
        )
    return None


@dataclass(frozen=True)
class Run:
    """One run's folder and what lies in it."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def config_file(self) -> Path:
        return self.folder / "config.json"

    @property
    def metrics_file(self) -> Path:
        return self.folder / "metrics.jsonl"

    @property
    def state_file(self) -> Path:
        return self.folder / "state.json"

    @property
    def log_file(self) -> Path:
        return self.folder / "log.txt"

    @property
    def checkpoint_file(self) -> Path:
        return self.folder / "checkpoint.pt"

    @property
    def model_folder(self) -> Path:
        return self.folder / "model"

    @property
    def best_file(self) -> Path:
        return self.folder / "best.pt"

    @property
    def best_folder(self) -> Path:
        return self.folder / "best"

    def best_step(self) -> int | None:
        """The step that best.pt holds, as the model beside it says; None before there is one."""
        try:
            return int(json.loads((self.best_folder / "config.json").read_text(encoding="utf-8"))["training"]["steps"])
        except (FileNotFoundError, KeyError, ValueError):
            return None

    @property
    def stop_file(self) -> Path:
        return self.folder / "STOP"

    @property
    def samples_folder(self) -> Path:
        return self.folder / "samples"

    def sample_file(self, step: int) -> Path:
        """Where the sample sheet of a step lies."""
        return self.samples_folder / f"step-{step:06d}.png"

    def samples(self) -> dict[int, Path]:
        """All sample sheets by step, in order."""
        files = sorted(self.samples_folder.glob("step-*.png")) if self.samples_folder.is_dir() else []
        return {int(file.stem.removeprefix("step-")): file for file in files}

    def config(self) -> dict[str, Any]:
        """What the run was started with; empty until it has begun, or if the file is damaged."""
        try:
            config: dict[str, Any] = json.loads(self.config_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return config

    def write_state(self, **changes: Any) -> None:
        """Changes keys of state.json, atomically."""
        state = self._read_state() | changes | {"heartbeat": time.time()}
        with replacing(self.state_file) as file:
            file.write(json.dumps(state).encode())

    def _read_state(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads(self.state_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            state = {"status": "starting", "step": 0, "steps": 0, "images_seen": 0, "warnings": []}
        return state

    def state(self) -> dict[str, Any]:
        """state.json, with "crashed" for a run that says it is live while its process is gone."""
        state = self._read_state()
        if state["status"] in LIVE and not self._process_lives(state):
            state["status"] = "crashed"
        return state

    def _process_lives(self, state: dict[str, Any]) -> bool:
        try:
            process = psutil.Process(state["pid"])
            started = abs(process.create_time() - state["pid_started"]) < 2  # guards against a pid used again
            return started and process.status() != psutil.STATUS_ZOMBIE
        except (KeyError, psutil.Error):
            return False

    def metrics(self, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
        """Rows of metrics.jsonl from a byte offset, and the offset to go on from; a half-written last row waits."""
        rows = []
        try:
            with self.metrics_file.open("rb") as file:
                file.seek(offset)
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    rows.append(json.loads(line))
                    offset += len(line)
        except FileNotFoundError:
            pass
        return rows, offset

    def log_tail(self, lines: int = 30) -> str:
        """The last lines of log.txt."""
        try:
            with self.log_file.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
                text = file.read().decode(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Held by a training process on its run; the system frees it however the process ends.

        Raises:
            UsageError: Another process holds it.
        """
        lock = FileLock(self.folder / "lock")
        try:
            lock.acquire(timeout=0.5)  # threads of a killed process may outlive its first one by a moment
        except Timeout:
            raise UsageError(f"The run {self.name} is in use by another process; stop that one first.") from None
        try:
            yield
        finally:
            lock.release()

    def stop(self) -> None:
        """Asks the run to save and end after its current step."""
        self.stop_file.touch()

    def delete(self) -> None:
        """Removes the run and everything in it.

        Raises:
            UsageError: It is still going.
        """
        with self.lock():
            if self.state()["status"] in LIVE:
                raise UsageError(f"The run {self.name} is going; stop it before deleting it.")
            shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)  # Windows keeps a locked file

    def clean(self) -> None:
        """Removes a stop request and what killed writers left behind."""
        self.stop_file.unlink(missing_ok=True)
        for written in (
            self.config_file, self.metrics_file, self.state_file, self.checkpoint_file, self.model_folder,
            self.best_file, self.best_folder,
        ):  # fmt: skip
            remove_partials(written)


def check_name(name: str) -> str:
    """A run's name, which becomes a folder's.

    Raises:
        UsageError: It has a character that does not belong in one.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot name a run: take up to 64 letters, digits, '.', '_' and '-', a letter or digit first."
        )
    return name


def find_run(name: str) -> Run:
    """A run by name.

    Raises:
        UsageError: There is none.
    """
    folder = runs_folder() / check_name(name)
    if not folder.is_dir():
        raise UsageError(f"There is no run {name!r} in {runs_folder()}.")
    return Run(folder)


def list_runs() -> list[Run]:
    """All runs, the youngest first."""
    root = runs_folder()
    folders = [child for child in root.iterdir() if child.is_dir()] if root.is_dir() else []
    folders = [f for f in folders if (f / "state.json").exists()]
    return [Run(folder) for folder in sorted(folders, key=lambda f: f.stat().st_ctime, reverse=True)]


def free_name(name: str) -> str:
    """The name, or the first of name-2, name-3, ... that no run has."""
    numbered = (name if k == 1 else f"{name}-{k}" for k in itertools.count(1))
    return next(candidate for candidate in numbered if not (runs_folder() / candidate).exists())


def start(name: str, recipe: str, flags: Sequence[str]) -> Run:
    """Starts `python -m gan_core train RECIPE --out runs/NAME FLAGS` as a process of its own.

    Raises:
        UsageError: The name does not fit or is taken, or this is a public Space.
    """
    folder = runs_folder() / check_name(name)
    if reason := is_public():
        raise UsageError(reason)
    try:
        folder.mkdir(parents=True)  # the lock against a double click
    except FileExistsError:
        raise UsageError(f"There is a run {name!r} already; choose another name or delete that one.") from None
    return _spawn(folder, [recipe, *flags, "--out", str(folder)])


def estimate(recipe: str, flags: Sequence[str], timeout: float = 300) -> dict[str, Any]:
    """What a training with these flags would take here, from a few steps in a process of its own.

    Returns:
        {"precision", "seconds_per_step", "memory_bytes", "steps", "seconds"}.

    Raises:
        UsageError: The flags do not fit, with the sentence that `train` would say; or it takes too long.
    """
    command = [sys.executable, "-m", "gan_core", "estimate", recipe, *flags]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise UsageError(
            f"A few steps took more than {timeout:.0f} s; choose smaller networks or a smaller batch."
        ) from None
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or [f"the probe ended with status {done.returncode}"]
        raise UsageError(last[0].removeprefix("error: "))
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def resume(name: str) -> Run:
    """Goes on with a stopped or crashed run from its last checkpoint.

    Raises:
        UsageError: There is no such run, it is going already, or this is a public Space.
    """
    if reason := is_public():
        raise UsageError(reason)
    run = find_run(name)
    with run.lock():  # two who ask at once: the second finds it starting
        if run.state()["status"] in LIVE:
            raise UsageError(f"The run {name} is going already.")
        return _spawn(run.folder, ["--out", str(run.folder), "--resume"])


def _spawn(folder: Path, arguments: list[str]) -> Run:
    run = Run(folder)
    with run.log_file.open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "gan_core", "train", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # what it says there also goes to log.txt, through its logger
            stderr=log,
            start_new_session=True,  # Ctrl-C on the server does not reach it
        )
    run.write_state(status="starting", pid=child.pid, pid_started=psutil.Process(child.pid).create_time())
    threading.Thread(target=child.wait, daemon=True).start()  # only to reap it; the truth is on disk
    return run
