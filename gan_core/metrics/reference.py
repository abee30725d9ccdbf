"""What an extractor says of real images, and what these score against each other: computed once, kept by content."""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gan_core.data.cache import cache_folder, cached_arrays
from gan_core.data.images import Images
from gan_core.metrics.classes import class_histogram
from gan_core.metrics.diversity import MS_SSIM_SIDE, ms_ssim_diversity, pairwise_distance, within_class_diversity
from gan_core.metrics.extractor import Extractor
from gan_core.metrics.frechet import Moments, frechet_distance, moments
from gan_core.metrics.kid import kernel_distance
from gan_core.metrics.manifold import ManifoldScores, manifold_scores
from gan_core.progress import Progress

VERSION = 1  # of what the cache holds: one more when a metric changes
PART = 256  # pictures read at once
ALL_PAIRS = 10_000  # images that are compared pair by pair: of more, a fixed draw
MS_SSIM_IMAGES = 200  # that pairs are drawn from

DiversityOf = Literal["features within a class", "features", "MS-SSIM"]


class Seen(NamedTuple):
    """What an extractor says of a set: features [N, D], the class of each [N], the classes' shares [K]."""

    features: Tensor
    classes: Tensor | None
    shares: Tensor | None


def see(extractor: Extractor, parts: Iterable[Tensor]) -> Seen:
    """Features and classes of pictures that come in parts."""
    found = [extractor(part) for part in parts]
    if not found:
        return Seen(torch.empty(0, 0), None, None)
    features = torch.cat([part.features for part in found])
    known = [part.probabilities for part in found if part.probabilities is not None]
    if not known:
        return Seen(features, None, None)
    probabilities = torch.cat(known)
    return Seen(features, probabilities.argmax(1), class_histogram(probabilities))


def seen_real(images: Images, extractor: Extractor, progress: Progress) -> Seen:
    """`see` of one split, from the cache if these pictures were seen before."""

    def parts() -> Iterator[Tensor]:
        for start in range(0, len(images), PART):
            progress(start / len(images), f"real image {start:,} of {len(images):,}")
            yield images.pictures(torch.arange(start, min(start + PART, len(images))))

    def make() -> dict[str, np.ndarray]:
        found = see(extractor, parts())
        return {key: value.numpy() for key, value in found._asdict().items() if value is not None}

    stored = cached(make, images.fingerprint, extractor.sha256)
    features, classes, shares = (torch.from_numpy(stored[key]) if key in stored else None for key in Seen._fields)
    assert features is not None
    return Seen(features, classes, shares)


def cached(make: Callable[[], dict[str, np.ndarray]], *content: object) -> dict[str, np.ndarray]:
    """What `make` gives, kept by the hash of what it follows from."""
    (cache_folder() / "features").mkdir(exist_ok=True)
    digest = hashlib.sha256(repr((VERSION, *content)).encode()).hexdigest()
    return cached_arrays(f"features/{digest[:40]}", make)


@dataclass(frozen=True)
class Reference:
    """What follows from real images alone.

    Attributes:
        moments: Of all training images.
        rows: Features of m training images, the set that precision and the like compare with.
        floors: What held-out images score, and the training images' diversity, by name.
    """

    moments: Moments
    rows: Tensor
    floors: dict[str, float]


def reference_of(
    real: Images, held_out: Images, extractor: Extractor, train: Seen, spare: Seen, m: int, of: DiversityOf
) -> Reference:
    """The reference for m images at a time, from the cache if it was made before."""
    rows = some(train.features, m)

    def make() -> dict[str, np.ndarray]:
        whole, parts = moments(train.features), blocks(spare.features, m)
        pairs = some(train.features, ALL_PAIRS), some(spare.features, ALL_PAIRS)
        shown = [real.pictures(shuffled(len(real))[:MS_SSIM_IMAGES])] if of == "MS-SSIM" else []
        floors = {
            "fd": statistics.fmean(frechet_distance(moments(part), whole) for part in parts),
            "kid": kernel_distance(*pairs).value,
            "diversity": diversity(of, train, shown),
            **asdict(manifold_means(rows, parts)),
        }
        arrays = {"mean": whole.mean.numpy(), "covariance": whole.covariance.numpy()}
        return arrays | {name: np.array(value) for name, value in floors.items()}

    stored = cached(make, real.fingerprint, held_out.fingerprint, extractor.sha256, m, of)
    mean, covariance = (torch.from_numpy(stored.pop(key)) for key in ("mean", "covariance"))
    return Reference(Moments(mean, covariance), rows, {name: float(value) for name, value in stored.items()})


def shuffled(count: int) -> Tensor:
    """Row numbers in an order that is always the same: data sets are often sorted."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(0))


def some(rows: Tensor, count: int) -> Tensor:
    """At most so many rows, always the same."""
    return rows[shuffled(len(rows))[:count]]


def blocks(rows: Tensor, m: int) -> list[Tensor]:
    """Disjoint blocks of m rows; a rest of fewer is left out."""
    return list(rows[shuffled(len(rows))][: len(rows) // m * m].view(-1, m, rows.shape[1]))


def manifold_means(real: Tensor, parts: list[Tensor]) -> ManifoldScores:
    """Precision, recall, density and coverage of each block, averaged."""
    scores = [asdict(manifold_scores(real, part)) for part in parts]
    return ManifoldScores(**{name: statistics.fmean(score[name] for score in scores) for name in scores[0]})


def diversity_of(real: Images, extractor: Extractor, n: int) -> DiversityOf:
    """What differences are measured in: pictures where MS-SSIM can, else features, within classes if there are any."""
    if real.image_size >= MS_SSIM_SIDE:
        return "MS-SSIM"
    classes = extractor.classes_of(real.channels)
    return "features" if classes is None or 2 * len(classes) > n else "features within a class"


def diversity(of: DiversityOf, found: Seen, pictures: list[Tensor]) -> float:
    """How different the images of a set are from each other."""
    if of == "MS-SSIM":
        return ms_ssim_diversity(torch.cat(pictures)[:MS_SSIM_IMAGES])
    if found.classes is None or of == "features":
        return pairwise_distance(some(found.features, ALL_PAIRS))
    return within_class_diversity(some(found.features, ALL_PAIRS), some(found.classes, ALL_PAIRS))
