"""How good a model is: its samples against training images, beside what held-out images score in their place.

Every number that depends on how many images it is taken from is taken from m = min(samples, held-out images) at a
time: of samples over disjoint blocks, and of held-out images, which is the floor. The reference is always the training
split. What follows from real images alone is kept in the cache by their content, and computed once.
"""

from __future__ import annotations

import dataclasses
import datetime
import statistics
import time
from collections.abc import Iterable, Iterator

from torch import Tensor

from gan_core.conditional import Asked, as_the_data, in_turn, share_right
from gan_core.data import Images
from gan_core.errors import UsageError
from gan_core.extractors import extractor_for, load_extractor
from gan_core.fidelity import evaluate_translations
from gan_core.latent import latents
from gan_core.metrics.classes import entropy
from gan_core.metrics.diversity import MS_SSIM_SIDE
from gan_core.metrics.extractor import Extractor
from gan_core.metrics.frechet import frechet_distance, moments
from gan_core.metrics.kid import kernel_distance
from gan_core.metrics.nearest import memorisation
from gan_core.metrics.reference import (
    ALL_PAIRS,
    MS_SSIM_IMAGES,
    PART,
    Seen,
    blocks,
    diversity,
    diversity_of,
    manifold_means,
    reference_of,
    see,
    seen_real,
    some,
)  # fmt: skip
from gan_core.model import Model
from gan_core.pictures import to_uint8
from gan_core.progress import Progress, share_of
from gan_core.reals import real_images, refuse_few
from gan_core.report import Classes, Conditional, Diversity, Frechet, Judge, Kernel, Report, TranslationReport
from gan_core.translation import TranslationRecipe
from gan_core.version import __version__

SAMPLING = (0.3, 0.8)  # of the work


def evaluate(
    model: Model,
    where: str | None = None,
    *,
    n: int = 5000,
    features: str = "auto",
    seed: int = 0,
    progress: Progress | None = None,
) -> Report | TranslationReport:
    """Judges the first n pictures of a seed, or of a model that translates the pictures of n held-out inputs.

    Args:
        model: A conditional one is asked for classes as often as the training images have them.
        where: A data set or a folder; None is what the model was trained on.
        n: Samples.
        features: "auto" takes the extractor that knows the data best; else see `extractors.load_extractor`.
        seed: Of the samples.
        progress: Told the share done and what is done.

    Raises:
        UsageError: The data cannot be had, has no or too few held-out images, or is of another size; n is too small;
            there is no such extractor.
    """
    if isinstance(model.recipe, TranslationRecipe):
        return evaluate_translations(model, where, n=n, features=features, progress=progress)
    refuse_few(n, "samples")
    real, held_out = real_images(model, where, "train"), real_images(model, where, "test")
    extractor = load_extractor(extractor_for(real) if features == "auto" else features)
    asked = as_the_data(model, real, n, seed)
    drawn = samples(model, n, seed, share_of(progress, SAMPLING), asked)
    name = model.recipe.name
    return evaluate_pictures(drawn, real, held_out, extractor, asked, seed=seed, model=name, progress=progress)


