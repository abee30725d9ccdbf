"""The interpolation tab: a walk from seed to seed and class to class, live, as a strip and as a film."""

import time
from collections.abc import Iterator
from typing import Any, Literal, get_args

import gradio as gr
from gradio_client import handle_file

from gan_core import Model, latent
from gan_core.model import CHUNK
from gan_core.pictures import grid
from tabs.film import MIN_SIDE
from tabs.panel import NO_CLASS, QUIETLY, TAKES_TURNS, ModelPanel, class_choices, load, stops, told
from tabs.walk import MAX_FPS, MAX_FRAMES, MAX_KEYS, SEEDS, Format, Walk, film, live, read_seeds, roll

STAY = "stay in one class"
STRIP = MAX_KEYS  # pictures in the strip: every key seed is in it


@told()
def interpolate(
    model: str | None = None,
    revision: str | None = None,
    seeds: str = SEEDS,
    path: Literal["slerp", "lerp"] = "slerp",
    loop: bool = True,
    frames: int = 60,
    fps: int = 15,
    format: Literal["gif", "mp4"] = "gif",
    label: int | None = None,
    controls: dict[str, float] | None = None,
    goal: int | None = None,
    hold: bool = False,
) -> dict:
    """A film of the walk through key seeds, and from class to class. Returns its file.

    Args:
        model: A name from the app's list, or "owner/name" on the Hub; by default the first model of the app.
        revision: Branch, tag or commit on the Hub.
        seeds: 2 to 12 key seeds with commas between.
        path: "slerp" (great circle) or "lerp" (straight line).
        loop: Whether the walk returns to its first seed.
        frames: Length of the film, at least one for each seed, at most 240.
        fps: Frames per second, 1 to 30.
        format: "gif" or "mp4".
        label: Class index for a conditional model.
        controls: Values by name, such as {"truncation": 0.7}; by default the model's own.
        goal: Index of the class that the walk goes to, from `label`; by default it stays there.
        hold: Whether it stays at the first seed, so that only the class changes.
    """
    walk = Walk(read_seeds(seeds), path, loop, label, controls or {}, goal, hold is True)
    *_, (_, file) = film(walk, load(model, revision).model, frames, fps, format)
    return handle_file(file)


