"""Reports as a table for people: value and noise in one cell, real images in the first row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from gan_core.figures import number, spread
from gan_core.readable import at, copied
from pages.reports import OF_SOURCES, WAYS, columns

HELD_OUT = "held-out images"
SCORES = ("precision", "recall", "density", "coverage")


def table(reports: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """The reports of one group, the lowest Fréchet distance first; above them what real images score, the floor."""
    ranked = sorted(reports.items(), key=lambda item: item[1]["fd"]["value"])
    rows = [_floor([report for _, report in ranked]), *(_row(name, report) for name, report in ranked)]
    return pd.DataFrame(rows).dropna(axis=1, how="all").fillna("")


HEADS = {
    "l1": "L1", "psnr": "PSNR", "ssim": "SSIM", "l1_changed": "L1 changed", "ssim_changed": "SSIM changed",
    "l1_kept": "L1 kept", "ssim_kept": "SSIM kept", "features": "features", "fd": "FD", "kid": "KID", "edges": "edges",
}  # fmt: skip


def table_of_translations(reports: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """The reports of one group, the nearest to the truth first; above them what could be had without a model."""

    def nearness(item: tuple[str, Mapping[str, Any]]) -> float:
        l1 = at(item[1], "sources.model.truth.l1")
        return float(at(item[1], "sources.model.fd") if l1 is None else l1)

    def row(name: str, report: Mapping[str, Any], source: str) -> dict[str, str | None]:
        paths = {head: f"sources.{source}.{OF_SOURCES[column]}" for column, head in HEADS.items()}
        found = columns(report, paths | ({way: way for way in WAYS} if source == "model" else {}))
        return {"model": name} | {head: None if value is None else number(value) for head, value in found.items()}

    ranked = sorted(reports.items(), key=nearness)
    first = ranked[0][1]
    beside = {"truth": HELD_OUT, "nearest": "nearest training picture", "input": copied(first)}
    rows = [row(label, first, source) for source, label in beside.items()]
    rows += [row(name, report, "model") for name, report in ranked]
    return pd.DataFrame(rows).dropna(axis=1, how="all").fillna("")


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
