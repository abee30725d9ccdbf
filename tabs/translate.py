"""The translate tab: draw, upload or take an example, and see what models make of it."""

import hashlib
import random
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio_client import handle_file
from PIL import Image

from gan_core import Model, UsageError
from gan_core.card import plain
from gan_core.data.picture_file import open_image, to_mode
from gan_core.edges import is_drawing
from gan_core.latent import MAX_SEED
from gan_core.pictures import save_png
from gan_core.translation import TranslationRecipe
from tabs.browser import DICE, pressing, receiving
from tabs.canvas import bound
from tabs.output import new_folder
from tabs.panel import QUIETLY, TAKES_TURNS, elsewhere, told
from tabs.translate_panel import ALWAYS, AUTOMATIC, NO_MODELS, WHERE_NEEDED, TranslatorsPanel
from tabs.translation import (
    MAX_SIDE,
    VARIATIONS,
    Lines,
    Translated,
    Translation,
    example,
    heatmap,
    received,
    repeated,
    run,
    save_pair,
    takes_drawings,
    translator,
    translators,
)

CANVAS = SHOWN = 512  # pixels of a fresh canvas, and of small pictures when they are enlarged
STRIP = 256  # pixels of a variation at most: there are several
NOTHING = "Draw something, upload or paste a picture, or press **Example**."
NO_EXAMPLE = -1
UNCHANGED = gr.skip()
LARGE = 512  # pixels of an upload that is enlarged without asking
LINED = 256  # pixels at which lines are taken without asking


@told()
def translate(
    image: gr.FileData | None = None,
    model: str | None = None,
    revision: str | None = None,
    seed: int = 0,
    side: int = 0,
    controls: dict[str, float] | None = None,
    lines: dict[str, Any] | None = None,
) -> tuple[dict, dict[str, Any]]:
    """Translates a picture. Returns the PNG of what becomes of it, and the settings.

    Args:
        image: An uploaded picture; by default an example of the model's.
        model: A name from the app's list, or "owner/name" on the Hub; by default the first that translates.
        revision: Branch, tag or commit on the Hub.
        seed: 0 to 4294967295; of what is drawn at random, where the model draws something.
        side: The longer side at which it is translated, up to 1024 pixels; 0 is its own.
        controls: Values by name, such as {"backwards": 1}; by default the model's own.
        lines: Has line art taken from the picture first, such as {"detail": 0.35, "flip": false} or {}.
    """
    name, loaded, commit = translator(model, revision)
    picture = example(loaded, 0) if image is None else received(image)
    if picture is None:
        raise UsageError("This model came without examples; send a picture.")
    called = name if commit is None else f"{name}@{commit}"
    _, drawn, settings = run(Translation((called,), side, seed, Lines.of(lines), controls or {}), picture)
    file = new_folder() / "translation.png"
    save_png(drawn[0].picture, file, settings)
    return handle_file(file), settings


class Answer(NamedTuple):
    """What the tab shows of a translation: values, or the components that show them."""

    pictures: Any = UNCHANGED
    said: Any = UNCHANGED
    lines: Any = UNCHANGED
    several: Any = UNCHANGED
    patches: Any = UNCHANGED
    cloth: Any = UNCHANGED
    settings: Any = None
    file: Any = UNCHANGED
    asked: Any = None
    detail: Any = UNCHANGED
    flip: Any = UNCHANGED


