"""A training run from its options to its model: data, trainer, callbacks, resume."""

from __future__ import annotations

import dataclasses
import json
import logging
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import torch
from tqdm import tqdm

from gan_core import callbacks
from gan_core.atomic import replacing
from gan_core.callbacks import every
from gan_core.checkpoint import load_checkpoint, surroundings
from gan_core.data import Images, load_data
from gan_core.distributed import from_main, main_first, processes
from gan_core.errors import UsageError
from gan_core.examples import Examples
from gan_core.extractors import extractor_for, load_extractor
from gan_core.fidelity import given_by
from gan_core.library import load
from gan_core.monitor import Monitor, advice
from gan_core.plan import Plan, read_plan
from gan_core.probe import faster_precision
from gan_core.reals import refuse_few
from gan_core.recipe import Recipe
from gan_core.runs import Run, check_name, free_name, runs_folder
from gan_core.trainer import Trainer
from gan_core.translation import TranslationRecipe

log = logging.getLogger(__name__)


def choose_device(name: str) -> torch.device:
    """The device to train on.

    Raises:
        UsageError: It is not there.
    """
    found = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next(device for device in ("cuda", "mps", "cpu") if found[device])
    if not found[name]:
        raise UsageError(f"There is no {name} device here; --device auto takes what there is.")
    return torch.device(name)


def train(plan: Plan, out: Path | None = None, resume: bool = False, best: bool = False) -> Run:
    """Trains, from the first step or from the last checkpoint, until the length is reached or a stop is asked for.

    Started by torchrun, every process calls this; rank 0 writes.

    Args:
        plan: What to train; of a resumed run, the stored plan with at most length and intervals changed.
        out: The run's folder; by default a free name below the runs folder.
        resume: Go on with the run in `out`.
        best: From its best checkpoint, not its last; what came later is given up.

    Returns:
        The run, its state "done" or "stopped".

    Raises:
        UsageError: Something that was asked for does not fit; nothing was lost.
        FloatingPointError: A loss became infinite; the last checkpoint is kept.
    """
    device = choose_device(plan.run.device)
    if out is not None:
        check_name(out.name)  # before anything that takes time
    if best and out is not None and not Run(out).best_file.exists():
        raise UsageError(f"The run in {out} has no best.pt: --evaluate_every keeps one.")
    with processes(device.type) as who:
        if who.restarts > 0:  # torchrun has started all processes again
            if out is None:
                raise UsageError("A run that torchrun may restart needs --out, to be found again.")
            resume, best = Run(out).checkpoint_file.exists(), False  # a return to the best has made that the last
            plan = read_plan(out) if resume else plan
        config = plan.recipe.config
        with main_first(who):
            data = load_data(plan.run.dataset, config.image_size, config.channels)
        recipe = plan.recipe.resolve(data.image_size, data.channels, len(data.classes or ()), data.given)
        data.batches(recipe.options.batch_size, seed=0, start=0, world=who.world)  # enough images for one batch?
        if plan.run.precision == "auto":
            choice: Any = from_main(faster_precision(recipe, data, device) if who.is_main else "", who)
            plan = dataclasses.replace(plan, run=dataclasses.replace(plan.run, precision=choice))
        trainer = Trainer(
            recipe, data, seed=plan.run.seed, device=device, precision=plan.run.precision, processes=who,
            examples=shown(plan, data, recipe) if isinstance(recipe, TranslationRecipe) and who.is_main else None,
        )  # fmt: skip
        if plan.run.init is not None and not resume:
            start_from(trainer, plan.run.init)
        held_out = held_out_pictures(plan, recipe, data) if who.is_main and plan.run.evaluate_every else None
        run = Run(Path(from_main(str(run_folder(plan, out)) if who.is_main else "", who)))
        source = run.best_file if best else run.checkpoint_file
        steps = plan.run.total_steps(recipe, len(data), who.world)
        if not who.is_main:
            if resume:
                restore(trainer, source, steps)
            with stop_on_signals(trainer):
                trainer.run(steps)
            return run
        with opened(run, plan, may_exist=resume or who.restarts > 0):
            if resume:
                restore(trainer, source, steps)
                if best:  # from here on it is the last, also for a --resume after this one
                    with replacing(run.checkpoint_file) as file:
                        file.write(run.best_file.read_bytes())
                cut_metrics(run, trainer.step)
            lead(trainer, run, plan, steps, held_out)
    return run


