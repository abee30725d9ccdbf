"""The smallest GAN there is, played step by step: two numbers, and whether they find their equilibrium.

The Dirac-GAN of Mescheder, Geiger, Nowozin, "Which Training Methods for GANs do actually Converge?", 2018,
arXiv:1801.04406: all data is the number 0, the generator always draws theta, and the discriminator's logit of x is
psi * x. Both numbers should become 0.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, get_args

import altair as alt
import pandas as pd
import streamlit as st

from pages.curves import LEVEL, PALETTE

Game = Literal["minimax", "non-saturating", "Wasserstein"]
Order = Literal["simultaneous", "alternating"]
START, STEPS = (1.0, 0.0), 600
FAR = 4.0  # where a game that runs away is no longer drawn
PLAIN, PENALISED = "plain", "with R1"


class Point(NamedTuple):
    """Where the game is: what the generator draws, and the discriminator's slope."""

    theta: float
    psi: float


def sigmoid(x: float) -> float:
    """1 / (1 + e^-x), which does not overflow."""
    return 0.5 * (1 + math.tanh(x / 2))


def slope_of_generator(game: Game, at: Point) -> float:
    """The derivative of the generator's loss in theta; its logit is psi * theta."""
    logit = at.theta * at.psi
    shares = {"minimax": sigmoid(logit), "non-saturating": sigmoid(-logit), "Wasserstein": 1.0}
    return -at.psi * shares[game]


def slope_of_discriminator(game: Game, at: Point, gamma: float) -> float:
    """The derivative of the discriminator's loss in psi; R1 is gamma / 2 * psi^2, for psi is its slope everywhere."""
    share = 1.0 if game == "Wasserstein" else sigmoid(at.theta * at.psi)
    return at.theta * share + gamma * at.psi


def play(game: Game, order: Order, lr: float, gamma: float, steps: int = STEPS) -> list[Point]:
    """The way of gradient descent from `START`; it ends early where it runs away."""
    way = [Point(*START)]
    for _ in range(steps):
        theta, psi = way[-1]
        psi_next = psi - lr * slope_of_discriminator(game, way[-1], gamma)
        seen = Point(theta, psi_next if order == "alternating" else psi)
        way.append(Point(theta - lr * slope_of_generator(game, seen), psi_next))
        if max(map(abs, way[-1])) > FAR:
            break
    return way


def frame(ways: dict[str, list[Point]]) -> pd.DataFrame:
    """Columns `game`, `step`, `theta`, `psi`, `distance`: a row for every step of every way."""
    rows = [
        {"game": name, "step": step, "theta": at.theta, "psi": at.psi, "distance": math.hypot(*at)}
        for name, way in ways.items()
        for step, at in enumerate(way)
    ]
    return pd.DataFrame(rows)


def plane(points: pd.DataFrame) -> alt.LayerChart:
    """Both ways through the plane, from the ring to the cross where they should end."""
    reach = max(1.1, 1.05 * float(points[["theta", "psi"]].abs().to_numpy().max()))
    scale = alt.Scale(domain=(-reach, reach), nice=False)
    axis = alt.Axis(tickCount=5, format="~g")
    place = {
        "x": alt.X("theta:Q", title="θ, what the generator draws", scale=scale, axis=axis),
        "y": alt.Y("psi:Q", title="ψ, the discriminator's slope", scale=scale, axis=axis),
    }
    ends = pd.DataFrame({"theta": [0.0], "psi": [0.0]})
    starts = pd.DataFrame({"theta": [START[0]], "psi": [START[1]]})
    lines = alt.Chart(points).mark_line(strokeWidth=1.5).encode(**place, color=COLOUR, order="step:Q")
    cross = alt.Chart(ends).mark_point(shape="cross", size=160, filled=True, color=LEVEL, opacity=1).encode(**place)
    ring = alt.Chart(starts).mark_point(size=120, strokeWidth=2, color=LEVEL, opacity=1).encode(**place)
    return alt.layer(lines, cross, ring).properties(height=360)


def distance(points: pd.DataFrame) -> alt.Chart:
    """How far both are from the equilibrium, by step."""
    near = points.assign(distance=points["distance"].clip(lower=1e-3))
    return (
        alt.Chart(near, height=360)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("step:Q", axis=alt.Axis(tickCount=6, grid=False)),
            y=alt.Y("distance:Q", title="distance to (0, 0)", scale=alt.Scale(type="log"), axis=DECADES),
            color=COLOUR,
            tooltip=["game:N", "step:Q", alt.Tooltip("distance:Q", format=".3g")],
        )
    )


DECADES = alt.Axis(format="~g", values=[0.001, 0.01, 0.1, 1, 10])
COLOUR = alt.Color(
    "game:N", title=None, scale=alt.Scale(domain=[PLAIN, PENALISED], range=[PALETTE[1], PALETTE[0]]),
    legend=alt.Legend(orient="top", symbolStrokeWidth=3, symbolOpacity=1),
)  # fmt: skip


@st.fragment
def show_dirac() -> None:
    """The game with its sliders, and where it leads."""
    with st.container(horizontal=True):
        game = st.segmented_control(
            "Loss", get_args(Game), default="minimax", required=True, key="dirac_game",
            help="Of the generator; the discriminator's is cross-entropy, or the difference of scores for Wasserstein.",
        )  # fmt: skip
        order = st.segmented_control("Steps", get_args(Order), default="simultaneous", required=True, key="dirac_order")
    left, right = st.columns(2, gap="medium")
    lr = left.slider("Learning rate", 0.02, 0.5, 0.1, 0.02, key="dirac_lr")
    gamma = right.slider("γ of R1", 0.0, 3.0, 0.3, 0.05, key="dirac_gamma", help="0 is the plain game.")
    left, right = st.columns(2, gap="medium")  # of their own: on a phone both sliders stand above the charts
    ways = {PLAIN: play(game, order, lr, 0.0), PENALISED: play(game, order, lr, gamma)}
    points = frame(ways)
    with left:
        st.altair_chart(plane(points), width="stretch", alt="The two numbers of the game, step by step")
    with right:
        st.altair_chart(distance(points), width="stretch", alt="Distance to the equilibrium by step")
    plain, penalised = (verdict(way) for way in ways.values())
    st.caption(f"From the ring, {STEPS} steps. Plain, the game {plain}; with γ = {gamma:g} it {penalised}.")


def verdict(way: list[Point]) -> str:
    """What became of a game, as the end of a sentence."""
    if len(way) <= STEPS:
        return f"runs away: after {len(way) - 1} steps it has left the picture"
    final, half = math.hypot(*way[-1]), max(math.hypot(*at) for at in way[STEPS // 2 :])
    first = max(math.hypot(*at) for at in way[: STEPS // 2])
    if final < 0.01:
        return f"finds the equilibrium: it ends {final:.1g} away"
    if half > 1.02 * first:
        return f"spirals outwards: it ends {final:.2f} away"
    if half < 0.98 * first:
        return f"spirals inwards: it ends {final:.2f} away"
    return f"goes round for ever: it ends {final:.2f} away"