class TranslateTab:
    """The tab's components and events, made where it is constructed."""

    def __init__(self, panel: TranslatorsPanel, tab: gr.Tab, tabs: gr.Tabs, page: gr.Blocks) -> None:
        self.panel, self.tab = panel, tab
        with gr.Row():
            with gr.Column(min_width=300):
                self.canvas = gr.ImageEditor(
                    label="Input", type="pil", image_mode="RGBA", format="png", canvas_size=(CANVAS, CANVAS),
                    sources=(), transforms=(), layers=False, elem_id="canvas",
                    brush=gr.Brush(default_size=10, colors=["#000000", "#ffffff"], color_mode="defaults"),
                    buttons=["fullscreen"],
                )  # fmt: skip
                bound(self.canvas)
                with gr.Row():
                    another = gr.Button("Example", elem_id="another", min_width=90)
                    upload = gr.UploadButton("Upload", file_types=["image"], elem_id="upload", min_width=90)
                    go = gr.Button("Translate", variant="primary", elem_id="translate", min_width=120)
                self.given = gr.Image(
                    label="Lines, as the model is given them", format="png", interactive=False, visible=False,
                    elem_id="given", elem_classes="pixels", height=260, buttons=[],
                )  # fmt: skip
            with gr.Column(min_width=300):
                self.slider = gr.ImageSlider(
                    label="Before and after", format="png", interactive=False, elem_id="before-after",
                    elem_classes="pixels", buttons=["download", "fullscreen"], max_height=620,
                )  # fmt: skip
                self.status = gr.Markdown(NOTHING, elem_id="translated", elem_classes="said")
                self.file = gr.DownloadButton("Save the pair as one PNG", elem_id="save-pair", interactive=False)
        self.gallery = gr.Gallery(
            label="Side by side", format="png", columns=VARIATIONS, object_fit="contain", height="auto",
            interactive=False, visible=False, elem_id="translations", elem_classes=["gallery", "pixels"],
            buttons=["download", "download_all", "fullscreen"],
        )  # fmt: skip
        with gr.Row():
            self.patches = gr.Image(
                format="png", interactive=False, visible=False, elem_id="patches", elem_classes="pixels", height=280,
                min_width=280, buttons=["download", "fullscreen"],
            )  # fmt: skip
            self.cloth = gr.Image(
                label="Repeated, as a cloth would be", format="png", interactive=False, visible=False, elem_id="cloth",
                elem_classes="pixels", height=280, min_width=280, buttons=["download", "fullscreen"],
            )  # fmt: skip
        with gr.Accordion("Exact settings", open=False):
            self.used = gr.JSON(show_label=False, elem_id="translate-settings", buttons=["copy"])
        self.example = gr.State(0)  # place of the one that was put on the canvas last
        self.asked = gr.State()  # digest of the picture and choices that are answered
        answer = Answer(
            self.slider, self.status, self.given, self.gallery, self.patches, self.cloth, self.used, self.file,
            self.asked, panel.detail, panel.flip,
        )  # fmt: skip
        draw: dict[str, Any] = {
            "fn": self._draw, "inputs": [self.canvas, *panel.inputs, self.example],
            "outputs": [*answer], "trigger_mode": "always_last", **QUIETLY, **TAKES_TURNS,
        }  # fmt: skip
        choose = panel.models.input(self._choose, panel.models, panel.shown, **QUIETLY, **TAKES_TURNS)
        there = [panel.models, self.canvas, *panel.shown]
        opened = tab.select(self._open, [self.canvas, panel.models], there, **elsewhere(self.status), **TAKES_TURNS)
        page.load(self._follow, None, [panel.models, tabs], **elsewhere(self.status), **TAKES_TURNS)
        put = [self.canvas, self.example]
        another_one = another.click(
            self._another, [panel.models, panel.backwards, self.example], put, **elsewhere(self.status), **TAKES_TURNS
        )
        uploaded = upload.upload(self._uploaded, upload, put, **elsewhere(self.status), **TAKES_TURNS)
        page.load(None, None, None, js=receiving("upload"), **QUIETLY)
        self.canvas.clear(None, None, None, js=pressing("Brush", "canvas"), **QUIETLY)
        rolled = panel.dice.click(None, None, panel.seed, js=DICE, **QUIETLY)
        turned = [panel.side, panel.backwards, panel.lines, panel.flip, panel.repeat]
        draws = [
            gr.on([go.click, panel.seed.submit, panel.detail.release, *(each.input for each in turned)], **draw),
            *(event.success(**draw) for event in (choose, opened, another_one, uploaded, rolled)),
        ]
        once = draw | {"fn": self._draw_once, "inputs": [panel.live, self.asked, *draw["inputs"]]}
        # a stroke is an input, an undone one a change
        draws.append(gr.on([self.canvas.input, self.canvas.change], **once))
        # two changes that come together may be answered in either order: what is asked for is looked at again
        for drawn in draws:
            drawn.success(**once)
        gr.api(translate, api_name="translate", **TAKES_TURNS)

    @told()
    def _follow(self, request: gr.Request) -> list[Any]:
        """A link that names a model opens the tab with it."""
        if not (name := request.query_params.get("translate")):
            return [gr.skip(), gr.skip()]
        name = translator(name)[0]
        return [gr.Dropdown(offered([name]), value=[name]), gr.Tabs(selected=self.tab.id)]

    @told()
    def _open(self, canvas: dict[str, Any] | None, names: list[str] | None) -> list[Any]:
        """What a first visit sees: an example, never a blank canvas; and what models have come since the last."""
        models: dict[str, Model] = {}
        for name in names or ():
            with suppress(UsageError):  # one that has been deleted
                models[name] = translator(name)[1]
        if not models and (here := translators()):
            models[here[0]] = translator(here[0])[1]
        blank = picture_of(canvas) is None
        example = shown(next(iter(models.values())), 0) if blank and models else gr.skip()
        chosen = gr.Dropdown(offered(models), value=list(models))
        return [chosen, example, *self.panel.show(list(models.values()))]

    @told()
    def _choose(self, names: list[str] | None) -> list[Any]:
        return self.panel.show([translator(name)[1] for name in names or ()])

    @told()
    def _another(self, names: list[str] | None, backwards: bool, present: int) -> list[Any]:
        model = translator(next(iter(names or ()), None))[1]
        if model.examples is None:
            return [gr.skip()] * 2
        place = random.choice([k for k in range(len(model.examples.inputs)) if k != present] or [present])
        return [shown(model, place, backwards), place]

    @told()
    def _uploaded(self, file: str) -> list[Any]:
        picture = to_mode(open_image(Path(file)), 3)
        picture.thumbnail((MAX_SIDE, MAX_SIDE))
        return [on_canvas(picture), NO_EXAMPLE]

    def _draw_once(self, live: bool, asked: list[Any] | None, canvas: dict[str, Any] | None, *choices: Any) -> Any:
        """Draws unless that is what is shown: a canvas tells of a change several times over.

        A change of the picture counts only where strokes are to be translated as they come.
        """
        before = asked[0] if asked else None
        now = [digest(picture_of(canvas)) if live else before, *choices]
        return gr.skip() if now == asked else self._draw(canvas, *choices)

    @told()
    def _draw(
        self, canvas: dict[str, Any] | None, names: list[str] | None, side: int, seed: int | None, backwards: bool,
        lines: str, detail: float, flip: bool, repeat: bool, present: int,
    ) -> Answer:  # fmt: skip
        picture = picture_of(canvas)
        asked = [digest(picture), names, side, seed, backwards, lines, detail, flip, repeat, present]
        if not names or picture is None:
            said = NOTHING if names else "Choose a model." if translators() else NO_MODELS
            return Answer(said=said, file=gr.DownloadButton(interactive=False), asked=asked)
        chosen = [translator(name)[1] for name in names]
        lined = lines == ALWAYS or (lines == WHERE_NEEDED and takes_drawings(chosen[0]) and not is_drawing(picture))
        controls = {"backwards": 1.0} if backwards else {}
        if side == AUTOMATIC:
            side = usual_side(chosen, lined, max(picture.size) if present == NO_EXAMPLE else None)
        given, drawn, settings = run(
            Translation(tuple(names), side, seed or 0, Lines(detail, flip) if lined else None, controls), picture
        )
        return Answer(
            pictures=(to_mode(given, 3), drawn[0].picture),
            said=said_of(given, drawn),
            lines=gr.Image(enlarged(given), visible=lined),
            several=several(given, drawn, settings),
            patches=patches(given, drawn[0]),
            cloth=gr.Image(enlarged(repeated(drawn[0].picture)), visible=repeat),
            settings=settings,
            file=gr.DownloadButton(value=save_pair(given, drawn, settings), interactive=True),
            asked=asked,
            detail=gr.Slider(visible=lined),
            flip=gr.Checkbox(visible=lined),
        )


