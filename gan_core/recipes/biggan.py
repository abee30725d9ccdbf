r"""Class-conditional at scale: residual networks under spectral normalisation, told the class at every depth.

Paper: Brock, Donahue, Simonyan, "Large Scale GAN Training for High Fidelity Natural Image Synthesis", 2018,
arXiv:1809.11096.

The critic learns a margin and no more (hinge loss), the generator climbs its score:

$$L_D = \mathbb{E}_{x,y}[\max(0, 1 - D(x,y))] + \mathbb{E}_{z,y}[\max(0, 1 + D(G(z,y),y))]
\qquad L_G = -\mathbb{E}_{z,y}[D(G(z,y),y)]$$

A class has one learned vector, shared by all layers of $G$. $z$ is cut into chunks: the first makes the 4x4 maps, each
other one goes, beside the class's vector $c$, to one residual block, whose batch normalisations scale by $1 + A[c,z_k]$
and shift by $B[c,z_k]$. $D$ is a projection discriminator, $D(x,y) = w\cdot\phi(x) + v_y\cdot\phi(x)$, where $\phi$ are
the sums of its last maps. All weights but the shared vectors are divided by their largest singular value, found by
power iteration. One side (`attention`) has self-attention, which starts at weight 0. With `orthogonal`, $L_G$ gains
$\beta\sum_W\lVert W W^\top\odot(1-I)\rVert_F^2$ (equation 3 of the paper).

Pictures are drawn from a truncated normal: each number of $z$ is mapped by quantiles onto $[-2, 2]$ and multiplied by
the truncation, so a seed is a seed of a plain normal as everywhere here.

As in the paper: all of the above, orthogonal initialisation, two critic updates for one of the generator, Adam with
betas (0, 0.999). Unlike it: few channels, no biases in the generator's residual blocks, batches of 64, one learning
rate for both networks; fakes have the labels of the batch's real images, so classes are drawn as often as the data has
them; standing statistics are taken over 16 batches of 64, all classes alike, at truncation 1 for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_core import losses
from gan_core.latent import latents
from gan_core.layers import class_vectors
from gan_core.noise import ConditionalConfig, ConditionalRecipe
from gan_core.recipe import Batch, Phase, register
from gan_core.spectral import SpectralConv2d, SpectralEmbedding, SpectralLinear
from gan_core.train_options import TrainOptions

STANDING_BATCH = 64


@dataclass(frozen=True)
class BigGANConfig(ConditionalConfig):
    """What a `biggan` is."""

    latent_dim: int = 64
    """Length of the latent vector z, cut into as many chunks as there are blocks, and one."""
    width: int = 16
    """Channels at the image's own side; each halving of the side doubles them."""
    max_width: int = 64
    """Most channels that a side has."""
    shared_dim: int = 32
    """Length of a class's vector, shared by all layers of the generator."""
    attention: int = 16
    """Side in pixels at which both networks have self-attention; 0 is nowhere."""
    standing: int = 16
    """Batches of noise over which the statistics of the averaged generator's normalisations are measured before it is
    drawn from; 0 keeps those of the training."""
    orthogonal: float = 0.0
    """Weight beta of the orthogonal regularisation of the generator (paper: 1e-4); 0 is off."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_doublings(smallest=16)
        for name in ("width", "max_width", "shared_dim"):
            self.require(getattr(self, name) >= 1, f"{name} is {getattr(self, name)}; it must be at least 1.")
        self.require(self.standing >= 0, f"standing is {self.standing}; it must be 0 (off) or more batches.")
        self.require(self.orthogonal >= 0, f"orthogonal is {self.orthogonal:g}; it must be 0 (off) or more.")
        size = self.image_size
        sides = [0] if size is None else [0, *(2**k for k in range(3, size.bit_length()))]
        fits = size is None or self.attention in sides
        self.require(fits, f"attention is {self.attention}; at {size} pixels it takes {', '.join(map(str, sides))}.")
        few = size is not None and self.latent_dim < size.bit_length() - 2
        self.require(not few, f"latent_dim is {self.latent_dim}, too short to be cut into a chunk for each block.")

    @classmethod
    def tiny(cls) -> Self:
        return cls(
            image_size=16, channels=1, latent_dim=8, width=4, max_width=8, shared_dim=4, attention=8, num_classes=3
        )

    @classmethod
    def paper(cls) -> Self:
        return cls(
            image_size=128, channels=3, latent_dim=120, width=96, max_width=1536, shared_dim=128, attention=64
        )  # num_classes: ImageNet's 1,000, from the data

    @property
    def widths(self) -> list[int]:
        """Channels at sides 4, 8, ..., image_size."""
        return self.widths_by_side(self.width, self.max_width)


class ConditionalBatchNorm(nn.Module):
    """Batch normalisation whose scale, around 1, and shift are linear in a condition."""

    normalises = "batch by class"

    def __init__(self, channels: int, condition_dim: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.scale = SpectralLinear(condition_dim, channels, bias=False)
        self.shift = SpectralLinear(condition_dim, channels, bias=False)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.scale(condition), self.shift(condition)
        y: Tensor = self.norm(x) * (1 + scale[:, :, None, None]) + shift[:, :, None, None]
        return y


class Attention(nn.Module):
    """x + gamma * what every place gathers from all others (Zhang 2018, arXiv:1805.08318); gamma starts at 0."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        few, half = max(1, channels // 8), max(1, channels // 2)
        self.query = SpectralConv2d(channels, few, 1, bias=False)
        self.key = SpectralConv2d(channels, few, 1, bias=False)
        self.value = SpectralConv2d(channels, half, 1, bias=False)
        self.out = SpectralConv2d(half, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        query = self.query(x).flatten(2)  # [N, C/8, S*S]
        key = F.max_pool2d(self.key(x), 2).flatten(2)  # [N, C/8, S*S/4]
        value = F.max_pool2d(self.value(x), 2).flatten(2)  # [N, C/2, S*S/4]
        weights = (query.transpose(1, 2) @ key).softmax(2)  # [N, S*S, S*S/4]
        gathered = (value @ weights.transpose(1, 2)).unflatten(2, x.shape[2:])
        y: Tensor = x + self.gamma * self.out(gathered)
        return y


class UpBlock(nn.Module):
    """A residual block that doubles the side, its normalisations told class and chunk."""

    def __init__(self, c_in: int, c_out: int, condition_dim: int) -> None:
        super().__init__()
        self.norm1 = ConditionalBatchNorm(c_in, condition_dim)
        self.conv1 = SpectralConv2d(c_in, c_out, 3, padding=1, bias=False)
        self.norm2 = ConditionalBatchNorm(c_out, condition_dim)
        self.conv2 = SpectralConv2d(c_out, c_out, 3, padding=1, bias=False)
        self.skip = SpectralConv2d(c_in, c_out, 1, bias=False)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        y = F.interpolate(F.relu(self.norm1(x, condition)), scale_factor=2.0)
        y = self.conv2(F.relu(self.norm2(self.conv1(y), condition)))
        z: Tensor = y + self.skip(F.interpolate(x, scale_factor=2.0))
        return z


class DownBlock(nn.Module):
    """A residual block without normalisation; `down` halves the side."""

    def __init__(self, c_in: int, c_out: int, down: bool, first: bool) -> None:
        super().__init__()
        self.down, self.first = down, first
        self.conv1 = SpectralConv2d(c_in, c_out, 3, padding=1)
        self.conv2 = SpectralConv2d(c_out, c_out, 3, padding=1)
        self.skip = SpectralConv2d(c_in, c_out, 1) if c_in != c_out or down else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(F.relu(self.conv1(x if self.first else F.relu(x))))
        z: Tensor = y + self.skip(x)
        return F.avg_pool2d(z, 2) if self.down else z


class Generator(nn.Module):
    """4x4 maps from the first chunk of z, a block for each other chunk, then pixels."""

    def __init__(self, c: BigGANConfig) -> None:
        super().__init__()
        widths = c.widths
        chunks = torch.zeros(c.latent_dim, device="cpu").tensor_split(len(widths))
        self.shared = nn.Embedding(c.class_count, c.shared_dim)
        self.project = SpectralLinear(len(chunks[0]), widths[0] * 16)
        self.blocks = nn.ModuleList(
            UpBlock(c_in, c_out, c.shared_dim + len(chunk))
            for c_in, c_out, chunk in zip(widths, widths[1:], chunks[1:], strict=False)
        )
        self.attention = nn.ModuleDict(
            {str(k): Attention(width) for k, width in enumerate(widths[1:]) if 8 * 2**k == c.attention}
        )
        self.to_image = nn.Sequential(
            nn.BatchNorm2d(widths[-1]),
            nn.ReLU(),
            SpectralConv2d(widths[-1], c.image_shape[0], 3, padding=1),
            nn.Tanh(),
        )
        nn.init.orthogonal_(self.shared.weight)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        first, *chunks = z.tensor_split(len(self.blocks) + 1, dim=1)
        shared = class_vectors(self.shared, labels)  # [N] or weights [N, K] -> [N, shared_dim]
        x = self.project(first).unflatten(1, (-1, 4, 4))  # -> [N, widest, 4, 4]
        for k, (block, chunk) in enumerate(zip(self.blocks, chunks, strict=True)):
            x = block(x, torch.cat([shared, chunk], dim=1))  # -> [N, widths[k + 1], 8 * 2^k, 8 * 2^k]
            if str(k) in self.attention:
                x = self.attention[str(k)](x)
        images: Tensor = self.to_image(x)  # -> [N, C, S, S] in [-1, 1]
        return images


class Discriminator(nn.Module):
    """Blocks down to 4x4, one more, sums over the maps, then a score and the match with the class."""

    def __init__(self, c: BigGANConfig) -> None:
        super().__init__()
        widths = c.widths[::-1]
        size = c.image_shape[1]
        layers: list[nn.Module] = []
        for k, (c_in, c_out) in enumerate(zip([c.pack_channels, *widths[:-1]], widths, strict=True)):
            if k and size // 2**k == c.attention:
                layers.append(Attention(c_in))
            layers.append(DownBlock(c_in, c_out, down=k < len(widths) - 1, first=k == 0))
        self.blocks = nn.Sequential(*layers)
        self.to_score = SpectralLinear(widths[-1], 1)
        self.label = SpectralEmbedding(c.class_count, widths[-1])

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        # images [N, C * pack, S, S], labels [N, pack]
        x = F.relu(self.blocks(images)).sum((2, 3))  # -> [N, widest]
        scores: Tensor = self.to_score(x).flatten() + (self.label(labels).sum(1) * x).sum(1)  # -> [N]
        return scores


def off_orthogonal(weight: Tensor) -> Tensor:
    """Sum of squares of the products of different rows of a weight, [C, ...]: 0 where they are orthogonal."""
    rows = weight.flatten(1)
    products = rows @ rows.T
    return products.square().sum() - products.diagonal().square().sum()


def truncated(z: Tensor) -> Tensor:
    """z ~ N(0, 1) mapped by quantiles to the normal distribution between -2 and 2."""
    low, high = (torch.special.ndtr(torch.tensor(edge, dtype=torch.float64)) for edge in (-2.0, 2.0))
    inside: Tensor = torch.special.ndtri(low + (high - low) * torch.special.ndtr(z.double()))
    return inside.to(z.dtype)


@register("biggan")
class BigGAN(ConditionalRecipe):
    """Hinge loss between residual networks that are told the class."""

    Config = BigGANConfig
    config: BigGANConfig
    train_options = TrainOptions(lr=2e-4, betas=(0.0, 0.999), batch_size=64)
    phases = (Phase("d", nets=("D",), repeats=2), Phase("g", nets=("G",)))
    comparative = True
    cuts_latents = True

    def build(self) -> nn.ModuleDict:
        return nn.ModuleDict({"G": Generator(self.config), "D": Discriminator(self.config)})

    def critic_loss(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        return losses.hinge_critic(real, fake)

    def generator_loss(self, fake: Tensor) -> Tensor:
        return -fake.mean()

    def losses(self, phase: str, nets: nn.ModuleDict, batch: Batch, images_seen: int) -> dict[str, Tensor]:
        terms = super().losses(phase, nets, batch, images_seen)
        if phase == "g" and self.config.orthogonal:
            weights = [p for name, p in nets["G"].named_parameters() if p.ndim > 1 and not name.startswith("shared")]
            terms["orthogonal"] = self.config.orthogonal * torch.stack([off_orthogonal(w) for w in weights]).sum()
        return terms

    @torch.no_grad()
    def settle(self, generators: nn.ModuleDict) -> None:
        """Standing statistics: those of these weights' own pictures, each batch counting alike."""
        if not self.config.standing:
            return
        generator = generators["G"]
        norms = [module for module in generator.modules() if isinstance(module, nn.BatchNorm2d)]
        for norm in norms:
            norm.train().reset_running_stats()
            norm.momentum = None  # a plain mean over batches, not a running one
        device = next(generator.parameters()).device
        noise = truncated(latents(0, self.config.standing * STANDING_BATCH, self.config.latent_dim)).to(device)
        labels = torch.arange(len(noise), device=device) % self.config.class_count
        for start in range(0, len(noise), STANDING_BATCH):
            generator(noise[start : start + STANDING_BATCH], labels[start : start + STANDING_BATCH])
        generator.eval()

    def decode(
        self, nets: nn.ModuleDict, z: Tensor, labels: Tensor | None = None, *, truncation: float = 1.0
    ) -> Tensor:
        """See `NoiseRecipe.decode`; z is cut to [-2, 2] by quantiles first."""
        return super().decode(nets, truncated(z), labels, truncation=truncation)
