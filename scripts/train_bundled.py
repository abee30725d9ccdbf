"""The models in the box: which there are, by which commands, and all that follows from their weights.

    python scripts/train_bundled.py                        list them: command, state, time
    python scripts/train_bundled.py wgan-digits            train it, or go on with its run, and put it into the box
    python scripts/train_bundled.py wgan-digits --from RUN put a finished run into the box
    python scripts/train_bundled.py --refresh              measure and describe anew what is in the box
    python scripts/train_bundled.py --cards                only write the cards anew

Into the box: the weights with their config, card and sheet go to weights/NAME, a golden picture to tests/golden, a row
into weights/README.md.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro
from torch import Tensor
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from gan_core.atomic import replacing
from gan_core.card import duration, write_card
from gan_core.checkpoint import load_checkpoint
from gan_core.data.images import to_unit_range
from gan_core.errors import UsageError
from gan_core.evaluate import evaluate
from gan_core.loading import load_folder
from gan_core.model import Model
from gan_core.model_folder import CONFIG, read_config
from gan_core.plan import read_plan
from gan_core.recipe import nearest
from gan_core.runs import LIVE, Run, runs_folder
from scripts.box_table import distance, tables
from scripts.bundled import BUNDLED, plainly, settings

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS, GOLDEN = ROOT / "weights", ROOT / "tests" / "golden"
TABLE = re.compile(r"(<!-- python scripts/train_bundled.py -->\n).*?(<!-- end -->)", re.S)  # in weights/README.md


def refuse_unlike(name: str, run: Run) -> None:
    """Raises `UsageError` unless the run is finished and was made as the table says."""
    made, recorded = settings(read_plan(run.folder)), settings(BUNDLED[name].plan())
    if differences := [
        f"{key} was {made.get(key)}, not {recorded.get(key)}"
        for key in (recorded | made)
        if made.get(key) != recorded.get(key)
    ]:
        raise UsageError(f"The run in {run.folder} is not the recorded one of {name}: {'; '.join(differences)}.")
    state = run.state()
    if state["status"] != "done":
        raise UsageError(f"The run in {run.folder} is {progress_of(state)}; only a finished one goes into the box.")


def progress_of(state: dict[str, Any]) -> str:
    """ "running at step 300 of 4,000"."""
    return f"{state['status']} at step {state['step']:,} of {state['steps']:,}"


# ---------------------------------------------------------------------------------------------------------- training


def train(name: str) -> None:
    """Trains a model in runs/NAME, or goes on with that run, and puts it into the box.

    Raises:
        UsageError: The run is going already, was made otherwise, or has not come to its end.
    """
    run, recorded = Run(runs_folder() / name), BUNDLED[name]
    if (state := run.state())["status"] in LIVE:
        raise UsageError(f"{name} is {progress_of(state)} in {run.folder} already.")
    if run.state_file.exists() and not run.checkpoint_file.exists():
        run.delete()  # it ended before there was anything to go on from
    resume = ["--resume"] if run.checkpoint_file.exists() else []
    words = [sys.executable, str(ROOT / "train.py"), *shlex.split(recorded.words), "--out", str(run.folder), *resume]
    environment = os.environ | {"OMP_NUM_THREADS": str(recorded.threads), "OMP_WAIT_POLICY": "PASSIVE"}
    before = signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is the training's, which saves and ends
    try:
        ended = subprocess.run(words, env=environment).returncode
    finally:
        signal.signal(signal.SIGINT, before)
    if ended != 0 or run.state()["status"] != "done":
        raise UsageError(f"{name} is {progress_of(run.state())}; the same command goes on with {run.folder}.")
    land(name, run)


# ----------------------------------------------------------------------------------------------------------- the box


def land(name: str, run: Run) -> None:
    """Puts a finished run into the box.

    Raises:
        UsageError: See `refuse_unlike`.
    """
    refuse_unlike(name, run)
    threads = int(load_checkpoint(run.checkpoint_file)["surroundings"]["threads"])
    if threads != BUNDLED[name].threads:
        raise UsageError(f"The run in {run.folder} took {threads} threads; {name} takes {BUNDLED[name].threads}.")
    model = load_folder(run.model_folder)
    model.training |= {"command": plainly(BUNDLED[name].plan()).command(), "threads": threads}
    write(name, model)


def refresh(name: str) -> None:
    """Measures and describes anew what lies in the box, its weights as they are; what does not, lands from its run.

    Raises:
        UsageError: There is neither, or it is damaged.
    """
    if in_box(name):
        write(name, load_folder(WEIGHTS / name))
    else:
        land(name, Run(runs_folder() / name))


def write(name: str, model: Model) -> None:
    """Judges a model and writes all that there is to write about it, its folder in one piece."""
    with tqdm(total=1.0, bar_format="{percentage:3.0f}%|{bar}| {elapsed} {desc}", disable=None, leave=False) as bar:

        def show(done: float, text: str) -> None:
            bar.set_description_str(f"{name}: {text}", refresh=False)
            bar.update(done - bar.n)

        report = evaluate(model, progress=show)
    model.metrics = dataclasses.replace(report, model=f"weights/{name}").as_dict()
    model.save(WEIGHTS / name)
    with replacing(GOLDEN / f"{name}.npy") as file:
        np.save(file, golden(model).numpy())
    tabulate()
    print(f"{name}: FD {distance(model.metrics)}, {model.training['images_seen']:,} images seen")


def golden(model: Model) -> Tensor:
    """The picture that shows whether anything has changed it, [C, S, S]: of seed 0, or of its first example."""
    if model.examples is None:
        return model.sample(1, seed=0)[0]
    return model.translations(to_unit_range(model.examples.inputs[:1]))[0]


def tabulate() -> None:
    """Writes the table of all models anew."""
    with replacing(WEIGHTS / "README.md") as file:
        file.write(with_rows((WEIGHTS / "README.md").read_text(encoding="utf-8")).encode())


def with_rows(readme: str) -> str:
    """weights/README.md with the tables of what is in the box now."""
    text = tables({name: read_config(WEIGHTS / name) for name in BUNDLED if in_box(name)})
    return TABLE.sub(lambda found: found[1] + text + found[2], readme)


def describe(name: str) -> None:
    """Writes the card of a model in the box anew, by what its config says."""
    folder = WEIGHTS / name
    card = write_card(name, read_config(folder), (folder / "model.safetensors").stat().st_size)
    with replacing(folder / "README.md") as file:
        file.write(card.encode())


def in_box(name: str) -> bool:
    """Whether weights/NAME is there."""
    return (WEIGHTS / name / CONFIG).is_file()


# ------------------------------------------------------------------------------------------------------ command line


def listing() -> list[list[str]]:
    """Name, command, state and time of each model."""
    table = [["model", "command", "state", "time"]]
    for name, recorded in BUNDLED.items():
        states, time = [], f"about {recorded.minutes} min"
        if in_box(name):
            described = read_config(WEIGHTS / name)
            training = described["training"]
            states.append(f"FD {distance(described['metrics'])}, {training['images_seen']:,} images seen")
            time = f"took {duration(training['seconds'])}"
        run = Run(runs_folder() / name)
        if run.state_file.exists():
            state = run.state()
            states.append(f"run {progress_of(state)}")
            if state["status"] in LIVE and (rows := run.metrics()[0]):
                left = (state["steps"] - state["step"]) * rows[-1]["seconds"] / rows[-1]["step"]
                time = f"{duration(left)} left"
        table.append([name, BUNDLED[name].plan().command(), "; ".join(states) or "missing", time])
    return table


@dataclass(frozen=True)
class Bundle:
    """List, train and refresh the models in the box. Without a name: list them."""

    names: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="NAME")] = ()
    """Models to train, one after the other; a run that was stopped goes on."""
    run: Annotated[Path | None, tyro.conf.arg(name="from", metavar="RUN")] = None
    """A finished run's folder to put into the box, in place of training."""
    refresh: bool = False
    """Measure and describe anew what is in the box (by default all of it), without training."""
    cards: bool = False
    """Only write the cards of what is in the box anew, as after a change of a recipe's docstring."""


def main() -> None:
    """What the words say; what does not fit is one sentence."""
    asked = tyro.cli(Bundle, prog="python scripts/train_bundled.py")
    try:
        act(asked)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def act(asked: Bundle) -> None:
    """Lists, trains, lands or refreshes.

    Raises:
        UsageError: A name is unknown, the flags do not go together, or see `train`, `land` and `refresh`.
    """
    for name in asked.names:
        if name not in BUNDLED:
            raise UsageError(f"There is no bundled model {name!r}{nearest(name, BUNDLED)}.")
    if asked.run is not None and (len(asked.names) != 1 or asked.refresh or asked.cards):
        raise UsageError("--from takes the name of the one model that the run is to become.")
    if asked.cards:
        for name in asked.names or filter(in_box, BUNDLED):
            describe(name)
        tabulate()
        return
    if asked.run is not None:
        land(asked.names[0], Run(asked.run))
    elif asked.refresh:
        for name in asked.names or filter(in_box, BUNDLED):
            refresh(name)
    elif asked.names:
        for name in asked.names:
            train(name)
    else:
        table = listing()
        widths = [max(len(line[k]) for line in table) for k in range(len(table[0]))]
        for line in table:
            print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


if __name__ == "__main__":
    main()
