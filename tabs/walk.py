"""A walk through latent space, and from class to class: where it leads, and what is seen on the way."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import torch
from PIL import Image
from torch import Tensor

from gan_core import Model, UsageError, latent
from gan_core.pictures import to_pil
from tabs.film import frames, scale_of, write
from tabs.output import new_folder
from tabs.settings import check_text, check_whole

MAX_KEYS, MAX_FRAMES, MAX_FPS = 12, 240, 30
SEEDS = "3, 14, 15, 92"
Format = Literal["gif", "mp4"]


@dataclass(frozen=True)
class Walk:
    """A way through latent space; checked at construction.

    Attributes:
        seeds: 2 to `MAX_KEYS` key seeds, 0 to `latent.MAX_SEED` each.
        path: Along the great circle or the straight line.
        loop: Back to the first seed at the end, and to the first class.
        label: Class index, for a conditional model; the first class by default.
        controls: By the names that the model declares.
        goal: Index of the class that the walk goes to; None stays in one class.
        hold: Whether it stays at the first seed, so that only the class changes.
    """

    seeds: tuple[int, ...]
    path: latent.Path = "slerp"
    loop: bool = True
    label: int | None = None
    controls: dict[str, float] = field(default_factory=dict)
    goal: int | None = None
    hold: bool = False

    def __post_init__(self) -> None:
        if not 2 <= len(self.seeds) <= MAX_KEYS:
            raise UsageError(f"There are {len(self.seeds)} key seeds; a walk takes 2 to {MAX_KEYS}, such as {SEEDS}.")
        for seed in self.seeds:
            check_whole("key seed", seed, 0, latent.MAX_SEED)
        if self.path not in get_args(latent.Path):
            raise UsageError(f"The path is {str(self.path)[:40]!r}; it takes {' or '.join(get_args(latent.Path))}.")
        if self.hold and self.goal is None:
            raise UsageError("A walk that holds its seed goes nowhere without a class to go to.")

    @property
    def keys(self) -> tuple[int, ...]:
        """The seeds that it goes from, to and past."""
        return self.seeds[:1] * 2 if self.hold else self.seeds

    def latents(self, model: Model, count: int) -> Tensor:
        """`count` latents along the walk, [count, latent_dim]."""
        return latent.walk(self.keys, count, model.latent_dim, "lerp" if self.hold else self.path, self.loop)

    def labels(self, model: Model, position: Tensor) -> Tensor | int | None:
        """The labels of points on the walk: weights of all classes, [N, K], or the one class of the whole walk.

        Args:
            model: Whose classes they are; there are no labels for one without.
            position: [N], from 0 at the start to 1 at the end.
        """
        start = self.label if model.classes is None or self.label is not None else 0
        if self.goal is None:
            return start
        ends = latent.morph(model.class_index(start or 0), model.class_index(self.goal), 2, len(model.classes or ()))
        return latent.lerp(ends[0], ends[1], self.share(position)[:, None])

    def share(self, position: Tensor) -> Tensor:
        """How far from the first class to the other points on the walk are; a loop goes there and back."""
        return 1 - (2 * position - 1).abs() if self.loop else position

    def positions(self, count: int) -> Tensor:
        """Where `count` frames are on the walk, [count]; see `latent.walk`."""
        return torch.linspace(0, 1, count + self.loop)[:count]

    def leg(self, mix: float) -> tuple[int, float]:
        """The number of the stop before the point `mix` of the way, 0 to 1, and the share of the leg that is behind."""
        legs = len(self.keys) - 1 + self.loop
        way = min(max(mix, 0.0), 1.0) * legs
        before = min(int(way), legs - 1)
        return before, way - before

    def decode(self, model: Model, count: int) -> Tensor:
        """`count` pictures along the walk, [count, C, H, W]."""
        return model.decode(self.latents(model, count), self.labels(model, self.positions(count)), **self.controls)


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


def roll() -> str:
    """Four fresh key seeds."""
    return ", ".join(str(random.randint(0, 9999)) for _ in range(4))


def live(walk: Walk, model: Model, mix: float) -> list[tuple[Image.Image, str]]:
    """The picture at the point `mix` of the walk between those of its two stops, each with what it is."""
    before, t = walk.leg(mix)
    stops = [*walk.keys, walk.keys[0]]
    ends = [latent.latents(seed, 1, model.latent_dim) for seed in stops[before : before + 2]]
    z = torch.cat([ends[0], latent.between(*ends, t, "lerp" if walk.hold else walk.path), ends[1]])
    position = torch.tensor([before, before + t, before + 1.0]) / (len(walk.keys) - 1 + walk.loop)
    pictures = model.decode(z, walk.labels(model, position), **walk.controls)
    where = [f"Seed {stops[before]}", f"{100 * t:.0f} %", f"Seed {stops[before + 1]}"]
    if walk.goal is not None and model.classes is not None:
        start, goal = model.classes[walk.label or 0], model.classes[walk.goal]
        classes = [said(share, start, goal) for share in walk.share(position).tolist()]
        seeds = [f"Seed {walk.seeds[0]}"] * 3 if walk.hold else where
        where = [f"{seed} · {name}" for seed, name in zip(seeds, classes, strict=True)]
    scale = scale_of(model.image_size)
    return [(to_pil(picture, scale), text) for picture, text in zip(pictures, where, strict=True)]


def said(share: float, start: str, goal: str) -> str:
    """A point between two classes, for people."""
    percent = round(100 * share)
    return {0: f"class {start}", 100: f"class {goal}"}.get(percent, f"{percent} % from {start} to {goal}")


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
    labels = walk.labels(model, walk.positions(count))
    pictures = frames(model, walk.latents(model, count), labels, walk.controls)
    for done in write(file, pictures, scale_of(model.image_size) * model.image_size, fps):
        yield done, file
