"""A comparison: several models, the same seed, and what is to be known of each."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from gan_core import Model, UsageError, __version__, library
from gan_core.catalogue import noise_recipes
from gan_core.figures import is_number, number
from gan_core.latent import MAX_SEED
from gan_core.model import CHUNK
from gan_core.model_folder import read_config
from gan_core.pictures import read_settings
from tabs.panel import default_model, load, parameters, rounded
from tabs.settings import check_text, check_whole
from tabs.settings import number as number_in

MIN_MODELS, MAX_MODELS = 2, 6
MIN_IMAGES, MAX_IMAGES = 4, 16
RUNS = 3  # of which the fastest counts: what else the machine does makes a run slower, never faster


@dataclass(frozen=True)
class Comparison:
    """What decides the pictures; checked at construction, because it may come from a stranger's file or link.

    Attributes:
        models: `MIN_MODELS` to `MAX_MODELS` different names; one on the Hub may end in "@" and its revision.
        seed: 0 to `MAX_SEED`.
        images: `MIN_IMAGES` to `MAX_IMAGES` of each model.
        label: Class index for all models that have classes; None is each class in turn.
    """

    models: tuple[str, ...]
    seed: int = 0
    images: int = 8
    label: int | None = None

    def __post_init__(self) -> None:
        for name in self.models:
            check_text("model", name)
        if not MIN_MODELS <= len(self.models) <= MAX_MODELS:
            raise UsageError(f"A comparison takes {MIN_MODELS} to {MAX_MODELS} models; there are {len(self.models)}.")
        if twice := next((name for name in self.models if self.models.count(name) > 1), None):
            raise UsageError(f"{twice} is to be compared with itself; name each model once.")
        check_whole("seed", self.seed, 0, MAX_SEED)
        check_whole("number of images", self.images, MIN_IMAGES, MAX_IMAGES)
        if self.label is not None:
            check_whole("label", self.label, 0, MAX_SEED)

    @classmethod
    def from_png(cls, path: Path) -> Comparison:
        """What `describe` put into a picture.

        Raises:
            UsageError: It is no saved comparison, or a value is out of range.
        """
        found = read_settings(path)
        if not isinstance(found.get("models"), list) or "lines" in found:  # those are of a translation
            raise UsageError(f"{path.name} carries no comparison; drop a PNG that was saved on the Compare tab.")
        known = {field.name: found[field.name] for field in fields(cls) if field.name in found}
        return cls(**known | {"models": tuple(found["models"])})

    def check(self, models: Mapping[str, Model]) -> None:
        """Raises `UsageError` for a label that does not fit all models that have classes."""
        if self.label is not None:
            if (classes := shared_classes(list(models.values()))) is None:
                raise UsageError(f"The label is {self.label}, but these models share no classes.")
            check_whole("label", self.label, 0, len(classes) - 1)

    def describe(self) -> dict[str, Any]:
        """Everything that decides the pixels, and the version that they were made with."""
        return asdict(self) | {"models": list(self.models), "gan_core": __version__}


@dataclass(frozen=True)
class Entry:
    """One model's part.

    Attributes:
        name: As in `Comparison.models`; of a model on the Hub with its commit.
        model: What drew them.
        pictures: [N, C, H, W] in [-1, 1].
        milliseconds: What a picture takes, drawn `CHUNK` at a time; the fastest of `RUNS` after a warm-up.
    """

    name: str
    model: Model
    pictures: Tensor
    milliseconds: float

    @property
    def distance(self) -> tuple[float, float] | None:
        """Fréchet distance and its floor as the model's report has them; None where it was not measured."""
        fd = self.model.metrics.get("fd")
        value, floor = (fd.get("value"), fd.get("floor")) if isinstance(fd, Mapping) else (None, None)
        return (value, floor) if is_number(value) and is_number(floor) else None

    @property
    def judge(self) -> str:
        """What the distance was measured against, and by whom: others do not compare."""
        report, extractor = self.model.metrics, self.model.metrics.get("extractor")
        digest = extractor.get("sha256") if isinstance(extractor, Mapping) else None
        return str((report.get("dataset"), report.get("split"), report.get("m"), digest))

    def facts(self) -> dict[str, Any]:
        """Plain types, for programs."""
        value, floor = self.distance or (None, None)
        return {
            "model": self.name, "recipe": self.model.recipe.name, "parameters": parameters(self.model),
            "milliseconds": round(self.milliseconds, 3), "fd": value, "fd_floor": floor,
        }  # fmt: skip

    def caption(self) -> str:
        """Four lines for people: the name, then what is known."""
        value, floor = map(number, self.distance or (None, None))
        return "\n".join(
            [
                shorter(self.name),
                f"{self.model.recipe.name} · {rounded(parameters(self.model))} parameters",
                f"{number(self.milliseconds)} ms a picture",
                f"FD {value} (floor {floor})" if self.distance else "FD not measured",
            ]
        )


