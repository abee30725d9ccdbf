"""A translation: a picture, the models that it is given to, and how it is prepared for them."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from PIL import Image

from gan_core import Model, UsageError, __version__, library
from gan_core.data import DATASETS
from gan_core.data.picture_file import open_image, to_mode
from gan_core.edges import is_drawing, line_art
from gan_core.latent import MAX_SEED
from gan_core.pictures import save_png
from gan_core.recipe import nearest
from gan_core.translation import TranslationRecipe
from tabs.output import FOLDER, new_folder
from tabs.panel import load
from tabs.settings import check_text, check_whole

MAX_MODELS = 4
MAX_SIDE = 1024  # pixels that the playground translates; more take longer than a visitor waits
SIDES = (64, 128, 256, 512, MAX_SIDE)
VARIATIONS = 6
FAVOURITES = ("weights/gen_5-batik", "weights/gen_1-batik")  # what a first visit shows, if it is there
INFERNO = ((0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164))  # from 0 to 1, for a map


@dataclass(frozen=True)
class Lines:
    """How line art is taken from a photograph, see `gan_core.edges.line_art`; checked at construction."""

    detail: float = 0.35
    flip: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.detail, int | float) or not 0 <= self.detail <= 1:
            raise UsageError(f"The detail of lines is {str(self.detail)[:40]}; it takes 0 (coarse) to 1 (fine).")
        if not isinstance(self.flip, bool):
            raise UsageError(f"The flip of lines is {str(self.flip)[:40]}; it takes true (white on black) or false.")

    @classmethod
    def of(cls, sent: object) -> Self | None:
        """What a stranger asks for; None if for none."""
        if sent is None:
            return None
        if not isinstance(sent, dict) or set(sent) - {"detail", "flip"}:
            raise UsageError(f"The lines are {str(sent)[:40]}; they take a detail and a flip, or nothing.")
        return cls(**sent)


@dataclass(frozen=True)
class Translation:
    """What decides the pictures that become of one; checked at construction.

    Attributes:
        models: 1 to `MAX_MODELS` different names that `library.find_listed` takes.
        side: The longer side at which it is translated, in pixels; 0 is its own, up to `MAX_SIDE`.
        seed: Of what is drawn at random, 0 to `MAX_SEED`.
        lines: Whether line art is taken first, and how.
        controls: By the names that the models declare.
    """

    models: tuple[str, ...]
    side: int = 0
    seed: int = 0
    lines: Lines | None = None
    controls: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.models:
            check_text("model", name)
        if not 1 <= len(self.models) <= MAX_MODELS:
            raise UsageError(f"A picture is given to 1 to {MAX_MODELS} models; there are {len(self.models)}.")
        if twice := [name for name in self.models if self.models.count(name) > 1]:
            raise UsageError(f"{twice[0]} is asked for twice; name each model once.")
        if not isinstance(self.controls, dict):
            raise UsageError(f"The controls are {self.controls!r}; they take values by name, such as backwards: 1.")
        check_whole("side", self.side, 0, MAX_SIDE)
        check_whole("seed", self.seed, 0, MAX_SEED)

    def describe(self, size: tuple[int, int]) -> dict[str, Any]:
        """Plain types, for a picture's settings: these, the size it was translated at, and the version."""
        return dataclasses.asdict(self) | {"size": list(size), "gan_core": __version__}

    def prepare(self, picture: Image.Image) -> Image.Image:
        """The picture as the models are given it.

        Raises:
            UsageError: It is larger than `MAX_SIDE`, and no side was asked for.
        """
        longest = max(picture.size)
        side = self.side or longest
        if side > MAX_SIDE:
            raise UsageError(
                f"The picture has {picture.width}x{picture.height} pixels; here it may have {MAX_SIDE} along a side. "
                "Choose a size, or take python -m gan_core translate, which takes any."
            )
        if self.lines is not None:
            return line_art(picture, side, self.lines.detail, self.lines.flip)
        if side == longest:
            return picture
        picture = to_mode(picture, 3)  # palettes and bits cannot be blended
        wide, high = (max(1, round(length * side / longest)) for length in picture.size)
        # an example that was enlarged pixel by pixel to be drawn on becomes just what it was
        whole = all(length % new == 0 for length, new in zip(picture.size, (wide, high), strict=True))
        return picture.resize((wide, high), Image.Resampling.BOX if whole else Image.Resampling.LANCZOS)


@dataclass(frozen=True)
class Translated:
    """What became of a picture.

    Attributes:
        name: Of the model.
        model: It.
        picture: What it drew.
        controls: What of the asked-for controls it has.
        seconds: What that took.
    """

    name: str
    model: Model
    picture: Image.Image
    controls: Mapping[str, float]
    seconds: float

    def caption(self) -> str:
        """For people."""
        return f"{self.name.removeprefix('weights/')} · {1000 * self.seconds:.0f} ms"


