"""A run's metrics as a table that grows, and as charts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from gan_core.runs import Run

MAX_POINTS = 400  # per curve: more than a chart is wide would only cost time
RECENT = 10  # rows whose rate tells the time left
PALETTE = ["#4c8df6", "#f0883e", "#2fa36b", "#b07be0", "#d9556b", "#8a8f98"]  # legible on light and dark
LEGEND = alt.Legend(orient="top", symbolOpacity=1, symbolStrokeWidth=3)
LEVEL = "#8a8f98"  # what is not generated is grey
VERDICTS = {"d/p_real": "D(real)", "d/p_fake": "D(fake)"}


@dataclass(frozen=True)
class Panel:
    """A chart of what was measured on generated pictures.

    Attributes:
        title: Above it.
        help: What one sees.
        terms: Columns, with what the legend calls them.
        level: The column, or the number, that real pictures reach, drawn as a line; None for none.
        level_name: What the line is called.
        distance: Whether it is a distance: on a logarithmic scale, its lowest point marked.
    """

    title: str
    help: str
    terms: Mapping[str, str]
    level: str | float | None = None
    level_name: str = ""
    distance: bool = False


PANELS = (
    Panel(
        "Distance to real pictures (FD)",
        "Lower is better. Held-out real pictures reach the floor; the lowest point is kept in best/.",
        {"metric/fd": "FD"},
        level="metric/fd_floor", level_name="floor", distance=True,
    ),
    Panel(
        "Precision, recall, coverage",
        "Precision: generated pictures that look real. Recall and coverage: real pictures that are reached.",
        {"metric/precision": "precision", "metric/recall": "recall", "metric/coverage": "coverage"},
    ),
    Panel(
        "Variety",
        "Of a fixed batch. Diversity: how different its pictures are, against real ones. Recall: the share of real "
        "pictures that it reaches. Both fall when the generator collapses.",
        {"metric/diversity": "diversity", "metric/monitor_recall": "recall"},
        level=1.0, level_name="real",
    ),
    Panel(
        "Classes",
        "How evenly a fixed batch falls into the classes: the entropy, in nats.",
        {"metric/class_entropy": "entropy"},
        level="metric/class_entropy_real", level_name="real",
    ),
)  # fmt: skip


class History:
    """The rows of a run's metrics.jsonl; each look reads only what came since the last."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._forget(None)

    def _forget(self, file_id: int | None) -> None:
        self.frame, self.offset, self.file_id = pd.DataFrame(), 0, file_id

    def update(self) -> pd.DataFrame:
        """All rows so far, one column per name."""
        file = self.run.metrics_file
        file_id = file.stat().st_ino if file.exists() else None
        if file_id != self.file_id:  # a resumed run has cut its rows back, into a new file
            self._forget(file_id)
        rows, self.offset = self.run.metrics(self.offset)
        if rows:
            self.frame = pd.concat([self.frame, pd.DataFrame(rows)], ignore_index=True)
        return self.frame


def loss_terms(frame: pd.DataFrame) -> list[str]:
    """Columns that are loss terms or other watched values: `<phase>/<term>`, but neither measured nor verdicts."""
    measured = ("metric/", "monitor/")
    return [name for name in frame if "/" in name and not name.startswith(measured) and name not in VERDICTS]


def panels(frame: pd.DataFrame) -> list[Panel]:
    """The charts of what a run has measured: the known ones, then one for every other `metric/<name>`."""
    known = [panel for panel in PANELS if set(panel.terms) & set(frame)]
    drawn = {name for panel in PANELS for name in (*panel.terms, panel.level)}
    others = [name for name in frame if name.startswith("metric/") and name not in drawn]
    return known + [Panel(name.removeprefix("metric/"), "", {name: name.removeprefix("metric/")}) for name in others]


def curves(frame: pd.DataFrame, terms: list[str], smoothing: float) -> pd.DataFrame:
    """Points to draw, at most `MAX_POINTS` a term, the newest always among them.

    Args:
        frame: With a column `step` and one per term.
        terms: Columns to draw.
        smoothing: Weight of the past in the running average, from 0 (none) to below 1.

    Returns:
        Columns `step`, `term`, `raw`, `smooth`.
    """
    smooth = frame[terms].ewm(alpha=1 - smoothing).mean()  # over all rows: thinning comes after
    kept = frame.index[::-1][:: math.ceil(len(frame) / MAX_POINTS)][::-1]
    points = frame.loc[kept, ["step", *terms]].melt("step", var_name="term", value_name="raw")
    return points.assign(smooth=smooth.loc[kept].melt()["value"].to_numpy())


