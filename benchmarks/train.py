"""The trainer against a textbook loop and against what the machine can do, and the costs of every recipe.

Trainer and textbook loop train the same DCGAN on the same JPEG files. The playground's side is all of it: reading the
folder's pictures, the precision it chooses itself, the averaged generator. The textbook's is `textbook.py`.
"""

import dataclasses
import itertools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.costs import costs, noise_recipes
from benchmarks.report import Report
from benchmarks.textbook import of_files, textbook_steps
from benchmarks.timing import interleaved, quartiles
from gan_core import Trainer, create
from gan_core.data import load_data
from gan_core.probe import faster_precision

PICTURE_SIDE = 96  # of the files; both sides shrink them
CPU = torch.device("cpu")


def measure(
    width: int = 64,
    image_size: int = 64,
    batch_size: int = 64,
    pictures: int = 512,
    steps: int = 3,
    rounds: int = 7,
    peak_channels: int = 512,
    only: Sequence[str] = (),
) -> Report:
    """Images per second of both, in turns; then those of every recipe at its laptop size, and its memory.

    Figures: `speedup_over_textbook` is the median over rounds of the ratio within a round, in which both met the same
    machine. `share_of_peak` is the trainer's best FLOP/s over the best that a large convolution's forward and backward
    reached in this run, in the same precision. FLOPs are those of the convolutions and matrix products that one step
    really executes, counted by torch's FlopCounterMode. `auto_of_faster` is the speed in the precision that
    `--precision auto` chooses as a share of the speed in the faster one, of the recipe for which it is lowest.

    Args:
        width: Of the DCGAN.
        image_size: Side of its pictures in pixels.
        batch_size: Images a step.
        pictures: Files to train on.
        steps: Training steps in a turn.
        rounds: Turns of each.
        peak_channels: Of the large convolution.
        only: Recipes whose costs are listed; all from noise if empty.

    Raises:
        UsageError: There is no recipe of a name.
    """
    names = noise_recipes(only)
    recipe = create("dcgan", width=width, image_size=image_size, channels=3)
    recipe.options = dataclasses.replace(recipe.options, batch_size=batch_size)
    with tempfile.TemporaryDirectory() as folder:
        write_pictures(Path(folder), pictures)
        data = load_data(folder, image_size, channels=3)
        precision = faster_precision(recipe, data, CPU)
        trainer = Trainer(recipe, data, precision=precision)
        flops = counted(lambda: trainer.run(1))

        nets = recipe.build()
        loader = of_files(Path(folder), image_size, batch_size)
        textbook = textbook_steps(nets["G"], nets["D"], loader, recipe.config.latent_dim)
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        convolve, convolve_flops = large_convolution(peak_channels, dtype)
        seconds = interleaved(
            {
                "playground": lambda: trainer.run(trainer.step + steps),
                "textbook": lambda: take(textbook, steps),
                "convolution": convolve,
            },
            rounds,
        )
    peak = convolve_flops / seconds["convolution"].min()
    speedup = seconds["textbook"] / seconds["playground"]
    recipes = costs(names, rounds)
    return Report(
        "train",
        figures={
            "speedup_over_textbook": round(float(np.median(speedup)), 3),
            "share_of_peak": round(float(steps * flops / seconds["playground"].min() / peak), 3),
            "auto_of_faster": min(row["of_faster"] for row in recipes if row["auto"]),
        },
        rows=[
            {
                "what": name,
                "precision": used,
                "images_per_second": round(float(np.median(rate)), 1),
                "quartiles": quartiles(rate),
                "of_faster": None,
                "auto": name == "playground",
                "peak_mb": None,
            }
            for name, used in (("playground", precision), ("textbook", "fp32"))
            for rate in (steps * batch_size / seconds[name],)
        ]
        + recipes,
        note=(
            f"playground and textbook: dcgan, width {width}, {image_size}x{image_size}, batch {batch_size}, "
            f"{torch.get_num_threads()} threads. Speed-up round by round: {quartiles(speedup)} (quartiles). "
            f"A step is {flops / 1e9:.1f} GFLOP; the large convolution reached {peak / 1e9:.0f} GFLOP/s. "
            "The others: recipes at their laptop size on digits, progan grown; images a second are real ones, of which "
            "a recipe may take several batches a step. of_faster is the median of the ratio within a round. peak_mb is "
            "resident memory of a process that trains: Python, torch, data, networks, optimizers, activations; no "
            "monitor, no evaluation."
        ),
    )


def write_pictures(folder: Path, count: int) -> None:
    """Smooth random colour pictures as JPEG files."""
    rng = np.random.default_rng(0)
    for k in range(count):
        blobs = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
        blobs.resize((PICTURE_SIDE, PICTURE_SIDE), Image.Resampling.BICUBIC).save(folder / f"{k:05d}.jpg")


def take(iterator: Iterator[None], n: int) -> None:
    """Advances by n."""
    for _ in itertools.islice(iterator, n):
        pass


def counted(run: Callable[[], object]) -> int:
    """FLOPs of the convolutions and matrix products in a call, backward passes included."""
    with FlopCounterMode(display=False) as counter:
        run()
    return int(counter.get_total_flops())


def large_convolution(channels: int, dtype: torch.dtype) -> tuple[Callable[[], object], int]:
    """Forward and backward of one convolution that is good to the processor, and its FLOPs."""
    layer = nn.Conv2d(channels, channels, 3, padding=1, bias=False).to(dtype).to(memory_format=torch.channels_last)
    images = torch.randn(64, channels, 16, 16).to(dtype).to(memory_format=torch.channels_last).requires_grad_()

    def run() -> None:
        layer(images).sum().backward()

    return run, counted(run)
