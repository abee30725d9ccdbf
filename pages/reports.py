"""Reports on models: those that models carry, those that were computed here, and which may stand in one table."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from gan_core import UsageError
from gan_core.atomic import replacing
from gan_core.data.cache import cache_folder
from gan_core.evaluate import evaluate
from gan_core.extractors import digests
from gan_core.figures import is_number
from gan_core.library import load
from gan_core.metrics.reference import VERSION
from gan_core.model_folder import read_config
from gan_core.readable import at
from gan_core.reals import refuse_makers_folder
from gan_core.report import is_of_translations, refuse_incomparable

Report = dict[str, Any]  # see `gan_core.report.Report.as_dict`

# Columns of a table, and where in a report they are
TEXTS = {
    "dataset": "dataset", "split": "split",
    "extractor": "extractor.name", "sha256": "extractor.sha256", "trained_on": "extractor.trained_on",
}  # fmt: skip
NUMBERS = {
    "n": "n", "m": "m",
    "fd": "fd.value", "fd_spread": "fd.spread", "fd_floor": "fd.floor", "fd_all": "fd.all",
    "kid": "kid.value", "kid_low": "kid.low", "kid_high": "kid.high", "kid_floor": "kid.floor",
    "precision": "precision", "recall": "recall", "density": "density", "coverage": "coverage",
    "precision_floor": "floors.precision", "recall_floor": "floors.recall",
    "density_floor": "floors.density", "coverage_floor": "floors.coverage",
    "diversity": "diversity.value", "diversity_real": "diversity.real",
    "copies": "memorisation.copies", "copies_held_out": "memorisation.held_out_copies",
}  # fmt: skip
OF_CLASSES = {"class_entropy": "classes.entropy", "class_entropy_real": "classes.real_entropy"}
OF_CONDITIONAL = {
    "right_class": "conditional.accuracy",
    "right_class_held_out": "conditional.held_out",
}  # of conditional models
LISTS = ("names", "shares", "real")
SOURCES = ("model", "input", "nearest", "truth")  # of pictures that a translation is compared with
OF_SOURCES = {
    "fd": "fd", "kid": "kid", "edges": "edges", "features": "features",
    "l1": "truth.l1", "psnr": "truth.psnr", "ssim": "truth.ssim",
    "l1_changed": "truth.changed.l1", "ssim_changed": "truth.changed.ssim",
    "l1_kept": "truth.kept.l1", "ssim_kept": "truth.kept.ssim",
}  # fmt: skip
ALWAYS = ("fd", "kid", "edges")  # the others need true pictures
WAYS = ("cycle", "identity")  # of a model that learns both ways
_ONE_AT_A_TIME = threading.Lock()  # two sessions that ask for the same: the second finds it done


def carried(folder: Path) -> Report | None:
    """The report that a model brings in its config.json; the model may be a stranger's.

    Raises:
        UsageError: config.json cannot be read, or what it brings is no such report.
    """
    metrics = read_config(folder)["metrics"]
    if "fd" not in metrics and not is_of_translations(metrics):
        return None
    refuse_odd(metrics)
    return metrics


def refuse_odd(report: Report) -> None:
    """Raises `UsageError` for a report that lacks something, or has something else in its place."""
    texts = set(TEXTS.values())
    numbers = numbers_of_translations(report) if is_of_translations(report) else numbers_of_samples(report)
    for path in sorted(texts | numbers):
        if not (is_text if path in texts else is_number)(value := at(report, path)):
            raise UsageError(f"The report that it carries cannot be read: {path} is {value!r:.40}.")
    if report.get("classes"):
        names, *shares = lists = [at(report, f"classes.{key}") for key in LISTS]
        fits = all(isinstance(row, list) and len(row) == len(names) for row in lists) and all(map(is_text, names))
        if not fits or not all(is_number(share) for row in shares for share in row):
            raise UsageError("The report that it carries cannot be read: its class shares are odd.")


def numbers_of_samples(report: Report) -> set[str]:
    """Where a report on samples must have numbers."""
    numbers = set(NUMBERS.values())
    if at(report, "fd.spread") is None:  # of a single block
        numbers.remove("fd.spread")
    if report.get("classes"):
        numbers |= set(OF_CLASSES.values())
    return numbers | {path for path in OF_CONDITIONAL.values() if at(report, path) is not None}


def numbers_of_translations(report: Report) -> set[str]:
    """Where a report on translations must have numbers."""
    numbers = {"n", "available", "factor"} | {path for path in WAYS if at(report, path) is not None}
    for source in SOURCES:
        paths = {f"sources.{source}.{path}": name in ALWAYS for name, path in OF_SOURCES.items()}
        numbers |= {path for path, always in paths.items() if always or at(report, path) is not None}
    return numbers


def is_text(value: Any) -> bool:
    """Whether it is a text."""
    return isinstance(value, str)


def kept_in(folder: Path, n: int) -> Path:
    """Where the report on these weights from n samples is kept."""
    return cache_folder() / "reports" / f"{read_config(folder)['sha256'][:32]}-{n}-{VERSION}.json"


def kept(folder: Path, n: int) -> Report | None:
    """What `computed` has kept for these weights, unless extractors have changed since."""
    try:
        report: Report = json.loads(kept_in(folder, n).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return report if report["extractor"]["sha256"] in digests() else None


def computed(folder: Path, n: int, progress: Callable[[float, str], None]) -> Report:
    """Evaluates a model once: while its weights stay, the next call reads what this one has kept.

    Raises:
        UsageError: See `gan_core.evaluate.evaluate`.
    """
    with _ONE_AT_A_TIME:
        if (report := kept(folder, n)) is None:
            model = load(folder)
            refuse_makers_folder(model, folder)
            report = evaluate(model, n=n, progress=progress).as_dict()
            target = kept_in(folder, n)
            target.parent.mkdir(exist_ok=True)
            with replacing(target) as file:
                file.write(json.dumps(report).encode())
    return report


def groups(reports: Mapping[str, Report]) -> list[dict[str, Report]]:
    """The reports, by model, sorted into those that may be compared with each other."""
    found: list[dict[str, Report]] = []
    for name, report in reports.items():
        report = report | {"model": name}  # it knows only the recipe
        for group in found:
            try:
                refuse_incomparable([*group.values(), report])
            except UsageError:
                continue
            group[name] = report
            break
        else:
            found.append({name: report})
    return found


def frame(reports: Mapping[str, Report]) -> pd.DataFrame:
    """One row a model, one column a number: what charts are drawn from, and what is downloaded.

    A translation has a row for each source of pictures.
    """
    rows = []
    for name, report in reports.items():
        if not is_of_translations(report):
            rows.append({"model": name} | columns(report, TEXTS | NUMBERS | OF_CLASSES | OF_CONDITIONAL))
            continue
        for source in SOURCES:
            paths = {column: f"sources.{source}.{path}" for column, path in OF_SOURCES.items()}
            rows.append({"model": name, "source": source} | columns(report, TEXTS | {"n": "n"} | paths))
            if source == "model":
                rows[-1] |= columns(report, {way: way for way in WAYS})
    return pd.DataFrame(rows)


def columns(report: Report, paths: Mapping[str, str]) -> Report:
    """What a report has at these places, by the columns' names."""
    return {column: at(report, path) for column, path in paths.items()}
