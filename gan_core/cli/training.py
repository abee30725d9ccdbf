"""`train` and `estimate`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import tyro

from gan_core.cli.flags import parse
from gan_core.errors import UsageError
from gan_core.recipe import recipe_class


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a run lies."""

    out: Path | None = None
    """The run's folder; by default runs/RECIPE-DATASET, numbered if taken."""
    resume: bool = False
    """Go on with the run in --out from its last checkpoint."""
    best: bool = False
    """With --resume: from its best checkpoint by FD instead (--evaluate_every keeps it); what came later is dropped."""


@dataclasses.dataclass(frozen=True)
class Length:
    """How long a run is, as far as the words say."""

    steps: int | None = None
    epochs: float | None = None


def planned(words: list[str], command: str) -> tuple[Any, Place]:
    """The plan that the words describe: `[RECIPE] [--flags]`; with --resume, on top of the stored plan."""
    from gan_core.catalogue import summary
    from gan_core.plan import DEFAULT_RECIPE, Plan, RunOptions, read_plan, refuse_changes, usual

    place, _ = tyro.cli(Place, args=words, return_unknown_args=True, add_help=False)
    name = words.pop(0) if words and not words[0].startswith("-") else None
    if place.resume and place.out is None:
        raise UsageError("--resume needs --out, the folder of the run to go on with.")
    if place.best and not place.resume:
        raise UsageError("--best goes with --resume: it says which checkpoint to go on from.")
    stored = read_plan(place.out) if place.resume and place.out is not None else None
    recipe = stored.recipe if stored and name in (None, stored.recipe.name) else recipe_class(name or DEFAULT_RECIPE)()
    run = stored.run if stored else usual(type(recipe))
    length, _ = tyro.cli(Length, args=words, return_unknown_args=True, add_help=False)
    if length != Length():  # a new length replaces the stored one, whichever way that was given
        run = dataclasses.replace(run, steps=None, epochs=None)

    fields: list[tuple[str, Any, Any]] = [
        ("model", type(recipe.config), dataclasses.field(default=recipe.config)),
        ("training", type(recipe.options), dataclasses.field(default=recipe.options)),
        ("run", RunOptions, dataclasses.field(default=run)),
        ("place", Place, dataclasses.field(default=Place())),
    ]
    flags = dataclasses.make_dataclass("Flags", fields, frozen=True)
    flags.__doc__ = f"{recipe.name}: {summary(type(recipe))}"
    asked: Any = parse(flags, words, f"{command} {recipe.name}")
    plan = Plan(type(recipe)(asked.model, asked.training), asked.run)
    if stored:
        refuse_changes(stored, plan)
    return plan, place


def train(words: list[str]) -> None:
    """Train a recipe: [RECIPE=dcgan] --dataset NAME --steps N ..."""
    from gan_core.training import train as run_training

    plan, place = planned(words, "train")
    run_training(plan, place.out, place.resume, place.best)


def estimate(words: list[str]) -> None:
    """Time a few steps of a training and print what the whole would take, as JSON: the flags of train."""
    from gan_core.data import load_data
    from gan_core.probe import estimate as measure
    from gan_core.training import choose_device

    plan, _ = planned(words, "estimate")
    data = load_data(plan.run.dataset, plan.recipe.config.image_size, plan.recipe.config.channels)
    recipe = plan.recipe.resolve(data.image_size, data.channels, len(data.classes or ()), data.given)
    measured = measure(recipe, data, choose_device(plan.run.device), plan.run.precision)
    steps = plan.run.total_steps(recipe, len(data), world=1)
    print(json.dumps(dataclasses.asdict(measured) | {"steps": steps, "seconds": steps * measured.seconds_per_step}))
