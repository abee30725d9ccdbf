"""A picture of any size and mode through a network that translates; a big one tile by tile."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn

from gan_core.data.images import to_unit_range
from gan_core.data.picture_file import to_mode
from gan_core.pictures import to_uint8
from gan_core.progress import Progress
from gan_core.translation import TranslationRecipe

ONE_PASS = 2**20  # pixels that a network draws at once
TILE = 512  # side of what is drawn of a tile, in pixels, at least
BLEND = 32  # pixels over which a tile gives way to the next

Network = Callable[[Tensor, tuple[int, int]], Tensor]  # inputs and where they lie in the picture, to pictures


@torch.no_grad()
def translated(
    recipe: TranslationRecipe,
    generators: nn.ModuleDict,
    image: Image.Image,
    seed: int,
    controls: Mapping[str, float],
    progress: Progress | None = None,
) -> Image.Image:
    """The picture that a picture becomes: upright, of the same size times the recipe's factor.

    Args:
        recipe: With a resolved config.
        generators: By name, in eval mode.
        image: Of any size and mode.
        seed: Of what is drawn at random.
        controls: Checked, by name.
        progress: Told the share done and what is done.
    """
    image = ImageOps.exif_transpose(image)
    size = working_size(recipe, image.size)

    def at(size: tuple[int, int]) -> Tensor:
        return prepared(image, recipe.config.channels_in, size, recipe.smallest, recipe.multiple)

    inputs = at(size)
    device = next(generators.parameters()).device

    def through(generators: nn.ModuleDict) -> Network:
        def network(part: Tensor, place: tuple[int, int]) -> Tensor:
            part = part.to(device, memory_format=torch.channels_last)  # a third faster
            return recipe.translate(generators, part, seed, place, **controls).cpu().float()

        return network

    if recipe.context is None or recipe.factor**2 * math.prod(inputs.shape[2:]) <= ONE_PASS:
        drawn = to_uint8(through(generators)(inputs, (0, 0)))[0]
    else:
        small = at(within(recipe, image.size))
        settled = with_statistics_of(generators, lambda copied: through(copied)(small, (0, 0)))
        drawn = tiled(through(settled), inputs, recipe.context, recipe.multiple, recipe.factor, progress)
    wide, high = (recipe.factor * side for side in size)
    picture = Image.fromarray(drawn[:, :high, :wide].permute(1, 2, 0).squeeze(2).numpy())
    full = image.width * recipe.factor, image.height * recipe.factor
    return picture if picture.size == full else picture.resize(full, Image.Resampling.LANCZOS)


def working_size(recipe: TranslationRecipe, size: tuple[int, int]) -> tuple[int, int]:
    """The size (width, height) at which a picture is translated.

    It is the picture's own, unless the network looks at a picture as a whole, so that tiles would not do: then one of
    over a megapixel is reduced, and what is drawn is enlarged again.
    """
    return size if recipe.context is not None else within(recipe, size)


def within(recipe: TranslationRecipe, size: tuple[int, int]) -> tuple[int, int]:
    """A size reduced in both directions alike, until what the network takes in its place goes through at once."""
    shrink = min(1.0, math.sqrt(ONE_PASS / math.prod(size)))
    while True:
        wide, high = (max(1, math.floor(shrink * side)) for side in size)
        if math.prod(mirrored(side, recipe.multiple, recipe.smallest) for side in (wide, high)) <= ONE_PASS:
            return wide, high
        shrink *= 0.99


def mirrored(side: int, multiple: int, least: int) -> int:
    """The side that a picture has once it is mirrored to what a network takes."""
    return max(least, -(-side // multiple) * multiple)


def prepared(image: Image.Image, channels: int, size: tuple[int, int], least: int, multiple: int = 1) -> Tensor:
    """A picture of any mode brought to a size, then mirrored to sides that a network takes, [1, c, H, W] in [-1, 1]."""
    image = to_mode(image, channels)
    image = image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)
    pixels = torch.from_numpy(np.array(image)).view(image.height, image.width, -1).permute(2, 0, 1)[None]
    return to_unit_range(reflected(pixels, multiple, least))


def reflected(inputs: Tensor, multiple: int, least: int) -> Tensor:
    """Inputs [N, c, H, W] mirrored beyond their right and lower borders to sides that are multiples of a number.

    A picture that is too small to be mirrored that far goes back and forth.

    Args:
        inputs: What to enlarge.
        multiple: Of which both sides must be.
        least: Which both sides must have at least.
    """
    rows, columns = (back_and_forth(side, mirrored(side, multiple, least)) for side in inputs.shape[2:])
    return inputs[:, :, rows][:, :, :, columns]


def back_and_forth(length: int, wanted: int) -> Tensor:
    """Indices 0, 1, ..., length - 1, length - 2, ..., 1, 0, 1, ...: the first `wanted` of them."""
    period = max(1, 2 * (length - 1))
    place = torch.arange(wanted) % period
    return torch.minimum(place, period - place)


# --------------------------------------------------------------------------------------------------------------- tiles


def tiled(
    network: Network, inputs: Tensor, context: int, multiple: int, factor: int = 1, progress: Progress | None = None
) -> Tensor:
    """What a network makes of inputs [1, c, H, W], from tiles that overlap, [C, factor * H, factor * W] uint8.

    Pixels that lie nearer than `context` to a border that the picture does not have are thrown away, and over the
    pixels beside them one tile gives way to the next: no seam, and what the network had made in one piece. Rows are
    rounded as soon as no further tile reaches them.

    Args:
        network: To apply.
        inputs: H and W are multiples of `multiple`.
        context: How far around a pixel the network looks.
        multiple: Tiles start and end at multiples of this.
        factor: How many times larger the network's pictures are.
        progress: Told the share done.
    """
    overlap = 2 * context + BLEND
    side = -(-max(TILE // factor, 2 * overlap) // multiple) * multiple
    high, wide = inputs.shape[2:]
    rows, columns = (spans(length, side, side - overlap, multiple) for length in (high, wide))
    down, across = (
        [weights(start, stop, length, context, factor) for start, stop in places]
        for places, length in ((rows, high), (columns, wide))
    )
    sums = [summed(places, windows, factor) for places, windows in ((rows, down), (columns, across))]
    whole: Tensor | None = None  # a pixel's channels lie together, as pictures are stored
    begun: Tensor | None = None  # rows that the next tiles go on with
    for k, (top, bottom) in enumerate(rows):
        band: Tensor | None = None
        for j, ((left, right), window) in enumerate(zip(columns, across, strict=True)):
            drawn = network(inputs[:, :, top:bottom, left:right], (top, left))[0]
            if whole is None:
                whole = torch.empty(factor * high, factor * wide, len(drawn), dtype=torch.uint8).permute(2, 0, 1)
            if band is None:
                band = torch.zeros(len(drawn), factor * (bottom - top), factor * wide)
            band[:, :, factor * left : factor * right] += torch.outer(down[k], window) * drawn
            if progress is not None:
                done, tiles = k * len(columns) + j + 1, len(rows) * len(columns)
                progress(done / tiles, f"tile {done} of {tiles}")
        assert band is not None and whole is not None
        if begun is not None:
            band[:, : begun.shape[1]] += begun
        ready = factor * ((rows[k + 1][0] if k + 1 < len(rows) else high) - top)
        counts = sums[0][factor * top : factor * top + ready, None] * sums[1]
        whole[:, factor * top : factor * top + ready] = to_uint8(band[:, :ready] / counts)
        begun = band[:, ready:].clone()
    assert whole is not None
    return whole


def summed(places: list[tuple[int, int]], windows: list[Tensor], factor: int) -> Tensor:
    """How much all tiles together count along one side."""
    line = torch.zeros(factor * max(stop for _, stop in places))
    for (start, stop), window in zip(places, windows, strict=True):
        line[factor * start : factor * stop] += window
    return line


def spans(length: int, side: int, step: int, multiple: int) -> list[tuple[int, int]]:
    """Where tiles start and stop along a side of a picture; the last one ends with it."""
    step = step // multiple * multiple
    starts = [*range(0, max(1, length - side), step), max(0, length - side)]
    return [(start, min(start + side, length)) for start in sorted(set(starts))]


def weights(start: int, stop: int, length: int, context: int, factor: int) -> Tensor:
    """How much each pixel of a tile counts along one side: 0 near a border that is not the picture's, then rising."""
    place = (torch.arange(factor * (stop - start)) + 0.5) / factor
    inner = torch.full_like(place, math.inf)
    if start > 0:
        inner = torch.minimum(inner, place)
    if stop < length:
        inner = torch.minimum(inner, stop - start - place)
    return torch.sin(((inner - context) / BLEND).clamp(0, 1) * math.pi / 2).square()


