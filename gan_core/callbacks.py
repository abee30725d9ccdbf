"""What happens around training steps: logging, pictures, checkpoints. Plain functions of the trainer."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

from tqdm import tqdm

from gan_core.atomic import replacing
from gan_core.checkpoint import save_checkpoint, surroundings
from gan_core.pictures import grid
from gan_core.runs import Run
from gan_core.trainer import Callback, Trainer

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 1.0
SHEET_SEED, SHEET_COUNT = 0, 36


def every(n: int, action: Callback) -> Callback:
    """The action on steps divisible by n."""

    def maybe(trainer: Trainer) -> None:
        if trainer.step % n == 0:
            action(trainer)

    return maybe


def progress(bar: tqdm[Any]) -> Callback:
    """Moves a progress bar; its time left and rate are tqdm's."""

    def advance(trainer: Trainer) -> None:
        bar.update()

    return advance


def metrics(run: Run, bar: tqdm[Any]) -> Callback:
    """Appends a row to metrics.jsonl, and shows it on the bar."""
    last = (time.perf_counter(), 0)

    def write(trainer: Trainer) -> None:
        nonlocal last
        now, seen = time.perf_counter(), trainer.images_seen
        rate = (seen - last[1]) / (now - last[0]) if last[1] else seen / max(trainer.seconds, 1e-9)
        last = now, seen
        values = {name: round(float(value), 6) for name, value in trainer.logs.items()}
        row = {
            "step": trainer.step,
            "images_seen": seen,
            "seconds": round(trainer.seconds, 3),
            "images_per_second": round(rate, 1),
        }
        with run.metrics_file.open("a") as file:
            file.write(json.dumps(row | values) + "\n")
        shown = {name: f"{value:.3f}" for name, value in values.items()}
        bar.set_postfix({"images/s": f"{rate:.0f}"} | shown)

    return write


def samples(run: Run) -> Callback:
    """Writes the fixed seed's pictures of the averaged generator as they are now."""

    def write(trainer: Trainer) -> None:
        run.samples_folder.mkdir(exist_ok=True)
        model = trainer.model()
        sheet = grid(model.sample(SHEET_COUNT, seed=SHEET_SEED), scale=max(1, 64 // model.image_size))
        with replacing(run.sample_file(trainer.step)) as file:  # a page may be looking
            sheet.save(file, format="PNG")

    return write


def checkpoint(run: Run, training: dict[str, Any]) -> Callback:
    """Writes the training state and exports the model.

    Args:
        run: Where to.
        training: What config.json of the model says of its training.
    """

    def write(trainer: Trainer) -> None:
        save_checkpoint(run.checkpoint_file, trainer.state_dict() | {"surroundings": surroundings(trainer.processes)})
        trainer.model(**training).save(run.model_folder, name=f"runs/{run.name}")
        log.info("step %d: checkpoint and model saved", trainer.step)

    return write


def heartbeat(run: Run, steps: int) -> Callback:
    """Keeps state.json fresh, and turns a STOP file into an end."""
    last = 0.0

    def beat(trainer: Trainer) -> None:
        nonlocal last
        if time.monotonic() - last < HEARTBEAT_SECONDS and trainer.step < steps:
            return
        last = time.monotonic()
        run.write_state(status="running", step=trainer.step, steps=steps, images_seen=trainer.images_seen)
        if run.stop_file.exists():
            trainer.stop()

    return beat


def log_line(trainer: Trainer) -> None:
    """One line for log.txt."""
    terms = "  ".join(f"{name} {float(value):.3f}" for name, value in trainer.logs.items())
    log.info("step %d  %s", trainer.step, terms)
