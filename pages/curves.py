"""A run's metrics as a table that grows, and as charts."""

from __future__ import annotations

import math
from typing import Any

import altair as alt
import pandas as pd

from gan_core.runs import Run

MAX_POINTS = 400  # per curve: more than a chart is wide would only cost time
RECENT = 10  # rows whose rate tells the time left
PALETTE = ["#4c8df6", "#f0883e", "#2fa36b", "#b07be0", "#d9556b", "#8a8f98"]  # legible on light and dark
LEGEND = alt.Legend(orient="top", symbolOpacity=1, symbolStrokeWidth=3)
VERDICTS = {"d/p_real": "D(real)", "d/p_fake": "D(fake)"}


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
    """Columns that are loss terms or other watched values: `<phase>/<term>`, but neither metrics nor verdicts."""
    return [name for name in frame if "/" in name and not name.startswith("metric/") and name not in VERDICTS]


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


def time_left(state: dict[str, Any], frame: pd.DataFrame) -> float | None:
    """Seconds until the last step at the recent rate, or None before there is one."""
    if not state["step"] or frame.empty:
        return None
    rate = frame["images_per_second"].tail(RECENT).median()
    images_per_step = state["images_seen"] / state["step"]
    return (state["steps"] - state["step"]) * images_per_step / rate if rate > 0 else None
