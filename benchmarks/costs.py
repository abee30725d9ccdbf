"""What it costs to train each recipe here: images a second in either precision, and memory.

Every recipe trains on digits at its laptop size, in a process of its own: what one leaves behind would be counted for
the next.
"""

import multiprocessing
import re
import resource
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from tqdm import tqdm

from benchmarks.laptop import laptop
from benchmarks.timing import interleaved, quartiles
from gan_core import Trainer
from gan_core.data.digits import digits
from gan_core.noise import NoiseRecipe
from gan_core.probe import faster_precision, has_bf16
from gan_core.recipe import RECIPES, recipe_class
from gan_core.trainer import Precision

CPU = torch.device("cpu")
TURN = 0.8  # seconds, about
STEPS = 3  # after which memory is at its peak
Row = dict[str, Any]


def noise_recipes(only: Sequence[str] = ()) -> list[str]:
    """The names asked for, or all recipes from noise.

    Raises:
        UsageError: There is no recipe of a name.
    """
    for name in only:
        recipe_class(name)
    return list(only) or sorted(name for name, recipe in RECIPES.items() if issubclass(recipe, NoiseRecipe))


def costs(names: Sequence[str], rounds: int, turn: float = TURN) -> list[Row]:
    """A row for each recipe and precision; see `row`.

    Args:
        names: Of recipes.
        rounds: Turns of each precision.
        turn: Seconds that one takes, about.
    """
    rows = []
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, max_tasks_per_child=1, mp_context=spawn) as anew:
        for name in tqdm(names, desc="timing recipes", disable=None):
            chosen, rates = anew.submit(speed, name, rounds, turn).result()
            peak = anew.submit(memory, name, chosen).result()
            rows += [row(name, precision, rates, peak if precision == chosen else None) for precision in rates]
    return rows


def row(name: str, precision: str, rates: Mapping[str, np.ndarray], peak: int | None) -> Row:
    """As the report has it.

    Args:
        name: Of the recipe.
        precision: The row's.
        rates: Images a second in each precision, round by round.
        peak: Bytes; None if this precision is not what `--precision auto` chooses.
    """
    shares = [np.median(rates[precision] / rate) for rate in rates.values()]
    return {
        "what": name,
        "precision": precision,
        "images_per_second": round(float(np.median(rates[precision])), 1),
        "quartiles": quartiles(rates[precision]),
        "of_faster": round(float(min(shares)), 3),
        "auto": peak is not None,
        "peak_mb": None if peak is None else round(peak / 2**20),
    }


def speed(name: str, rounds: int, turn: float) -> tuple[Precision, dict[str, np.ndarray]]:
    """The precision that `--precision auto` chooses, and images a second in each, [rounds], timed in turns."""
    data = digits()
    chosen = faster_precision(laptop(name, data), data, CPU)
    precisions = get_args(Precision) if has_bf16(CPU) else (chosen,)
    trainers = {precision: grown(name, precision) for precision in precisions}
    first = interleaved({precision: partial(go, trainer, 1) for precision, trainer in trainers.items()}, rounds=1)
    steps = max(1, round(turn / min(float(seconds[0]) for seconds in first.values())))
    seen = trainers[chosen].images_seen
    go(trainers[chosen], steps)
    images = trainers[chosen].images_seen - seen
    seconds = interleaved({precision: partial(go, trainer, steps) for precision, trainer in trainers.items()}, rounds)
    return chosen, {precision: images / times for precision, times in seconds.items()}


def memory(name: str, precision: Precision) -> int:
    """Peak resident bytes of this process, after some training."""
    go(grown(name, precision), STEPS)
    return peak_bytes()


def grown(name: str, precision: Precision) -> Trainer:
    """A fresh trainer that takes itself to be where a run spends most of its time: progan has grown by then."""
    data = digits()
    trainer = Trainer(laptop(name, data), data, precision=precision)
    trainer.images_seen = trainer.recipe.typical_images_seen
    return trainer


def go(trainer: Trainer, steps: int) -> None:
    """That many steps."""
    trainer.run(trainer.step + steps)


def peak_bytes() -> int:
    """The most memory that this process has had in use so far."""
    try:  # Linux: ru_maxrss would start from what the parent used
        status = Path("/proc/self/status").read_text()
    except OSError:  # macOS, in bytes
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return 1024 * int(found.group(1))
