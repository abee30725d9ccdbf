r"""Translation without pairs: there and back again should be where one started.

Paper: Zhu, Park, Isola, Efros, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", 2017,
arXiv:1703.10593.

Two generators, $G$ from the inputs' domain $A$ to the pictures' domain $B$ and $F$ back, each against a critic of the
domain it draws in. Nobody says which picture belongs to an input; but $F(G(a))$ should be $a$ again, $G(F(b))$ again
$b$, and what is in a domain already should stay as it is:

$$L_{G,F} = \mathbb{E}_a[(D_B(G(a)) - 1)^2] + \mathbb{E}_b[(D_A(F(b)) - 1)^2]
+ \lambda\,L_\mathrm{cycle} + \iota\lambda\,L_\mathrm{identity}$$
$$L_\mathrm{cycle} = \mathbb{E}_a[\lvert F(G(a)) - a\rvert] + \mathbb{E}_b[\lvert G(F(b)) - b\rvert]
\qquad L_\mathrm{identity} = \mathbb{E}_b[\lvert G(b) - b\rvert] + \mathbb{E}_a[\lvert F(a) - a\rvert]$$
$$L_D = \tfrac12\,\mathbb{E}_b[(D_B(b) - 1)^2] + \tfrac12\,\mathbb{E}[D_B(\tilde b)^2]
+ \tfrac12\,\mathbb{E}_a[(D_A(a) - 1)^2] + \tfrac12\,\mathbb{E}[D_A(\tilde a)^2]$$

Critics see $\tilde a, \tilde b$ from a pool of earlier translations: each new one is, with probability one half,
exchanged for an old one, so that a generator cannot win by going back to what they have forgotten.

As in the paper: all of the above, $\lambda = 10$, $\iota = 0.5$, a pool of 50, critics of 70x70 patches, residual
generators with reflected borders and instance normalisation, generators before critics, weights from
$\mathcal N(0, 0.02^2)$, Adam at 2e-4 with betas (0.5, 0.999). Unlike it: few channels and blocks, more than one
picture a batch, critics' translations are made after the generators' step, a constant rate by default (the paper's
falls in a straight line over the second half: `lr_schedule` linear, `lr_hold` half of `lr_horizon`). With `composite`,
a generator also says how much of each pixel to change, $m\,G(a) + (1 - m)\,a$: what it leaves alone stays untouched.
That is a gate which the two terms that ask for no change can shut for good before the game opens it: it goes with
$\iota = 0$, which nothing is lost by, and $\lambda = 3$.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_core import losses
from gan_core.image_networks import ResnetGenerator, context_at_a_quarter, patch_critic
from gan_core.layers import Upsample, init_normal
from gan_core.recipe import Batch, Control, Inputs, Phase, register
from gan_core.train_options import TrainOptions
from gan_core.translation import TranslationConfig, TranslationRecipe


@dataclass(frozen=True)
class CycleGANConfig(TranslationConfig):
    """What a `cyclegan` is."""

    width: int = 24
    """Channels of the generators at the full side, and of the critics at half of it (ngf and ndf)."""
    blocks: int = 4
    """Residual blocks, at a quarter of the side."""
    upsample: Upsample = "conv_transpose"
    """How the generators double the side; the last two avoid checkerboards."""
    critic_layers: int = 3
    """Halving convolutions of the critics, of which each doubles the patches that they see; the last does not halve."""
    composite: bool = False
    """Whether generators also say how much of each pixel to change; goes with identity 0 and cycle 3."""
    cycle: float = 10.0
    """Lambda, the weight of coming back."""
    identity: float = 0.5
    """Iota, the weight of leaving a domain's own pictures alone, as a share of the cycle's."""
    pool: int = 50
    """Translations of each kind that the critics may see again; 0 is none."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_blocks(self.blocks)
        for name in ("cycle", "identity", "pool"):
            self.require(getattr(self, name) >= 0, f"{name} is {getattr(self, name):g}; it must be 0 or more.")
        size = self.image_size
        fits = size is None or (size >= 32 and size % 4 == 0)
        self.require(fits, f"image_size is {size}; it is halved twice and judged in patches: it takes 32, 36, 40, ...")
        self.require_judged(self.critic_layers)

    @classmethod
    def tiny(cls) -> Self:
        return cls(image_size=32, channels=3, input_channels=3, width=4, blocks=1, pool=6)

    @classmethod
    def paper(cls) -> Self:
        return cls(image_size=256, channels=3, input_channels=3, width=64, blocks=9)

    def resolve(self, image_size: int, channels: int, num_classes: int = 0, inputs: Inputs | None = None) -> Self:
        """See `TranslationConfig.resolve`.

        Raises:
            UsageError: Inputs and pictures have not as many channels, or see there.
        """
        resolved = super().resolve(image_size, channels, num_classes, inputs)
        kinds = {1: "grey", 3: "in colour"}
        self.require(
            resolved.channels_in == resolved.image_shape[0],
            f"cyclegan translates both ways, but the inputs are {kinds[resolved.channels_in]} and the pictures "
            f"{kinds[resolved.image_shape[0]]}: --channels {resolved.channels_in} makes them alike.",
        )
        return resolved


class Composite(nn.Module):
    """A generator that also says how much of each pixel to change."""

    def __init__(self, channels: int, width: int, blocks: int, up: Upsample) -> None:
        super().__init__()
        self.layers = ResnetGenerator(channels, channels + 1, width, blocks, up=up)

    def forward(self, x: Tensor) -> Tensor:
        drawn = self.layers(x)
        share = (drawn[:, -1:] + 1) / 2
        images: Tensor = share * drawn[:, :-1] + (1 - share) * x
        return images


