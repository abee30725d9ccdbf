"""What happens around training steps: logging, pictures, checkpoints. Plain functions of the trainer."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from gan_core.atomic import replacing
from gan_core.checkpoint import save_checkpoint, surroundings
from gan_core.conditional import as_the_data
from gan_core.data import Images
from gan_core.evaluate import evaluate_pictures
from gan_core.evaluate import samples as drawn_samples
from gan_core.fidelity import judge_translations
from gan_core.metrics.extractor import Extractor
from gan_core.model import Model
from gan_core.monitor import findings
from gan_core.runs import Run
from gan_core.trainer import Callback, Trainer
from gan_core.translation import TranslationRecipe

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 1.0
SHEET_SEED, SHEET_COUNT = 0, 36
EVALUATED = 1000  # pictures at most: a fair number in some seconds

Row = dict[str, Any]
Measure = Callable[[Trainer], Row]  # what a row says besides the losses
Judge = Callable[[list[Row]], Row]  # what the last row says of all


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


def metrics(
    run: Run, bar: tqdm[Any], log_every: int, measures: Sequence[tuple[int, Measure]], judge: Judge
) -> Callback:
    """Appends rows to metrics.jsonl, and shows the losses on the bar: one row a step, whoever has something to say.

    Args:
        run: Where to.
        bar: A progress bar.
        log_every: Steps between rows.
        measures: Each with the steps between its turns; a step with a turn always has a row.
        judge: Asked after each turn.
    """
    last = (time.perf_counter(), 0)
    rows = run.metrics()[0]

    def write(trainer: Trainer) -> None:
        nonlocal last
        due = [measure for n, measure in measures if trainer.step % n == 0]
        if trainer.step % log_every and not due:
            return
        now, seen = time.perf_counter(), trainer.images_seen
        rate = (seen - last[1]) / (now - last[0]) if last[1] else seen / max(trainer.seconds, 1e-9)
        values = rounded(trainer.logs)
        row = {
            "step": trainer.step,
            "images_seen": seen,
            "seconds": round(trainer.seconds, 3),
            "images_per_second": round(rate, 1),
        }
        rows.append(row | values)
        for measure in due:
            rows[-1] |= rounded(measure(trainer))
        if due:
            rows[-1] |= judge(rows)
        with run.metrics_file.open("a") as file:
            file.write(json.dumps(rows[-1]) + "\n")
        last = time.perf_counter(), seen  # what measuring took is not the training's
        shown = {name: f"{value:.3f}" for name, value in values.items()}
        bar.set_postfix({"images/s": f"{rate:.0f}"} | shown)

    return write


def rounded(values: Mapping[str, Any]) -> Row:
    """Numbers as a row holds them; one that is not finite, which JSON cannot say, becomes null."""
    return {name: round(float(value), 6) if math.isfinite(value) else None for name, value in values.items()}


def warnings(run: Run, settings: Mapping[str, Any]) -> Judge:
    """Finds what goes wrong. New findings go into the log and the row, all that hold into state.json.

    Args:
        run: Where to.
        settings: See `monitor.diagnose`.
    """
    known = findings(run.metrics()[0], settings)
    run.write_state(warnings=list(known.values()))

    def judge(rows: list[Row]) -> Row:
        nonlocal known
        before, known = known, findings(rows, settings)
        run.write_state(warnings=list(known.values()))
        new = [sentence for kind, sentence in known.items() if kind not in before]
        for sentence in new:
            log.warning("step %d: %s", rows[-1]["step"], sentence)
        return {"warnings": new} if new else {}

    return judge


def evaluation(run: Run, training: dict[str, Any], held_out: Images, extractor: Extractor) -> Measure:
    """Measures the averaged generator, and keeps the training state and the model whenever its FD is the lowest so far.

    Args:
        run: Where to.
        training: See `checkpoint`.
        held_out: Pictures that are not trained on; as many are generated, up to `EVALUATED`.
        extractor: What pictures are compared through.
    """
    count = min(EVALUATED, len(held_out))
    log.info("FD of %d pictures is taken through the %s", count, extractor.label)
    lowest = min((row["metric/fd"] for row in run.metrics()[0] if "metric/fd" in row), default=math.inf)

    def measure(trainer: Trainer) -> Row:
        nonlocal lowest
        model = trainer.model()
        of = of_translations if isinstance(model.recipe, TranslationRecipe) else of_samples
        row = of(model, trainer.data, held_out, extractor, count)
        if (fd := row["metric/fd"]) < lowest:
            lowest = fd
            keep(trainer, training, run.best_file, run.best_folder, f"runs/{run.name}/best")
            log.info("step %d: FD %.2f is the lowest so far, kept in best/", trainer.step, fd)
        return row

    return measure


def of_samples(model: Model, data: Images, held_out: Images, extractor: Extractor, count: int) -> Row:
    """What is measured on pictures from noise."""
    asked = as_the_data(model, data, count, SHEET_SEED)
    drawn = drawn_samples(model, count, SHEET_SEED, lambda share, text: None, asked)
    report = evaluate_pictures(drawn, data, held_out, extractor, asked)
    return {
        "metric/fd": report.fd.value,
        "metric/fd_floor": report.fd.floor,
        "metric/precision": report.precision,
        "metric/recall": report.recall,
        "metric/coverage": report.coverage,
    }


def of_translations(model: Model, data: Images, held_out: Images, extractor: Extractor, count: int) -> Row:
    """What is measured on pictures of held-out inputs; without true pictures, distances of sets only."""
    sources = judge_translations(model, data, held_out, extractor, count).sources
    row = {"metric/fd": sources["model"].fd, "metric/fd_floor": sources["truth"].fd}
    truth = sources["model"].truth
    return row if truth is None else row | {"metric/l1": truth.l1, "metric/ssim": truth.ssim}


def samples(run: Run) -> Callback:
    """Writes the fixed seed's pictures of the averaged generator as they are now."""

    def write(trainer: Trainer) -> None:
        run.samples_folder.mkdir(exist_ok=True)
        model = trainer.model()
        sheet = model.sheet(SHEET_COUNT)
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
        keep(trainer, training, run.checkpoint_file, run.model_folder, f"runs/{run.name}")
        log.info("step %d: checkpoint and model saved", trainer.step)

    return write


def keep(trainer: Trainer, training: dict[str, Any], file: Path, folder: Path, name: str) -> None:
    """Writes the training state into a file and the model into a folder, whose card calls it by that name."""
    save_checkpoint(file, trainer.state_dict() | {"surroundings": surroundings(trainer.processes)})
    trainer.model(**training).save(folder, name=name)


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
