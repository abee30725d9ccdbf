"""How good models are: every number with its noise beside it, and side by side only what may be compared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import streamlit as st

from gan_core import UsageError, runs
from gan_core.card import plain
from gan_core.figures import number
from gan_core.library import is_of
from gan_core.model_folder import read_config
from gan_core.noise import NoiseRecipe
from gan_core.report import is_of_translations, refuse_incomparable
from pages import plots
from pages.installed import everything
from pages.neighbours import DRAWN, SHOWN, nearest_pairs
from pages.reports import Report, carried, computed, frame, groups, kept
from pages.table import SCORES, table, table_of_translations

SAMPLES = (1000, 2000, 5000, 10_000)
MOST_CLASSES = 40  # of a histogram that can be read
FEW = 4  # models whose bars still can be told apart

PUBLIC = (
    "Evaluating is off on a public Space: anyone could use its processor. What you see are the reports that models "
    "carry; run the playground on your own machine to evaluate more."
)
TRANSLATIONS = (
    "A model must do better than giving the input back as it is, and than the picture of the training input that looks "
    "most like it. L1 and SSIM are against the true picture; *changed* is where that differs from the input, *kept* "
    "where it does not; *edges* says how well edges lie where the input has them."
)


def report_of(folder: Path, n: int) -> Report | None:
    """The report on n samples, or else the one that the model carries.

    Raises:
        UsageError: The model's config.json cannot be read.
    """
    own = carried(folder)
    return own if own is not None and covers(own, n) else kept(folder, n) or own


def covers(report: Report, n: int) -> bool:
    """Whether it is on n pictures; there are only so many inputs to translate."""
    if is_of_translations(report):
        return report["n"] >= min(n, report["available"])
    return report.get("n") == n


def choose(folders: Mapping[str, Path]) -> tuple[list[str], int]:
    """Draws the choice of models and of the number of samples."""
    left, right = st.columns([3, 1], gap="medium")
    bundled = [name for name in folders if name.startswith("weights/")]
    if linked := st.query_params.get_all("model"):  # a link to a model, followed once
        st.session_state["models"] = [name for name in linked if name in folders]
        st.query_params.clear()
    default = None if "models" in st.session_state else bundled or list(folders)[:3]
    with left:
        chosen = st.multiselect(
            "Models", list(folders), default=default, key="models", persist_state="session",
            help="Bundled ones, runs, the best that a run has kept (runs/NAME/best), and those from the Hub.",
        )  # fmt: skip
    with right:
        n = st.selectbox(
            "Samples", SAMPLES, index=SAMPLES.index(5000), key="samples", persist_state="session",
            format_func="{:,}".format, help="Generated pictures to judge. More of them make the spread smaller.",
        )  # fmt: skip
    return chosen, n


def collect(folders: Mapping[str, Path], n: int) -> dict[str, Report]:
    """The reports at hand, by model; what cannot be read is said."""
    reports = {}
    for name, folder in folders.items():
        try:
            if (report := report_of(folder, n)) is not None:
                reports[name] = report
        except UsageError as error:
            st.warning(f"**{plain(name)}**: {plain(error)}")
    return reports


def compute(folders: Mapping[str, Path], n: int) -> None:
    """Evaluates these models, one after the other; to leave the page ends it."""
    bar, failed = st.progress(0.0, "Waiting for another evaluation ..."), False
    for place, (name, folder) in enumerate(folders.items()):

        def show(done: float, text: str, place: int = place, name: str = name) -> None:
            bar.progress((place + done) / len(folders), f"{plain(name)}: {plain(text)}")

        try:
            computed(folder, n, show)
        except UsageError as error:
            failed = True
            st.error(f"**{plain(name)}**: {plain(error)}")
    bar.empty()
    if not failed:
        st.rerun()


def show_group(reports: Mapping[str, Report]) -> None:
    """The table and the charts of reports that may be compared."""
    first = next(iter(reports.values()))
    extractor = first["extractor"]
    by = (
        f"Judged by {plain(extractor['name'])} {plain(extractor['sha256'][:8])}, trained on "
        f"{plain(extractor['trained_on'])}."
    )
    pinned = {"model": st.column_config.Column(pinned=True)}
    st.subheader(f"On {plain(first['dataset'])}", divider="gray", anchor=False)
    if is_of_translations(first):
        st.caption(f"{by} {first['n']:,} held-out inputs. {TRANSLATIONS}")
        st.dataframe(table_of_translations(reports), hide_index=True, height="content", column_config=pinned)
        return
    st.caption(f"{by} Value and floor are taken from {first['m']:,} pictures at a time, against all training images.")
    st.dataframe(table(reports), hide_index=True, height="content", column_config=pinned)
    rows = frame(reports)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Fréchet distance**", help="Lower is better. The bar: the spread. Dashed: the floor.")
        st.altair_chart(plots.distances(rows), width="stretch", alt="FD of each model with its spread and the floor")
    with right:
        st.markdown("**Precision and recall**", help="Precision falls with odd pictures, recall with missing ones.")
        real = {name: first["floors"][name] for name in SCORES}
        st.altair_chart(plots.precision_recall(rows, real), width="stretch", alt="Precision against recall")
    show_classes(reports)
    for name, report in reports.items():
        if report["memorisation"].get("flagged") is True:
            st.warning(f"**{plain(name)}** repeats training images: look at the nearest ones below.")


def show_classes(reports: Mapping[str, Report]) -> None:
    """What the pictures show, where there is a classifier for it."""
    classed = {name: report["classes"] for name, report in reports.items() if report.get("classes")}
    rows = [
        {"class": label, "model": name, "share": share, "real": real}
        for name, classes in classed.items()
        for label, share, real in zip(classes["names"], classes["shares"], classes["real"], strict=True)
    ]
    if not rows or len(rows) > MOST_CLASSES * len(classed):
        return
    shares, models = pd.DataFrame(rows), list(classed)
    if len(models) <= FEW:
        st.markdown("**Classes**", help="What the extractor sees; grey ticks: the training images.")
        chart = plots.histogram(shares, models)
    else:
        st.markdown(
            "**Classes, in percent**", help="What the extractor sees. Blue: less often than in the data; orange: more."
        )
        chart = plots.class_map(shares, models)
    st.altair_chart(chart, width="stretch", alt="Shares of the classes")


def show_neighbours(folders: Mapping[str, Path], off: bool) -> None:
    """The samples of one model that are nearest to training images, once somebody asks."""
    title = "Samples beside their nearest training images"
    with st.expander(title, icon=":material/compare:", key="neighbours", on_change="rerun") as opened:
        if not opened.open:
            return
        if off:
            st.caption(PUBLIC)
            return
        name = st.selectbox("Model", list(folders), key="neighbours_of")
        try:
            with st.spinner("Looking for the nearest ...", show_time=True):
                found = nearest_pairs(folders[name], read_config(folders[name])["sha256"])
        except UsageError as error:
            st.error(plain(error))
            return
        st.image(found.sheet, width="stretch", alt=f"Samples of {name} above the nearest training images")
        st.caption(
            f"Above: of the first {DRAWN} samples of seed 0, the {SHOWN} that are nearest to a training image. Below: "
            f"that image. They lie {number(found.distances[0])} to {number(found.distances[-1])} apart, as the "
            f"extractor sees it; held-out images lie {number(found.usual)} from the nearest (the median), and an exact "
            "copy 0."
        )


def show_training(chosen: list[str]) -> None:
    """FD by step of the chosen runs that were evaluated while they trained."""
    rows = [
        {"run": run.name, "step": row["step"], "fd": row["metric/fd"], "floor": row["metric/fd_floor"]}
        for run in runs.list_runs()
        if any(name.split("/")[:2] == ["runs", run.name] for name in chosen)
        for row in run.metrics()[0]
        if "metric/fd" in row
    ]
    if rows:
        st.subheader("FD over training", divider="gray", anchor=False)
        st.altair_chart(plots.over_training(pd.DataFrame(rows)), width="stretch", alt="FD of runs by step")
        st.caption("Dashed: the floor. Train with `--evaluate_every N` to have this curve.")


def show_all(reports: Mapping[str, Report]) -> None:
    """Every group in a place of its own, and all of them as a file."""
    apart = groups(reports)
    firsts = [next(iter(group.values())) for group in apart]
    for data in dict.fromkeys(report["dataset"] for report in firsts):
        try:
            refuse_incomparable(report for report in firsts if report["dataset"] == data)
        except UsageError as error:
            st.info(f"These reports stand apart: {plain(error)}", icon=":material/compare_arrows:")
    for group in apart:
        show_group(group)
    st.download_button(
        "Download as CSV", frame(reports).to_csv(index=False), "evaluation.csv", "text/csv", key="csv",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip


st.title("Evaluate")
st.markdown(
    "Generated pictures against real ones. Every number has its noise beside it: the *spread* over repetitions, and "
    "the *floor*, which is what real pictures score that nobody trained on. A model near the floor is as good as this "
    "measure can tell."
)
reason = PUBLIC if runs.is_public() else None
if reason:
    st.info(reason, icon=":material/lock:")
folders = everything()
if not folders:
    st.info(
        "No model is installed yet. Train one on the Train page, or add one from the Hub on the Models page.",
        icon=":material/inbox:",
    )
    st.stop()
chosen, n = choose(folders)
wanted = {name: folders[name] for name in chosen}
reports = collect(wanted, n)
missing = {name: wanted[name] for name in wanted if name not in reports or not covers(reports[name], n)}
with st.container(horizontal=True, vertical_alignment="center"):
    off = reason is not None or not missing
    asked = st.button("Evaluate", key="evaluate", type="primary", icon=":material/straighten:", disabled=off)
    if missing:
        st.caption(f"Not evaluated on {n:,} samples yet: {', '.join(missing)}. It takes up to a minute each.")
if asked:
    compute(missing, n)
if reports:
    show_all(reports)
elif chosen:
    st.info("None of these models has a report yet: press Evaluate.", icon=":material/straighten:")
if drawing := {name: folder for name, folder in wanted.items() if is_of(name, NoiseRecipe)}:
    show_neighbours(drawing, reason is not None)
show_training(chosen)
