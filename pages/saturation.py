"""What a generator feels of the discriminator's verdict: losses and their gradients, computed by the recipes' code."""

from __future__ import annotations

from collections.abc import Callable

import altair as alt
import pandas as pd
import streamlit as st
import torch
from torch import Tensor

from gan_core import losses
from gan_core.catalogue import noise_recipes
from gan_core.noise import NoiseRecipe
from pages.curves import LEVEL, PALETTE

FORMS: dict[str, Callable[[Tensor], Tensor]] = {
    "minimax, log(1 − D)": losses.generator_saturating,
    "non-saturating, −log D": losses.generator_nonsaturating,
}
LEGEND = alt.Legend(orient="top", symbolStrokeWidth=3, symbolOpacity=1, labelLimit=400, columns=1)


def felt(loss: Callable[[Tensor], Tensor], scores: Tensor) -> tuple[Tensor, Tensor]:
    """A generator's loss at each score, and its derivative there.

    Args:
        loss: Of scores [N], a mean.
        scores: [N].
    """
    scores = scores.detach().requires_grad_(True)
    values = torch.stack([loss(score[None]) for score in scores])
    (slopes,) = torch.autograd.grad(values.sum(), scores)
    return values.detach(), slopes


@st.cache_data(show_spinner=False)
def by_probability() -> pd.DataFrame:
    """Columns `form`, `D`, `loss`, `pull`: both forms of the game at verdicts from 0.5 % to 99.5 %."""
    verdicts = torch.linspace(0.005, 0.995, 199, dtype=torch.float64)
    tables = []
    for form, loss in FORMS.items():
        values, slopes = felt(loss, verdicts.logit())
        tables.append(pd.DataFrame({"form": form, "D": verdicts, "loss": values, "pull": -slopes}))
    return pd.concat(tables)


@st.cache_data(show_spinner=False)
def by_recipe() -> pd.DataFrame:
    """Columns `recipes`, `score`, `pull`: what drives the generator of each recipe; equal ones share a row."""
    scores = torch.linspace(-4, 4, 81, dtype=torch.float64)
    pulls: dict[tuple[float, ...], list[str]] = {}
    for recipe in noise_recipes():
        if recipe.generator_loss is not NoiseRecipe.generator_loss:  # else it scores pairs, not single pictures
            _, slopes = felt(recipe().generator_loss, scores)
            pulls.setdefault(tuple((-slopes).tolist()), []).append(recipe.name)
    tables = [
        pd.DataFrame({"recipes": ", ".join(names), "score": scores, "pull": pull}) for pull, names in pulls.items()
    ]
    return pd.concat(tables)


def lines(table: pd.DataFrame, x: str, y: str, by: str, x_title: str, y_title: str) -> alt.Chart:
    """One line for each value of the column `by`."""
    names = list(dict.fromkeys(table[by]))
    colour = alt.Color(
        f"{by}:N", title=None, sort=names, scale=alt.Scale(range=[PALETTE[1], PALETTE[0], *PALETTE[2:]]), legend=LEGEND
    )
    return (
        alt.Chart(table, height=340)
        .mark_line(strokeWidth=2.5)
        .encode(
            x=alt.X(f"{x}:Q", title=x_title, axis=alt.Axis(tickCount=5)),
            y=alt.Y(f"{y}:Q", title=y_title, axis=alt.Axis(tickCount=5)),
            color=colour,
            tooltip=[f"{by}:N", alt.Tooltip(f"{x}:Q", format=".3g"), alt.Tooltip(f"{y}:Q", format=".3g")],
        )
    )


def at(verdict: float) -> alt.Chart:
    """A line across at a verdict."""
    return (
        alt.Chart(pd.DataFrame({"D": [verdict]}))
        .mark_rule(strokeDash=[5, 4], color=LEVEL, strokeWidth=2)
        .encode(x="D:Q")
    )


@st.fragment
def show_saturation() -> None:
    """Both forms of the game against D(G(z)), with a verdict to choose."""
    table = by_probability()
    verdict = st.slider("D(G(z)), the verdict on a fake", 0.005, 0.995, 0.02, 0.005, key="verdict", format="%.3f")
    left, right = st.columns(2, gap="medium")
    charts = (left, "loss", "loss of G"), (right, "pull", "gradient that G gets, −∂L/∂ℓ")
    for place, column, title in charts:
        chart = lines(table, "D", column, "form", "D(G(z))", title)
        place.altair_chart(alt.layer(chart, at(verdict)), width="stretch", alt=f"{title} against D(G(z))")
    logit = torch.tensor([verdict], dtype=torch.float64).logit()
    minimax, other = (-felt(loss, logit)[1].item() for loss in FORMS.values())
    st.caption(
        f"Where D gives a fake {verdict:.1%}, the minimax form pulls with {minimax:.3g}, the non-saturating one with "
        f"{other:.3g}: {other / minimax:.3g} times as hard."
    )


def show_pulls() -> None:
    """What drives the generators of all recipes."""
    chart = lines(by_recipe(), "score", "pull", "recipes", "score of a fake", "gradient that G gets")
    st.altair_chart(chart, width="stretch", alt="The gradient that the generator of each recipe gets, by score")