def translators() -> list[str]:
    """The models here that translate, what a first visit shows before the others."""
    names = library.available(TranslationRecipe)
    return sorted(names, key=lambda name: FAVOURITES.index(name) if name in FAVOURITES else len(FAVOURITES))


def translator(name: str | None, revision: str | None = None) -> tuple[str, Model, str | None]:
    """The model of that name with its commit on the Hub; None is the first.

    Raises:
        UsageError: There is none, or it draws from noise.
    """
    name = name or next(iter(translators()), None)
    if name is None:
        raise UsageError("There is no model here that translates: train one, such as python train.py gen_1.")
    model, name, commit = load(name, revision)
    if not isinstance(model.recipe, TranslationRecipe):
        raise UsageError(f"{name} draws from noise; it cannot translate a picture.")
    return name, model, commit


def run(translation: Translation, picture: Image.Image) -> tuple[Image.Image, list[Translated], dict[str, Any]]:
    """What the models were given, what each made of it, and the settings.

    Raises:
        UsageError: A model cannot be had, or something does not fit it.
    """
    models = [translator(*name.partition("@")[::2]) for name in translation.models]
    declared = [{control.name for control in model.controls} for _, model, _ in models]
    for control in translation.controls:
        if not any(control in names for names in declared):
            raise UsageError(
                f"None of these models has a control {control!r}{nearest(control, set().union(*declared))}."
            )
    given = translation.prepare(picture)
    drawn = []
    for (name, model, commit), names in zip(models, declared, strict=True):
        controls = {key: value for key, value in translation.controls.items() if key in names}
        start = time.perf_counter()
        image = model.translate(given, translation.seed, **controls)
        called = name if commit is None else f"{name}@{commit}"
        drawn.append(Translated(called, model, image, controls, time.perf_counter() - start))
    settings = translation.describe(given.size) | {"models": [one.name for one in drawn]}
    return given, drawn, settings


def note(model: Model) -> str:
    """What a person has to know of a model's pictures, in a sentence; or nothing."""
    entry = DATASETS.get(str(model.training.get("dataset")))
    return "" if entry is None else entry.note


def example(model: Model, place: int, backwards: bool = False) -> Image.Image | None:
    """One of the inputs that a model came with, in its own pixels, or a picture to be translated backwards; None where
    it came with none."""
    if model.examples is None:
        return None
    inputs, truths = model.examples.inputs, model.examples.truths
    pixels = (truths if backwards and truths is not None else inputs)[place % len(inputs)].permute(1, 2, 0)
    return Image.fromarray(pixels.squeeze(2).numpy())


def takes_drawings(model: Model) -> bool:
    """Whether the inputs that a model came with are line art."""
    count = 0 if model.examples is None else len(model.examples.inputs)
    pictures = filter(None, (example(model, place) for place in range(count)))
    return sum(map(is_drawing, pictures)) > count / 2


def received(sent: object) -> Image.Image:
    """A picture that a stranger sent to /upload.

    Args:
        sent: As Gradio's clients name it: with its path.

    Raises:
        UsageError: It is none of an upload, or the file no picture.
    """
    path = sent.get("path") if isinstance(sent, Mapping) else None
    file = Path(path).resolve() if isinstance(path, str) else FOLDER
    if not file.is_relative_to(FOLDER) or not file.is_file():
        raise UsageError("The picture is none that was uploaded here; send it to /upload first.")
    return open_image(file)


def heatmap(shares: np.ndarray, size: tuple[int, int]) -> Image.Image:
    """Numbers between 0 and 1, [h, w], as colours from black to light yellow, each a block of one colour."""
    stops = np.linspace(0, 1, len(INFERNO))
    colours = np.stack([np.interp(shares, stops, channel) for channel in np.transpose(INFERNO)], axis=-1)
    return Image.fromarray(colours.round().astype(np.uint8)).resize(size, Image.Resampling.NEAREST)


def beside(pictures: list[Image.Image]) -> Image.Image:
    """Pictures side by side, as high as the highest."""
    high = max(picture.height for picture in pictures)
    sized = [picture.resize((round(picture.width * high / picture.height), high), 0) for picture in pictures]
    whole = Image.new("RGB", (sum(picture.width for picture in sized), high))
    left = 0
    for picture in sized:
        whole.paste(to_mode(picture, 3), (left, 0))
        left += picture.width
    return whole


def repeated(picture: Image.Image) -> Image.Image:
    """Four of a picture, as a cloth repeats its pattern."""
    row = beside([picture, picture])
    cloth = Image.new("RGB", (row.width, 2 * row.height))
    cloth.paste(row, (0, 0))
    cloth.paste(row, (0, row.height))
    return cloth


def save_pair(source: Image.Image, drawn: list[Translated], settings: dict[str, Any]) -> Path:
    """A PNG of what was given and what became of it, with the settings inside."""
    file = new_folder() / "translation.png"
    save_png(beside([source, *(one.picture for one in drawn)]), file, settings)
    return file
