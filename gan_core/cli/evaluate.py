"""`evaluate`: how good a model is."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Literal

import tyro

from gan_core.cli.flags import parse
from gan_core.errors import UsageError


@dataclasses.dataclass(frozen=True)
class Evaluate:
    """How good a model is: every number with its noise, and with what held-out images score in its place."""

    model: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="MODEL")] = "weights/dcgan-digits"
    """A model folder, a run's folder, or owner/name on the Hub."""
    n: int = 5000
    """Samples; of a model that translates, held-out inputs, at most all that there are."""
    seed: int = 0
    """Of the samples."""
    data: str | None = None
    """A data set or a folder of pictures; by default what the model was trained on."""
    features: Literal["auto", "digits", "color", "inception"] = "auto"
    """Whose features: auto takes the net that knows the data; only inception, which is downloaded, gives an FID."""
    json: Path | None = None
    """A file for the whole report."""
    save: bool = False
    """Write the numbers into the model's config.json and card; its weights stay as they are."""
    revision: str | None = None
    """Branch, tag or commit on the Hub."""


def evaluate(words: list[str]) -> None:
    """Judge a model: MODEL [--n 5000] [--json FILE] [--save]"""
    from tqdm import tqdm

    from gan_core.atomic import replacing
    from gan_core.evaluate import evaluate as judge
    from gan_core.library import find, is_local, load
    from gan_core.model_folder import save_metrics
    from gan_core.readable import readable
    from gan_core.reals import refuse_makers_folder

    asked = parse(Evaluate, words, "evaluate")
    if asked.save and not is_local(asked.model):
        raise UsageError(f"--save writes into a folder of this machine; {asked.model} lies on the Hub. Take --json.")
    if asked.json is not None and not asked.json.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {asked.json.absolute().parent} for --json.")
    if asked.json is not None and asked.json.is_dir():
        raise UsageError(f"--json is {asked.json}, a folder; it takes a file.")
    model = load(asked.model, asked.revision)
    if asked.data is None:
        refuse_makers_folder(model, find(asked.model, asked.revision))
    with tqdm(total=1.0, bar_format="{percentage:3.0f}%|{bar}| {elapsed} {desc}", disable=None, leave=False) as bar:

        def show(done: float, text: str) -> None:
            bar.set_description_str(text, refresh=False)
            bar.update(done - bar.n)

        report = judge(model, asked.data, n=asked.n, features=asked.features, seed=asked.seed, progress=show)
    given = Path(asked.model)
    name = given.name if given.is_absolute() else asked.model  # where it lies on a person's disk concerns nobody
    measured = dataclasses.replace(report, model=name).as_dict()
    rows = readable(measured)
    width = max(map(len, rows))
    print("\n".join(f"{label.ljust(width)}  {text}" for label, text in rows.items()))
    if asked.json is not None:
        with replacing(asked.json) as file:
            file.write(json.dumps(measured, indent=2, allow_nan=False).encode())
        print(f"\nThe whole report: {asked.json}")
    if asked.save:
        folder = find(asked.model)
        save_metrics(folder, measured)
        print(f"\nWritten into {folder}.")