def offered(names: Iterable[str]) -> list[str]:
    """The models to choose from: those that are here, and those that are chosen already."""
    return [*dict.fromkeys([*translators(), *names])]


def usual_side(models: list[Model], lined: bool, uploaded: int | None) -> int:
    """The side that models were trained at, with two exceptions.

    Lines are as thin at any size, so more of a photograph is seen at a larger one; networks that only look around a
    pixel take it. And an upload that is to be enlarged is not made smaller first.

    Args:
        models: What the picture is given to.
        lined: Whether its lines are.
        uploaded: The longer side of an upload.
    """
    if lined and all(model.recipe.context is not None for model in models):
        return LINED
    if uploaded is not None and models[0].recipe.factor > 1:
        return min(uploaded, LARGE)
    return models[0].image_size // models[0].recipe.factor


def picture_of(canvas: dict[str, Any] | None) -> Image.Image | None:
    """What is on the canvas, on white; None where nothing is."""
    if canvas is None:
        return None
    drawn = canvas["composite"] or canvas["background"]  # an example that was just put there is a background only
    if drawn is None:
        return None
    picture = to_mode(drawn, 3)
    return None if picture.convert("L").getextrema() == (255, 255) else picture


def digest(picture: Image.Image | None) -> str | None:
    """What tells pictures apart."""
    if picture is None:
        return None
    return hashlib.sha256(repr(picture.size).encode() + picture.tobytes()).hexdigest()[:16]


