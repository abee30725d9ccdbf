"""What sets the recipes apart: what shows when each is built and run once."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from gan_core import losses
from gan_core.catalogue import laptop, noise_recipes, translation_recipes
from gan_core.layers import MinibatchDeviation, blueprint, parameter_count
from gan_core.noise import NoiseRecipe
from gan_core.recipe import Batch, Inputs
from gan_core.translation import TranslationRecipe

TRANSLATED_SIZE, TRANSLATED_CHANNELS = 64, 3  # and as many channels of what goes in
OBJECTIVES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross-entropy": lambda real, fake: losses.discriminator_real(real) + losses.discriminator_fake(fake),
    "least squares": lambda real, fake: losses.least_squares(real, 1.0) + losses.least_squares(fake, 0.0),
    "Wasserstein": losses.wasserstein,
    "hinge": lambda real, fake: torch.stack([*losses.hinge_critic(real, fake).values()]).sum(),
    "relativistic": losses.relativistic,
}
TERMS = {"penalty": "gradient penalty", "r1": "R1", "r2": "R2", "l1": "L1"}  # those whose name needs a word more
WAY = re.compile(r"_(ab|ba|a|b)$")  # in the name of a term of both ways
PAIRS, KINDS, PICTURES = "pairs", "no pairs", "pictures alone"
NORMS: dict[type[nn.Module], str] = {
    nn.BatchNorm1d: "batch", nn.BatchNorm2d: "batch", nn.GroupNorm: "layer", nn.InstanceNorm2d: "instance",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Traits(ABC):
    """What is seen of the networks of any recipe, at its defaults.

    Attributes:
        generator_norms: How the generator normalises.
        critic_norms: How the critic does.
        generator_size: Parameters of the generator, or of all, at laptop size.
        critic_size: Those of the critic, or of all.
    """

    generator_norms: tuple[str, ...]
    critic_norms: tuple[str, ...]
    generator_size: int
    critic_size: int

    @abstractmethod
    def cells(self) -> dict[str, str | int]:
        """A row of a table, by the heads of its columns."""

    def _norms(self) -> dict[str, str | int]:
        return {"norm of G": words(self.generator_norms), "norm of D": words(self.critic_norms)}

    def _sizes(self) -> dict[str, str | int]:
        return {"parameters of G": self.generator_size, "of D": self.critic_size}


@dataclass(frozen=True, kw_only=True)
class NoiseTraits(Traits):
    """What sets a recipe from noise to images apart; sizes are those for 32x32 grey pictures.

    Attributes:
        loss: What the critic minimises.
        regularisers: What else bounds the critic, or has it look at variety.
        conditional: Whether both are told the class.
        n_critic: Updates of the critic for one of the generator.
    """

    loss: str
    regularisers: tuple[str, ...]
    conditional: bool
    n_critic: int

    def cells(self) -> dict[str, str | int]:
        critic = {"loss": self.loss, "regulariser": words(self.regularisers)}
        game = {"condition": "class" if self.conditional else "none", "n_critic": self.n_critic}
        return critic | self._norms() | game | self._sizes()


@dataclass(frozen=True, kw_only=True)
class TranslatorTraits(Traits):
    """What sets a recipe from pictures to pictures apart; sizes are those for coloured pictures of 64x64.

    Attributes:
        learns_from: What it is shown.
        terms: What the generator minimises.
        judged: What the critic says of a picture.
        context: How far around a pixel the generator looks, in pixels of its input; None: at the whole picture.
    """

    learns_from: str
    terms: tuple[str, ...]
    judged: str
    context: int | None

    def cells(self) -> dict[str, str | int]:
        game = {"learns from": self.learns_from, "terms of G": words(self.terms), "judged": self.judged}
        seen = "the whole" if self.context is None else f"{2 * self.context + 1}x{2 * self.context + 1}"
        return game | self._norms() | {"looks at": seen} | self._sizes()


def traits(recipe: type[NoiseRecipe]) -> NoiseTraits:
    """What sets a recipe apart. Nothing of it is written down twice: networks are built, losses are computed."""
    made = laptop(recipe)
    with blueprint():
        nets = made.build()
    loss, beside = objective(recipe)
    return NoiseTraits(
        loss=loss,
        regularisers=(*beside, *bounds(recipe)),
        generator_norms=tuple(dict.fromkeys(norms(nets["G"]))),
        critic_norms=tuple(dict.fromkeys(norms(nets["D"]))),
        conditional=made.num_classes is not None,
        n_critic=next(phase.repeats for phase in made.phases if phase.name == "d"),
        generator_size=parameter_count(nets["G"]),
        critic_size=parameter_count(nets["D"]),
    )


def translator_traits(recipe: type[TranslationRecipe]) -> TranslatorTraits:
    """What sets a recipe that translates apart; as `traits`, from its networks and losses."""
    inputs = Inputs(TRANSLATED_CHANNELS, paired=recipe.pairs)
    made = recipe().resolve(TRANSLATED_SIZE, TRANSLATED_CHANNELS, inputs=inputs)
    with blueprint():
        nets = made.build()
    generators = nn.ModuleDict({name: nets[name] for name in made.generators})
    critics = nn.ModuleDict({name: net for name, net in nets.items() if name not in generators})
    return TranslatorTraits(
        learns_from=PICTURES if recipe.makes_inputs else PAIRS if recipe.pairs else KINDS,
        terms=terms(recipe),
        judged=judged(recipe),
        generator_norms=tuple(dict.fromkeys(norms(generators))),
        critic_norms=tuple(dict.fromkeys(norms(critics))),
        context=made.context,
        generator_size=parameter_count(generators),
        critic_size=parameter_count(critics),
    )


def a_step(recipe: type[TranslationRecipe]) -> tuple[TranslationRecipe, nn.ModuleDict, Batch]:
    """A recipe at its smallest, its networks, and something to train them on."""
    made = recipe(recipe.Config.tiny())
    channels, size = made.config.image_shape
    images = torch.zeros(2, channels, size, size)
    return made, made.build(), Batch(images, inputs=images[:, : made.config.channels_in], paired=recipe.pairs)


def terms(recipe: type[TranslationRecipe]) -> tuple[str, ...]:
    """What the generator minimises, once for both ways."""
    made, nets, batch = a_step(recipe)
    found = made.losses("g", nets, batch, images_seen=made.typical_images_seen)
    return tuple(dict.fromkeys(TERMS.get(name, WAY.sub("", name)) for name in found))


def judged(recipe: type[TranslationRecipe]) -> str:
    """Of what the critic says how real it is, and what it is shown beside."""
    made, nets, batch = a_step(recipe)
    if not made.judges_patches:
        return "the whole"
    assert batch.inputs is not None
    channels, size = made.config.image_shape
    images = torch.randn(2, channels, size, size, generator=torch.Generator().manual_seed(0))
    scores = made.judge(nets, batch.inputs, images)
    told = made.judge(nets, batch.inputs + 1, images)
    beside = any(not torch.equal(one, other) for one, other in zip(scores, told, strict=True))
    return f"patches{f' at {len(scores)} scales' if len(scores) > 1 else ''}{', beside the input' if beside else ''}"


def objective(recipe: type[NoiseRecipe]) -> tuple[str, list[str]]:
    """What the critic's loss on scores is, up to a factor, and the names of the terms beside it.

    It is recognised by its values: a loss that equals none of `OBJECTIVES` goes by the names of its terms.
    """
    made = recipe()
    scores = torch.randn(4, 2, 8, generator=torch.Generator().manual_seed(0))
    rows = [made.critic_loss(real, fake) for real, fake in scores]
    names = list(rows[0])
    for count in range(1, len(names) + 1):
        found = torch.stack([torch.stack([row[name] for name in names[:count]]).sum() for row in rows])
        for word, known in OBJECTIVES.items():
            share = found / torch.stack([known(real, fake) for real, fake in scores])
            if torch.allclose(share, share.mean()):
                return word, [TERMS.get(name, name) for name in names[count:]]
    return ", ".join(names), []


def bounds(recipe: type[NoiseRecipe]) -> Iterator[str]:
    """What bounds the critic: penalties, at every step or every few, clipping, and layers that do."""
    made = recipe(recipe.Config.tiny())
    nets, images = made.build(), torch.zeros(4, *shape_of(made))
    batch = Batch(images, torch.zeros(4, dtype=torch.long))
    always = made.losses("d", nets, batch, images_seen=0)
    yield from (
        TERMS.get(name, name) for name in always if name not in made.critic_loss(torch.zeros(4), torch.zeros(4))
    )
    for phase in made.phases:
        if phase.every > 1:
            yield f"{TERMS.get(phase.name, phase.name)} every {phase.every} steps"
    if clips(made, nets):
        yield "clipped weights"
    if any(isinstance(module, nn.Dropout) and module.p for module in nets["D"].modules()):
        yield "dropout"
    if any(isinstance(module, MinibatchDeviation) for module in nets["D"].modules()):
        yield "minibatch deviation"


def shape_of(recipe: NoiseRecipe) -> tuple[int, int, int]:
    """(C, S, S) of a resolved recipe's pictures."""
    channels, size = recipe.config.image_shape
    return channels, size, size


