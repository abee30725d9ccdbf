"""A report on a model: every number with its noise beside it, and what may be compared with what."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gan_core.errors import UsageError
from gan_core.metrics.nearest import Memorisation
from gan_core.metrics.reference import DiversityOf

LONGEST, LARGEST = 60, 1e12  # a stranger's text in characters, a stranger's number
INCEPTION = "Inception"  # the extractor whose Frechet distance is an FID


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
    return {
        "extractors": f"{judge['name']} {judge['sha256'][:8]}",
        "data sets": report["dataset"],
        "splits": report["split"],
        "numbers of images m": f"{report['m']:,}",
        "floors": number(report["fd"]["floor"]),  # another size or colour, or a folder that has changed
    }


def readable(metrics: Mapping[str, Any]) -> dict[str, str]:
    """What a model's config says under metrics, for people: label to text.

    Of a report, value, noise and floor of each number. Whatever else a stranger's config holds comes as it is, cut
    short. Texts are letters, digits and a few marks, so no picture, tag or table cell comes of them.
    """
    if not isinstance(metrics.get("fd"), Mapping) or not isinstance(metrics.get("extractor"), Mapping):
        return {_text(label): _text(value) for label, value in metrics.items()}
    fd, kid, diversity, classes, conditional, copies, floors = (
        part if isinstance(part := metrics.get(key), Mapping) else {}
        for key in ("fd", "kid", "diversity", "classes", "conditional", "memorisation", "floors")
    )
    rows = {
        _distance_name(metrics["extractor"]): (
            f"{spread(fd.get('value'), fd.get('spread'))} "
            f"(floor {number(fd.get('floor'))}, m {_count(metrics.get('m'))})"
        ),
        f"of all {_count(metrics.get('n'))} samples": f"{number(fd.get('all'))} (no floor)",
        "Kernel distance (KID)": (
            f"{number(kid.get('value'))} ({number(kid.get('low'))} to {number(kid.get('high'))}, "
            f"floor {number(kid.get('floor'))})"
        ),
    }
    for score in ("precision", "recall", "density", "coverage"):
        rows[score.capitalize()] = f"{number(metrics.get(score))} (held-out {number(floors.get(score))})"
    rows[f"Diversity of {_text(diversity.get('of'))}"] = (
        f"{number(diversity.get('value'))} (real {number(diversity.get('real'))})"
    )
    if classes:
        rows["Class entropy"] = f"{number(classes.get('entropy'))} (real {number(classes.get('real_entropy'))})"
    if conditional:
        rows["Classes asked for"] = "as often as in the data" if conditional.get("as_data") is True else "in turn"
    if is_number(conditional.get("accuracy")):
        rows["Right class drawn (conditional accuracy)"] = (
            f"{_percent(conditional.get('accuracy'))} (held-out {_percent(conditional.get('held_out'))})"
        )
    flagged = ": it repeats training images" if copies.get("flagged") is True else ""
    rows["Near copies of training images"] = (
        f"{_percent(copies.get('copies'))} (held-out {_percent(copies.get('held_out_copies'))}){flagged}"
    )
    rows["Measured"] = (
        f"on {_text(metrics.get('dataset'))}, seed {_text(metrics.get('seed'))}, "
        f"{_text(metrics.get('date'))}, gan_core {_text(metrics.get('gan_core'))}"
    )
    return rows


def _distance_name(extractor: Mapping[str, Any]) -> str:
    """ "FD, digits net 3f9a1b2c"; only the standard Inception's may be called FID."""
    name, digest = _text(extractor.get("name")), _text(extractor.get("sha256"))[:8]
    return f"FID, {name} {digest}" if name == INCEPTION else f"FD, {name} {digest}"


def number(value: Any) -> str:
    """Three figures, without exponents: 12.1, .00123 as 0.00123; "?" for what is no number."""
    return f"{value:,.{_decimals(value)}f}" if is_number(value) else "?"


def spread(value: Any, deviation: Any) -> str:
    """ "12.1 ± 0.3", both to the same place; without a deviation only the value."""
    if is_number(value) and is_number(deviation):
        return f"{number(value)} ± {deviation:,.{_decimals(value)}f}"
    return number(value)


def is_number(value: Any) -> bool:
    """Whether it is a number that people can read: finite, and not a stranger's 10 to the 400."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST  # NaN is not


def _decimals(value: float) -> int:
    """Decimals that give three figures; six at most."""
    return 0 if value == 0 else min(6, max(0, 2 - math.floor(math.log10(abs(value)))))


def _percent(share: Any) -> str:
    return f"{share:.1%}" if is_number(share) else "?"


def _count(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and is_number(value) else "?"


def _text(value: Any) -> str:
    return re.sub(r"[^\w .,/+-]", "", str(value))[:LONGEST]
