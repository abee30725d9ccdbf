"""What was measured on a model, as a table for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gan_core.figures import count, is_number, number, percent, spread, text

INCEPTION = "Inception"  # the extractor whose Frechet distance is an FID


def readable(metrics: Mapping[str, Any]) -> dict[str, str]:
    """What a model's config says under metrics, for people: label to text.

    Of a report, every number beside what it is to be compared with. Whatever else a stranger's config holds comes as it
    is, cut short. Texts are letters, digits and a few marks, so no picture, tag or table cell comes of them.
    """
    judged = isinstance(metrics.get("extractor"), Mapping)
    if judged and isinstance(metrics.get("sources"), Mapping):
        return of_translations(metrics)
    if judged and isinstance(metrics.get("fd"), Mapping):
        return of_samples(metrics)
    return {text(label): text(value) for label, value in metrics.items()}


def of_samples(metrics: Mapping[str, Any]) -> dict[str, str]:
    """Of a `report.Report`: value, noise and floor of each number."""
    fd, kid, diversity, classes, conditional, copies, floors = (
        part if isinstance(part := metrics.get(key), Mapping) else {}
        for key in ("fd", "kid", "diversity", "classes", "conditional", "memorisation", "floors")
    )
    rows = {
        _distance_name(metrics["extractor"]): (
            f"{spread(fd.get('value'), fd.get('spread'))} "
            f"(floor {number(fd.get('floor'))}, m {count(metrics.get('m'))})"
        ),
        f"of all {count(metrics.get('n'))} samples": f"{number(fd.get('all'))} (no floor)",
        "Kernel distance (KID)": (
            f"{number(kid.get('value'))} ({number(kid.get('low'))} to {number(kid.get('high'))}, "
            f"floor {number(kid.get('floor'))})"
        ),
    }
    for score in ("precision", "recall", "density", "coverage"):
        rows[score.capitalize()] = f"{number(metrics.get(score))} (held-out {number(floors.get(score))})"
    rows[f"Diversity of {text(diversity.get('of'))}"] = (
        f"{number(diversity.get('value'))} (real {number(diversity.get('real'))})"
    )
    if classes:
        rows["Class entropy"] = f"{number(classes.get('entropy'))} (real {number(classes.get('real_entropy'))})"
    if conditional:
        rows["Classes asked for"] = "as often as in the data" if conditional.get("as_data") is True else "in turn"
    if is_number(conditional.get("accuracy")):
        rows["Right class drawn (conditional accuracy)"] = (
            f"{percent(conditional.get('accuracy'))} (held-out {percent(conditional.get('held_out'))})"
        )
    flagged = ": it repeats training images" if copies.get("flagged") is True else ""
    rows["Near copies of training images"] = (
        f"{percent(copies.get('copies'))} (held-out {percent(copies.get('held_out_copies'))}){flagged}"
    )
    rows["Measured"] = measured(metrics, f"on {text(metrics.get('dataset'))}, seed {text(metrics.get('seed'))}")
    return rows


TRUTHS = {  # where in a source's numbers, and what they are
    "truth.l1": "Difference from the truth (L1)",
    "truth.psnr": "PSNR in dB, over all pictures",
    "truth.ssim": "SSIM",
    "features": "Distance from the truth in features",
    "truth.changed.l1": "L1 where the truth differs from the input",
    "truth.changed.ssim": "SSIM where it differs",
    "truth.kept.l1": "L1 where it does not",
    "truth.kept.ssim": "SSIM where it does not",
}


def copied(metrics: Mapping[str, Any]) -> str:
    """What the input is given back as."""
    return "input as it is" if metrics.get("factor") == 1 else "input enlarged bicubically"


def of_translations(metrics: Mapping[str, Any]) -> dict[str, str]:
    """Of a `report.TranslationReport`: the model's numbers, beside what could be had without one."""
    sources = metrics["sources"]
    beaten = {"input": copied(metrics), "nearest": "nearest training picture"}  # what a model must beat

    def row(path: str, others: Mapping[str, str]) -> str:
        beside = ", ".join(f"{label} {number(at(sources, f'{name}.{path}'))}" for name, label in others.items())
        return f"{number(at(sources, f'model.{path}'))} ({beside})"

    rows = {label: row(path, beaten) for path, label in TRUTHS.items() if is_number(at(sources, f"model.{path}"))}
    with_floor = beaten | {"truth": "held-out pictures"}
    rows[_distance_name(metrics["extractor"])] = row("fd", with_floor)
    rows["Kernel distance (KID)"] = row("kid", with_floor)
    rows["Edges where the input has them"] = row("edges", {"truth": "true pictures"})
    if is_number(metrics.get("cycle")):
        rows["Difference after there and back (cycle)"] = number(metrics["cycle"])
    if is_number(metrics.get("identity")):
        rows["Difference where nothing is to be done (identity)"] = number(metrics["identity"])
    rows["Measured"] = measured(
        metrics, f"on {count(metrics.get('n'))} held-out inputs of {text(metrics.get('dataset'))}"
    )
    return rows


def measured(metrics: Mapping[str, Any], on: str) -> str:
    """On what, when, by which version."""
    return f"{on}, {text(metrics.get('date'))}, gan_core {text(metrics.get('gan_core'))}"


def at(report: Any, path: str) -> Any:
    """What a report has at "fd.value", or None."""
    for key in path.split("."):
        report = report.get(key) if isinstance(report, Mapping) else None
    return report


def _distance_name(extractor: Mapping[str, Any]) -> str:
    """ "FD, digits net 3f9a1b2c"; only the standard Inception's may be called FID."""
    name, digest = text(extractor.get("name")), text(extractor.get("sha256"))[:8]
    return f"FID, {name} {digest}" if name == INCEPTION else f"FD, {name} {digest}"
