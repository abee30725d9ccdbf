"""A network as a row of boxes: each stage's shape, the layers that made it, and what they weigh."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from html import escape
from typing import Any

import torch
from torch import Tensor, nn

from gan_core.layers import blueprint, parameter_count
from gan_core.noise import NoiseRecipe
from gan_core.recipe import Recipe
from gan_core.translation import PairedRecipe

TALLEST = 130  # pixels
MAPS, UNITS = "#4c8df6", "#f0883e"  # feature maps, and vectors; legible on light and dark


@dataclass
class Stage:
    """Consecutive layers whose output has one shape.

    Attributes:
        shape: Without the batch: (channels, height, width) or (units,).
        layers: Class names, with how often each was called.
        parameters: Weights of these layers.
    """

    shape: tuple[int, ...]
    layers: Counter[str] = field(default_factory=Counter)
    parameters: int = 0


def count(number: int) -> str:
    """A number of parameters for people: 870, 12.3 k, 3.4 M."""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if number >= size:
            return f"{number / size:.1f}{unit}"
    return str(number)


def shape_of(batch: Tensor) -> tuple[int, ...]:
    """The shape of one member of a batch; a single number is one unit."""
    return tuple(batch.shape[1:]) or (1,)


def stages(net: nn.Module, given: Tensor, forward: Callable[[], Any]) -> list[Stage]:
    """The stages that a forward pass goes through, the input first.

    Args:
        net: Whose layers to note.
        given: Its input.
        forward: Runs it once; on the meta device that costs nothing.
    """
    found = [Stage(shape_of(given))]
    weighed: set[nn.Parameter] = set()

    def note(module: nn.Module, _: Any, output: Any) -> None:
        if not isinstance(output, Tensor):
            return
        shape = shape_of(output)
        is_leaf = next(module.children(), None) is None
        own = [weight for weight in module.parameters() if weight not in weighed]
        if shape != found[-1].shape:
            found.append(Stage(shape))
        elif not is_leaf and not own:
            return  # its parts have been noted, and it adds nothing to them
        found[-1].layers[type(module).__name__] += 1
        weighed.update(own)
        found[-1].parameters += sum(weight.numel() for weight in own)

    hooks = [module.register_forward_hook(note) for module in net.modules()]
    try:
        forward()
    finally:
        for hook in hooks:
            hook.remove()
    found[-1].parameters += sum(weight.numel() for weight in net.parameters() if weight not in weighed)  # of no layer
    return found


@torch.no_grad()
def networks(recipe: Recipe) -> dict[str, tuple[int, list[Stage]]]:
    """Parameters and stages of each network of a resolved recipe, without allocating any of them."""
    with blueprint():
        nets = recipe.build().eval()
        traced = {name: [] for name in nets}
        channels, size = recipe.config.image_shape
        if isinstance(recipe, NoiseRecipe):
            n = recipe.config.pack  # what the critic judges at once
            z, images = torch.empty(n, recipe.config.latent_dim), torch.empty(n, channels, size, size)
            labels = None if recipe.num_classes is None else torch.zeros(n, dtype=torch.long)
            controls = {control.name: control.default for control in recipe.controls}
            traced["G"] = stages(nets["G"], z, lambda: recipe.decode(nets, z, labels, **controls))
            traced["D"] = stages(nets["D"], images, lambda: recipe.score(nets, images, labels))
        elif isinstance(recipe, PairedRecipe):
            inputs, images = torch.empty(1, recipe.config.channels_in, size, size), torch.empty(1, channels, size, size)
            traced["G"] = stages(nets["G"], inputs, lambda: recipe.translate(nets, inputs))
            traced["D"] = stages(nets["D"], images, lambda: recipe.judge(nets, inputs, images))
        else:  # every network takes pictures and nothing else, generators perhaps smaller ones
            side = size // recipe.factor
            inputs, images = torch.empty(1, channels, side, side), torch.empty(1, channels, size, size)
            given = {name: inputs if name in recipe.generators else images for name in nets}
            traced = {name: stages(net, given[name], partial(net, given[name])) for name, net in nets.items()}
    return {name: (parameter_count(net), traced[name]) for name, net in nets.items()}


def size_of(shape: tuple[int, ...]) -> tuple[float, float]:
    """Width and height of a stage's box: channels and side, or a thin bar of units; both grow with the logarithm."""
    if len(shape) == 3:
        return 8 + 8 * math.log2(shape[0] + 1), min(TALLEST, 8 + 16 * math.log2(shape[1]))
    return 10, min(TALLEST, 8 + 10 * math.log2(math.prod(shape) + 1))


def diagram(found: list[Stage], label: str) -> str:
    """The stages from left to right as HTML, in the text colour of wherever it is shown; a narrow screen wraps it."""
    arrow = f'<div style="height:{TALLEST}px;line-height:{TALLEST}px;opacity:0.5">→</div>'
    boxes = arrow.join(_box(stage, is_input=stage is found[0]) for stage in found)
    row = "display:flex;flex-wrap:wrap;gap:0.5rem 0.6rem;text-align:center;margin-bottom:1rem"
    return f'<div role="img" aria-label="{escape(label)}" style="{row}">{boxes}</div>'


def _box(stage: Stage, is_input: bool) -> str:
    width, height = size_of(stage.shape)
    color = MAPS if len(stage.shape) == 3 else UNITS
    lines = [f"{name} ×{times}" if times > 1 else name for name, times in stage.layers.items()]
    if stage.parameters:
        lines.append(f"{count(stage.parameters)} parameters")
    if is_input:
        lines.append("input")
    return (
        f'<div><div style="height:{TALLEST}px;display:flex;align-items:center;justify-content:center">'
        f'<div style="width:{width:.0f}px;height:{height:.0f}px;background:{color};border-radius:4px"></div></div>'
        f'<div style="font-weight:600;font-size:0.85rem">{"×".join(map(str, stage.shape))}</div>'
        f'<div style="font-size:0.75rem;opacity:0.75;line-height:1.35">{"<br>".join(map(escape, lines))}</div></div>'
    )
