"""The mix tab: some layers with the styles of one seed, the others with those of another, in the classic grid."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr
import torch
from gradio_client import handle_file
from PIL import Image

from gan_core import Model, UsageError, library
from gan_core.catalogue import laptop, noise_recipes
from gan_core.latent import latents
from gan_core.model_folder import read_config
from gan_core.pictures import grid, save_png
from tabs.output import new_folder
from tabs.panel import QUIETLY, TAKES_TURNS, ModelPanel, load, told
from tabs.settings import Settings
from tabs.walk import read_seeds, roll

MAX_SEEDS = 8  # along a side
ROWS, COLUMNS = "1, 2, 3, 4", "5, 6, 7, 8, 9"
SIDE = 96  # pixels of a picture, or the nearest that its own pixels divide


def layers_of(model: Model, first: int | None, last: int | None) -> tuple[int, int]:
    """The layers asked for; by default the finer half."""
    middle = model.style_layers // 2 + 1
    return middle if first is None else first, model.style_layers if last is None else last


def table(
    model: Model, rows: Sequence[int], columns: Sequence[int], first: int, last: int, controls: dict[str, float]
) -> Image.Image:
    """Every row's seed with the styles of every column's in layers first to last, and the seeds' own pictures around.

    Raises:
        UsageError: There are too many seeds, or an argument does not fit; see `Model.mix`.
    """
    for name, seeds in (("rows", rows), ("columns", columns)):
        if not 1 <= len(seeds) <= MAX_SEEDS:
            raise UsageError(f"The {name} have {len(seeds)} seeds; it takes 1 to {MAX_SEEDS}, such as {ROWS}.")
    down, across = (torch.cat([latents(seed, 1, model.latent_dim) for seed in seeds]) for seeds in (rows, columns))
    mixes = model.mix(down.repeat_interleave(len(columns), dim=0), across.repeat(len(rows), 1), first, last, **controls)
    sources = model.decode(torch.cat([down, across]), **controls)
    scale = max(1, round(SIDE / model.image_size))
    left, above, inside = (
        grid(pictures, count, scale)
        for pictures, count in ((sources[: len(rows)], 1), (sources[len(rows) :], len(columns)), (mixes, len(columns)))
    )
    gap = scale * model.image_size // 8
    paper = Image.new("RGBA", (left.width + gap + inside.width, above.height + gap + inside.height))
    paper.paste(above, (left.width + gap, 0))
    paper.paste(left, (0, above.height + gap))
    paper.paste(inside, (left.width + gap, above.height + gap))
    return paper


def save(model: Model, settings: Settings, rows: str, columns: str, first: int, last: int) -> Path:
    """The PNG of a `table`, with everything needed to make it again inside."""
    file = new_folder() / "mix.png"
    picture = table(model, read_seeds(rows), read_seeds(columns), first, last, settings.controls)
    save_png(picture, file, settings.describe(model) | {"rows": rows, "columns": columns, "layers": [first, last]})
    return file


def explained(model: Model, first: int, last: int) -> str:
    """What the table shows, for people."""
    coarse, fine = (model.image_size >> (model.style_layers - layer) // 2 for layer in (first, last))  # 2 layers a side
    sides = f"{coarse} pixels" if coarse == fine else f"{coarse} to {fine} pixels"
    return (
        f"Layers {first} to {last} of {model.style_layers}, which draw at {sides}, have the styles of the seed above; "
        "all others have those of the seed on the left."
    )


def models_with_styles() -> list[str]:
    """The models here that have styles to mix."""
    recipes = {recipe.name for recipe in noise_recipes() if laptop(recipe).style_layers}
    names = []
    for name in library.local_models():
        with suppress(UsageError):  # a damaged one
            names += [name] if read_config(library.find(name))["recipe"] in recipes else []
    return names


def no_styles(recipe: str) -> str:
    """What to say of a model that has no styles."""
    if names := models_with_styles():
        return f"A {recipe} model has no styles to mix. Of the models here, these have: {', '.join(names)}."
    return f"A {recipe} model has no styles to mix, nor has another here: train one with `python train.py stylegan`."


@told()
def mix(
    model: str | None = None,
    revision: str | None = None,
    rows: str = ROWS,
    columns: str = COLUMNS,
    first: int | None = None,
    last: int | None = None,
    controls: dict[str, float] | None = None,
) -> dict:
    """Style mixing: a table of rows with the styles of columns in some layers. Returns its PNG.

    Args:
        model: A name from the app's list, or "owner/name" on the Hub; by default the first that has styles.
        revision: Branch, tag or commit on the Hub.
        rows: 1 to 8 seeds with commas between.
        columns: 1 to 8 seeds with commas between.
        first: The coarsest layer with the styles of the columns, from 1; by default the finer half has them.
        last: The finest of them.
        controls: Values by name, such as {"truncation": 0.7}; by default the model's own.
    """
    loaded, name, commit = load(model or next(iter(models_with_styles()), None), revision)
    if not loaded.style_layers:
        raise UsageError(no_styles(loaded.recipe.name))
    settings = Settings(name, commit, controls=controls or {})
    return handle_file(save(loaded, settings, rows, columns, *layers_of(loaded, first, last)))


class MixTab:
    """The tab's components and events, made where it is constructed."""

    def __init__(self, panel: ModelPanel, tab: gr.Tab) -> None:
        self.panel = panel
        with gr.Column(visible=False) as self.body:
            with gr.Row(elem_classes="line"):
                self.rows = gr.Textbox(ROWS, label="Seeds of the rows", elem_id="rows", max_lines=1, min_width=150)
                roll_rows = gr.Button("⚄ Roll", elem_id="dice-rows", min_width=90, scale=0)
                self.columns = gr.Textbox(
                    COLUMNS, label="Seeds of the columns", elem_id="columns", max_lines=1, min_width=150
                )
                roll_columns = gr.Button("⚄ Roll", elem_id="dice-columns", min_width=90, scale=0)
            with gr.Row():
                self.first, self.last = (
                    gr.Slider(1, 18, value, step=1, label=label, info=info, elem_id=name, min_width=220)
                    for value, label, info, name in (
                        (1, "From layer", "1 is the coarsest.", "first-layer"),
                        (18, "To layer", "These take the styles of the columns.", "last-layer"),
                    )
                )
            self.table = gr.Image(
                label="Styles mixed", format="png", interactive=False, buttons=["download", "fullscreen"],
                elem_id="mixed", elem_classes="pixels", height="auto",
            )  # fmt: skip
            self.status = gr.Markdown(elem_id="mix-status", elem_classes="said")
        self.missing = gr.Markdown(elem_id="no-styles", elem_classes="said")
        self.depth = gr.State(0)  # layers of the model that the sliders are for

        asked = [self.rows, self.columns, self.first, self.last, self.depth, *panel.inputs]
        shown = [self.missing, self.body, self.first, self.last, self.depth, self.table, self.status]
        draw: dict[str, Any] = {
            "fn": self._draw, "inputs": asked, "outputs": shown, "trigger_mode": "always_last", **QUIETLY, **TAKES_TURNS
        }  # fmt: skip
        typed = [self.rows.submit, self.rows.blur, self.columns.submit, self.columns.blur]
        gr.on([*typed, self.first.input, self.last.input], **draw)
        for button, seeds in ((roll_rows, self.rows), (roll_columns, self.columns)):
            button.click(roll, None, seeds, **QUIETLY).success(**draw)
        panel.keep_drawn(tab, draw)
        gr.api(mix, api_name="mix", **TAKES_TURNS)

    @told()
    def _draw(self, rows: str, columns: str, first: int, last: int, depth: int, *panel: Any) -> list[Any]:
        model, settings = self.panel.read(panel)
        layers = model.style_layers
        if not layers:
            return [no_styles(model.recipe.name), gr.Column(visible=False), *[gr.skip()] * 5]
        sliders = [gr.skip(), gr.skip()]  # they may have been moved on meanwhile
        if depth != layers:
            first, last = layers_of(model, None, None)
            sliders = [gr.Slider(1, layers, first), gr.Slider(1, layers, last)]
        first, last = sorted((first, last))
        file = save(model, settings, rows, columns, first, last)
        alt = f"Styles of the seeds {columns} across, mixed into those of the seeds {rows} down"
        return [
            "",
            gr.Column(visible=True),
            *sliders,
            layers,
            gr.Image(file, alt_text=alt),
            explained(model, first, last),
        ]
