"""The command line: `python -m gan_core COMMAND`, flags generated from the dataclasses that they fill."""

from __future__ import annotations

import dataclasses
import inspect
import json
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import tyro

import gan_core.recipes  # noqa: F401  registers every recipe
from gan_core.errors import UsageError
from gan_core.recipe import recipe_class

T = TypeVar("T")
DEFAULT_RECIPE = "dcgan"


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command; what does not fit is one sentence on stderr and exit status 2."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    for noisy in ("httpx", "httpx2", "httpcore", "filelock"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        if not words or words[0] not in COMMANDS:
            usage(words)
        COMMANDS[words[0]](words[1:])
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except FloatingPointError as error:  # a training that has blown up is no bug, and no wrong flag either
        print(f"error: {error}; lower --lr, or resume from the last checkpoint", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def usage(words: list[str]) -> None:
    """Prints the commands, and ends."""
    if words and words[0] not in ("-h", "--help"):
        from gan_core.recipe import nearest

        raise UsageError(f"There is no command {words[0]!r}{nearest(words[0], COMMANDS)}.")
    print("python -m gan_core COMMAND [--help]\n")
    for name, command in COMMANDS.items():
        print(f"  {name:10}{(inspect.getdoc(command) or '').splitlines()[0]}")
    raise SystemExit(0)


def parse(into: type[T], words: list[str], command: str) -> T:
    """Parses flags into a dataclass; - and _ both work, a wrong flag names the nearest."""
    return tyro.cli(into, args=words, prog=f"python -m gan_core {command}", config=(tyro.conf.OmitArgPrefixes,))


# --------------------------------------------------------------------------------------------------------------- list


@dataclasses.dataclass(frozen=True)
class Listed:
    """Which recipes there are."""

    markdown: bool = False
    """As the table of the README."""


def list_command(words: list[str]) -> None:
    """List the recipes: paper, size, what they are."""
    from gan_core.catalogue import rows

    markdown = parse(Listed, words, "list").markdown
    table = [["recipe", "what it is", "paper", "parameters G / D"], *rows()]
    if markdown:
        table.insert(1, ["---"] * 4)
        print("\n".join(f"| {' | '.join(row)} |" for row in table))
        return
    widths = [max(len(row[k]) for row in table) for k in range(4)]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


# ---------------------------------------------------------------------------------------------------- train, estimate


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a run lies."""

    out: Path | None = None
    """The run's folder; by default runs/RECIPE-DATASET, numbered if taken."""
    resume: bool = False
    """Go on with the run in --out from its last checkpoint."""


@dataclasses.dataclass(frozen=True)
class Length:
    """How long a run is, as far as the words say."""

    steps: int | None = None
    epochs: float | None = None


def planned(words: list[str], command: str) -> tuple[Any, Place]:
    """The plan that the words describe: `[RECIPE] [--flags]`; with --resume, on top of the stored plan."""
    from gan_core.catalogue import summary
    from gan_core.plan import Plan, RunOptions, read_plan, refuse_changes

    place, _ = tyro.cli(Place, args=words, return_unknown_args=True, add_help=False)
    name = words.pop(0) if words and not words[0].startswith("-") else None
    if place.resume and place.out is None:
        raise UsageError("--resume needs --out, the folder of the run to go on with.")
    stored = read_plan(place.out) if place.resume and place.out is not None else None
    recipe = stored.recipe if stored and name in (None, stored.recipe.name) else recipe_class(name or DEFAULT_RECIPE)()
    run = stored.run if stored else RunOptions()
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
    run_training(plan, place.out, place.resume)


def estimate(words: list[str]) -> None:
    """Time a few steps of a training and print what the whole would take, as JSON: the flags of train."""
    from gan_core.data import load_data
    from gan_core.probe import estimate as measure
    from gan_core.training import choose_device

    plan, _ = planned(words, "estimate")
    data = load_data(plan.run.dataset, plan.recipe.config.image_size, plan.recipe.config.channels)
    recipe = plan.recipe.resolve(data.image_size, data.channels)
    measured = measure(recipe, data, choose_device(plan.run.device), plan.run.precision)
    steps = plan.run.total_steps(recipe, len(data), world=1)
    print(json.dumps(dataclasses.asdict(measured) | {"steps": steps, "seconds": steps * measured.seconds_per_step}))


# ----------------------------------------------------------------------------------------------------------- generate


@dataclasses.dataclass(frozen=True)
class Generate:
    """Sample pictures from a model."""

    model_path: str = "weights/dcgan-digits"
    """A model folder, a run's folder, or owner/name on the Hub."""
    num_samples: int = 16
    """How many pictures."""
    seed: int = 0
    """The same seed, the same pictures."""
    out: Path = Path("samples.png")
    """A .png for one sheet, or a folder for one file each."""
    truncation: float = 1.0
    """Below 1: safer, more alike; above: stranger."""
    label: int | None = None
    """Class index, for conditional models; by default all in turn."""
    revision: str | None = None
    """Branch, tag or commit on the Hub."""


def generate(words: list[str]) -> None:
    """Sample pictures from a model: --model_path MODEL --num_samples 16 --out FILE.png"""
    from gan_core.library import load
    from gan_core.pictures import grid, save_png, to_pil

    asked = parse(Generate, words, "generate")
    if asked.out.suffix and asked.out.suffix.lower() != ".png":
        raise UsageError(f"--out is {asked.out}; it takes a .png for one sheet or a folder for one file each.")
    model = load(asked.model_path, asked.revision)
    images = model.sample(asked.num_samples, asked.seed, asked.label, truncation=asked.truncation)
    settings = {  # as the playground reads them from a dropped PNG
        "model": asked.model_path,
        "revision": asked.revision,
        "seed": asked.seed,
        "images": asked.num_samples,
        "label": asked.label,
        "controls": {"truncation": asked.truncation},
    }
    if asked.out.suffix:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        save_png(grid(images), asked.out, settings)
    else:
        asked.out.mkdir(parents=True, exist_ok=True)
        for k, image in enumerate(images):
            file = asked.out / f"seed{asked.seed}-{k:04d}.png"
            save_png(to_pil(image), file, settings | {"index": k})
    print(f"{asked.num_samples} pictures of seed {asked.seed}: {asked.out}")


# ---------------------------------------------------------------------------------------------------------------- Hub

HubId = Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="OWNER/NAME")]


