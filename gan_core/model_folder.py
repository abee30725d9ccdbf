"""The files of a model folder, the same everywhere: what config.json may say, and weights with their digests."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from types import UnionType
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as safetensors_load
from safetensors.torch import save as safetensors_save
from torch import nn

from gan_core.atomic import replacing
from gan_core.card import write_card
from gan_core.errors import UsageError
from gan_core.layers import memory_format
from gan_core.recipe import nearest
from gan_core.version import __version__

FORMAT = 1
CONFIG, WEIGHTS, CRITIC, CARD, SHEET, EXAMPLES = (
    "config.json", "model.safetensors", "discriminator.safetensors", "README.md", "samples.png", "examples.png",
)  # fmt: skip
MODEL_FILES = (CONFIG, WEIGHTS, CRITIC, CARD, SHEET, EXAMPLES)
KEYS: dict[str, type | UnionType] = {
    "format": int, "gan_core": str, "recipe": str, "config": dict, "image": dict, "classes": list | None,
    "sha256": str, "discriminator_sha256": str, "training": dict, "metrics": dict,
}  # fmt: skip
OPTIONAL = {"discriminator_sha256"}


def read_config(folder: Path) -> dict[str, Any]:
    """config.json of a model folder, its keys and format checked.

    Raises:
        UsageError: It is missing, damaged, newer, or has an unknown or a missing key.
    """
    path = folder / CONFIG
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{folder} is no model folder: it has no {CONFIG}.") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as JSON ({error}).") from error
    if not isinstance(described, dict) or type(described.get("format")) is not int:
        raise UsageError(f"{path} is not a model's config: it states no format.")
    if not 1 <= described["format"] <= FORMAT:
        raise UsageError(
            f"{path} has format {described['format']}, written by gan_core {described.get('gan_core')}; "
            f"this is {__version__}, which reads format {FORMAT}: update the playground."
        )
    if unknown := set(described) - set(KEYS):
        raise UsageError(f"{path} has an unknown key {min(unknown)!r}{nearest(min(unknown), KEYS)}.")
    if missing := set(KEYS) - set(described) - OPTIONAL:
        raise UsageError(f"{path} lacks the key {min(missing)!r}.")
    for key, value in described.items():
        if not isinstance(value, KEYS[key]):
            raise UsageError(f"{path} has {key} {str(value)[:40]!r}, which does not fit.")
    image, training = described["image"], described["training"]
    sizes_fit = set(image) == {"size", "channels", "range"} and all(
        type(image[key]) is int for key in ("size", "channels")
    )
    names_fit = all(isinstance(name, str) for name in described["classes"] or ())
    facts_fit = all(isinstance(training.get(key, 0), int | float) for key in ("images_seen", "steps", "seconds"))
    if not (sizes_fit and names_fit and facts_fit):
        raise UsageError(f"{path} has values under image, classes or training that do not fit.")
    return described


def save_metrics(folder: Path, metrics: dict[str, Any]) -> None:
    """Writes what was measured into the config and the card of a model folder; its weights stay as they are.

    Raises:
        UsageError: See `read_config`.
    """
    described = read_config(folder) | {"metrics": metrics}
    heading = (
        re.search(r"^# (.+)$", (folder / CARD).read_text(encoding="utf-8"), re.M) if (folder / CARD).exists() else None
    )
    name = heading.group(1) if heading else folder.name
    card = write_card(name, described, parameter_bytes=(folder / WEIGHTS).stat().st_size)
    for file, text in ((CONFIG, to_json(described)), (CARD, card)):
        with replacing(folder / file) as written:
            written.write(text.encode())


def to_json(described: dict[str, Any]) -> str:
    """The content of config.json."""
    return json.dumps(described, indent=2, allow_nan=False) + "\n"


def to_bytes(nets: nn.ModuleDict) -> bytes:
    """The content of a safetensors file of networks by name."""
    return safetensors_save({name: tensor.detach().cpu().contiguous() for name, tensor in nets.state_dict().items()})


def fill(nets: nn.Module, path: Path, digest: str, stated_in: str = CONFIG) -> None:
    """Puts weights into networks made under `blueprint`, and freezes them.

    Args:
        nets: Without values yet.
        path: Their safetensors file.
        digest: Its SHA-256.
        stated_in: The file that states it, for the error sentences.

    Raises:
        UsageError: There is no such file, it has another digest, or it holds other tensors.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"{path.parent} has no {path.name}.") from None
    if hashlib.sha256(raw).hexdigest() != digest:
        raise UsageError(f"{path} is truncated or changed: its sha256 is not the one in {stated_in}. Fetch it again.")
    try:
        nets.load_state_dict(safetensors_load(raw), strict=True, assign=True)
    except (SafetensorError, RuntimeError) as error:
        reason = str(error).splitlines()[-1].strip()
        raise UsageError(f"{path} does not hold the weights that {stated_in} describes ({reason}).") from error
    nets.float().eval().requires_grad_(False).to(memory_format=memory_format(nets))
