"""Reports as a table for people: value and noise in one cell, real images in the first row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from gan_core.report import number, spread
from pages.reports import at

HELD_OUT = "held-out images"
SCORES = ("precision", "recall", "density", "coverage")


def table(reports: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """The reports of one group, the lowest Fréchet distance first; above them what real images score, the floor."""
    ranked = sorted(reports.items(), key=lambda item: item[1]["fd"]["value"])
    rows = [_floor([report for _, report in ranked]), *(_row(name, report) for name, report in ranked)]
    return pd.DataFrame(rows).dropna(axis=1, how="all")


def _row(name: str, report: Mapping[str, Any]) -> dict[str, str | None]:
    fd, kid = report["fd"], report["kid"]
    return {
        "model": name,
        "FD": spread(fd["value"], fd["spread"]),
        "KID": f"{number(kid['value'])} ({number(kid['low'])} to {number(kid['high'])})",
        **{score: number(report[score]) for score in SCORES},
        "diversity": number(report["diversity"]["value"]),
        "class entropy": number(report["classes"]["entropy"]) if report.get("classes") else None,
        "right class": _share(at(report, "conditional.accuracy")),
        "copies": f"{report['memorisation']['copies']:.1%}",
        "images": f"{report['n']:,}",
    }


def _floor(reports: Sequence[Mapping[str, Any]]) -> dict[str, str | None]:
    report = reports[0]  # they are of the same images: only a conditional model's says how clear their classes are
    labelled = [share for other in reports if (share := at(other, "conditional.held_out")) is not None]
    return {
        "model": HELD_OUT,
        "FD": number(report["fd"]["floor"]),
        "KID": number(report["kid"]["floor"]),
        **{score: number(report["floors"][score]) for score in SCORES},
        "diversity": number(report["diversity"]["real"]),
        "class entropy": number(report["classes"]["real_entropy"]) if report.get("classes") else None,
        "right class": _share(labelled[0] if labelled else None),
        "copies": f"{report['memorisation']['held_out_copies']:.1%}",
        "images": f"{report['m']:,}",
    }


def _share(value: float | None) -> str | None:
    return None if value is None else f"{value:.1%}"