@dataclasses.dataclass(frozen=True)
class Pull:
    """Download a model from the Hub into its cache."""

    model: HubId
    """A model on the Hub."""
    revision: str | None = None
    """Branch, tag or commit."""


def pull(words: list[str]) -> None:
    """Download a model from the Hub: OWNER/NAME [--revision REVISION]"""
    from gan_core.hub import pull as pull_model

    asked = parse(Pull, words, "pull")
    print(pull_model(asked.model, asked.revision))


@dataclasses.dataclass(frozen=True)
class Publish:
    """Upload a model to the Hub."""

    folder: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="FOLDER")]
    """A model's or a run's."""
    model: HubId
    """Created if there is none."""
    private: bool = False
    """Only its owner will see it."""


def publish(words: list[str]) -> None:
    """Upload a model to the Hub: FOLDER OWNER/NAME [--private]"""
    from gan_core.hub import publish as publish_folder
    from gan_core.library import find

    asked = parse(Publish, words, "publish")
    print(publish_folder(find(asked.folder), asked.model, asked.private))


@dataclasses.dataclass(frozen=True)
class Deploy:
    """Create or update a Space that runs this playground."""

    space: HubId
    """Created if there is none."""
    private: bool = False
    """Only its owner will see it."""


def deploy(words: list[str]) -> None:
    """Run this playground as a Space on the Hub: OWNER/NAME [--private]"""
    from gan_core.deploy import deploy as deploy_space

    asked = parse(Deploy, words, "deploy")
    print(deploy_space(asked.space, asked.private))


@dataclasses.dataclass(frozen=True)
class Models:
    """List an owner's models on the Hub."""

    owner: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="OWNER")]
    """User or organization."""


def models(words: list[str]) -> None:
    """List the playground's models of a user or an organization on the Hub: OWNER"""
    from gan_core.hub import list_models

    asked = parse(Models, words, "models")
    print("\n".join(list_models(asked.owner)) or f"{asked.owner} has published no model of the playground.")


COMMANDS: dict[str, Callable[[list[str]], None]] = {
    "list": list_command,
    "train": train,
    "estimate": estimate,
    "generate": generate,
    "pull": pull,
    "publish": publish,
    "deploy": deploy,
    "models": models,
}
