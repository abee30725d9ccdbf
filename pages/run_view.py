"""One run as it goes: progress, curves, samples, and what can be done with it. All of it is read from disk."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from gan_core import UsageError, runs
from gan_core.card import duration
from gan_core.runs import LIVE, Run
from pages.curves import VERDICTS, History, chart, curves, loss_terms, panel_chart, panels, time_left
from pages.pointers import in_playground

NEWEST = "newest"
BADGES = {
    "starting": ("gray", ":material/hourglass_top:"),
    "running": ("blue", ":material/play_circle:"),
    "stopped": ("orange", ":material/pause_circle:"),
    "done": ("green", ":material/check_circle:"),
    "crashed": ("red", ":material/error:"),
}  # fmt: skip


def badge(status: str) -> None:
    """A run's status in its colour."""
    color, icon = BADGES[status]
    st.badge(status, color=color, icon=icon)


def subject(run: Run) -> str:
    """What the run trains, on what; empty until it has begun."""
    config = run.config()
    return f"`{config['recipe']}` on {config['run']['dataset']}" if config else ""


def watch(run: Run) -> None:
    """The live view of a run; it polls only while the run is going."""
    live = run.state()["status"] in LIVE
    st.fragment(_view, run_every="1s" if live else None)(run, live)


def _view(run: Run, was_live: bool) -> None:
    if not run.state_file.exists():  # deleted meanwhile, perhaps in another tab
        st.rerun()
    state = run.state()
    if was_live and state["status"] not in LIVE:
        st.rerun()  # the whole page once: the new fragment does not poll
    history: History | None = st.session_state.get("history")
    if history is None or history.run != run:
        history = st.session_state["history"] = History(run)
    frame = history.update()

    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(run.name, width="content", anchor=False)
        badge(state["status"])
        st.markdown(subject(run), width="content")
    _progress(run, state, frame)
    for warning in state["warnings"]:
        st.warning(warning, icon=":material/warning:")
    try:
        with st.container(horizontal=True, vertical_alignment="center"):
            (_stop if state["status"] in LIVE else _open_resume_delete)(run, state)
    except UsageError as error:
        st.error(str(error))

    left, right = st.columns([2, 3], gap="medium")
    with left:
        _samples(run)
    with right:
        _charts(frame)
    _panels(frame)
    log = run.log_tail()
    with st.expander("Log", icon=":material/article:", expanded=state["status"] == "crashed"):
        st.code(log or "Nothing is written yet.", language=None, wrap_lines=True)


def _progress(run: Run, state: dict[str, Any], frame: pd.DataFrame) -> None:
    step, steps = state["step"], state["steps"]
    if state["status"] == "starting":
        st.progress(0.0, "The trainer is starting and preparing the pictures ...")
        return
    if state["status"] == "crashed":
        st.error(f"The trainer ended at step {step:,} without finishing. Its last words are in the log below.")
    if steps:
        st.progress(min(1.0, step / steps), f"Step {step:,} of {steps:,}")
    left = time_left(state, frame) if state["status"] == "running" else None
    rate = None if frame.empty else f"{frame['images_per_second'].iloc[-1]:,.0f}"
    facts = {
        "Images per second": rate,
        "Real images seen": f"{state['images_seen']:,}",
        "Time spent": None if frame.empty else duration(frame["seconds"].iloc[-1]),
        "Time left": None if left is None else duration(left),
    }
    with st.container(horizontal=True):
        for label, value in facts.items():
            if value is not None:
                st.metric(label, value, width=200)


def _stop(run: Run, state: dict[str, Any]) -> None:
    asked = run.stop_file.exists()
    # a trainer that is still starting clears old stop requests, and would clear this one
    off = runs.is_public() is not None or asked or state["status"] == "starting"
    if st.button("Stopping ..." if asked else "Stop", key="stop", icon=":material/stop:", disabled=off):
        run.stop()
        st.rerun(scope="fragment")


def _open_resume_delete(run: Run, state: dict[str, Any]) -> None:
    off = runs.is_public() is not None
    if run.model_folder.is_dir():
        st.page_link(
            "playground.py",
            label="Open in the playground",
            icon=":material/palette:",
            query_params=in_playground(f"runs/{run.name}"),
        )
    if (
        state["status"] in ("stopped", "crashed")
        and run.checkpoint_file.exists()
        and st.button("Resume", key="resume", icon=":material/play_arrow:", disabled=off)
    ):
        runs.resume(run.name)
        st.rerun()
    if (best := run.best_step()) is not None and best < state["step"]:
        st.page_link(
            "playground.py",
            label=f"Open the best, step {best:,}",
            icon=":material/star:",
            query_params=in_playground(f"runs/{run.name}/best"),
            help=f"The lowest FD of this run. A new run goes on from it with init `runs/{run.name}/best`.",
        )
    with st.popover("Delete", icon=":material/delete:", disabled=off):
        st.markdown(f"Everything in `{run.folder}` goes: checkpoints, samples and the model.")
        if st.button("Delete for good", key="delete", type="primary", disabled=off):
            run.delete()
            st.query_params.clear()
            st.rerun()


def _samples(run: Run) -> None:
    sheets = run.samples()
    if not sheets:
        st.caption("The first samples appear when training begins.")
        return
    *older, newest = sheets
    shown = NEWEST
    if older:  # a slider needs two ends
        # NEWEST is a place of its own, so that the slider follows the run until someone moves it to a step
        shown = st.select_slider(
            "Samples at step",
            [*older, NEWEST],
            value=NEWEST,
            key="snapshot",
            help="Of the same latents, or inputs, all along the run, unselected.",
        )
    step = newest if shown == NEWEST else shown
    st.image(sheets[step].read_bytes(), width="stretch", alt=f"Samples of {run.name} at step {step}")
    st.caption(f"Step {step:,}")


def _charts(frame: pd.DataFrame) -> None:
    terms = loss_terms(frame)
    if len(frame) < 2 or not terms:  # a line needs two points
        st.caption("The curves appear with the second row of metrics.")
        return
    smoothing = st.slider("Smoothing", 0.0, 0.99, 0.8, key="smooth", help="Weight of the past in the running average.")
    st.markdown("**Losses**")
    st.altair_chart(chart(curves(frame, terms, smoothing)), width="stretch", alt="Losses by step")
    if set(VERDICTS) <= set(frame):
        st.markdown("**What the discriminator says**", help="0.5 for both: it cannot tell real from generated.")
        verdicts = curves(frame.rename(columns=VERDICTS), list(VERDICTS.values()), smoothing)
        st.altair_chart(chart(verdicts, domain=(0, 1)), width="stretch", alt="Mean D(real) and D(fake) by step")


def _panels(frame: pd.DataFrame) -> None:
    shown = panels(frame)
    for start in range(0, len(shown), 2):
        for column, panel in zip(st.columns(2, gap="medium"), shown[start : start + 2], strict=False):
            with column:
                st.markdown(f"**{panel.title}**", help=panel.help or None)
                st.altair_chart(panel_chart(frame, panel), width="stretch", alt=f"{panel.title} by step")
