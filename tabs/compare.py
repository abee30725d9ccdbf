"""The compare tab: several models side by side, drawn from the same seed."""

import time
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from gradio_client import handle_file
from PIL import Image

from gan_core import Model, UsageError, library
from gan_core.card import plain
from gan_core.latent import MAX_SEED
from gan_core.model import CHUNK
from gan_core.noise import NoiseRecipe
from gan_core.pictures import grid, save_png
from tabs.browser import CLEAR, DICE, share
from tabs.comparison import (
    MAX_IMAGES,
    MAX_MODELS,
    MIN_IMAGES,
    MIN_MODELS,
    RUNS,
    Comparison,
    Entry,
    compare,
    default_models,
    found,
    is_drawn,
    read_link,
    shared_classes,
)
from tabs.output import new_folder
from tabs.panel import NO_CLASS, QUIETLY, TAKES_TURNS, class_choices, class_picker, elsewhere, stops, told
from tabs.poster import poster

COLUMNS = 4  # pictures side by side on a model's sheet
SIDE = 96  # pixels of a picture there, or the nearest that its own pixels divide
TOO_FEW = f"Choose {MIN_MODELS} to {MAX_MODELS} models to see them side by side."
NO_MODELS = (
    "**Comparing takes two models, and there are not as many here yet.** Train one on the training page or with "
    "`python train.py`, or add one from the Hugging Face Hub on the models page."
)


def sheet(entry: Entry) -> Image.Image:
    """A model's pictures, about as large as every other model's."""
    return grid(entry.pictures, COLUMNS, scale=max(1, round(SIDE / entry.model.image_size)))


def save(comparison: Comparison, entries: list[Entry]) -> tuple[list[Path], Path]:
    """PNG files: the sheet of each model, and all of them with captions; each carries the settings."""
    folder, settings = new_folder(), comparison.describe()
    captioned = []
    files = []
    for entry in entries:
        picture = sheet(entry)
        file = folder / f"{entry.name.replace('/', '-')}-seed{comparison.seed}.png"
        save_png(picture, file, settings)
        captioned.append((picture, entry.caption()))
        files.append(file)
    title = f"Pictures 0 to {comparison.images - 1} of seed {comparison.seed}, {said_of_classes(comparison, entries)}"
    whole = folder / f"comparison-seed{comparison.seed}.png"
    save_png(poster(title, captioned), whole, settings | measured(entries))
    return files, whole


def measured(entries: list[Entry]) -> dict[str, Any]:
    """What the settings carry beside what decides the pixels."""
    return {"device": str(entries[0].model.device), "measured": [entry.facts() for entry in entries]}


def said_of_classes(comparison: Comparison, entries: list[Entry]) -> str:
    """Which classes were drawn, for people."""
    classes = shared_classes([entry.model for entry in entries])
    if comparison.label is None or classes is None:
        return "not selected"
    return f"class {classes[comparison.label]} where a model has classes"


def summary(entries: list[Entry], seconds: float) -> str:
    """How it was measured, and whether distances compare."""
    said = (
        f"{len(entries)} models in {seconds:.1f} s on {entries[0].model.device}. Milliseconds are of one picture in "
        f"{CHUNK}, the fastest of {RUNS} runs after a warm-up."
    )
    judges = {entry.judge for entry in entries if entry.distance}
    if len(judges) > 1:
        said += " **These FDs do not compare**: they were measured on different pictures or by different extractors."
    return said + (" FD is lower the better; its floor is what held-out real pictures score." if judges else "")