class InterpolateTab:
    """The tab's components and events, made where it is constructed."""

    def __init__(self, panel: ModelPanel, tab: gr.Tab) -> None:
        self.panel = panel
        with gr.Row(elem_classes="line"):
            self.seeds = gr.Textbox(SEEDS, label="Key seeds", elem_id="seeds", max_lines=1, min_width=150, scale=3)
            dice = gr.Button("⚄ Roll", elem_id="dice-seeds", min_width=90, scale=0)
            self.path = gr.Radio(
                [("great circle", "slerp"), ("straight", "lerp")], value="slerp", label="Path", elem_id="path",
                min_width=190, scale=3,
            )  # fmt: skip
            self.loop = gr.Checkbox(True, label="Loop", elem_id="loop", min_width=80, scale=1)
        with gr.Row(visible=False) as self.morph:
            self.goal = gr.Dropdown(
                class_choices((), STAY), value=NO_CLASS, label="Go to class", elem_id="goal", min_width=220,
                info="The walk begins in the class chosen beside, or in the first.",
            )  # fmt: skip
            self.hold = gr.Checkbox(
                label="Hold the first seed", info="Then only the class changes, if there is one to go to.",
                elem_id="hold",
            )  # fmt: skip
        self.mix = gr.Slider(0, 1, 0.12, step=0.01, label="Along the walk", elem_id="mix")
        with gr.Row(elem_classes="triptych"):
            self.shown = [
                gr.Image(
                    label=" ", format="png", interactive=False, buttons=[], elem_id=name, elem_classes="pixels",
                    min_width=90, height="auto",
                )
                for name in ("end-a", "live", "end-b")
            ]  # fmt: skip
        self.strip = gr.Image(
            label="The whole walk", format="png", interactive=False, buttons=["download"], elem_id="strip",
            elem_classes="pixels", height="auto", alt_text="Pictures along the whole walk",
        )  # fmt: skip
        with gr.Row():
            self.frames = gr.Slider(2, MAX_FRAMES, 60, step=1, label="Frames", elem_id="frames", min_width=220)
            self.fps = gr.Slider(1, MAX_FPS, 15, step=1, label="Frames per second", elem_id="fps", min_width=220)
        with gr.Row():
            gif = gr.Button("Make a GIF", variant="primary", elem_id="make-gif", min_width=120)
            mp4 = gr.Button("Make an MP4", variant="primary", elem_id="make-mp4", min_width=120)
            cancel = gr.Button("Cancel", elem_id="cancel", min_width=90)
        with gr.Column(elem_id="film"):
            self.status = gr.Markdown(elem_id="film-status", elem_classes="said")
            self.gif = gr.Image(
                label="Film (GIF)",
                interactive=False,
                buttons=["download"],
                visible=False,
                elem_classes="pixels",
                alt_text="The walk as a film",
            )
            self.mp4 = gr.Video(label="Film (MP4)", interactive=False, autoplay=True, loop=True, visible=False)

        steps = [self.seeds, self.path, self.loop, self.goal, self.hold]
        way = [*steps, *panel.inputs]
        live: dict[str, Any] = {"inputs": [self.mix, *way], "trigger_mode": "always_last", **QUIETLY, **TAKES_TURNS}
        show = live | {"fn": self._show, "outputs": [*self.shown, self.strip, self.morph, self.goal]}
        self.mix.input(self._live, outputs=self.shown, **live)
        gr.on([self.seeds.submit, self.seeds.blur, *(step.input for step in steps[1:])], **show)
        dice.click(roll, None, self.seeds, **QUIETLY).success(**show)
        panel.keep_drawn(tab, show)
        films = [
            button.click(
                make, [self.frames, self.fps, *way], [self.status, self.gif, self.mp4], **QUIETLY, **TAKES_TURNS
            )
            for button, make in ((gif, self._make_gif), (mp4, self._make_mp4))
        ]
        stops(cancel, films, self.status)
        gr.api(interpolate, api_name="interpolate", **TAKES_TURNS)

    def _read(
        self, seeds: str, path: latent.Path, loop: bool, goal: int, hold: bool, *panel: Any
    ) -> tuple[Walk, Model]:
        model, settings = self.panel.read(panel)
        there = goal if goal in range(len(model.classes or ())) else None
        hold = hold and there is not None
        return Walk(read_seeds(seeds), path, loop, settings.label, settings.controls, there, hold), model

    @told()
    def _live(self, mix: float, *way: Any) -> list[Any]:
        walk, model = self._read(*way)
        return [gr.Image(picture, label=label, alt_text=label) for picture, label in live(walk, model, mix)]

    @told()
    def _show(self, mix: float, *way: Any) -> list[Any]:
        walk, model = self._read(*way)
        strip = grid(walk.decode(model, STRIP), STRIP, scale=-(-MIN_SIDE // 2 // model.image_size))
        classes = model.classes or ()
        # a goal that this model has stays: a newer one may have been chosen meanwhile
        _, _, _, chosen, *_ = way
        kept = {} if chosen in range(NO_CLASS, len(classes)) else {"value": NO_CLASS}
        goal = gr.Dropdown(class_choices(classes, STAY), **kept)
        return [*self._live(mix, *way), strip, gr.Row(visible=len(classes) > 0), goal]

    def _make_gif(self, *inputs: Any) -> Iterator[list[Any]]:
        yield from self._make("gif", *inputs)

    def _make_mp4(self, *inputs: Any) -> Iterator[list[Any]]:
        yield from self._make("mp4", *inputs)

    def _make(self, kind: Format, count: int, fps: int, *way: Any) -> Iterator[list[Any]]:
        """Yields updates of the status and the two players; Gradio closes the iterator when Cancel is pressed."""
        start = time.perf_counter()
        with told():
            walk, model = self._read(*way)
            for done, file in film(walk, model, count, fps, kind):  # noqa: B007  the last file is the whole film
                if done % CHUNK == 1:
                    yield [f"Frame {done} of {count} ...", gr.skip(), gr.skip()]
        said = f"{count} frames, {file.stat().st_size / 1000:.0f} kB, made in {time.perf_counter() - start:.1f} s"
        gif, mp4 = (str(file) if kind == format else None for format in get_args(Format))
        yield [said, gr.Image(gif, visible=gif is not None), gr.Video(mp4, visible=mp4 is not None)]
