"""`translate`: pictures from pictures."""

from __future__ import annotations

import dataclasses
import os
from glob import glob
from pathlib import Path
from typing import Annotated

import tyro

from gan_core.cli.flags import parse
from gan_core.errors import UsageError

BAR = "{percentage:3.0f}%|{bar}| {elapsed} {desc}"  # a big picture moves it by tiles


@dataclasses.dataclass(frozen=True)
class Translate:
    """Translate a picture, a folder of pictures, or all that match a pattern."""

    source: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="IN")]
    """A picture, a folder, or a pattern such as "sketches/*.png"."""
    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
    """A .png for one picture, else a folder, in which each picture keeps its name."""
    model: str
    """A model folder, a run's folder, or owner/name on the Hub."""
    seed: int = 0
    """Of what is drawn at random, where the model draws something."""
    backwards: bool = False
    """Translate the other way, where the model learned both."""
    revision: str | None = None
    """Branch, tag or commit on the Hub."""


def translate(words: list[str]) -> None:
    """Translate pictures: IN OUT --model MODEL, where IN is a picture, a folder or a pattern"""
    from tqdm import tqdm

    from gan_core.atomic import replacing
    from gan_core.data.picture_file import open_image
    from gan_core.library import load

    asked = parse(Translate, words, "translate")
    sources = found(asked.source, asked.out)
    single = asked.out.suffix.lower() == ".png"
    if single and len(sources) > 1:
        raise UsageError(f"{asked.source} is {len(sources)} pictures, so OUT must be a folder; it is {asked.out}.")
    if not single and asked.out.suffix and not asked.out.is_dir():
        raise UsageError(f"OUT is {asked.out}; it takes a .png for one picture, or a folder.")
    if not may_hold(asked.out, single):
        raise UsageError(f"OUT is {asked.out}; nothing can be written there.")
    model = load(asked.model, asked.revision)
    targets = [asked.out if single else asked.out / f"{source.stem}.png" for source in sources]
    if {source.resolve() for source in sources} & {target.resolve() for target in targets}:
        raise UsageError(f"What comes out would replace what goes in: give another OUT than {asked.out}.")
    controls = {"backwards": 1.0} if asked.backwards else {}
    unreadable = []
    with tqdm(total=len(sources), unit=" pictures", bar_format=BAR, disable=None) as bar:
        for place, source in enumerate(sources):

            def show(done: float, text: str, place: int = place, name: str = source.name) -> None:
                bar.set_description_str(f"{name}: {text}", refresh=False)
                bar.update(place + done - bar.n)

            show(0.0, "reading")
            try:
                picture = open_image(source)
            except UsageError as error:
                unreadable.append(str(error))
                continue
            if (size := model.working_size(picture.size)) != picture.size:
                bar.write(f"{source.name} is translated at {size[0]}x{size[1]}, since the network sees it as a whole.")
            drawn = model.translate(picture, asked.seed, show, **controls)
            target = targets[place]
            target.parent.mkdir(parents=True, exist_ok=True)
            with replacing(target) as file:
                drawn.save(file, format="PNG")
            show(1.0, "done")
    if len(sources) > len(unreadable):
        print(f"Translated {len(sources) - len(unreadable)} of {len(sources)}: {asked.out}")
    if unreadable:
        raise UsageError(f"{len(unreadable)} of {len(sources)} were left out: {'; '.join(unreadable[:3])}.")


def may_hold(out: Path, single: bool) -> bool:
    """Whether one picture, or a folder of them, can be written at `out`, before a model is asked for any."""
    if single and out.is_dir():
        return False
    start = out.absolute().parent if single else out.absolute()
    there = next(place for place in (start, *start.parents) if place.exists())
    return there.is_dir() and os.access(there, os.W_OK)


def found(source: str, out: Path) -> list[Path]:
    """The pictures that IN names, sorted; not those that lie in OUT, if that is a folder in IN.

    Raises:
        UsageError: There are none, or two would be written to one name.
    """
    from gan_core.data.folder import pictures_below

    path = Path(source)
    if path.is_dir():
        below = out.resolve() if out.resolve() != path.resolve() else None
        sources = [file for file in pictures_below(path) if below not in file.resolve().parents]
    else:
        sources = [path] if path.is_file() else sorted(file for file in map(Path, glob(source)) if file.is_file())
    if not sources:
        raise UsageError(f"{source} is no picture and no folder that holds some, and as a pattern it matches none.")
    stems = [file.stem for file in sources]
    if twice := [stem for stem in stems if stems.count(stem) > 1]:
        raise UsageError(f"Several pictures are called {twice[0]}: translate them one folder at a time.")
    return sources