@torch.no_grad()
def clips(recipe: NoiseRecipe, nets: nn.ModuleDict) -> bool:
    """Whether large weights of the critic are smaller after an update."""
    weights = list(nets["D"].parameters())
    for weight in weights:
        weight.fill_(1.0)
    recipe.after_update("d", nets)
    return any(bool((weight < 1).any()) for weight in weights)


def norms(net: nn.Module) -> Iterator[str]:
    """How the layers of a network normalise, from the first to the last.

    A recipe's own layer says it in a class attribute `normalises`; its parts are then not asked.
    """
    own = NORMS.get(type(net), getattr(type(net), "normalises", None))
    if own is not None:
        yield cast(str, own)
        return
    for child in net.children():
        yield from norms(child)


def differences() -> list[list[str]]:
    """A table of what sets the recipes that draw from noise apart."""
    return table({recipe.name: traits(recipe) for recipe in noise_recipes()})


def translators() -> list[list[str]]:
    """A table of what sets the recipes that translate apart."""
    return table({recipe.name: translator_traits(recipe) for recipe in translation_recipes()})


def table(found: Mapping[str, Traits]) -> list[list[str]]:
    """A head, and a row for each recipe, for people."""
    rows = {name: here.cells() for name, here in found.items()}
    head = list(next(iter(rows.values())))
    return [["recipe", *head]] + [
        [name, *(f"{cell:,}" if isinstance(cell, int) else cell for cell in row.values())] for name, row in rows.items()
    ]


def words(found: tuple[str, ...]) -> str:
    """A list for people."""
    return ", ".join(found) or "none"