def run_folder(plan: Plan, out: Path | None) -> Path:
    """The given folder, or a free one named after recipe and data."""
    if out is not None:
        return out
    data = re.sub(r"[^A-Za-z0-9_.-]+", "-", Path(plan.run.dataset).name)  # a folder may have any name, a run not
    return runs_folder() / free_name(f"{plan.recipe.name}-{data}"[:60].rstrip("."))


@contextmanager
def opened(run: Run, plan: Plan, may_exist: bool) -> Iterator[None]:
    """A run's folder, locked and with its log attached; a new one gets its config, a taken one is refused."""
    refuse_strange(run.folder)
    run.folder.mkdir(parents=True, exist_ok=True)
    with run.lock():
        if run.config_file.exists() and not may_exist:
            raise UsageError(f"There is a run in {run.folder} already; resume it with --resume or take another --out.")
        run.clean()
        handler = logging.FileHandler(run.log_file, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%Y-%m-%d %H:%M:%S"))
        package = logging.getLogger("gan_core")
        package.addHandler(handler)
        package.setLevel(logging.INFO)
        try:
            with replacing(run.config_file) as file:
                file.write(json.dumps(plan.as_dict(), indent=2).encode())
            yield
        finally:
            package.removeHandler(handler)
            handler.close()


def refuse_strange(folder: Path) -> None:
    """Raises `UsageError` for a folder that holds something, but no run: nothing of it may be overwritten."""
    names = {child.name for child in folder.iterdir()} if folder.is_dir() else set()
    if names and not names & {"config.json", "state.json", "lock"}:
        raise UsageError(f"{folder} holds other things and no run; take another --out.")


def shown(plan: Plan, data: Images, recipe: TranslationRecipe) -> Examples:
    """What the model is shown with: held-out inputs, and the pictures they belong to."""
    return Examples.of(load_data(plan.run.dataset, data.image_size, data.channels, split="test"), recipe)


def held_out_pictures(plan: Plan, recipe: Recipe, data: Images) -> Images:
    """What `--evaluate_every` measures with, asked for before the first step.

    Raises:
        UsageError: There is no extractor, or the data have no or too few held-out pictures.
    """
    try:
        load_extractor(extractor_for(data))
        held_out = load_data(plan.run.dataset, data.image_size, data.channels, split="test")
        refuse_few(len(data), "training images")
        refuse_few(len(held_out), "held-out images")
        if isinstance(recipe, TranslationRecipe):
            refuse_few(len(given_by(held_out, recipe).inputs), "held-out inputs")
        return held_out
    except UsageError as error:
        raise UsageError(f"--evaluate_every cannot measure here: {error}") from error


def monitor(data: Images) -> Monitor:
    """The monitor, with the extractor for the data; without one it watches losses, critic and gradients only."""
    try:
        return Monitor(data, load_extractor(extractor_for(data)))
    except UsageError as error:
        log.info("the monitor watches losses and gradients only: %s", error)
        return Monitor(data, None)


def lead(trainer: Trainer, run: Run, plan: Plan, steps: int, held_out: Images | None) -> None:
    """Rank 0's part of a run: the loop with everything that writes."""
    training = {
        "command": plan.command(),
        "dataset": plan.run.dataset,
        "images": len(trainer.data),
        "seed": plan.run.seed,
        "options": dataclasses.asdict(trainer.recipe.options),
        "precision": plan.run.precision,
        "threads": torch.get_num_threads(),
    }
    me = psutil.Process()
    run.write_state(
        status="running", step=trainer.step, steps=steps, images_seen=trainer.images_seen,
        pid=me.pid, pid_started=me.create_time(),
    )  # fmt: skip
    name = trainer.recipe.name
    log.info("training %s on %s, %s, %d steps, in %s", name, trainer.data.name, plan.run.precision, steps, run.folder)
    save = callbacks.checkpoint(run, training)
    show = callbacks.samples(run)
    settings = dataclasses.asdict(trainer.recipe.config) | dataclasses.asdict(trainer.recipe.options)
    judge = callbacks.warnings(run, settings)
    try:
        measures: list[tuple[int, callbacks.Measure]] = []
        if plan.run.monitor_every:
            measures.append((plan.run.monitor_every, monitor(trainer.data)))
        if held_out is not None:
            extractor = load_extractor(extractor_for(trainer.data))
            measures.append((plan.run.evaluate_every, callbacks.evaluation(run, training, held_out, extractor)))
        if trainer.step == 0:
            show(trainer)
        # disable=None: no bar where nobody watches, as in a log file
        with tqdm(total=steps, initial=trainer.step, unit="step", desc=name, disable=None, dynamic_ncols=True) as bar:
            trainer.callbacks = [
                callbacks.progress(bar),
                callbacks.metrics(run, bar, plan.run.log_every, measures, judge),
                every(plan.run.sample_every, show),
                every(plan.run.sample_every, callbacks.log_line),
                every(plan.run.checkpoint_every, save),
                callbacks.heartbeat(run, steps),
            ]
            with stop_on_signals(trainer):
                trainer.run(steps)
        save(trainer)
        show(trainer)
        if trainer.processes.world > 1:
            log.info("%d processes hold the same weights", trainer.processes.world)  # or trainer.run would have raised
        done = trainer.step >= steps
        run.write_state(status="done" if done else "stopped", step=trainer.step, images_seen=trainer.images_seen)
        if done:
            log.info("done: %s", run.model_folder)
        else:
            log.info("stopped at step %d; go on with: python train.py --out %s --resume", trainer.step, run.folder)
    except BaseException as error:
        with suppress(OSError):  # a full disk cannot even be told that it is full
            log.error("%s", error if isinstance(error, UsageError | FloatingPointError) else repr(error))
            run.write_state(status="crashed", step=trainer.step, images_seen=trainer.images_seen)
            if isinstance(error, FloatingPointError):
                run.write_state(warnings=[*run.state()["warnings"], f"{error}. {advice('gradient', settings)}"])
        if isinstance(error, OSError):
            raise UsageError(
                f"The run cannot write to {run.folder} ({error.strerror}); its last checkpoint is intact."
            ) from error
        raise


@contextmanager
def stop_on_signals(trainer: Trainer) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the run after its current step; a second Ctrl-C ends it at once."""

    def ask(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print("\nstopping after this step ...", file=sys.stderr)
        trainer.stop()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def start_from(trainer: Trainer, where: str) -> None:
    """Fine-tuning: the generators of a model, and its critics where it ships them, become the first weights.

    Raises:
        UsageError: The model cannot be had, is of another recipe, or has networks of another size.
    """
    model = load(where)
    wanted, found = trainer.recipe, model.recipe
    if found.name != wanted.name:
        raise UsageError(f"--init {where} is a {found.name} model; this run trains a {wanted.name}.")
    try:
        for name, net in (*model.generators.items(), *model.critics.items()):
            trainer.nets[name].load_state_dict(net.state_dict())
        for name, net in model.generators.items():
            trainer.ema.nets[name].load_state_dict(net.state_dict())
    except RuntimeError:
        before, now = dataclasses.asdict(found.config), dataclasses.asdict(wanted.config)
        changed = ", ".join(f"{key} is {before[key]}, not {now[key]}" for key in now if before[key] != now[key])
        raise UsageError(f"--init {where} has networks of another size: its {changed}.") from None


def restore(trainer: Trainer, file: Path, steps: int) -> None:
    """Takes up a checkpoint, and says what else has changed that decides about equal bits."""
    state = load_checkpoint(file)
    trainer.load_state_dict(state)
    if trainer.step > steps:
        raise UsageError(f"The run is at step {trainer.step} already; it cannot end at {steps}.")
    for what, before in state["surroundings"].items():
        if before != (now := surroundings(trainer.processes)[what]):
            log.warning("%s was %s, is now %s: the run goes on, but not bit for bit", what, before, now)


def cut_metrics(run: Run, step: int) -> None:
    """Drops rows and sheets past the checkpoint: they will be made again."""
    rows = [row for row in run.metrics()[0] if row["step"] <= step]
    with replacing(run.metrics_file) as file:
        file.writelines(f"{json.dumps(row)}\n".encode() for row in rows)
    for sheet_step, sheet in run.samples().items():
        if sheet_step > step:
            sheet.unlink()
