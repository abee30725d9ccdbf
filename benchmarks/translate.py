"""How long a picture takes to be translated."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from benchmarks.report import Report
from benchmarks.timing import interleaved, quartiles
from gan_core import Model, create

WIDTHS = (32, 64)  # of gen_1: at its laptop size, and at the published one


def measure(rounds: int = 20, sides: Sequence[int] = (64, 256, 512)) -> Report:
    """Milliseconds of `model.translate` of a picture, by gen_1 with its first weights, in turns.

    Args:
        rounds: Turns of each.
        sides: Of the pictures, in pixels.
    """
    models = {width: fresh(width) for width in WIDTHS}
    rows: list[dict[str, Any]] = []
    for side in sides:
        picture = Image.effect_noise((side, side), 90)
        work = {str(width): partial(model.translate, picture) for width, model in models.items()}
        for width, seconds in interleaved(work, rounds).items():
            median = round(float(1000 * np.median(seconds)), 1)
            rows.append(
                {"width": width, "picture": side, "milliseconds": median, "quartiles": quartiles(1000 * seconds)}
            )
    figures = {
        f"milliseconds_of_{row['picture']}_at_width_{row['width']}": row["milliseconds"]
        for row in rows
        if row["picture"] == sides[len(sides) // 2]
    }
    note = f"gen_1 with its first weights, fp32, {torch.get_num_threads()} threads."
    return Report("translate", figures=figures, rows=rows, note=note)


def fresh(width: int) -> Model:
    """A gen_1 that was not trained."""
    recipe = create("gen_1", width=width, image_size=64, channels=3, input_channels=1)
    return Model(recipe, nn.ModuleDict({"G": recipe.build()["G"].eval().requires_grad_(False)}))
