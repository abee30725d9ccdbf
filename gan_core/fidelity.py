"""How well a model translates: held-out inputs, beside what could be had without a model.

The input given back as it is, and the picture of the nearest training input, are what a model must beat; held-out
pictures are what it can reach.
"""

from __future__ import annotations

import datetime
import math
import time
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_core.data import ImageData, Images
from gan_core.data.channels import with_channels
from gan_core.data.images import to_unit_range
from gan_core.errors import UsageError
from gan_core.extractors import extractor_for, load_extractor
from gan_core.metrics.extractor import Extractor
from gan_core.metrics.frechet import frechet_distance, moments
from gan_core.metrics.kid import kernel_distance
from gan_core.metrics.nearest import nearest
from gan_core.metrics.paired import edge_agreement, feature_distance, l1, psnr, ssim
from gan_core.metrics.reference import ALL_PAIRS, PART, see, seen_real, shuffled, some
from gan_core.model import Model
from gan_core.pictures import to_uint8
from gan_core.progress import Progress, share_of
from gan_core.reals import real_images, refuse_few
from gan_core.report import Closeness, Judge, Part, Source, TranslationReport
from gan_core.translation import TranslationRecipe
from gan_core.version import __version__

NEAR_SIDE = 32  # pixels at which the nearest training picture is looked for
MOSTLY = 0.5  # of the pixels must be the same in input and truth, for what changes to be scored by itself
TRANSLATING = (0.3, 0.8)  # of the work


def evaluate_translations(
    model: Model,
    where: str | None = None,
    *,
    n: int = 5000,
    features: str = "auto",
    progress: Progress | None = None,
) -> TranslationReport:
    """Judges what becomes of n held-out inputs, or of all if there are not so many.

    Args:
        model: One that translates.
        where: A data set or a folder; None is what the model was trained on.
        n: Inputs.
        features: See `evaluate.evaluate`.
        progress: Told the share done and what is done.

    Raises:
        UsageError: The data cannot be had, has nothing to translate, has too few held-out pictures, or is of another
            size; n is too small; there is no such extractor.
    """
    refuse_few(n, "inputs")
    real, held_out = real_images(model, where, "train"), real_images(model, where, "test")
    extractor = load_extractor(extractor_for(real) if features == "auto" else features)
    return judge_translations(model, real, held_out, extractor, n, progress)


def judge_translations(
    model: Model, real: Images, spare: Images, extractor: Extractor, n: int = 5000, progress: Progress | None = None
) -> TranslationReport:
    """Judges what becomes of n held-out inputs, through an extractor.

    Args:
        model: One that translates.
        real: The training split.
        spare: The test split.
        extractor: What pictures are compared through.
        n: Inputs.
        progress: See `evaluate_translations`.

    Raises:
        UsageError: There is nothing to translate, or too little.
    """
    started = time.monotonic()
    recipe = model.recipe
    assert isinstance(recipe, TranslationRecipe)
    known, held_out = given_by(real, recipe), given_by(spare, recipe)
    given, images = (rows[shuffled(len(rows))[:n]] for rows in (held_out.inputs, held_out.images))
    refuse_few(len(given), f"held-out inputs of {real.name}")
    train = seen_real(real, extractor, share_of(progress, (0.0, TRANSLATING[0]))).features
    drawn = translated(model, given, share_of(progress, TRANSLATING))
    tell = share_of(progress, (TRANSLATING[1], 1.0))
    tell(0.0, "what could be had without a model")
    sources = {
        "model": drawn,
        "input": copied(given, images),
        "nearest": nearest_pictures(given, known.inputs if known.paired else known.images, known.images),
        "truth": images,
    }
    seen = {name: see(extractor, torch.split(pictures, PART)).features for name, pictures in sources.items()}
    whole = moments(train)

    def judged(name: str) -> Source:
        pictures, truth = sources[name], None
        if held_out.paired:
            truth = closeness(pictures, images, changes(sources["input"], images))
        return Source(
            fd=frechet_distance(moments(seen[name]), whole),
            kid=kernel_distance(some(train, ALL_PAIRS), seen[name]).value,
            edges=edge_agreement(pictures, sources["input"]),
            features=feature_distance(seen[name], seen["truth"]) if held_out.paired else None,
            truth=truth,
        )

    return TranslationReport(
        model=model.recipe.name,
        dataset=real.name,
        split="test",
        n=len(given),
        available=len(held_out.inputs),
        factor=recipe.factor,
        extractor=Judge(extractor.name, extractor.sha256, extractor.trained_on),
        sources={name: judged(name) for name in sources},
        cycle=l1(translated(model, drawn, backwards=1), given) if recipe.both_ways else None,
        identity=l1(translated(model, images), images) if recipe.both_ways else None,
        seconds=round(time.monotonic() - started, 1),
        date=datetime.date.today().isoformat(),
        gan_core=__version__,
    )