def chart(points: pd.DataFrame, domain: tuple[float, float] | None = None, height: int = 230) -> alt.LayerChart:
    """Smoothed curves over the faint raw ones."""
    scale = alt.Scale(domain=domain) if domain else alt.Scale(zero=False)
    base = alt.Chart(points, height=height).encode(
        x=alt.X("step:Q", title="step", axis=alt.Axis(tickCount=6, format=",d", grid=False)),
        color=alt.Color("term:N", title=None, sort=None, scale=alt.Scale(range=PALETTE), legend=LEGEND),
    )
    raw = base.mark_line(strokeWidth=1, opacity=0.3, clip=True).encode(y=alt.Y("raw:Q", title=None, scale=scale))
    smooth = base.mark_line(strokeWidth=2.5, clip=True).encode(
        y="smooth:Q",
        tooltip=["term:N", alt.Tooltip("step:Q", format=","), alt.Tooltip("smooth:Q", format=".3f")],
    )
    return alt.layer(raw, smooth)


def panel_chart(frame: pd.DataFrame, panel: Panel, height: int = 230) -> alt.LayerChart:
    """The points of a panel, joined, with the level of real pictures dashed and the best point ringed."""
    terms = [term for term in panel.terms if term in frame]
    points = frame[["step", *terms]].rename(columns=dict(panel.terms)).melt("step", var_name="term").dropna()
    points["value"] = points["value"].astype(float)
    x = alt.X("step:Q", title="step", axis=alt.Axis(tickCount=6, format=",d", grid=False))
    scale = alt.Scale(type="log") if panel.distance else alt.Scale(zero=True)
    y = alt.Y("value:Q", title=None, scale=scale, axis=alt.Axis(tickCount=4, grid=not panel.distance))
    color = alt.Color("term:N", title=None, sort=None, scale=alt.Scale(range=PALETTE), legend=LEGEND)
    tooltip = ["term:N", alt.Tooltip("step:Q", format=","), alt.Tooltip("value:Q", format=".3f")]
    line = alt.Chart(points, height=height).mark_line(strokeWidth=2.5, point=alt.OverlayMarkDef(size=28))
    layers = [line.encode(x=x, y=y, color=color, tooltip=tooltip)]
    level = frame[panel.level].dropna().iloc[-1] if isinstance(panel.level, str) else panel.level
    if level is not None:
        layers += marked_level(float(level), f"{panel.level_name} {level:.3g}")
    if panel.distance:
        best = points.nsmallest(1, "value")
        ring = alt.Chart(best).mark_point(size=160, strokeWidth=2, color=PALETTE[2], filled=False)
        text = f"best {best['value'].iloc[0]:.3g} at step {best['step'].iloc[0]:,}"
        late = best["step"].iloc[0] > points["step"].mean()
        label = alt.Chart(best).mark_text(dy=-16, color=PALETTE[2], text=text, align="right" if late else "left")
        layers += [ring.encode(x="step:Q", y="value:Q"), label.encode(x="step:Q", y="value:Q")]
    return alt.layer(*layers)


def marked_level(level: float, text: str) -> list[alt.Chart]:
    """A dashed line across, with its name at the left end."""
    at = alt.Chart(pd.DataFrame({"value": [level]})).encode(y="value:Q")
    return [
        at.mark_rule(strokeDash=[5, 4], strokeWidth=1.5, color=LEVEL),
        at.mark_text(text=text, x=4, dy=-7, align="left", color=LEVEL),
    ]


def time_left(state: dict[str, Any], frame: pd.DataFrame) -> float | None:
    """Seconds until the last step at the recent rate, or None before there is one."""
    if not state["step"] or frame.empty:
        return None
    rate = frame["images_per_second"].tail(RECENT).median()
    images_per_step = state["images_seen"] / state["step"]
    return (state["steps"] - state["step"]) * images_per_step / rate if rate > 0 else None
