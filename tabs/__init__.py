"""The Gradio playground: a model panel, and one tab for each thing to do with a model."""

from pathlib import Path
from typing import Any

import gradio as gr

from tabs.browser import opening
from tabs.compare import CompareTab, ModelsPanel
from tabs.interpolate import InterpolateTab
from tabs.mix import MixTab
from tabs.panel import QUIETLY, ModelPanel
from tabs.sample import SampleTab
from tabs.translate import TranslateTab
from tabs.translate_panel import TranslatorsPanel

CSS = Path(__file__).with_name("style.css")
MAX_WAITING = 16  # more jobs are refused, so that nobody waits for ever
THEME = gr.themes.Default(
    primary_hue="violet",
    secondary_hue="violet",
    neutral_hue="slate",
    font=["ui-sans-serif", "system-ui", "sans-serif"],
    font_mono=["ui-monospace", "Consolas", "monospace"],
)


class Playground(gr.Blocks):
    """Blocks whose endpoints answer without arguments over plain HTTP too, as Gradio's own clients make them."""

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Fills values that were left out at the end with the endpoint's defaults."""
        left_out = block_fn.inputs[len(inputs) :]
        return await super().preprocess_data(block_fn, [*inputs, *(block.value for block in left_out)], *args, **kwargs)


def build() -> gr.Blocks:
    """The playground, to be mounted with `THEME` and `CSS`."""
    with Playground(title="GAN Playground", analytics_enabled=False, delete_cache=(600, 3600)) as page:
        with gr.Row():
            with gr.Column(scale=1, min_width=280):
                with gr.Column() as beside_one:
                    panel = ModelPanel()
                with gr.Column(visible=False) as beside_several:
                    models = ModelsPanel()
                with gr.Column(visible=False) as beside_picture:
                    translators = TranslatorsPanel()
            with gr.Column(scale=3, min_width=320), gr.Tabs(overflow_behavior="wrap") as tabs:
                with gr.Tab("Sample", id="sample", elem_id="sample-tab") as sample:
                    SampleTab(panel, sample, page)
                with gr.Tab("Interpolate", id="interpolate", elem_id="interpolate-tab") as interpolate:
                    InterpolateTab(panel, interpolate)
                with gr.Tab("Mix", id="mix", elem_id="mix-tab") as mix:
                    MixTab(panel, mix)
                with gr.Tab("Compare", id="compare", elem_id="compare-tab") as compare:
                    CompareTab(models, compare, tabs, page)
                with gr.Tab("Translate", id="translate", elem_id="translate-tab") as translate:
                    TranslateTab(translators, translate, tabs, page)
        selected = [tab.select for tab in (sample, interpolate, mix, compare, translate)]
        panels = [panel.open, beside_one, beside_several, beside_picture]
        gr.on(selected, None, None, panels, js=opening("compare", "translate"), **QUIETLY)
    page.has_launched = True  # else Gradio takes the path of any file on the server for that of an upload
    return page.queue(max_size=MAX_WAITING)
