"""What `Model.sample` keeps of the bare generator's speed."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.report import Report
from benchmarks.timing import interleaved, quartiles
from gan_core import Model, create, load
from gan_core.library import available
from gan_core.model import CHUNK

BATCH = 64


def measure(rounds: int = 30, sizes: Sequence[tuple[int, int]] = ((32, 32), (64, 64))) -> Report:
    """Images per second of `model.sample(n)` and of the generator alone on n latents, in turns.

    The shares are medians over rounds of the ratio within a round, at n = 64: `share_of_bare_forward` for the last
    model, whose networks `train` times too, `share_of_bare_forward_small` for the first, the one that ships, where
    drawing 64 latents from numpy already takes 4 % of the time.

    Args:
        rounds: Turns of each.
        sizes: (width, image_size) of the models.
    """
    rows = [row(name, model, n, rounds) for name, model in models(sizes) for n in (1, CHUNK, BATCH)]
    small, *_, large = (row["share"] for row in rows if row["images"] == BATCH)
    return Report(
        "sample",
        figures={"share_of_bare_forward": large, "share_of_bare_forward_small": small},
        rows=rows,
        note=f"fp32, {torch.get_num_threads()} threads; sample decodes {CHUNK} at a time, the bare generator all n.",
    )


def row(name: str, model: Model, n: int, rounds: int) -> dict[str, Any]:
    """Both on n images."""
    z = torch.randn(n, model.latent_dim)
    seconds = interleaved({"sample": partial(model.sample, n), "bare": partial(bare, model, z)}, rounds)
    sample, forward = np.median(seconds["sample"]), np.median(seconds["bare"])
    return {
        "model": name,
        "images": n,
        "sample_images_per_second": round(float(n / sample), 1),
        "bare_images_per_second": round(float(n / forward), 1),
        "share": round(float(np.median(seconds["bare"] / seconds["sample"])), 3),
        "share_quartiles": quartiles(seconds["bare"] / seconds["sample"]),
    }


def models(sizes: Sequence[tuple[int, int]]) -> Iterator[tuple[str, Model]]:
    """The bundled model where there is one in place of a fresh one of its size, and fresh ones."""
    for width, size in sizes:
        name = "weights/dcgan-digits"
        if size == 32 and name in available():
            yield name, load(name)
        else:
            yield f"dcgan, width {width}, {size}x{size}", fresh(width, size)


def fresh(width: int, image_size: int) -> Model:
    """A DCGAN with its first weights."""
    recipe = create("dcgan", width=width, image_size=image_size, channels=3)
    generator = recipe.build()["G"].eval().requires_grad_(False)
    return Model(recipe, nn.ModuleDict({"G": generator.to(memory_format=torch.channels_last)}))


@torch.inference_mode()
def bare(model: Model, z: torch.Tensor) -> torch.Tensor:
    """The generator and nothing else."""
    images: torch.Tensor = model.generators["G"](z)
    return images
