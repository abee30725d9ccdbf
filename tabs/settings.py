"""The settings of a sample: one value that travels through the page, its address and the PNG files."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gan_core import Model, UsageError, __version__, library
from gan_core.latent import MAX_SEED
from gan_core.pictures import read_settings
from gan_core.recipe import nearest

MAX_IMAGES = 64


@dataclass(frozen=True)
class Settings:
    """What decides the pictures; checked at construction, because it may come from a stranger's file or link.

    Attributes:
        model: A name that `library.find_listed` takes.
        revision: Branch, tag or commit on the Hub.
        seed: 0 to `MAX_SEED`.
        images: 1 to `MAX_IMAGES`.
        label: Class index; None is each class in turn.
        controls: By the names that the model declares; what is left out has its default.
        raw: With the weights of a run as the optimizer left them, not averaged.
    """

    model: str
    revision: str | None = None
    seed: int = 0
    images: int = 16
    label: int | None = None
    controls: dict[str, float] = field(default_factory=dict)
    raw: bool = False

    def __post_init__(self) -> None:
        check_text("model", self.model)
        if self.revision is not None:
            check_text("revision", self.revision)
        check_whole("seed", self.seed, 0, MAX_SEED)
        check_whole("number of images", self.images, 1, MAX_IMAGES)
        if self.label is not None:
            check_whole("label", self.label, 0, MAX_SEED)
        if not isinstance(self.controls, dict):
            raise UsageError(f"The controls are {self.controls!r}; they take values by name, such as truncation: 0.7.")
        if not isinstance(self.raw, bool):
            raise UsageError(f"raw is {str(self.raw)[:40]!r}; it takes true or false.")

    @classmethod
    def from_png(cls, path: Path) -> Settings:
        """What `describe` put into a picture.

        Raises:
            UsageError: It is no picture of the playground, or a value is out of range.
        """
        found = read_settings(path)
        if "model" not in found:
            if "lines" in found:
                raise UsageError(f"{path.name} is a translation; only samples and comparisons can be restored.")
            if "models" in found:
                raise UsageError(f"{path.name} is a comparison of several models; drop it on the Compare tab.")
            raise UsageError(f"{path.name} carries settings of another program; drop a PNG that was saved here.")
        if {"rows", "columns", "layers"} <= set(found):
            raise UsageError(f"{path.name} is a table of mixed styles; only samples and comparisons can be restored.")
        return cls(**{name: found[name] for name in FIELDS if name in found})

    def describe(self, model: Model) -> dict[str, Any]:
        """Everything that decides the pixels: these settings, all controls, and what they were made with."""
        controls = {control.name: self.controls.get(control.name, control.default) for control in model.controls}
        return dataclasses.asdict(self) | {
            "controls": controls,
            "image_size": model.image_size,
            "device": str(model.device),
            "gan_core": __version__,
        }

    def check(self, model: Model) -> None:
        """Raises `UsageError` for what the model does not have, be it a class, a control or raw weights, or a value
        out of a control's range."""
        if self.raw:
            check_raw(self.model)
        if self.label is not None:
            if model.classes is None:
                raise UsageError(f"The label is {self.label}, but this model is unconditional: it has no classes.")
            check_whole("label", self.label, 0, len(model.classes) - 1)
        declared = {control.name: control for control in model.controls}
        for name, value in self.controls.items():
            if name not in declared:
                raise UsageError(f"A {model.recipe.name} model has no control {name!r}{nearest(name, declared)}.")
            declared[name].check(value)

    def with_query(self, query: Mapping[str, str], model: Model) -> tuple[Settings, list[str]]:
        """These settings with what a link's query says, value by value.

        Args:
            query: The link's parameters; names that mean nothing here are left alone.
            model: Whose controls and classes the link may name.

        Returns:
            The settings, and a sentence for each value that does not fit and was left out.
        """
        settings, complaints = self, []
        controls = {control.name for control in model.controls}
        for name, text in query.items():
            try:
                if name in ("seed", "images", "label") and text:
                    changed = dataclasses.replace(settings, **{name: number(text)})
                elif name == "raw":
                    changed = dataclasses.replace(settings, raw={"true": True, "false": False}.get(text, text))
                elif name in controls:
                    changed = dataclasses.replace(settings, controls=settings.controls | {name: number(text)})
                else:
                    continue
                changed.check(model)
                settings = changed
            except UsageError as error:
                complaints.append(str(error))
        return settings, complaints


FIELDS = tuple(field.name for field in dataclasses.fields(Settings))


def check_raw(model: str) -> None:
    """Raises `UsageError` unless the model is that of a run which still has its checkpoint."""
    if not library.raw_weights(model):
        raise UsageError(f"{model} is no run that still has its checkpoint, so its raw weights cannot be had.")


def check_text(name: str, value: object) -> None:
    """Raises `UsageError` unless the value is text."""
    if not isinstance(value, str):
        raise UsageError(f"The {name} is {str(value)[:40]!r}; it takes text.")


def check_whole(name: str, value: object, low: int, high: int) -> None:
    """Raises `UsageError` unless the value is an integer from low to high."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise UsageError(f"The {name} is {str(value)[:40]!r}; it takes a whole number from {low} to {high}.")


def number(text: str) -> int | float | str:
    """The number that a text spells, else the text, for the check that follows to complain about."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