def shorter(name: str) -> str:
    """A name to read: of a commit only its first figures."""
    repo, at, revision = name.partition("@")
    return f"{repo}{at}{revision[:8]}".removeprefix("weights/")


def found(name: str) -> tuple[str, Model]:
    """The model of a name in `Comparison.models`, and that name; of one on the Hub with its commit."""
    repo, _, revision = name.partition("@")
    model, repo, commit = load(repo, revision or None)
    return (repo if commit is None else f"{repo}@{commit}"), model


def is_drawn(asked: Sequence[str], drawn: Sequence[str]) -> bool:
    """Whether these models were drawn, where one on the Hub may be asked for without the commit that `found` adds."""
    return len(asked) == len(drawn) and all(a in (d, d.partition("@")[0]) for a, d in zip(asked, drawn, strict=True))


def shared_classes(models: list[Model]) -> tuple[str, ...] | None:
    """The classes of those models that have any, or None where there are none, or not the same."""
    names = {model.classes for model in models if model.classes is not None}
    return names.pop() if len(names) == 1 else None


def compare(comparison: Comparison, models: Mapping[str, Model]) -> Iterator[Entry]:
    """Draws with one model after the other.

    Args:
        comparison: What is asked for.
        models: By name, as `found` gives them.

    Raises:
        UsageError: The label does not fit all models that have classes.
    """
    comparison.check(models)
    for name, model in models.items():
        label = None if model.classes is None else comparison.label
        pictures = model.sample(comparison.images, comparison.seed, label)  # the warm-up as well
        fastest = min(_seconds(model, comparison.seed, label) for _ in range(RUNS))
        yield Entry(name, model, pictures, 1000 * fastest / CHUNK)


def _seconds(model: Model, seed: int, label: int | None) -> float:
    start = time.perf_counter()
    model.sample(CHUNK, seed, label)
    return time.perf_counter() - start


def read_link(query: Mapping[str, str]) -> tuple[Comparison, dict[str, Model], list[str]]:
    """What a link asks for, its models, and a sentence for each value that does not fit and was left out.

    Raises:
        UsageError: Fewer than `MIN_MODELS` models are left, or there are too many.
    """
    models: dict[str, Model] = {}
    complaints = []
    for name in Comparison(tuple(query["models"].split(","))).models:
        try:
            name, model = found(name)
            models[name] = model
        except UsageError as error:
            complaints.append(str(error))
    comparison = Comparison(tuple(models))
    for name in ("seed", "images", "label"):
        if text := query.get(name):
            try:
                changed = replace(comparison, **{name: number_in(text)})
                changed.check(models)
                comparison = changed
            except UsageError as error:
                complaints.append(str(error))
    return comparison, models, complaints


def default_models() -> tuple[str, ...]:
    """What a first visit compares: the models here of the default model's data set, bundled ones before runs.

    They stand in the order of their papers; of more than `MAX_MODELS`, the default one and an even choice.
    """
    by_age = [recipe.name for recipe in noise_recipes()]
    by_data: dict[str, dict[str, int]] = {}  # data set to name to age
    for name in library.local_models():
        with suppress(UsageError):  # a damaged one
            described = read_config(library.find(name))
            if described["recipe"] in by_age:
                names = by_data.setdefault(str(described["training"].get("dataset")), {})
                names[name] = by_age.index(described["recipe"])
    favourite = default_model()
    alike = next((names for names in by_data.values() if favourite in names), {})
    bundled = [name for name in alike if name.startswith("weights/")]
    line = sorted(bundled if len(bundled) >= MIN_MODELS else alike, key=lambda name: alike[name])
    if len(line) <= MAX_MODELS:
        return tuple(line)
    chosen = {round(k * (len(line) - 1) / (MAX_MODELS - 1)) for k in range(MAX_MODELS)}
    here = line.index(favourite)
    chosen = chosen - {min(chosen, key=lambda k: abs(k - here))} | {here}
    return tuple(line[k] for k in sorted(chosen))
