"""Start a training run, and watch it go."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import streamlit as st
import torch
from PIL import Image

from gan_core import UsageError, list_recipes, runs
from gan_core.card import duration
from gan_core.catalogue import summary
from gan_core.data import DATASETS, list_datasets, load_data
from gan_core.data.archive import unpack
from gan_core.data.cache import cache_folder
from gan_core.data.folder import read_image
from gan_core.data.images import to_unit_range
from gan_core.fields import fields_of
from gan_core.pictures import grid
from gan_core.plan import DEFAULT_STEPS, Plan, RunOptions
from gan_core.recipe import Recipe, recipe_class
from gan_core.runs import LIVE
from pages.forms import AUTOMATIC, Option, edit, filled
from pages.run_view import badge, subject, watch

OWN = "my own pictures (zip)"
COMMON = ("steps", "batch_size", "image_size", "lr")  # the others wait behind an expander
PLACEHOLDERS = {"steps": f"{DEFAULT_STEPS:,}", "epochs": "instead of steps", "init": "from scratch"}
EXAMPLES, SIDE = 24, 64
CARDS_PER_ROW = 4


@st.cache_data(show_spinner=False)
def examples(dataset: str) -> Image.Image:
    """A strip of a data set's pictures."""
    pictures = load_data(dataset).examples(EXAMPLES)
    return grid(pictures, columns=EXAMPLES // 2, scale=max(1, SIDE // pictures.shape[-1]))


def unpacked(upload: st.runtime.uploaded_file_manager.UploadedFile) -> Path:
    """The folder of an uploaded zip's pictures, named after its content: the same zip is unpacked once.

    Raises:
        UsageError: It is not a zip of pictures.
    """
    home = cache_folder() / "uploads"
    home.mkdir(exist_ok=True)
    folder = home / hashlib.file_digest(upload, "sha256").hexdigest()[:16]
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=home) as temporary:  # a folder in place is a complete one
            unpack(upload, Path(temporary, "pictures"))
            try:
                Path(temporary, "pictures").rename(folder)
            except OSError:
                if not folder.is_dir():  # else another session was first, with the same pictures
                    raise
    return folder


def first_pictures(folder: Path) -> Image.Image:
    """A strip of the pictures in a folder, spread evenly over it."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    shown, unreadable = [], None
    for file in files[:: max(1, len(files) // EXAMPLES)][:EXAMPLES]:
        try:
            shown.append(to_unit_range(read_image(file, SIDE, 3)))
        except UsageError as error:  # the training skips and names a few unreadable ones
            unreadable = error
    if unreadable and not shown:
        raise unreadable
    return grid(torch.stack(shown), columns=EXAMPLES // 2)


def choose_pictures(off: bool) -> str | None:
    """Draws the choice of a data set, with a look at it; None while a zip is awaited or does not fit."""
    chosen = st.selectbox(
        "Pictures", [*list_datasets(), OWN], key="dataset", persist_state="session", help="What the GAN learns from."
    )
    if chosen != OWN:
        st.caption(f"{DATASETS[chosen].help} {DATASETS[chosen].licence}.")
        if DATASETS[chosen].embedded:
            st.image(examples(chosen), width="stretch", alt=f"Some pictures of {chosen}")
        return chosen
    upload = st.file_uploader(
        "Zip of pictures", "zip", key="upload", disabled=off, help="Flat, or with one folder per class. It stays here."
    )
    if upload is None:
        st.caption("Any sizes and formats; each is cropped to its centre square. Some hundred pictures are a start.")
        return None
    try:
        folder = unpacked(upload)
        st.image(first_pictures(folder), width="stretch", alt="Some of the uploaded pictures")
    except UsageError as error:
        st.error(str(error))
        return None
    return str(folder)


def choose_options(recipe: type[Recipe]) -> dict[str, object]:
    """Draws a widget for every option of a recipe and of a run, and returns their values by name."""
    groups = {
        "Networks": (recipe.Config(), f"{recipe.name}."),
        "Training": (recipe.train_options, f"{recipe.name}."),
        "Run": (RunOptions(), ""),
    }
    options = {
        title: [
            Option(field, f"{prefix}{field.name}", PLACEHOLDERS.get(field.name, AUTOMATIC))
            for field in fields_of(type(default), default)
            if field.name != "dataset"  # chosen above, with pictures
        ]
        for title, (default, prefix) in groups.items()
    }
    every = {option.field.name: option for group in options.values() for option in group}
    values = edit(every[name] for name in COMMON if name in every)
    with st.expander("All other options", icon=":material/tune:"):
        for title, group in options.items():
            st.markdown(f"**{title}**")
            values |= edit(option for option in group if option.field.name not in COMMON)
    return values


def new_run() -> None:
    """The form of a run, from the recipe to the start."""
    off = runs.is_public() is not None
    left, right = st.columns(2, gap="medium")
    with left:
        recipe = recipe_class(
            st.selectbox("Recipe", list_recipes(), key="recipe", persist_state="session", help="Which GAN to train.")
        )
        st.caption(summary(recipe))
    with right:
        dataset = choose_pictures(off)
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
    return Plan(made, filled(RunOptions(), values))


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
    new_run()
    st.subheader("Runs", divider="gray", anchor=False)
    any_live = any(run.state()["status"] in LIVE for run in runs.list_runs())
    st.fragment(list_all, run_every="3s" if any_live else None)()
