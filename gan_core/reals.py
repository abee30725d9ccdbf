"""The real images that a model is judged by."""

from __future__ import annotations

from pathlib import Path

from gan_core.data import DATASETS, Images, load_data
from gan_core.data.images import Split
from gan_core.data.points import no_pictures
from gan_core.errors import UsageError
from gan_core.hub import is_cached
from gan_core.metrics.rows import are
from gan_core.model import Model

LEAST = 25  # samples and held-out images; with fewer, balls of five neighbours would span everything


def refuse_makers_folder(model: Model, folder: Path) -> None:
    """Raises `UsageError` if a model from the Hub, which lies in this folder, says that it was trained on a folder.

    It would be one of this machine, and its maker has no business there.
    """
    if is_cached(folder) and model.training.get("dataset") not in DATASETS:
        raise UsageError("The model comes from the Hub and was trained on its maker's pictures; name yours (--data).")


def real_images(model: Model, where: str | None, split: Split) -> Images:
    """The images that a model is judged by, at its size where they are its own or lie in a folder.

    Raises:
        UsageError: The model does not say what it was trained on; the data cannot be had, has no such split, has
            pictures of another size, or holds points.
    """
    own = model.training.get("dataset")
    name = where or own
    if not isinstance(name, str):
        raise UsageError("The model does not say what it was trained on; name a data set or a folder (--data).")
    if name in DATASETS and DATASETS[name].kind == "points":
        raise no_pictures(name)
    shape = (model.image_size, model.channels)
    if name in DATASETS and name != own:  # another set is not bent to the model's size: that alone would cost it much
        images = load_data(name, split=split)
        if (images.image_size, images.channels) != shape:
            raise UsageError(
                f"The model draws {described(*shape)} pictures and those of {name} are "
                f"{described(images.image_size, images.channels)}; evaluate it on pictures of its own size."
            )
        return images
    return load_data(name, *shape, split=split)


def described(size: int, channels: int) -> str:
    """ "32x32 grey"."""
    return f"{size}x{size} {'grey' if channels == 1 else 'colour'}"


def refuse_few(count: int, what: str) -> None:
    """Raises `UsageError` if there are fewer than `LEAST`."""
    if count < LEAST:
        raise UsageError(f"Evaluating takes at least {LEAST} {what}; there {are(count)}.")