@told()
def side_by_side(
    models: list[str] | None = None, seed: int = 0, images: int = 8, label: int | None = None
) -> tuple[dict, dict[str, Any]]:
    """The same seed drawn by several models. Returns one PNG of all, and the settings with what was measured.

    Args:
        models: 2 to 6 names from the app's list or of the Hub ("owner/name" or "owner/name@revision"); by default
            bundled ones.
        seed: 0 to 4294967295.
        images: 4 to 16 of each model.
        label: Class index for conditional models, if they all have the same classes; by default each class in turn.
    """
    names = default_models() if models is None else models
    if not isinstance(names, list | tuple):
        raise UsageError(f"The models are {str(models)[:40]!r}; it takes a list of names.")
    comparison = Comparison(tuple(names), seed, images, label)
    entries = list(compare(comparison, dict(map(found, comparison.models))))
    return handle_file(save(comparison, entries)[1]), comparison.describe() | measured(entries)


class ModelsPanel:
    """What stands beside the compare tab: which models, and what they all draw."""

    def __init__(self) -> None:
        self.models = gr.Dropdown(
            library.available(NoiseRecipe), value=list(default_models()), multiselect=True, max_choices=MAX_MODELS,
            label="Models", info=f"{MIN_MODELS} to {MAX_MODELS} of those installed", elem_id="models",
        )  # fmt: skip
        with gr.Row(elem_classes="line"):
            self.seed = gr.Number(
                0, label="Seed", precision=0, minimum=0, maximum=MAX_SEED, elem_id="compare-seed", min_width=120,
            )  # fmt: skip
            self.dice = gr.Button("⚄ Roll", elem_id="compare-dice", min_width=90, scale=0)
        self.images = gr.Slider(
            MIN_IMAGES, MAX_IMAGES, 8, step=COLUMNS, label="Images of each", elem_id="compare-images"
        )
        self.label = gr.Dropdown(
            class_choices(()), value=NO_CLASS, label="Class", visible=False, elem_id="compare-label",
            info="For the models that have classes",
        )  # fmt: skip
        with gr.Row():
            self.go = gr.Button("Compare", variant="primary", elem_id="compare", min_width=120)
            self.cancel = gr.Button("Cancel", elem_id="compare-cancel", min_width=90)
        self.inputs = [self.models, self.seed, self.images, self.label]


