"""A trained model: a recipe with its weights, the same from a folder, a run or the Hub."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from functools import cached_property
from pathlib import Path
from types import UnionType
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as safetensors_load
from safetensors.torch import save as safetensors_save
from torch import Tensor, nn
from torch.nn import functional as F

from gan_core.atomic import replacing, replacing_folder
from gan_core.card import write_card
from gan_core.errors import UsageError
from gan_core.latent import latents
from gan_core.layers import blueprint, memory_format
from gan_core.noise import NoiseRecipe
from gan_core.pictures import grid
from gan_core.recipe import Control, Recipe, nearest, recipe_class
from gan_core.version import __version__

FORMAT = 1
CONFIG, WEIGHTS, CRITIC, CARD, SHEET = (
    "config.json", "model.safetensors", "discriminator.safetensors", "README.md", "samples.png",
)  # fmt: skip
MODEL_FILES = (CONFIG, WEIGHTS, CRITIC, CARD, SHEET)
CHUNK = 16  # images decoded at once, always: a picture does not depend on how many are asked for


class Model:
    """Pictures from noise; immutable, shared by all threads of a process.

    Args:
        recipe: With a resolved config.
        generators: Averaged generators by name.
        critics: Discriminators by name; may be empty.
        classes: Class names where the generator is conditional, else None.
        training: How it was trained: command, dataset, images_seen, seed and so on.
        metrics: What was measured on it.
    """

    def __init__(
        self,
        recipe: Recipe,
        generators: nn.ModuleDict,
        critics: nn.ModuleDict | None = None,
        *,
        classes: tuple[str, ...] | None = None,
        training: dict[str, Any] | None = None,
        metrics: dict[str, Any] | None = None,
    ) -> None:
        self.recipe, self.generators = recipe, generators
        self.critics = critics if critics is not None else nn.ModuleDict()
        self.classes = classes
        self.training, self.metrics = training or {}, metrics or {}

    @property
    def config(self) -> Any:
        """The recipe's resolved config."""
        return self.recipe.config

    @property
    def image_size(self) -> int:
        """Side of the pictures in pixels."""
        return int(self.config.image_shape[1])

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colour."""
        return int(self.config.image_shape[0])

    @property
    def latent_dim(self) -> int:
        """Length of a latent vector."""
        return int(self.config.latent_dim)

    @property
    def controls(self) -> tuple[Control, ...]:
        """What may be turned at inference."""
        return self.recipe.controls

    @property
    def has_critic(self) -> bool:
        """Whether a discriminator came with it."""
        return len(self.critics) > 0

    @property
    def has_verdict(self) -> bool:
        """Whether `verdict` can be asked: its discriminator's score of one picture must stand for a probability."""
        if not (self.has_critic and isinstance(self.recipe, NoiseRecipe)):
            return False
        return not self.recipe.comparative and self.config.pack == 1

    @cached_property
    def device(self) -> torch.device:
        """Where the generator lives."""
        return next(self.generators.parameters()).device

    def sample(self, n: int, seed: int = 0, labels: Any = None, **controls: float) -> Tensor:
        """The first n pictures of a seed.

        Args:
            n: At least 1.
            seed: 0 to 2^32 - 1; picture k of a seed is bit-equal whatever n is.
            labels: For conditional models: an int, a sequence or a tensor of class indices; None is k modulo the
                number of classes for picture k.
            **controls: By the names in `controls`.

        Returns:
            [n, C, H, W] in [-1, 1], float32 on the CPU.

        Raises:
            UsageError: An argument does not fit; the message says what the model takes.
        """
        return self.decode(latents(seed, n, self.latent_dim), labels, **controls)

    @torch.no_grad()
    def decode(self, z: Tensor, labels: Any = None, **controls: float) -> Tensor:
        """Pictures of latents z, [N, latent_dim]; otherwise like `sample`.

        Raises:
            UsageError: An argument does not fit; the message says what the model takes.
        """
        if z.ndim != 2 or z.shape[1] != self.latent_dim or not len(z):
            raise UsageError(f"Latents of shape {tuple(z.shape)} were given; this model takes (n, {self.latent_dim}).")
        recipe = self._noise_recipe()
        values = self._checked(controls)
        classes = self._labels(labels, len(z))
        pictures = []
        for start in range(0, len(z), CHUNK):
            part = z[start : start + CHUNK].to(self.device)
            chosen = None if classes is None else classes[start : start + CHUNK]
            if padding := CHUNK - len(part):
                part = F.pad(part, (0, 0, 0, padding))
                chosen = None if chosen is None else F.pad(chosen, (0, padding))
            pictures.append(recipe.decode(self.generators, part, chosen, **values).cpu())
        images = torch.cat(pictures)[: len(z)]
        return images.float().clamp(-1, 1).contiguous()

    @torch.no_grad()
    def verdict(self, images: Tensor, labels: Any = None) -> Tensor:
        """The discriminator's probability that each picture [N, C, H, W] is real, [N] in [0, 1].

        Args:
            images: In [-1, 1].
            labels: The classes that they should be pictures of, as in `sample`; for conditional models.

        Raises:
            UsageError: The model ships no discriminator, or its scores are no probabilities of single pictures.
        """
        recipe = self._noise_recipe()
        if not self.has_critic:
            raise UsageError("This model ships no discriminator, so there is no verdict.")
        if recipe.comparative:
            raise UsageError(f"The critic of a {recipe.name} compares pictures: its score is no probability.")
        if recipe.config.pack > 1:
            raise UsageError(f"This discriminator judges packs of {recipe.config.pack} pictures, not single ones.")
        classes = self._labels(labels, len(images))
        scores = []
        for start in range(0, len(images), CHUNK):
            part = images[start : start + CHUNK].to(self.device)
            chosen = None if classes is None else classes[start : start + CHUNK]
            scores.append(recipe.score(self.critics.eval(), part, chosen).cpu())
        return recipe.probability(torch.cat(scores))

    def _noise_recipe(self) -> NoiseRecipe:
        if not isinstance(self.recipe, NoiseRecipe):
            raise UsageError(f"A {self.recipe.name} model turns pictures into pictures; it cannot sample from noise.")
        return self.recipe

    def _checked(self, controls: dict[str, float]) -> dict[str, float]:
        known = {control.name: control for control in self.controls}
        for name in controls:
            if name not in known:
                raise UsageError(f"A {self.recipe.name} model has no control {name!r}{nearest(name, known)}.")
        return {name: known[name].check(value) for name, value in controls.items()}

    def _labels(self, labels: Any, n: int) -> Tensor | None:
        if self.classes is None:
            if labels is not None:
                raise UsageError("This model is unconditional: it takes no labels.")
            return None
        count = len(self.classes)
        if labels is None:
            return torch.arange(n, device=self.device) % count
        chosen = torch.as_tensor(labels, device=self.device)
        if chosen.ndim == 0:
            chosen = chosen.expand(n)
        if chosen.shape != (n,) or chosen.is_floating_point() or not ((chosen >= 0) & (chosen < count)).all():
            raise UsageError(f"labels are {labels!r}; it takes one class index from 0 to {count - 1}, or {n} of them.")
        return chosen.long()

    def save(self, folder: Path, name: str | None = None) -> None:
        """Writes the model folder atomically, with its card; an older one is replaced.

        Args:
            folder: Where to.
            name: What its card calls it; by default the folder's name.
        """
        weights = _to_bytes(self.generators)
        described = self.describe() | {"sha256": hashlib.sha256(weights).hexdigest()}
        with replacing_folder(folder) as partial:
            (partial / WEIGHTS).write_bytes(weights)
            if self.has_critic:
                critic = _to_bytes(self.critics)
                (partial / CRITIC).write_bytes(critic)
                described["discriminator_sha256"] = hashlib.sha256(critic).hexdigest()
            (partial / CONFIG).write_text(to_json(described), encoding="utf-8")
            grid(self.sample(64), columns=8, scale=max(1, 64 // self.image_size)).save(partial / SHEET)
            card = write_card(name or folder.name, described, parameter_bytes=len(weights))
            (partial / CARD).write_text(card, encoding="utf-8")

    def describe(self) -> dict[str, Any]:
        """config.json without the digests."""
        return {
            "format": FORMAT,
            "gan_core": __version__,
            "recipe": self.recipe.name,
            "config": dataclasses.asdict(self.config),
            "image": {"size": self.image_size, "channels": self.channels, "range": [-1, 1]},
            "classes": None if self.classes is None else list(self.classes),
            "training": self.training,
            "metrics": self.metrics,
        }


def _to_bytes(nets: nn.ModuleDict) -> bytes:
    return safetensors_save({name: tensor.detach().cpu().contiguous() for name, tensor in nets.state_dict().items()})


KEYS: dict[str, type | UnionType] = {
    "format": int, "gan_core": str, "recipe": str, "config": dict, "image": dict, "classes": list | None,
    "sha256": str, "discriminator_sha256": str, "training": dict, "metrics": dict,
}  # fmt: skip
OPTIONAL = {"discriminator_sha256"}


def load_folder(folder: Path) -> Model:
    """Reads a model folder, strictly.

    Raises:
        UsageError: A file is missing; config.json has an unknown key, a newer format or values that do not fit; the
            weights do not have the stated digest, or are not those of the stated recipe.
    """
    described = read_config(folder)
    cls = recipe_class(described["recipe"])
    known = [field.name for field in dataclasses.fields(cls.Config)]
    for key in described["config"]:
        if key not in known:
            raise UsageError(
                f"{folder / CONFIG} has a config key {key!r} that {cls.name} does not know{nearest(key, known)}."
            )
    try:
        recipe = cls(cls.Config(**described["config"]))
        with blueprint():  # nothing is allocated before the weights are known to fit
            nets = recipe.build()
    except (TypeError, ValueError, RuntimeError) as error:  # torch's, for numbers no network can have
        raise UsageError(f"{folder / CONFIG} does not describe a {cls.name} ({error}).") from error
    if recipe.config.image_shape != (described["image"]["channels"], described["image"]["size"]):
        raise UsageError(f"{folder / CONFIG} contradicts itself about the size of its pictures.")
    generators = nn.ModuleDict({name: nets[name] for name in recipe.generators})
    critics = nn.ModuleDict({name: net for name, net in nets.items() if name not in recipe.generators})
    fill(generators, folder / WEIGHTS, described["sha256"])
    if "discriminator_sha256" in described:
        fill(critics, folder / CRITIC, described["discriminator_sha256"])
    else:
        critics = nn.ModuleDict()
    classes = described["classes"]
    if recipe.num_classes is not None and recipe.num_classes != len(classes or ()):
        raise UsageError(f"{folder / CONFIG} contradicts itself about the number of its classes.")
    return Model(
        recipe,
        generators,
        critics,
        classes=None if classes is None else tuple(classes),
        training=described["training"],
        metrics=described["metrics"],
    )


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