@torch.no_grad()
def with_statistics_of(generators: nn.ModuleDict, draw: Callable[[nn.ModuleDict], object]) -> nn.ModuleDict:
    """A copy of generators whose instance normalisation goes by the statistics of one drawing, wherever it is applied.

    Tiles normalised each by itself would differ in colour.

    Args:
        generators: In eval mode; left as they are.
        draw: Applies the generators it is given to a picture that stands for the whole.
    """
    settled = copy.deepcopy(generators)
    fixed: dict[nn.Module, nn.BatchNorm2d] = {}

    def measure(norm: nn.Module, arguments: tuple[Tensor]) -> None:
        fixed[norm] = with_statistics(norm, arguments[0])

    norms = [module for module in settled.modules() if isinstance(module, nn.InstanceNorm2d)]
    for norm in norms:
        norm.register_forward_pre_hook(measure)
    if norms:
        draw(settled)
    for parent in list(settled.modules()):
        for name, child in list(parent.named_children()):
            if child in fixed:
                setattr(parent, name, fixed[child])
    return settled


def with_statistics(norm: nn.Module, x: Tensor) -> nn.BatchNorm2d:
    """What instance normalisation does to x, [1, C, H, W], as a layer that does the same to anything."""
    assert isinstance(norm, nn.InstanceNorm2d)
    layer = nn.BatchNorm2d(norm.num_features, norm.eps, affine=norm.affine, device=x.device).eval()
    layer.load_state_dict(norm.state_dict(), strict=False)  # scale and shift, where it has them
    layer.running_mean, layer.running_var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
    return layer