def evaluate_pictures(
    fake: Tensor | Iterable[Tensor],
    real: Images,
    held_out: Images,
    extractor: Extractor,
    asked: Asked | None = None,
    *,
    seed: int = 0,
    model: str = "pictures",
    progress: Progress | None = None,
) -> Report:
    """Judges pictures, wherever they come from.

    Args:
        fake: [N, C, H, W] uint8, or such parts one after the other.
        real: The training split.
        held_out: The test split.
        extractor: What they are compared through.
        asked: The classes that they should show, if they were made for such.
        seed: Of the pictures, for the report.
        model: What the report calls their source.
        progress: See `evaluate`.

    Raises:
        UsageError: There are too few pictures or real images, or their sizes differ.
    """
    started = time.monotonic()
    refuse_few(len(held_out), f"held-out images of {real.name} (of a folder, one in ten or its sub-folder test)")
    refuse_few(len(real), f"training images of {real.name}")
    train = seen_real(real, extractor, share_of(progress, (0.0, 0.25)))
    spare = seen_real(held_out, extractor, share_of(progress, (0.25, 0.3)))
    kept: list[Tensor] = []
    found = see(extractor, fitting([fake] if isinstance(fake, Tensor) else fake, real, kept))
    n = len(found.features)
    refuse_few(n, "samples")
    m = min(n, len(held_out), len(real))
    tell = share_of(progress, (SAMPLING[1], 1.0))
    tell(0.0, "what real images score")
    of = diversity_of(real, extractor, n)
    reference = reference_of(real, held_out, extractor, train, spare, m, of)

    tell(0.2, "Frechet distance, precision and recall")
    parts = blocks(found.features, m)
    distances = [frechet_distance(moments(part), reference.moments) for part in parts]
    scores = manifold_means(reference.rows, parts)
    tell(0.4, "kernel distance")
    kid = kernel_distance(some(train.features, ALL_PAIRS), some(found.features, ALL_PAIRS))
    tell(0.7, "diversity and copies")
    known = extractor.classes_of(real.channels)
    return Report(
        model=model,
        dataset=real.name,
        split="train",
        n=n,
        m=m,
        seed=seed,
        extractor=Judge(extractor.name, extractor.sha256, extractor.trained_on),
        fd=Frechet(
            value=statistics.fmean(distances),
            floor=reference.floors["fd"],
            spread=statistics.stdev(distances) if len(distances) > 1 else None,
            all=frechet_distance(moments(found.features), reference.moments),
        ),
        kid=Kernel(kid.value, kid.low, kid.high, floor=reference.floors["kid"]),
        **dataclasses.asdict(scores),
        diversity=Diversity(of, diversity(of, found, kept), reference.floors["diversity"]),
        classes=None if known is None else classes_report(known, found, train),
        conditional=None if asked is None else conditional_report(asked, known, found, held_out, spare),
        memorisation=memorisation(found.features, spare.features, train.features),
        floors={name: reference.floors[name] for name in dataclasses.asdict(scores)},
        seconds=round(time.monotonic() - started, 1),
        date=datetime.date.today().isoformat(),
        gan_core=__version__,
    )


def samples(model: Model, n: int, seed: int, progress: Progress, asked: Asked | None = None) -> Iterator[Tensor]:
    """The first n pictures of a seed as uint8, in parts.

    Args:
        model: Any that draws from noise.
        n: How many.
        seed: Of the latents.
        progress: See `evaluate`.
        asked: The classes that a conditional model is asked for; by default all in turn.

    Raises:
        UsageError: The model draws numbers that are not finite.
    """
    z = latents(seed, n, model.latent_dim)
    asked = asked or in_turn(model, n)
    for start in range(0, n, PART):
        progress(start / n, f"sample {start:,} of {n:,}")
        part = slice(start, start + PART)
        images = model.decode(z[part], None if asked is None else asked.labels[part])
        if not images.isfinite().all():
            raise UsageError("The model draws pictures that are not finite numbers: its weights are broken.")
        yield to_uint8(images)


def fitting(parts: Iterable[Tensor], real: Images, kept: list[Tensor]) -> Iterator[Tensor]:
    """The parts, if they are of the real images' size; the first pictures go into `kept` where MS-SSIM needs them."""
    for part in parts:
        if part.shape[1:] != (real.channels, real.image_size, real.image_size):
            raise UsageError(
                f"The samples have the shape {list(part.shape[1:])} and the images of {real.name} "
                f"{[real.channels, real.image_size, real.image_size]}; only equal ones can be compared."
            )
        if real.image_size >= MS_SSIM_SIDE and sum(map(len, kept)) < MS_SSIM_IMAGES:
            kept.append(part[:MS_SSIM_IMAGES].clone())
        yield part


def classes_report(names: tuple[str, ...], found: Seen, train: Seen) -> Classes:
    """Shares and entropies of samples and training images, both as the extractor sees them."""
    assert found.shares is not None and train.shares is not None
    return Classes(
        names=names,
        shares=tuple(found.shares.tolist()),
        real=tuple(train.shares.tolist()),
        entropy=entropy(found.shares),
        real_entropy=entropy(train.shares),
    )


def conditional_report(
    asked: Asked, known: tuple[str, ...] | None, found: Seen, held_out: Images, spare: Seen
) -> Conditional:
    """How often samples show what was asked for, and held-out images what their labels say."""
    return Conditional(
        asked.as_data,
        accuracy=share_right(asked.labels, asked.classes, found.classes, known),
        held_out=share_right(held_out.labels, held_out.classes, spare.classes, known),
    )
