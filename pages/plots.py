"""Reports and points as charts."""

from __future__ import annotations

import altair as alt
import pandas as pd

from pages.curves import LEGEND, PALETTE

MANY = [*PALETTE[:5], "#1fa5b5", "#c9a227", "#e377c2", "#7c9a3a", "#9a6b4f", "#5f6bd6", "#f2a6a0"]
REAL_COLOUR = "#8a8f98"  # what is not generated is grey, in every chart
ROW, LEGEND_ROW = 34, 18  # pixels
SHORT = "replace(datum.label, 'weights/', '')"  # what is left of a bundled model's name
NAMES = alt.Axis(labelLimit=140, labelExpr=SHORT)
LEGEND_OF_POINTS = alt.Legend(orient="top", symbolOpacity=1, labelLimit=160, columns=2, labelExpr=SHORT)


def colours(models: list[str]) -> alt.Scale:
    """The same colour for a model in every chart."""
    return alt.Scale(domain=models, range=[MANY[k % len(MANY)] for k in range(len(models))])


def distances(frame: pd.DataFrame) -> alt.LayerChart:
    """The Frechet distance of each model with its spread over blocks, the lowest first; the floor is a dashed line.

    Args:
        frame: Columns `model`, `fd`, `fd_spread`, `fd_floor`; one floor for all.
    """
    half = frame["fd_spread"].astype(float).fillna(0)  # a single block has none
    ends = frame.assign(low=(frame["fd"] - half).clip(lower=frame["fd"] / 10), high=frame["fd"] + half)
    models = list(frame["model"])
    # a collapsed model is a hundred times as far away as a good one
    scale, axis = alt.Scale(type="log"), alt.Axis(tickCount=4, format="~g")
    base = alt.Chart(ends).encode(
        y=alt.Y(
            "model:N",
            title=None,
            sort=list(frame.sort_values("fd")["model"]),
            axis=alt.Axis(labelLimit=140, labelExpr=SHORT),
        ),
        color=alt.Color("model:N", scale=colours(models), legend=None),
        tooltip=["model:N", *(alt.Tooltip(f"{name}:Q", format=".3g") for name in ("fd", "fd_spread", "fd_floor"))],
    )
    spread = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title="FD", scale=scale, axis=axis), x2="high:Q")
    value = base.mark_point(size=90, filled=True, opacity=1).encode(x="fd:Q")
    floor = alt.Chart(frame.head(1)).mark_rule(strokeDash=[5, 4], color=REAL_COLOUR, strokeWidth=2)
    return alt.layer(floor.encode(x="fd_floor:Q"), spread, value).properties(height=ROW * len(frame) + 70)