def on_canvas(picture: Image.Image) -> dict[str, Any]:
    """The value of a canvas with a picture to draw on."""
    return {"background": picture.convert("RGBA"), "layers": [], "composite": None}


def shown(model: Model, place: int, backwards: bool = False) -> Any:
    """An example of the model's as a canvas shows it: large enough to draw on."""
    picture = example(model, place, backwards)
    if picture is None:
        return gr.skip()
    return on_canvas(enlarged(picture))


def said_of(given: Image.Image, drawn: list[Translated]) -> str:
    """Sizes and times, for people."""
    lines = [f"{given.width}x{given.height} pixels, {plain(one.caption())}." for one in drawn]
    for one in drawn:
        if (size := one.model.working_size(given.size)) != given.size:
            lines.append(f"{plain(one.name)} sees a picture as a whole: it was given {size[0]}x{size[1]} pixels.")
    return "  \n".join(lines)


def several(given: Image.Image, drawn: list[Translated], settings: dict[str, Any]) -> Any:
    """Several models beside each other, or variations of one that draws at random."""
    pictures = [(one.picture, one.caption()) for one in drawn]
    label = "Side by side"
    first = drawn[0]
    if len(drawn) == 1 and isinstance(first.model.recipe, TranslationRecipe) and first.model.recipe.varies:
        small = given.copy()
        small.thumbnail((STRIP, STRIP))
        seeds = [(settings["seed"] + k) % (MAX_SEED + 1) for k in range(VARIATIONS)]
        pictures = [(first.model.translate(small, seed), f"seed {seed}") for seed in seeds]
        label = "Variations: another seed, another picture"
    return gr.Gallery(pictures, label=label, visible=len(pictures) > 1)


def patches(given: Image.Image, drawn: Translated) -> Any:
    """The map of a discriminator that judges patches, where the model came with one."""
    if drawn.controls.get("backwards"):  # the discriminator of inputs is another one
        return gr.Image(visible=False)
    try:
        shares = drawn.model.patch_map(given, drawn.picture)
    except UsageError:
        return gr.Image(visible=False)
    label = f"{shares.shape[0]}x{shares.shape[1]} patches: dark drawn, light real"
    return gr.Image(enlarged(heatmap(shares.numpy(), drawn.picture.size)), label=label, visible=True)


def enlarged(picture: Image.Image) -> Image.Image:
    """A small picture with each pixel several times, since a page does not enlarge it."""
    times = max(1, SHOWN // max(picture.size))
    return picture.resize((times * picture.width, times * picture.height), Image.Resampling.NEAREST)