class CompareTab:
    """The tab's components and events, made where it is constructed."""

    def __init__(self, panel: ModelsPanel, tab: gr.Tab, tabs: gr.Tabs, page: gr.Blocks) -> None:
        self.tab = tab
        self.gallery = gr.Gallery(
            label="Side by side", format="png", columns=3, object_fit="contain", height="auto", interactive=False,
            elem_id="side-by-side", elem_classes=["gallery", "pixels"],
            buttons=["download", "download_all", "fullscreen"],
        )  # fmt: skip
        self.status = gr.Markdown(too_few(), elem_id="compared", elem_classes="said")
        with gr.Row():
            with gr.Column(min_width=280):
                self.used = gr.JSON(label="Exact settings", elem_id="compare-settings", buttons=["copy"])
            with gr.Column(min_width=280):
                self.file = gr.DownloadButton("Save as one PNG", elem_id="compare-save", interactive=False)
                to_link = gr.Button("Copy a link to this comparison", elem_id="compare-share")
                link = gr.Textbox(label="Link", elem_id="compare-url", buttons=["copy"], interactive=False)
                drop = gr.File(
                    label="Drop a saved comparison to restore it", file_types=[".png"], elem_id="compare-drop",
                    height=150,
                )  # fmt: skip
        shown = [self.gallery, self.status, self.used, self.file, panel.label]
        always: dict[str, Any] = {"outputs": shown, "trigger_mode": "always_last", **QUIETLY, **TAKES_TURNS}
        once = always | {"fn": self._draw_once, "inputs": [self.used, *panel.inputs]}
        always |= {"fn": self._draw, "inputs": panel.inputs}
        page.load(self._open, None, [*panel.inputs, tabs], **elsewhere(self.status), **TAKES_TURNS)
        dropped = drop.upload(self._restore, drop, panel.inputs, **QUIETLY, **TAKES_TURNS)
        dropped.then(None, None, drop, js=CLEAR, **QUIETLY)
        draws = [
            gr.on([tab.select, panel.models.change], **once),
            gr.on([panel.seed.submit, panel.images.input, panel.label.input], **always),
            panel.go.click(**always),
            panel.dice.click(None, None, panel.seed, js=DICE, **QUIETLY).success(**always),
            dropped.success(**once),
        ]
        # two changes that come together may be answered in either order: what is asked for is looked at again
        draws += [drawn.success(**once) for drawn in draws]
        stops(panel.cancel, draws, self.status)
        to_link.click(None, self.used, link, js=share("models", "seed", "images", "label"), **QUIETLY)
        gr.api(side_by_side, api_name="compare", **TAKES_TURNS)

    def _draw(self, names: list[str] | None, seed: int | None, images: int, label: int) -> Iterator[list[Any]]:
        """Yields updates of what is drawn; Gradio closes the iterator when Cancel is pressed."""
        start = time.perf_counter()
        if len(names or ()) < MIN_MODELS:
            yield [None, too_few(), None, gr.DownloadButton(interactive=False), gr.skip()]
            return
        with told():
            models: dict[str, Model] = {}
            for name in Comparison(tuple(names or ()), seed or 0, images).models:
                yield self._said(f"Loading {plain(name)} ...")
                name, model = found(name)
                models[name] = model
            classes = shared_classes(list(models.values())) or ()
            fits = label in range(NO_CLASS, len(classes))
            chosen = None if label == NO_CLASS or not fits else label
            comparison = Comparison(tuple(models), seed or 0, images, chosen)
            entries: list[Entry] = []
            for entry in compare(comparison, models):
                entries.append(entry)
                yield self._said(f"{len(entries)} of {len(models)} models are done ...")
            files, whole = save(comparison, entries)
        yield [
            [(file, entry.caption()) for file, entry in zip(files, entries, strict=True)],
            summary(entries, time.perf_counter() - start),
            comparison.describe() | measured(entries),
            gr.DownloadButton(value=whole, interactive=True),
            # else the choice stays: it may be newer than these pictures
            gr.Dropdown(class_choices(classes), visible=len(classes) > 0) if fits else class_picker(classes, None),
        ]

    def _draw_once(self, used: dict[str, Any] | None, *inputs: Any) -> Iterator[list[Any]]:
        """Draws unless what is shown is what is asked for: the tab was opened again, or nothing came between."""
        names, seed, images, label = inputs
        asked = {"seed": seed, "images": images, "label": None if label == NO_CLASS else label}
        if used is not None and used | asked == used and is_drawn(names or (), used["models"]):
            yield [gr.skip()] * 5  # no yield at all would clear everything
        else:
            yield from self._draw(*inputs)

    def _said(self, text: str) -> list[Any]:
        return [gr.skip(), text, gr.skip(), gr.skip(), gr.skip()]

    @told()
    def _restore(self, file: str) -> list[Any]:
        comparison = Comparison.from_png(Path(file))
        return self._shown(comparison, dict(map(found, comparison.models)))

    @told()
    def _open(self, request: gr.Request) -> list[Any]:
        query = dict(request.query_params)
        if "models" not in query:
            return [gr.Dropdown(library.available(NoiseRecipe)), *[gr.skip()] * 4]
        comparison, models, complaints = read_link(query)
        for complaint in complaints:
            gr.Warning(f"Left out of the link: {escape(complaint, quote=False)}")
        return [*self._shown(comparison, models), gr.Tabs(selected=self.tab.id)]

    def _shown(self, comparison: Comparison, models: dict[str, Model]) -> list[Any]:
        """Updates of the panel that make it say this comparison."""
        names = gr.Dropdown([*dict.fromkeys([*library.available(NoiseRecipe), *models])], value=list(models))
        classes = shared_classes(list(models.values())) or ()
        return [names, comparison.seed, comparison.images, class_picker(classes, comparison.label)]


def too_few() -> str:
    """What to do about a comparison of fewer than two models."""
    return TOO_FEW if len(library.available(NoiseRecipe)) >= MIN_MODELS else NO_MODELS
