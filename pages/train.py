"""Start a training run, and watch it go."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from gan_core import UsageError, list_recipes, runs
from gan_core.card import duration, plain
from gan_core.catalogue import summary
from gan_core.data import DATASETS
from gan_core.data.folder import DEFAULT_SIZE
from gan_core.data.layout import find
from gan_core.noise import ConditionalConfig
from gan_core.plan import DEFAULT_RECIPE, Plan, usual
from gan_core.recipe import Inputs, Recipe, recipe_class
from gan_core.runs import LIVE
from pages.forms import filled
from pages.glance import glance, sketch
from pages.run_form import choose_options, dataset_key, follow_link, pictures, takes_inputs
from pages.run_view import badge, subject, watch
from pages.uploads import choose_zip, class_count

OWN = "my own pictures (zip)"
CARDS_PER_ROW = 4


def choose_pictures(recipe: type[Recipe], off: bool) -> str | None:
    """Draws the choice of a data set, with a look at it; None while a zip is awaited or does not fit."""
    chosen = st.selectbox(
        "Pictures",
        [*(names := pictures(recipe)), OWN],
        index=names.index(recipe.dataset),
        key=dataset_key(recipe),
        persist_state="session",
        help="What the GAN learns from.",
    )
    if chosen == OWN:
        folder = choose_zip(off)
        return str(folder) if folder and fits(recipe, folder) else None
    entry = DATASETS[chosen]
    st.caption(f"{entry.help} {entry.licence}.")
    if known := glance(chosen):
        figures, strip = known
        st.image(strip, width="stretch", alt=f"Some pictures of {chosen}")
        if figures.attributes:
            st.caption(f"Known of each: {', '.join(figures.attributes)}.")
    elif strip := sketch(chosen):
        st.image(strip, width="stretch", alt=f"Some pictures of {chosen}")
        st.caption(f"The first run draws all of them, which takes about {entry.wait}.")
    return chosen


def fits(recipe: type[Recipe], folder: Path) -> bool:
    """Whether a folder has the classes that a recipe draws by, or what it translates; says why not."""
    try:
        if isinstance(config := recipe().config, ConditionalConfig):
            config.require_classes(class_count(folder))
        elif takes_inputs(recipe):
            layout = find(folder)
            recipe().resolve(DEFAULT_SIZE, 3, inputs=Inputs(3, layout != "unpaired") if layout else None)
    except UsageError as error:
        st.error(plain(error))
        return False
    return True


def new_run() -> None:
    """The form of a run, from the recipe to the start."""
    off = runs.is_public() is not None
    left, right = st.columns(2, gap="medium")
    with left:
        names = list_recipes()
        recipe = recipe_class(
            st.selectbox(
                "Recipe",
                names,
                index=names.index(DEFAULT_RECIPE),
                key="recipe",
                persist_state="session",
                help="Which GAN to train.",
            )
        )
        st.caption(summary(recipe))
    with right:
        dataset = choose_pictures(recipe, off)
    suggested = runs.free_name(f"{recipe.name}-{dataset if dataset in DATASETS else 'pictures'}")
    with left:
        name = st.text_input(
            "Name of the run", key="name", placeholder=suggested, persist_state="session", help="Its folder in runs/."
        )
    name = name or suggested
    values = choose_options(recipe)
    try:
        plan = planned(recipe, values | {"dataset": dataset or "FOLDER"})
    except UsageError as error:
        st.error(str(error))
        plan = None
    ready = plan is not None and dataset is not None and not off
    with st.container(horizontal=True):
        starts = st.button(
            "Start training", key="start", type="primary", icon=":material/play_arrow:", disabled=not ready
        )
        estimates = st.button(
            "Estimate", key="estimate", icon=":material/timer:", disabled=not ready, help="Times a few steps here."
        )
    if plan is None:
        return
    flags = plan.flags()
    try:
        if starts:
            st.query_params["run"] = runs.start(name, recipe.name, flags).name
            st.rerun()
        if estimates:
            with st.spinner("Timing a few steps ..."):
                st.session_state["estimated"] = plan.command(), runs.estimate(recipe.name, flags)
    except UsageError as error:
        st.error(str(error))
    show_estimate(plan)
    st.caption("The same from a terminal:")
    st.code(f"{plan.command()} --out runs/{name}", language="sh", wrap_lines=True)


def planned(recipe: type[Recipe], values: dict[str, object]) -> Plan:
    """The plan of these options; raises `UsageError` where one does not fit."""
    made = recipe(filled(recipe.Config(), values), filled(recipe.train_options, values))
    return Plan(made, filled(usual(recipe), values))


def show_estimate(plan: Plan) -> None:
    """What was measured, as long as the form still says what it was measured for."""
    command, measured = st.session_state.get("estimated", (None, {}))
    if command == plan.command():
        st.info(
            f"About {duration(measured['seconds'])} for {measured['steps']:,} steps on this machine "
            f"({1000 * measured['seconds_per_step']:.0f} ms a step in {measured['precision']}), "
            f"with {measured['memory_bytes'] / 1e6:,.0f} MB of memory.",
            icon=":material/timer:",
        )


def list_all() -> None:
    """A card for each run, the youngest first."""
    everything = runs.list_runs()
    if not everything:
        st.caption("No run yet: the first one you start appears here.")
        return
    for start in range(0, len(everything), CARDS_PER_ROW):
        columns = st.columns(CARDS_PER_ROW)
        for column, run in zip(columns, everything[start : start + CARDS_PER_ROW], strict=False):
            state = run.state()
            with column, st.container(border=True):
                if sheets := run.samples():
                    st.image(list(sheets.values())[-1].read_bytes(), width="stretch", alt=f"Samples of {run.name}")
                if st.button(run.name, key=f"show-{run.name}", icon=":material/monitoring:", width="stretch"):
                    st.query_params["run"] = run.name
                    st.rerun()
                badge(state["status"])
                st.caption(f"{subject(run)}, step {state['step']:,} of {state['steps']:,}")


st.title("Train")
if reason := runs.is_public():
    st.info(reason, icon=":material/lock:")
if chosen := st.query_params.get("run"):
    st.button("All runs", key="all_runs", icon=":material/arrow_back:", on_click=st.query_params.clear)
    try:
        watch(runs.find_run(chosen))
    except UsageError as error:
        st.error(str(error))
else:
    follow_link()
    new_run()
    st.subheader("Runs", divider="gray", anchor=False)
    any_live = any(run.state()["status"] in LIVE for run in runs.list_runs())
    st.fragment(list_all, run_every="3s" if any_live else None)()
