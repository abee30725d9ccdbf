"""The interpolation tab: a walk from seed to seed, live, as a strip and as a film."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import gradio as gr
import torch
from gradio_client import handle_file
from PIL import Image
from torch import Tensor

from gan_core import Model, UsageError, latent
from gan_core.model import CHUNK
from gan_core.pictures import grid, to_pil
from tabs.film import MIN_SIDE, frames, scale_of, write
from tabs.output import new_folder
from tabs.panel import QUIETLY, TAKES_TURNS, ModelPanel, load, told
from tabs.settings import check_text, check_whole

MAX_KEYS, MAX_FRAMES, MAX_FPS = 12, 240, 30
STRIP = MAX_KEYS  # pictures in the strip: every key seed is in it
SEEDS = "3, 14, 15, 92"
Format = Literal["gif", "mp4"]


@dataclass(frozen=True)
class Walk:
    """A way through latent space; checked at construction.

    Attributes:
        seeds: 2 to `MAX_KEYS` key seeds, 0 to `latent.MAX_SEED` each.
        path: Along the great circle or the straight line.
        loop: Back to the first seed at the end.
        label: Class index, for a conditional model; one class for the whole walk, the first by default.
        controls: By the names that the model declares.
    """

    seeds: tuple[int, ...]
    path: latent.Path = "slerp"
    loop: bool = True
    label: int | None = None
    controls: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 2 <= len(self.seeds) <= MAX_KEYS:
            raise UsageError(f"There are {len(self.seeds)} key seeds; a walk takes 2 to {MAX_KEYS}, such as {SEEDS}.")
        for seed in self.seeds:
            check_whole("key seed", seed, 0, latent.MAX_SEED)
        if self.path not in get_args(latent.Path):
            raise UsageError(f"The path is {str(self.path)[:40]!r}; it takes {' or '.join(get_args(latent.Path))}.")

    def latents(self, model: Model, count: int) -> Tensor:
        """`count` latents along the walk, [count, latent_dim]."""
        return latent.walk(self.seeds, count, model.latent_dim, self.path, self.loop)

    def leg(self, mix: float) -> tuple[int, int, float]:
        """The key seeds around the point `mix` of the way, 0 to 1, and how far it is from one to the next."""
        stops = (*self.seeds, self.seeds[0]) if self.loop else self.seeds
        position = min(max(mix, 0.0), 1.0) * (len(stops) - 1)
        first = min(int(position), len(stops) - 2)
        return stops[first], stops[first + 1], position - first

    def decode(self, model: Model, z: Tensor) -> Tensor:
        """Pictures of latents on the walk, [N, C, H, W]."""
        return model.decode(z, self.label_of(model), **self.controls)

    def label_of(self, model: Model) -> int | None:
        """The class of the whole walk, None for an unconditional model."""
        return self.label if model.classes is None or self.label is not None else 0


def read_seeds(text: str) -> tuple[int, ...]:
    """Key seeds from "3, 14, 15, 92".

    Raises:
        UsageError: A word is no whole number.
    """
    check_text("list of key seeds", text)
    words = text.replace(",", " ").split()
    for word in words:
        if not (word.isascii() and word.isdecimal() and len(word) <= 10):
            raise UsageError(f"{word[:20]!r} is no seed; give whole numbers with commas between, such as {SEEDS}.")
    return tuple(int(word) for word in words)


def live(walk: Walk, model: Model, mix: float) -> list[tuple[Image.Image, str]]:
    """The picture at the point `mix` of the walk between those of its two key seeds, each with its label."""
    before, after, t = walk.leg(mix)
    ends = [latent.latents(seed, 1, model.latent_dim) for seed in (before, after)]
    pictures = walk.decode(model, torch.cat([ends[0], latent.between(*ends, t, walk.path), ends[1]]))
    labels = (f"Seed {before}", f"{100 * t:.0f} %", f"Seed {after}")
    return [
        (to_pil(picture, scale_of(model.image_size)), label) for picture, label in zip(pictures, labels, strict=True)
    ]


def film(walk: Walk, model: Model, count: int, fps: int, kind: str) -> Iterator[tuple[int, Path]]:
    """Writes the walk as a film.

    Yields:
        Frames done so far and the file, which is whole when the iterator has ended.

    Raises:
        UsageError: A number is out of range, or there is no such kind of film.
    """
    check_whole("number of frames", count, 2, MAX_FRAMES)
    check_whole("frames per second", fps, 1, MAX_FPS)
    if kind not in get_args(Format):
        raise UsageError(f"There is no film format {kind!r}; choose from {', '.join(get_args(Format))}.")
    file = new_folder() / f"walk-{'-'.join(map(str, walk.seeds))[:60]}.{kind}"
    pictures = frames(model, walk.latents(model, count), walk.label_of(model), walk.controls)
    for done in write(file, pictures, scale_of(model.image_size) * model.image_size, fps):
        yield done, file


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
) -> dict:
    """A film of the walk through key seeds. Returns its file.

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
    """
    walk = Walk(read_seeds(seeds), path, loop, label, controls or {})
    *_, (_, file) = film(walk, load(model, revision).model, frames, fps, format)
    return handle_file(file)


class InterpolateTab:
    """The tab's components and events, made where it is constructed."""

    def __init__(self, panel: ModelPanel) -> None:
        self.panel = panel
        with gr.Row(elem_classes="line"):
            self.seeds = gr.Textbox(SEEDS, label="Key seeds", elem_id="seeds", max_lines=1, min_width=150, scale=3)
            dice = gr.Button("⚄ Roll", elem_id="dice-seeds", min_width=90, scale=0)
            self.path = gr.Radio(
                [("great circle", "slerp"), ("straight", "lerp")], value="slerp", label="Path", elem_id="path",
                min_width=190, scale=3,
            )  # fmt: skip
            self.loop = gr.Checkbox(True, label="Loop", elem_id="loop", min_width=80, scale=1)
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
            self.status = gr.Markdown(elem_id="film-status")
            self.gif = gr.Image(
                label="Film (GIF)",
                interactive=False,
                buttons=["download"],
                visible=False,
                elem_classes="pixels",
                alt_text="The walk as a film",
            )
            self.mp4 = gr.Video(label="Film (MP4)", interactive=False, autoplay=True, loop=True, visible=False)

        way = [self.seeds, self.path, self.loop, *panel.inputs]
        live = {"inputs": [self.mix, *way], "trigger_mode": "always_last", **QUIETLY, **TAKES_TURNS}
        self._preview = live | {"fn": self._show, "outputs": [*self.shown, self.strip]}
        self.mix.input(self._live, outputs=self.shown, **live)
        gr.on([self.seeds.submit, self.seeds.blur, self.path.input, self.loop.input, *panel.turned], **self._preview)
        self.redraw_after(*panel.chosen, dice.click(roll, None, self.seeds, **QUIETLY))
        films = [
            button.click(
                make, [self.frames, self.fps, *way], [self.status, self.gif, self.mp4], **QUIETLY, **TAKES_TURNS
            )
            for button, make in ((gif, self._make_gif), (mp4, self._make_mp4))
        ]
        cancel.click(None, None, self.status, js="() => 'Stopped.'", cancels=films, **QUIETLY)
        gr.api(interpolate, api_name="interpolate", **TAKES_TURNS)

    def redraw_after(self, *events: Any) -> None:
        """Makes events, when they succeed, be followed by fresh pictures here."""
        for event in events:
            event.success(**self._preview)

    def _read(self, seeds: str, path: latent.Path, loop: bool, *panel: Any) -> tuple[Walk, Model]:
        model, settings = self.panel.read(panel)
        return Walk(read_seeds(seeds), path, loop, settings.label, settings.controls), model

    @told()
    def _live(self, mix: float, *way: Any) -> list[Any]:
        walk, model = self._read(*way)
        return [gr.Image(picture, label=label, alt_text=label) for picture, label in live(walk, model, mix)]

    @told()
    def _show(self, mix: float, *way: Any) -> list[Any]:
        walk, model = self._read(*way)
        strip = grid(walk.decode(model, walk.latents(model, STRIP)), STRIP, scale=-(-MIN_SIDE // 2 // model.image_size))
        return [*self._live(mix, *way), strip]

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


def roll() -> str:
    """Four fresh key seeds."""
    return ", ".join(str(random.randint(0, 9999)) for _ in range(4))
