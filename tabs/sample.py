"""The sample tab: a seed's pictures, with everything needed to make them again."""

import time
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from gradio_client import handle_file

from gan_core import Model, UsageError
from gan_core.latent import MAX_SEED
from gan_core.pictures import save_png, to_pil
from tabs.browser import CLEAR, DICE, share
from tabs.output import new_folder
from tabs.panel import QUIETLY, TAKES_TURNS, ModelPanel, load, told
from tabs.settings import MAX_IMAGES, Settings


def draw(settings: Settings, model: Model) -> tuple[list[tuple[Path, str]], dict[str, Any], str]:
    """The pictures of settings as PNG files that carry them.

    Returns:
        (file, caption) of each picture, the settings as shown and stored, and how long it took.
    """
    start = time.perf_counter()
    images = model.sample(settings.images, settings.seed, settings.label, **settings.controls)
    seconds = time.perf_counter() - start
    verdicts = [""] * len(images)
    if model.has_verdict:
        verdicts = [f" · {100 * p:.0f} % real" for p in model.verdict(images, settings.label)]
    used = settings.describe(model)
    folder = new_folder()
    pictures = []
    for k, (image, verdict) in enumerate(zip(images, verdicts, strict=True)):
        file = folder / f"seed{settings.seed}-{k:02d}.png"
        save_png(to_pil(image), file, used | {"index": k})
        pictures.append((file, f"#{k}{verdict}"))
    took = f"{len(images)} pictures in {seconds * 1000:.0f} ms on {model.device}."
    verdict = " Below each stands how probably it is real, says the discriminator." if model.has_verdict else ""
    return pictures, used, took + verdict


@told()
def sample(
    model: str | None = None,
    revision: str | None = None,
    seed: int = 0,
    images: int = 16,
    label: int | None = None,
    controls: dict[str, float] | None = None,
    raw: bool = False,
) -> tuple[list[dict], dict[str, Any]]:
    """Pictures of a seed. Returns the PNG files and the settings that make them again.

    Args:
        model: A name from the app's list, or "owner/name" on the Hub; by default the first model of the app.
        revision: Branch, tag or commit on the Hub.
        seed: 0 to 4294967295.
        images: 1 to 64.
        label: Class index for a conditional model; by default each class in turn.
        controls: Values by name, such as {"truncation": 0.7}; by default the model's own.
        raw: Whether the weights of a run are taken as the optimizer left them, not averaged.
    """
    loaded, name, commit = load(model, revision, raw=raw is True)
    pictures, used, _ = draw(Settings(name, commit, seed, images, label, controls or {}, raw), loaded)
    return [handle_file(file) for file, _ in pictures], used


class SampleTab:
    """The tab's components and events, made where it is constructed.

    The page's link and a dropped PNG count among the events that the panel was `chosen` by.
    """

    def __init__(self, panel: ModelPanel, tab: gr.Tab, page: gr.Blocks) -> None:
        self.panel = panel
        with gr.Row(elem_classes="line"):
            self.seed = gr.Number(
                0, label="Seed", precision=0, minimum=0, maximum=MAX_SEED, elem_id="seed", min_width=150, scale=2
            )
            dice = gr.Button("⚄ Roll", elem_id="dice", min_width=90, scale=0)
            self.images = gr.Slider(1, MAX_IMAGES, 16, step=1, label="Images", elem_id="images", min_width=200, scale=4)
            generate = gr.Button("Generate", variant="primary", elem_id="generate", min_width=130, scale=1)
        self.gallery = gr.Gallery(
            label="Pictures", format="png", columns=8, object_fit="contain", height="auto", interactive=False,
            elem_id="gallery", elem_classes=["gallery", "pixels"], buttons=["download", "download_all", "fullscreen"],
        )  # fmt: skip
        self.latency = gr.Markdown(elem_id="latency", elem_classes="said")
        with gr.Row():
            with gr.Column(min_width=280):
                self.used = gr.JSON(label="Exact settings", elem_id="settings", buttons=["copy"])
            with gr.Column(min_width=280):
                to_link = gr.Button("Copy a link to these pictures", elem_id="share")
                link = gr.Textbox(label="Link", elem_id="share-url", buttons=["copy"], interactive=False)
                drop = gr.File(
                    label="Drop a saved PNG to restore its settings", file_types=[".png"], elem_id="drop", height=150
                )
        drawn = [self.gallery, self.latency, self.used]
        restored = [*panel.shown, self.seed, self.images]

        opened = page.load(self._open, None, restored, **QUIETLY, **TAKES_TURNS)
        dropped = drop.upload(self._restore, drop, restored, **QUIETLY, **TAKES_TURNS)
        dropped.then(None, None, drop, js=CLEAR, **QUIETLY)  # free for the next file, whatever came of it
        rolled = dice.click(None, None, self.seed, js=DICE, **QUIETLY)
        panel.chosen += [opened, dropped]
        draw_all = {"fn": self._draw, "inputs": [self.seed, self.images, *panel.inputs], "outputs": drawn}
        draw_all |= {"trigger_mode": "always_last", **QUIETLY, **TAKES_TURNS}
        gr.on([generate.click, self.seed.submit, self.images.input], **draw_all)
        rolled.success(**draw_all)
        panel.keep_drawn(tab, draw_all)
        in_link = ("model", "revision", "seed", "images", "label", "raw", "controls")
        to_link.click(None, self.used, link, js=share(*in_link), **QUIETLY)
        gr.api(sample, api_name="sample", **TAKES_TURNS)

    @told()
    def _draw(self, seed: int | None, images: int, *panel: Any) -> tuple[Any, ...]:
        model, settings = self.panel.read(panel, seed=seed, images=images)
        pictures, used, latency = draw(settings, model)
        return pictures, latency, used

    @told()
    def _restore(self, file: str) -> list[Any]:
        settings = Settings.from_png(Path(file))
        return self._shown(load(settings.model, settings.revision).model, settings)

    @told()
    def _open(self, request: gr.Request) -> list[Any]:
        query = dict(request.query_params)
        is_comparison = "models" in query  # then seed, images and label are for another tab
        model, settings, complaints = read_link({} if is_comparison else query)
        for complaint in complaints:
            gr.Warning(f"Left out of the link: {escape(complaint, quote=False)}")
        return self._shown(model, settings)

    def _shown(self, model: Model, settings: Settings) -> list[Any]:
        return [*self.panel.show(model, settings), settings.seed, settings.images]


def read_link(query: Mapping[str, str]) -> tuple[Model, Settings, list[str]]:
    """Model and settings that a link asks for, and a sentence for each value that does not fit and was left out.

    Raises:
        UsageError: The link names no model, and there is none here.
    """
    complaints = []
    try:
        model, name, revision = load(query.get("model"), query.get("revision"))
    except UsageError as error:
        if not query.get("model"):
            raise
        complaints.append(str(error))
        model, name, revision = load(None)
    settings, more = Settings(name, revision).with_query(query, model)
    return model, settings, complaints + more
