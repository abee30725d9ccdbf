"""`generate`: pictures from a model."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from gan_core.cli.flags import parse
from gan_core.errors import UsageError

MAX_SAMPLES = 10_000  # they are in memory together


@dataclasses.dataclass(frozen=True)
class Generate:
    """Sample pictures from a model."""

    model_path: str = "weights/dcgan-digits"
    """A model folder, a run's folder, or owner/name on the Hub."""
    num_samples: int = 16
    """How many pictures."""
    seed: int = 0
    """The same seed, the same pictures."""
    out: Path = Path("samples.png")
    """A .png for one sheet, or a folder for one file each."""
    truncation: float = 1.0
    """Below 1: safer, more alike; above: stranger."""
    controls: dict[str, float] = dataclasses.field(default_factory=dict)
    """What else the model can be asked for, by name and value, such as `noise 0 cutoff 4` of a stylegan."""
    label: str | None = None
    """A class by its name or index, for conditional models; by default all in turn."""
    raw: bool = False
    """The generator of a run as the optimizer left it, instead of the averaged one."""
    revision: str | None = None
    """Branch, tag or commit on the Hub."""


def generate(words: list[str]) -> None:
    """Sample pictures from a model: --model_path MODEL --num_samples 16 --out FILE.png"""
    from gan_core.library import load
    from gan_core.pictures import grid, save_png, to_pil

    asked = parse(Generate, words, "generate")
    if asked.out.suffix and asked.out.suffix.lower() != ".png":
        raise UsageError(f"--out is {asked.out}; it takes a .png for one sheet or a folder for one file each.")
    if not 1 <= asked.num_samples <= MAX_SAMPLES:
        raise UsageError(f"--num_samples is {asked.num_samples:,}; it takes 1 to {MAX_SAMPLES:,} at a time.")
    if asked.truncation != Generate.truncation and "truncation" in asked.controls:
        raise UsageError("The truncation is given twice: by --truncation and among --controls.")
    model = load(asked.model_path, asked.revision, asked.raw)
    label = None if asked.label is None else model.class_index(asked.label)
    controls = {"truncation": asked.truncation} | asked.controls
    images = model.sample(asked.num_samples, asked.seed, label, **controls)
    settings = {  # as the playground reads them from a dropped PNG
        "model": asked.model_path,
        "revision": asked.revision,
        "seed": asked.seed,
        "images": asked.num_samples,
        "label": label,
        "raw": asked.raw,
        "controls": controls,
    }
    if asked.out.suffix:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        save_png(grid(images), asked.out, settings)
    else:
        asked.out.mkdir(parents=True, exist_ok=True)
        for k, image in enumerate(images):
            file = asked.out / f"seed{asked.seed}-{k:04d}.png"
            save_png(to_pil(image), file, settings | {"index": k})
    print(f"{asked.num_samples} pictures of seed {asked.seed}: {asked.out}")