class Pool:
    """The last translations of one kind (Shrivastava 2016, arXiv:1612.07828, section 2.3).

    Args:
        size: How many it holds; 0 gives back what it is given.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.images: Tensor | None = None

    def exchange(self, images: Tensor) -> Tensor:
        """As many images [N, C, H, W]: while it is not full, these; then each is, at even odds, an older one, whose
        place it takes."""
        if not self.size:
            return images
        given = []
        held = images[:0] if self.images is None else self.images.to(images)
        for image in images[:, None]:
            if len(held) < self.size:
                held = torch.cat([held, image])
            elif torch.rand(()) < 0.5:
                place = int(torch.randint(self.size, ()))
                held, image = torch.cat([held[:place], image, held[place + 1 :]]), held[place : place + 1]
            given.append(image)
        self.images = held
        return torch.cat(given)


BACKWARDS = Control("backwards", 0.0, 0.0, 1.0, "1 translates the other way: from pictures to inputs.", whole=True)


@register("cyclegan")
class CycleGAN(TranslationRecipe):
    """Two least-squares games, tied by coming back."""

    Config = CycleGANConfig
    config: CycleGANConfig
    train_options = TrainOptions(lr=2e-4, betas=(0.5, 0.999), batch_size=4)
    dataset = "faces_masked"
    phases = (Phase("g", nets=("G_ab", "G_ba")), Phase("d", nets=("D_a", "D_b")))
    generators = ("G_ab", "G_ba")
    controls = (BACKWARDS,)
    pairs = False
    both_ways = True

    def __init__(self, config: Any = None, options: TrainOptions | None = None) -> None:
        super().__init__(config, options)
        self.pools = {name: Pool(self.config.pool) for name in ("a", "b")}

    @property
    def multiple(self) -> int:
        return 4

    @property
    def context(self) -> int:
        return context_at_a_quarter(self.config.blocks)

    @property
    def smallest(self) -> int:
        return 8  # a map of one number has no deviation to be divided by

    def build(self) -> nn.ModuleDict:
        c = self.config
        channels = c.image_shape[0]

        def generator() -> nn.Module:
            if c.composite:
                return Composite(channels, c.width, c.blocks, c.upsample)
            return ResnetGenerator(channels, channels, c.width, c.blocks, up=c.upsample)

        def critic() -> nn.Module:
            return patch_critic(channels, c.width, (2,) * c.critic_layers + (1,), norm="instance")

        nets = {"G_ab": generator(), "G_ba": generator(), "D_a": critic(), "D_b": critic()}
        return nn.ModuleDict(nets).apply(partial(init_normal, std=0.02))

    def losses(self, phase: str, nets: nn.ModuleDict, batch: Batch, images_seen: int) -> dict[str, Tensor]:
        a, b = self.prepared(batch)
        if phase == "g":
            fake_b, fake_a = nets["G_ab"](a), nets["G_ba"](b)
            return {
                "adversarial_ab": passes(nets["D_b"](fake_b)),
                "adversarial_ba": passes(nets["D_a"](fake_a)),
                "cycle_a": self.config.cycle * F.l1_loss(nets["G_ba"](fake_b), a),
                "cycle_b": self.config.cycle * F.l1_loss(nets["G_ab"](fake_a), b),
            } | self.identities(nets, a, b)
        with torch.no_grad():
            fakes = {"a": self.pools["a"].exchange(nets["G_ba"](b)), "b": self.pools["b"].exchange(nets["G_ab"](a))}
        terms = {}
        for name, real in (("a", a), ("b", b)):
            critic = nets[f"D_{name}"]
            terms[f"real_{name}"] = losses.least_squares(critic(real).float(), 1.0)
            terms[f"fake_{name}"] = losses.least_squares(critic(fakes[name]).float(), 0.0)
        return terms

    def judge(self, nets: nn.ModuleDict, inputs: Tensor, images: Tensor) -> list[Tensor]:
        return [nets["D_b"](images).float()]

    @property
    def judges_patches(self) -> bool:
        return True

    def realness(self, scores: Tensor) -> Tensor:
        """See `TranslationRecipe.realness`; critics are asked for 1 where a patch is real, else for 0."""
        return scores.clamp(0, 1)

    def identities(self, nets: nn.ModuleDict, a: Tensor, b: Tensor) -> dict[str, Tensor]:
        """What is lost by translating what is in a domain already."""
        weight = self.config.cycle * self.config.identity
        if not weight:
            return {}
        return {
            "identity_a": weight * F.l1_loss(nets["G_ba"](a), a),
            "identity_b": weight * F.l1_loss(nets["G_ab"](b), b),
        }

    def translate(
        self, nets: nn.ModuleDict, inputs: Tensor, seed: int = 0, place: tuple[int, int] = (0, 0), *,
        backwards: float = 0.0,
    ) -> Tensor:  # fmt: skip
        """See `TranslationRecipe.translate`; with `backwards` 1, from pictures to inputs."""
        images: Tensor = nets["G_ba" if backwards else "G_ab"](inputs)
        return images

    def state_dict(self) -> dict[str, Any]:
        return {name: pool.images for name, pool in self.pools.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, images in state.items():
            self.pools[name].images = images


def passes(scores: Tensor) -> Tensor:
    """Mean of (s - 1)^2, which the generator that a critic scores is to lower."""
    return 2 * losses.least_squares(scores.float(), 1.0)
