"""What stands beside the translate tab: which models, and how a picture is prepared for them."""

from typing import Any

import gradio as gr

from gan_core import Model
from gan_core.latent import MAX_SEED
from gan_core.recipe import Control
from gan_core.translation import TranslationRecipe
from tabs.panel import about
from tabs.translation import MAX_MODELS, MAX_SIDE, SIDES, Lines, note, translators

OWN_SIZE = 0
AUTOMATIC = -1
WHERE_NEEDED, ALWAYS, NEVER = "where needed", "always", "never"
NO_MODELS = (
    "**There is no model here yet that translates pictures.** Train one on the training page or with "
    "`python train.py gen_1`, or add one from the Hugging Face Hub on the models page."
)


class TranslatorsPanel:
    """Its components, made where it is constructed."""

    def __init__(self) -> None:
        names = translators()
        self.models = gr.Dropdown(
            names, value=names[:1], multiselect=True, max_choices=MAX_MODELS, label="Models",
            info=f"Up to {MAX_MODELS}; the same picture is given to each", elem_id="translators",
        )  # fmt: skip
        self.about = gr.Markdown("" if names else NO_MODELS, elem_id="translator", elem_classes="said")
        self.side = gr.Dropdown(
            [("automatic", AUTOMATIC), *((f"{side} px", side) for side in SIDES), ("its own", OWN_SIZE)],
            value=AUTOMATIC, label="Size", elem_id="side",
            info=f"Longer side at which the picture is translated; its own up to {MAX_SIDE} px",
        )  # fmt: skip
        with gr.Row(elem_classes="line"):
            self.seed = gr.Number(
                0, label="Seed", precision=0, minimum=0, maximum=MAX_SEED, elem_id="translate-seed", min_width=120,
                visible=False,
            )  # fmt: skip
            self.dice = gr.Button("⚄ Roll", elem_id="translate-dice", min_width=90, scale=0, visible=False)
        self.backwards = gr.Checkbox(
            False, label="Backwards", visible=False, elem_id="backwards",
            info="Translate the other way: from pictures to inputs",
        )  # fmt: skip
        self.lines = gr.Radio(
            [WHERE_NEEDED, ALWAYS, NEVER], value=WHERE_NEEDED, label="Take its lines", elem_id="lines",
            info="Of a photograph, for models that colour drawings",
        )  # fmt: skip
        self.detail = gr.Slider(0, 1, Lines().detail, step=0.05, label="Detail", visible=False, elem_id="detail")
        self.flip = gr.Checkbox(False, label="White on black", visible=False, elem_id="flip")
        self.repeat = gr.Checkbox(False, label="Repeat 2 x 2", elem_id="repeat", info="As the pattern of a cloth")
        self.live = gr.Checkbox(True, label="After each stroke", elem_id="live", info="Else by the button")
        self.inputs = [
            self.models,
            self.side,
            self.seed,
            self.backwards,
            self.lines,
            self.detail,
            self.flip,
            self.repeat,
        ]
        self.shown = [self.about, self.seed, self.dice, self.backwards]

    def show(self, models: list[Model]) -> list[Any]:
        """Updates of `shown` for models that were chosen."""
        controls: list[Control] = [control for model in models for control in model.controls]
        varies = any(model.recipe.varies for model in models if isinstance(model.recipe, TranslationRecipe))
        hidden = gr.Checkbox(False, visible=False)  # what nobody sees is not asked for
        notes = dict.fromkeys(filter(None, map(note, models)))
        if not models:
            return [NO_MODELS, gr.Number(visible=False), gr.Button(visible=False), hidden]
        lines = [about(model) for model in models] + [f"**{text}**" for text in notes]
        both_ways = any(control.name == "backwards" for control in controls)
        return [
            "  \n".join(lines), gr.Number(visible=varies), gr.Button(visible=varies),
            gr.Checkbox(visible=True) if both_ways else hidden,
        ]  # fmt: skip
