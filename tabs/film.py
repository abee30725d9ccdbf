"""Films of a walk through latent space, written frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import imageio_ffmpeg
from PIL import Image
from torch import Tensor

from gan_core import Model
from gan_core.model import CHUNK
from gan_core.pictures import to_pil

MIN_SIDE = 256  # pixels: browsers and players blur smaller films when they enlarge them


def scale_of(size: int) -> int:
    """The smallest whole factor that makes a picture's side even, as H.264 wants it, and at least `MIN_SIDE`."""
    factor = -(-MIN_SIDE // size)
    return factor + factor * size % 2


def frames(model: Model, z: Tensor, labels: Tensor | int | None, controls: dict[str, float]) -> Iterator[Image.Image]:
    """The enlarged pictures of latents [N, latent_dim], decoded a chunk at a time.

    Args:
        model: What draws.
        z: Latents.
        labels: One class for all, or a row for each frame; see `Model.sample`.
        controls: By name.
    """
    for start in range(0, len(z), CHUNK):
        chunk = slice(start, start + CHUNK)
        chosen = labels[chunk] if isinstance(labels, Tensor) else labels
        for image in model.decode(z[chunk], chosen, **controls):
            yield to_pil(image, scale_of(model.image_size))


def write(path: Path, pictures: Iterable[Image.Image], side: int, fps: int) -> Iterator[int]:
    """Writes a .gif that repeats for ever, or an .mp4 (H.264).

    Args:
        path: The suffix decides.
        pictures: Square frames.
        side: Their side in pixels.
        fps: Frames per second; a GIF counts in hundredths of a second and takes the nearest.

    Yields:
        The number of frames done; closing the iterator early leaves no file.
    """
    try:
        yield from {".gif": _gif, ".mp4": _mp4}[path.suffix](path, pictures, side, fps)
    except BaseException:  # above all GeneratorExit: somebody pressed Cancel
        path.unlink(missing_ok=True)
        raise


def _gif(path: Path, pictures: Iterable[Image.Image], side: int, fps: int) -> Iterator[int]:
    shown = []
    for picture in pictures:
        shown.append(picture)
        yield len(shown)
    shown[0].save(path, save_all=True, append_images=shown[1:], duration=round(100 / fps) * 10, loop=0)


def _mp4(path: Path, pictures: Iterable[Image.Image], side: int, fps: int) -> Iterator[int]:
    writer = imageio_ffmpeg.write_frames(path, (side, side), fps=fps, quality=8, macro_block_size=2)
    writer.send(None)
    try:
        for done, picture in enumerate(pictures, start=1):
            writer.send(picture.convert("RGB").tobytes())
            yield done
    finally:
        writer.close()
