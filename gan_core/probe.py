"""A few throw-away steps, to know before a run what it will take."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import psutil
import torch

from gan_core.data import ImageData, Images
from gan_core.pictures import to_uint8
from gan_core.recipe import Recipe
from gan_core.trainer import Precision, Trainer

WARM_UP, TIMED = 2, 5


@dataclass(frozen=True)
class Estimate:
    """What a run will take on this machine.

    Attributes:
        precision: The faster one.
        seconds_per_step: See `seconds_per_step`.
        memory_bytes: Of the training process.
    """

    precision: Precision
    seconds_per_step: float
    memory_bytes: int


def seconds_per_step(
    recipe: Recipe, data: Images, device: torch.device, precisions: Sequence[Precision]
) -> dict[Precision, float]:
    """What a step takes in each precision, on networks of their own, at a typical point of a run.

    Of steps with and without lazy phases, each the fastest of a few after a warm-up, the mean by how often they come.
    The precisions take turns, so that a machine that is busy for a moment is busy for all of them.

    Raises:
        UsageError: There are fewer images than a batch.
    """
    sample = one_batch(data, recipe.options.batch_size)
    trainers = {
        precision: Trainer(type(recipe)(recipe.config, recipe.options), sample, device=device, precision=precision)
        for precision in precisions
    }
    for trainer in trainers.values():
        trainer.images_seen = recipe.typical_images_seen
    every = max(phase.every for phase in recipe.phases)
    shares = {0: 1 / every} | ({1: 1 - 1 / every} if every > 1 else {})  # on step 0 all phases are due, on step 1 few
    times: dict[tuple[Precision, int], list[float]] = {(name, step): [] for name in trainers for step in shares}
    for _ in range(WARM_UP + TIMED):
        for (precision, step), seconds in times.items():
            trainer = trainers[precision]
            trainer.step = step
            began = time.perf_counter()
            trainer.run(step + 1)
            if device.type == "cuda":
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - began)
    return {
        precision: sum(share * min(times[precision, step][WARM_UP:]) for step, share in shares.items())
        for precision in precisions
    }


def one_batch(data: Images, batch_size: int) -> ImageData:
    """A batch's worth of the images, in memory: a turn of the probe should time a step, not the start of workers."""
    images = to_uint8(data.examples(min(batch_size, len(data))))
    labels = None if data.classes is None else torch.arange(len(images)) % len(data.classes)
    inputs = data.inputs[: len(images)] if isinstance(data, ImageData) and data.inputs is not None else None
    return ImageData(
        data.name, images, labels, data.classes, inputs=inputs, paired=bool(data.given and data.given.paired)
    )


def has_bf16(device: torch.device) -> bool:
    """Whether the device computes in bf16 itself; elsewhere it would be emulated, slowly."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return False


def faster_precision(recipe: Recipe, data: Images, device: torch.device) -> Precision:
    """Returns "bf16" where the device has it and this recipe's steps are faster with it, else "fp32"."""
    if not has_bf16(device):
        return "fp32"
    seconds = seconds_per_step(recipe, data, device, get_args(Precision))
    return min(seconds, key=lambda precision: seconds[precision])


def estimate(recipe: Recipe, data: Images, device: torch.device, precision: Precision | Literal["auto"]) -> Estimate:
    """Times a few steps; run it in a process of its own, since the memory is that of the whole process.

    Args:
        recipe: With a resolved config.
        data: To train on.
        device: Where to.
        precision: "fp32", "bf16", or "auto" to find the faster.
    """
    chosen = faster_precision(recipe, data, device) if precision == "auto" else precision
    seconds = seconds_per_step(recipe, data, device, [chosen])[chosen]
    memory = torch.cuda.max_memory_allocated() if device.type == "cuda" else psutil.Process().memory_info().rss
    return Estimate(chosen, seconds, memory)