class Given(NamedTuple):
    """What there is to translate, [N, c, s, s] uint8, and pictures, [N, C, S, S]; row for row if they are paired."""

    inputs: Tensor
    images: Tensor
    paired: bool


def given_by(data: Images, recipe: TranslationRecipe) -> Given:
    """What a recipe translates of a data set.

    Raises:
        UsageError: The data has no inputs, or inputs of another number of channels.
    """
    if recipe.makes_inputs:
        images = data.pictures(torch.arange(len(data)))
        return Given(to_uint8(recipe.inputs_of(to_unit_range(images))), images, paired=True)
    if not isinstance(data, ImageData) or data.inputs is None:
        raise UsageError(f"{data.name} has no inputs to translate; name a data set that has, or a folder of pairs.")
    if (given := data.inputs.shape[1]) != (taken := recipe.config.channels_in):
        raise UsageError(f"The model takes inputs of {taken} channels and those of {data.name} have {given}.")
    return Given(data.inputs, data.images, data.paired)


def translated(model: Model, inputs: Tensor, progress: Progress | None = None, **controls: float) -> Tensor:
    """What a model makes of inputs [n, c, S, S] uint8, [n, C, S, S] uint8.

    Raises:
        UsageError: Numbers that are not finite.
    """
    tell, drawn = share_of(progress, (0.0, 1.0)), []
    for start in range(0, len(inputs), PART):
        tell(start / len(inputs), f"input {start:,} of {len(inputs):,}")
        images = model.translations(to_unit_range(inputs[start : start + PART]), 0, **controls)
        if not images.isfinite().all():
            raise UsageError("The model draws pictures that are not finite numbers: its weights are broken.")
        drawn.append(to_uint8(images))
    return torch.cat(drawn)


def copied(inputs: Tensor, images: Tensor) -> Tensor:
    """Inputs as pictures of the images' shape: smaller ones enlarged by bicubic interpolation."""
    pictures = with_channels(inputs, images.shape[1])
    if pictures.shape == images.shape:
        return pictures
    return to_uint8(F.interpolate(to_unit_range(pictures), size=images.shape[2:], mode="bicubic").clamp(-1, 1))


def nearest_pictures(inputs: Tensor, known: Tensor, pictures: Tensor) -> Tensor:
    """The picture that goes with the known one nearest to each input, all [N, c or C, S, S] uint8."""
    return pictures[nearest(small(inputs), small(with_channels(known, inputs.shape[1]))).index]


def small(images: Tensor) -> Tensor:
    """[N, c, S, S] uint8 to rows of their pixels, reduced to a side at which distances are cheap."""
    side = min(NEAR_SIDE, images.shape[-1])
    return torch.cat([F.adaptive_avg_pool2d(part.float(), side).flatten(1) for part in torch.split(images, PART)])


def changes(copies: Tensor, truths: Tensor) -> Tensor | None:
    """[N, H, W], where the truth differs from the input, or None where it does so nearly everywhere."""
    differ = (copies != truths).any(1)
    return differ if 0 < differ.float().mean() < 1 - MOSTLY else None


def closeness(pictures: Tensor, truths: Tensor, changed: Tensor | None) -> Closeness:
    """How near pictures come to the true ones, all [N, C, H, W] uint8."""

    def within(where: Tensor) -> Part:
        return Part(l1(pictures, truths, where), ssim(pictures, truths, where))

    decibels = psnr(pictures, truths)
    return Closeness(
        l1=l1(pictures, truths),
        psnr=decibels if math.isfinite(decibels) else None,
        ssim=ssim(pictures, truths),
        changed=None if changed is None else within(changed),
        kept=None if changed is None else within(~changed),
    )