def precision_recall(frame: pd.DataFrame, real: dict[str, float]) -> alt.LayerChart:
    """Every model as a point, and the held-out images as a diamond.

    Args:
        frame: Columns `model`, `precision`, `recall`.
        real: The same two of held-out images; may be empty.
    """
    models = list(frame["model"])
    unit = alt.Scale(domain=(0, 1))
    axis = alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2f")
    place = {"x": alt.X("recall:Q", scale=unit, axis=axis), "y": alt.Y("precision:Q", scale=unit, axis=axis)}
    tooltip = ["model:N", alt.Tooltip("precision:Q", format=".3f"), alt.Tooltip("recall:Q", format=".3f")]
    colour = alt.Color("model:N", title=None, scale=colours(models), legend=LEGEND_OF_POINTS)
    points = alt.Chart(frame).mark_point(size=120, filled=True, opacity=1)
    layers = [points.encode(**place, color=colour, tooltip=tooltip)]
    if {"precision", "recall"} <= real.keys():
        held_out = pd.DataFrame([{"model": "held-out images", **real}])
        diamond = alt.Chart(held_out).mark_point(shape="diamond", size=160, filled=True, color=REAL_COLOUR, opacity=1)
        label = alt.Chart(held_out).mark_text(color=REAL_COLOUR, align="right", dx=-10, text="held-out images")
        layers += [diamond.encode(**place, tooltip=tooltip), label.encode(**place)]
    return alt.layer(*layers).properties(height=320 + LEGEND_ROW * len(models) // LEGEND_OF_POINTS.columns)


def histogram(shares: pd.DataFrame, models: list[str]) -> alt.LayerChart:
    """Shares of the classes among each model's pictures, and a tick where the training images have theirs.

    Args:
        shares: Columns `class`, `model`, `share`, `real`.
        models: In the order of their colours.
    """
    order = list(dict.fromkeys(shares["class"]))
    x = alt.X("class:N", title=None, sort=order, axis=alt.Axis(labelAngle=-40 if len(order) > 10 else 0))
    percent = alt.Axis(format="%")
    bars = (
        alt.Chart(shares)
        .mark_bar()
        .encode(
            x=x,
            xOffset=alt.XOffset("model:N", sort=models),
            y=alt.Y("share:Q", title=None, axis=percent),
            color=alt.Color("model:N", title=None, scale=colours(models), legend=LEGEND_OF_POINTS),
            tooltip=["class:N", "model:N", alt.Tooltip("share:Q", format=".1%"), alt.Tooltip("real:Q", format=".1%")],
        )
    )
    real = alt.Chart(shares.drop_duplicates("class")).mark_tick(color=REAL_COLOUR, thickness=3, bandSize=26)
    return alt.layer(bars, real.encode(x=x, y="real:Q")).properties(height=300)


def class_map(shares: pd.DataFrame, models: list[str]) -> alt.LayerChart:
    """The same for many models: a row a model, a column a class, coloured by how much more often it is drawn than real.

    Args:
        shares: As in `histogram`.
        models: From the top.
    """
    ratios = shares.assign(ratio=shares["share"] / shares["real"])
    place = {
        "x": alt.X("class:N", title=None, sort=list(dict.fromkeys(shares["class"])), axis=alt.Axis(labelAngle=0)),
        "y": alt.Y("model:N", title=None, sort=models, axis=NAMES),
    }
    # twice as often and half as often are equally far from right
    scale = alt.Scale(
        type="log", domain=(1 / 3, 1, 3), range=[PALETTE[0], "#e8e8ea", PALETTE[1]], clamp=True, interpolate="rgb"
    )
    cells = alt.Chart(ratios).mark_rect(cornerRadius=3).encode(
        **place,
        color=alt.Color("ratio:Q", scale=scale, legend=None),
        tooltip=["model:N", "class:N", alt.Tooltip("share:Q", format=".1%"), alt.Tooltip("real:Q", format=".1%")],
    )  # fmt: skip
    numbers = alt.Chart(ratios).transform_calculate(percent="round(100 * datum.share)")
    numbers = numbers.mark_text(color="#26262b", fontSize=11).encode(**place, text="percent:Q")
    return alt.layer(cells, numbers).properties(height=ROW * len(models) + 40)


def over_training(rows: pd.DataFrame) -> alt.LayerChart:
    """FD of runs by step, each with its floor as a dashed line.

    Args:
        rows: Columns `run`, `step`, `fd`, `floor`.
    """
    runs = list(dict.fromkeys(rows["run"]))
    base = alt.Chart(rows).encode(
        x=alt.X("step:Q", axis=alt.Axis(tickCount=6, format=",d", grid=False)),
        color=alt.Color("run:N", title=None, scale=colours(runs), legend=LEGEND),
    )
    line = base.mark_line(strokeWidth=2.5, point=True).encode(
        y=alt.Y("fd:Q", title="FD", scale=alt.Scale(zero=True)),
        tooltip=["run:N", alt.Tooltip("step:Q", format=","), alt.Tooltip("fd:Q", format=".3g")],
    )
    floor = base.mark_line(strokeDash=[5, 4], strokeWidth=1.5, opacity=0.7).encode(y="floor:Q")
    return alt.layer(floor, line).properties(height=320)


def scatter(points: pd.DataFrame) -> alt.Chart:
    """Points of the plane in a square.

    Args:
        points: Columns `x`, `y`, in [-1, 1].
    """
    unit = alt.Scale(domain=(-1.1, 1.1))
    axis = alt.Axis(values=[-1, 0, 1])
    place = {name: kind(f"{name}:Q", title=None, scale=unit, axis=axis) for name, kind in (("x", alt.X), ("y", alt.Y))}
    return alt.Chart(points, height=240).mark_circle(size=14, opacity=0.6, color=PALETTE[0]).encode(**place)
