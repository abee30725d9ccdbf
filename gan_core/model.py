"""A trained model: a recipe with its weights, the same from a folder, a run or the Hub."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from gan_core.atomic import replacing_folder
from gan_core.card import sheet_layout, write_card
from gan_core.data.images import to_unit_range
from gan_core.errors import UsageError
from gan_core.examples import Examples
from gan_core.labels import class_index, labels_of
from gan_core.latent import check_seed, latents
from gan_core.layers import MinibatchDeviation
from gan_core.model_folder import CARD, CONFIG, CRITIC, EXAMPLES, FORMAT, SHEET, WEIGHTS, to_bytes, to_json
from gan_core.noise import NoiseRecipe
from gan_core.pictures import grid
from gan_core.progress import Progress
from gan_core.recipe import Control, Recipe, nearest
from gan_core.translate import prepared, translated, working_size
from gan_core.translation import TranslationRecipe
from gan_core.version import __version__

TOGETHER = nn.BatchNorm1d | nn.BatchNorm2d | MinibatchDeviation  # layers by which a score depends on other pictures
CHUNK = 16  # images decoded at once, always: a picture does not depend on how many are asked for


class Model:
    """Pictures from noise, or from other pictures; immutable, shared by all threads of a process.

    Args:
        recipe: With a resolved config.
        generators: Averaged generators by name.
        critics: Discriminators by name; may be empty.
        classes: Class names where the generator is conditional, else None.
        examples: What it is shown with, if it translates.
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
        examples: Examples | None = None,
        training: dict[str, Any] | None = None,
        metrics: dict[str, Any] | None = None,
    ) -> None:
        self.recipe, self.generators = recipe, generators
        self.critics = critics if critics is not None else nn.ModuleDict()
        self.classes, self.examples = classes, examples
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
        return self.recipe.controls_of(self.generators)

    @property
    def has_critic(self) -> bool:
        """Whether a discriminator came with it."""
        return len(self.critics) > 0

    @property
    def has_verdict(self) -> bool:
        """Whether `verdict` can be asked: its discriminator's score of one picture must stand for a probability."""
        return self._no_verdict() is None

    @cached_property
    def device(self) -> torch.device:
        """Where the generator lives."""
        return next(self.generators.parameters()).device

    @property
    def style_layers(self) -> int:
        """Layers of the generator that each have a style, counted from the coarsest; 0 where there are no styles."""
        return self.recipe.style_layers if isinstance(self.recipe, NoiseRecipe) else 0

    def sample(self, n: int, seed: int = 0, labels: Any = None, **controls: float) -> Tensor:
        """The first n pictures of a seed.

        Args:
            n: At least 1.
            seed: 0 to 2^32 - 1; picture k of a seed is bit-equal whatever n is.
            labels: For conditional models: a class by name or index; a sequence or tensor of n of them; or weights of
                the classes, a float tensor [n, number of classes] whose rows sum to 1 (see `latent.morph`). None is k
                modulo the number of classes for picture k.
            **controls: By the names in `controls`.

        Returns:
            [n, C, H, W] in [-1, 1], float32 on the CPU.

        Raises:
            UsageError: An argument does not fit; the message says what the model takes.
        """
        self._noise_recipe()
        return self.decode(latents(seed, n, self.latent_dim), labels, **controls)

    def decode(self, z: Tensor, labels: Any = None, **controls: float) -> Tensor:
        """Pictures of latents z, [N, latent_dim]; otherwise like `sample`.

        Raises:
            UsageError: An argument does not fit; the message says what the model takes.
        """
        recipe = self._noise_recipe()
        values = self._checked(controls)
        chosen = self._labels(labels, self._count(z))

        def draw(z: Tensor, chosen: Tensor | None = None) -> Tensor:
            return recipe.decode(self.generators, z, chosen, **values)

        return self._drawn(draw, z) if chosen is None else self._drawn(draw, z, chosen)

    def mix(self, z: Tensor, other: Tensor, first: int, last: int, **controls: float) -> Tensor:
        """Pictures of latents whose styles in some layers are those of other latents.

        Args:
            z: [N, latent_dim].
            other: [N, latent_dim].
            first: The coarsest layer that has the style of `other`, from 1.
            last: The finest of them, up to `style_layers`.
            **controls: As in `sample`.

        Returns:
            As `sample`.

        Raises:
            UsageError: An argument does not fit, or the model has no styles.
        """
        recipe = self._noise_recipe()
        values = self._checked(controls)
        if not self.style_layers:
            raise UsageError(f"A {recipe.name} model has no styles to mix.")
        if not (isinstance(first, int) and isinstance(last, int) and 1 <= first <= last <= self.style_layers):
            raise UsageError(
                f"Styles of layers {first} to {last} were asked for; "
                f"the layers of this model go from 1, the coarsest, to {self.style_layers}."
            )
        if self._count(z) != self._count(other):
            raise UsageError(f"{len(z)} latents cannot take the styles of {len(other)}; it takes as many.")
        return self._drawn(lambda z, other: recipe.mix(self.generators, z, other, first, last, **values), z, other)

    def translate(
        self, image: Image.Image, seed: int = 0, progress: Progress | None = None, **controls: float
    ) -> Image.Image:
        """The picture that a picture becomes.

        Args:
            image: Of any size and mode.
            seed: 0 to 2^32 - 1; of what is drawn at random, where the model draws something.
            progress: Told the share done of a picture so big that it goes in tiles.
            **controls: By the names in `controls`.

        Returns:
            A grey or RGB picture of the same size, times the recipe's `factor`.

        Raises:
            UsageError: An argument does not fit, or the model draws from noise.
        """
        recipe = self._translation_recipe()
        check_seed(seed)
        return translated(recipe, self.generators, image, seed, self._checked(controls), progress)

    @torch.no_grad()
    def patch_map(self, image: Image.Image, drawn: Image.Image) -> Tensor:
        """How real the discriminator finds each patch of a translation, [h, w] in [0, 1], at its finest scale.

        Args:
            image: What was translated.
            drawn: What became of it.

        Raises:
            UsageError: The model ships no discriminator, or one that does not say of patches how real they are.
        """
        recipe = self._translation_recipe()
        if not (self.has_critic and recipe.judges_patches):
            raise UsageError("This model ships no discriminator that says of patches how real they are.")
        pair = (image, recipe.config.channels_in), (drawn, recipe.config.image_shape[0])
        tensors = [prepared(picture, channels, drawn.size, self.image_size) for picture, channels in pair]
        scores = recipe.judge(self.critics.eval(), *(part.to(self.device) for part in tensors))
        found = recipe.realness(scores[0])[0, 0].cpu()
        seen = zip(found.shape, (drawn.height, drawn.width), tensors[1].shape[2:], strict=True)
        rows, columns = (max(1, round(patches * side / mirrored)) for patches, side, mirrored in seen)
        return found[:rows, :columns]  # the rest judges what the picture was mirrored to

    def working_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """The width and height at which a picture of such a size is translated; see `translate.working_size`.

        Raises:
            UsageError: The model draws from noise.
        """
        return working_size(self._translation_recipe(), size)

    @torch.no_grad()
    def translations(self, inputs: Tensor, seed: int = 0, **controls: float) -> Tensor:
        """Pictures [N, C, S, S] of inputs [N, c, s, s] whose sides fit the network, all in [-1, 1], on the CPU.

        Raises:
            UsageError: See `translate`.
        """
        recipe, values = self._translation_recipe(), self._checked(controls)
        parts = (inputs[start : start + CHUNK].to(self.device) for start in range(0, len(inputs), CHUNK))
        drawn = [recipe.translate(self.generators, part, seed, (0, 0), **values).cpu() for part in parts]
        return torch.cat(drawn).clamp(-1, 1)

    def sheet(self, count: int, columns: int | None = None) -> Image.Image:
        """The first `count` pictures of seed 0; of a model that translates, its examples."""
        if isinstance(self.recipe, TranslationRecipe):
            if self.examples is None:
                raise UsageError("This model came without examples to show.")
            return self.examples.sheet(self.translations(to_unit_range(self.examples.inputs)))
        return grid(self.sample(count), columns, scale=max(1, 64 // self.image_size))

    def class_index(self, label: int | str) -> int:
        """The index of a class that is given by its name or its index.

        Raises:
            UsageError: There is no such class; of a name, the nearest is named.
        """
        return class_index(label, self._classes())

    @torch.no_grad()
    def _drawn(self, draw: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
        """What `draw` makes of inputs [N, ...], always `CHUNK` rows at once, the last ones padded with zeros."""
        n, pictures = len(inputs[0]), []
        for start in range(0, n, CHUNK):
            parts = [rows[start : start + CHUNK].to(self.device) for rows in inputs]
            if padding := CHUNK - len(parts[0]):
                parts = [F.pad(part, (0, 0) * (part.ndim - 1) + (0, padding)) for part in parts]
            pictures.append(draw(*parts).cpu())
        return torch.cat(pictures)[:n].float().clamp(-1, 1).contiguous()

    @torch.no_grad()
    def verdict(self, images: Tensor, labels: Any = None) -> Tensor:
        """The discriminator's probability that each picture [N, C, H, W] is real, [N] in [0, 1].

        Args:
            images: In [-1, 1].
            labels: The class that each should be a picture of, as in `sample` but without weights; for conditional
                models.

        Raises:
            UsageError: The model ships no discriminator, its scores are no probabilities of single pictures, or the
                labels do not fit.
        """
        recipe = self._noise_recipe()
        if reason := self._no_verdict():
            raise UsageError(reason)
        labels = self._labels(labels, len(images))
        if labels is not None and labels.is_floating_point():
            raise UsageError("The discriminator judges a picture as one of a single class, not of a blend of classes.")
        scores = []
        for start in range(0, len(images), CHUNK):
            part = images[start : start + CHUNK].to(self.device)
            chosen = None if labels is None else labels[start : start + CHUNK].to(self.device)
            scores.append(recipe.score(self.critics.eval(), part, chosen).cpu())
        return recipe.probability(torch.cat(scores))

    def _no_verdict(self) -> str | None:
        """Why its discriminator's score of one picture is no probability; None where it is one."""
        if not (self.has_critic and isinstance(self.recipe, NoiseRecipe)):
            return "This model ships no discriminator, so there is no verdict."
        if self.recipe.comparative:
            return f"The critic of a {self.recipe.name} compares pictures: its score is no probability."
        if self.config.pack > 1:
            return f"This discriminator judges packs of {self.config.pack} pictures, not single ones."
        if any(isinstance(layer, TOGETHER) for layer in self.critics.modules()):
            return "This discriminator judges whole batches, by batch normalisation or deviation, not single pictures."
        return None

    def _noise_recipe(self) -> NoiseRecipe:
        if not isinstance(self.recipe, NoiseRecipe):
            raise UsageError(f"A {self.recipe.name} model turns pictures into pictures; it cannot sample from noise.")
        return self.recipe

    def _translation_recipe(self) -> TranslationRecipe:
        if not isinstance(self.recipe, TranslationRecipe):
            raise UsageError(f"A {self.recipe.name} model draws from noise; it cannot translate a picture.")
        return self.recipe

    def _checked(self, controls: dict[str, float]) -> dict[str, float]:
        known = {control.name: control for control in self.controls}
        for name in controls:
            if name not in known:
                raise UsageError(f"A {self.recipe.name} model has no control {name!r}{nearest(name, known)}.")
        return {name: known[name].check(value) for name, value in controls.items()}

    def _count(self, z: Tensor) -> int:
        if z.ndim != 2 or z.shape[1] != self.latent_dim or not len(z):
            raise UsageError(f"Latents of shape {tuple(z.shape)} were given; this model takes (n, {self.latent_dim}).")
        return len(z)

    def _labels(self, labels: Any, n: int) -> Tensor | None:
        return None if self.classes is None and labels is None else labels_of(labels, self._classes(), n)

    def _classes(self) -> tuple[str, ...]:
        if self.classes is None:
            raise UsageError("This model is unconditional: it takes no labels.")
        return self.classes

    def save(self, folder: Path, name: str | None = None) -> None:
        """Writes the model folder atomically, with its card; an older one is replaced.

        Args:
            folder: Where to.
            name: What its card calls it; by default the folder's name.
        """
        weights = to_bytes(self.generators)
        described = self.describe() | {"sha256": hashlib.sha256(weights).hexdigest()}
        with replacing_folder(folder) as partial:
            (partial / WEIGHTS).write_bytes(weights)
            if self.has_critic:
                critic = to_bytes(self.critics)
                (partial / CRITIC).write_bytes(critic)
                described["discriminator_sha256"] = hashlib.sha256(critic).hexdigest()
            (partial / CONFIG).write_text(to_json(described), encoding="utf-8")
            count, columns = sheet_layout(self.classes)
            self.sheet(count, columns).save(partial / SHEET)
            if self.examples is not None:
                self.examples.save(partial / EXAMPLES)
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
