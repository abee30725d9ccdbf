"""What recipes declare besides their networks, brought to one small pair of them on points of the plane."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor, nn

from benchmarks.laptop import laptop
from gan_core import UsageError
from gan_core.data import Images
from gan_core.growing import GrowingRecipe
from gan_core.noise import NoiseRecipe
from gan_core.recipe import RECIPES, Recipe, nearest

LATENT, HIDDEN, LAYERS, BATCH = 16, 128, 3, 128
SCALE = 4.0  # the networks see the plane this much larger, nearly as large as the literature's grid
UPDATES = 12_000  # of a critic or a generator: who updates the critic more often takes fewer steps
LEFT_OUT = {"cgan": "it has everything that counts here from dcgan, and points have no classes"}


def hidden(c_in: int, normalise: bool) -> Iterator[nn.Module]:
    """The hidden layers of either network."""
    for width in (c_in, *[HIDDEN] * (LAYERS - 1)):
        yield nn.Linear(width, HIDDEN)
        yield nn.BatchNorm1d(HIDDEN) if normalise else nn.Identity()
        yield nn.LeakyReLU(0.2)


class Generator(nn.Module):
    """Noise to a point; batch normalisation as in `gan` and `dcgan`, since without it this small game collapses."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(*hidden(LATENT, normalise=True), nn.Linear(HIDDEN, 2), nn.Unflatten(1, (2, 1, 1)))

    def forward(self, z: Tensor) -> Tensor:
        points: Tensor = self.layers(z) / SCALE  # [N, LATENT] -> [N, 2, 1, 1]
        return points


class Critic(nn.Module):
    """A pack of points to a logit; nothing normalises, so that any penalty may be laid on it."""

    def __init__(self, pack: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), *hidden(2 * pack, normalise=False), nn.Linear(HIDDEN, 1), nn.Flatten(0)
        )

    def forward(self, points: Tensor) -> Tensor:
        logits: Tensor = self.layers(points * SCALE)  # [N, 2 * pack, 1, 1] -> [N]
        return logits


def steps_of(recipe: Recipe, updates: int) -> int:
    """Steps of a recipe in which its phases make about that many updates."""
    return round(updates / sum(phase.repeats / phase.every for phase in recipe.phases))


@dataclass(frozen=True)
class Objective:
    """Losses, phases, optimizers, schedule and options of a recipe, some of its config's fields changed."""

    recipe: str
    changes: Mapping[str, Any] = field(default_factory=dict)

    def on_points(self) -> NoiseRecipe:
        """A recipe that has everything of its own but networks, latents, classes and the batch size."""
        base: Any = RECIPES[self.recipe]

        class OnPoints(base):  # type: ignore[misc]
            num_classes = None
            if issubclass(base, GrowingRecipe):  # a point has no sides and no styles
                grows = False
                prepared, generate = NoiseRecipe.prepared, NoiseRecipe.generate
                critic, score, decode = NoiseRecipe.critic, NoiseRecipe.score, NoiseRecipe.decode

            def build(self) -> nn.ModuleDict:
                return nn.ModuleDict({"G": Generator(), "D": Critic(self.config.pack)})

            def settle(self, generators: nn.ModuleDict) -> None:
                pass  # what a recipe measures of its own networks

        options = replace(base.train_options, batch_size=BATCH)
        recipe: NoiseRecipe = OnPoints(base.Config(latent_dim=LATENT, **self.changes), options)
        return recipe

    def on_pictures(self, data: Images) -> Recipe:
        """The whole recipe at its laptop size."""
        return laptop(self.recipe, data, **self.changes)


VARIANTS = {
    "dcgan_packed": Objective("dcgan", {"pack": 2}),
    "dcgan_r1": Objective("dcgan", {"r1": 1.0, "r1_every": 4, "critic_norm": "none"}),  # gamma and interval of stylegan
    "gan_saturating": Objective("gan", {"saturating": True}),
}


def objectives() -> dict[str, Objective]:
    """By name: all noise recipes that are registered and not left out, and the variants that are worth seeing."""
    names = [name for name, cls in RECIPES.items() if issubclass(cls, NoiseRecipe) and name not in LEFT_OUT]
    return dict(sorted(({name: Objective(name) for name in names} | VARIANTS).items()))


def chosen(only: Sequence[str]) -> list[str]:
    """The names asked for, or all there are.

    Raises:
        UsageError: A name is left out, with the reason; or there is none such.
    """
    known = objectives()
    for name in only:
        if name in LEFT_OUT:
            raise UsageError(f"{name} is left out of this benchmark: {LEFT_OUT[name]}.")
        if name not in known:
            raise UsageError(f"There is no objective {name!r}{nearest(name, known)}.")
    return list(only or known)
