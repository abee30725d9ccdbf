"""A report on a model: every number with its noise beside it, and what may be compared with what."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gan_core.errors import UsageError
from gan_core.figures import number
from gan_core.metrics.nearest import Memorisation
from gan_core.metrics.reference import DiversityOf


@dataclass(frozen=True)
class Frechet:
    """A Frechet distance to all training images.

    Attributes:
        value: The mean over disjoint blocks of m samples.
        floor: The same of held-out images, m at a time: what nothing but the number of images makes of it.
        spread: Standard deviation over the blocks; None where there is only one.
        all: Of all n samples at once; it has no floor, for there are no n held-out images.
    """

    value: float
    floor: float
    spread: float | None
    all: float


@dataclass(frozen=True)
class Kernel:
    """A kernel distance (KID) of all n samples with its interval of 95 %; the floor is that of held-out images."""

    value: float
    low: float
    high: float
    floor: float


@dataclass(frozen=True)
class Diversity:
    """How different samples are from each other, beside how different real images are.

    Attributes:
        of: What is compared: features of the same class or of all images, or pictures by MS-SSIM.
        value: Of the samples.
        real: Of training images.
    """

    of: DiversityOf
    value: float
    real: float


@dataclass(frozen=True)
class Classes:
    """What the extractor takes pictures for.

    Attributes:
        names: Of the classes.
        shares: Of the samples that fall into each.
        real: Of the training images, as the extractor sees them.
        entropy: Of the samples' shares, in nats.
        real_entropy: Of the training images' shares.
    """

    names: tuple[str, ...]
    shares: tuple[float, ...]
    real: tuple[float, ...]
    entropy: float
    real_entropy: float


@dataclass(frozen=True)
class Conditional:
    """How a conditional model was asked for classes, and whether it draws them.

    Attributes:
        as_data: Whether in the shares of the training images; else each in turn.
        accuracy: Share of samples that the extractor takes for the class that was asked for; None where it does not
            know the classes.
        held_out: The same of held-out images and their labels: what the extractor itself gets right.
    """

    as_data: bool
    accuracy: float | None
    held_out: float | None


@dataclass(frozen=True)
class Judge:
    """The extractor that features came from."""

    name: str
    sha256: str
    trained_on: str


@dataclass(frozen=True)
class Report:
    """What was measured on a model.

    Attributes:
        model: What was judged.
        dataset: What it was compared with.
        split: The reference: training images.
        n: Samples.
        m: Images that values and floors are taken from: the smaller number of samples and held-out images.
        seed: Of the samples.
        extractor: Whose features they are.
        fd: Frechet distance.
        kid: Kernel distance.
        precision: Share of samples among the training images; mean over blocks, as are the next three.
        recall: Share of training images among the samples.
        density: How densely training images lie around samples.
        coverage: Share of training images with a sample near.
        diversity: Within the samples.
        classes: Or None where the extractor knows none.
        conditional: Or None where the model is asked for no classes.
        memorisation: Whether training images are repeated; see `metrics.nearest.memorisation`.
        floors: precision, recall, density and coverage of held-out images.
        seconds: What it took.
        date: Day, as 2026-11-22.
        gan_core: Version.
    """

    model: str
    dataset: str
    split: str
    n: int
    m: int
    seed: int
    extractor: Judge
    fd: Frechet
    kid: Kernel
    precision: float
    recall: float
    density: float
    coverage: float
    diversity: Diversity
    classes: Classes | None
    conditional: Conditional | None
    memorisation: Memorisation
    floors: dict[str, float]
    seconds: float
    date: str
    gan_core: str

    def as_dict(self) -> dict[str, Any]:
        """Plain types, as JSON holds them."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Part:
    """How near some of the pixels come to the true ones; see `metrics.paired`."""

    l1: float
    ssim: float


@dataclass(frozen=True)
class Closeness:
    """How near pictures come to the true ones; see `metrics.paired`.

    Attributes:
        l1: 0 to 1.
        psnr: In dB; None where all pictures are exactly right, which makes it infinite.
        ssim: Up to 1.
        changed: Where the truth differs from the input, if most of it does not: behind a mask, for example.
        kept: Where it does not.
    """

    l1: float
    psnr: float | None
    ssim: float
    changed: Part | None
    kept: Part | None


@dataclass(frozen=True)
class Source:
    """Where pictures for the held-out inputs come from: a model, or what could be had without one.

    Attributes:
        fd: Frechet distance to all training pictures.
        kid: Kernel distance to them.
        edges: Whether their edges are where the input has them; see `metrics.paired.edge_agreement`.
        features: Distance from the true pictures as the extractor sees them; None where nobody knows these.
        truth: How near they come to the true pictures, or None.
    """

    fd: float
    kid: float
    edges: float
    features: float | None
    truth: Closeness | None


@dataclass(frozen=True)
class TranslationReport:
    """What was measured on a model that translates.

    Attributes:
        model: What was judged.
        dataset: Whose held-out inputs it was given.
        split: "test".
        n: Held-out inputs that were translated.
        available: Held-out inputs that there are.
        factor: How many times larger than its input a picture is.
        extractor: Whose features they are.
        sources: Of "model"; of "input", which is given back as it is, or enlarged by bicubic interpolation; of
            "nearest", the picture of the training input that is nearest to the input, or without pairs the nearest
            training picture; of "truth", held-out pictures.
        cycle: Mean difference, 0 to 1, of inputs from what comes back of them; None where only one way is learned.
        identity: Mean difference of pictures from what is made of them, which should be nothing; else None.
        seconds: What it took.
        date: Day, as 2026-11-22.
        gan_core: Version.
    """

    model: str
    dataset: str
    split: str
    n: int
    available: int
    factor: int
    extractor: Judge
    sources: dict[str, Source]
    cycle: float | None
    identity: float | None
    seconds: float
    date: str
    gan_core: str

    def as_dict(self) -> dict[str, Any]:
        """Plain types, as JSON holds them."""
        return dataclasses.asdict(self)


def refuse_incomparable(reports: Iterable[Mapping[str, Any]]) -> None:
    """Raises `UsageError` that names the first difference, if numbers of these reports mean different things.

    Args:
        reports: As `Report.as_dict` gives them.
    """
    first, *others = [(report, _comparable(report)) for report in reports]
    for report, facts in others:
        for what, value in facts.items():
            if value != first[1][what]:
                raise UsageError(
                    f"{first[0].get('model')} and {report.get('model')} cannot be compared: "
                    f"their {what} differ ({first[1][what]} and {value}); evaluate them alike."
                )


def _comparable(report: Mapping[str, Any]) -> dict[str, Any]:
    judge = report["extractor"]
    facts = {
        "kinds": "translations" if is_of_translations(report) else "samples",
        "extractors": f"{judge['name']} {judge['sha256'][:8]}",
        "data sets": report["dataset"],
        "splits": report["split"],
    }
    if is_of_translations(report):  # a floor also tells of another size or colour, or of a folder that has changed
        return facts | {
            "numbers of inputs": f"{report['n']:,}",
            "floors": number(report["sources"]["truth"]["fd"]),
        }
    return facts | {"numbers of images m": f"{report['m']:,}", "floors": number(report["fd"]["floor"])}


def is_of_translations(report: Mapping[str, Any]) -> bool:
    """Whether it is a `TranslationReport` as a dict, not a `Report`."""
    return "sources" in report
