r"""A style for every layer: a mapping network bends the latent, and each layer of a synthesis network is told its own.

Paper: Karras, Laine, Aila, "A Style-Based Generator Architecture for Generative Adversarial Networks", 2018,
arXiv:1812.04948.

$z$ is brought to a mean square of 1 and mapped by dense layers to $w$. Synthesis starts from a learned constant of 4x4,
at first ones; every layer convolves, adds noise by a learned strength per channel (at first 0), adds a bias, applies
LeakyReLU, normalises each map and lets the style decide its spread and mean:

$$\mathrm{AdaIN}(x_i, w) = (s_i(w) + 1)\,\frac{x_i - \mu(x_i)}{\sigma(x_i)} + b_i(w)$$

In training, most pictures get two $w$, one up to a random layer and one after it (mixing), so that layers learn not to
rely on each other. The game is the non-saturating one, with $R_1$ (`r1` is $\gamma$):

$$L_D = \mathbb{E}_x[\mathrm{softplus}(-f(x))] + \mathbb{E}_z[\mathrm{softplus}(f(G(z)))]
+ \tfrac{\gamma}{2}\,\mathbb{E}_x[\lVert\nabla f(x)\rVert^2] \qquad L_G = \mathbb{E}_z[\mathrm{softplus}(-f(G(z)))]$$

The mean of $w$, $\bar w = \mathbb{E}_z[f(z)]$, is the picture all styles turn around; truncation $\psi$ moves $w$ to
it in the layers before the cutoff: $w' = \bar w + \psi\,(w - \bar w)$ (appendix B of the paper).

As in the paper: mapping of 8 layers learning at a hundredth of the speed, equalized learning rate, [1, 2, 1] blur after
doubling and before halving, minibatch deviation, mixing with probability 0.9, Adam with betas (0, 0.99).
With `growing="progressive"`, sides fade in one after the other as in the paper, but from 4x4 on (paper: 8x8). Unlike
it: all sides at once by default, as its later code can, few channels, $R_1$ every fourth step at four times the weight,
$\gamma = 1$ where the paper has 10 for faces; $\bar w$ is the mean over 10,000 latents of the averaged mapping, not a
running mean of the training one, as the authors' code has it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, Self, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_core import losses
from gan_core.growing import GrowingConfig, GrowingRecipe, double
from gan_core.latent import latents
from gan_core.layers import EqualizedConv2d, EqualizedLinear, MinibatchDeviation, Resample, pixel_norm
from gan_core.recipe import Batch, Control, register
from gan_core.train_options import TrainOptions

MEAN_OF = 10_000  # latents


@dataclass(frozen=True)
class StyleGANConfig(GrowingConfig):
    """What a `stylegan` is."""

    growing: Literal["fixed", "progressive"] = "fixed"
    """Train all sides at once, or fade in one after the other as in the paper."""
    mapping_layers: int = 8
    """Dense layers between z and w."""
    mixing: float = 0.9
    """Probability that a picture gets two styles in training."""
    r1: float = 1.0
    """R1: gamma of the penalty gamma/2 on the squared gradient of the discriminator at real pictures; 0 is off."""
    r1_every: int = 4
    """Steps between updates on the R1 penalty, which is then that many times as strong; 1 adds it to every loss."""

    def __post_init__(self) -> None:
        super().__post_init__()
        fits = self.mapping_layers >= 1
        self.require(fits, f"mapping_layers is {self.mapping_layers}; it must be at least 1.")
        self.require(0 <= self.mixing <= 1, f"mixing is {self.mixing:g}; it is a probability, from 0 to 1.")

    @classmethod
    def tiny(cls) -> Self:
        return cls(image_size=16, channels=1, latent_dim=8, width=4, max_width=8, stage_images=16, mapping_layers=2)

    @classmethod
    def paper(cls) -> Self:
        return cls(
            image_size=1024, channels=3, latent_dim=512, width=16, max_width=512, r1=10.0, r1_every=1,
            growing="progressive", stage_images=600_000,
        )  # fmt: skip

    @property
    def style_layers(self) -> int:
        """Styled layers of the generator: two for each side."""
        return 2 * (self.last_level + 1)


class Blur(nn.Module):
    """Each map smoothed by [1, 2, 1] in both directions, its sum kept."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        line = torch.tensor([1.0, 2.0, 1.0], device="cpu")
        self.register_buffer("kernel", (line[:, None] * line / 16).repeat(channels, 1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = Blurred.apply(x, self.get_buffer("kernel").to(x))
        return y


class Blurred(torch.autograd.Function):
    """Smoothing is its own transpose: its gradient is the smoothed one, in a fifth of PyTorch's time."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: Tensor) -> Tensor:
        ctx.save_for_backward(kernel)
        return F.conv2d(x, kernel, padding=1, groups=x.shape[1])

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, None]:
        (kernel,) = ctx.saved_tensors
        dx: Tensor = Blurred.apply(dy, kernel.to(dy))
        return dx, None


class Mapping(nn.Module):
    """z to w, and the mean of w."""

    def __init__(self, latent_dim: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(
                nn.Sequential(EqualizedLinear(latent_dim, latent_dim, speed=0.01), nn.LeakyReLU(0.2))
                for _ in range(layers)
            )
        )
        self.register_buffer("mean", torch.zeros(latent_dim))

    def forward(self, z: Tensor) -> Tensor:
        w: Tensor = self.layers(pixel_norm(z))
        return w


class StyledLayer(nn.Module):
    """Convolution (none at the start), noise, bias, LeakyReLU, and the style's spread and mean."""

    normalises = "instance by style"

    def __init__(self, c_in: int | None, channels: int, latent_dim: int, side: int, up: bool) -> None:
        super().__init__()
        resample: Resample = "up" if up else "same"
        self.conv = nn.Identity() if c_in is None else EqualizedConv2d(c_in, channels, 3, bias=False, resample=resample)
        self.blur = Blur(channels) if up else nn.Identity()
        self.strength = nn.Parameter(torch.zeros(channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))
        self.style = EqualizedLinear(latent_dim, 2 * channels, gain=1.0)
        self.register_buffer("noise", nn.init.normal_(torch.empty(1, 1, side, side)))

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        x = self.blur(self.conv(x))
        x = F.leaky_relu(x + self.strength * noise + self.bias, 0.2)
        spread, mean = self.style(w)[:, :, None, None].chunk(2, dim=1)
        styled: Tensor = F.instance_norm(x) * (spread + 1) + mean
        return styled


class Generator(nn.Module):
    """Mapping and synthesis: two styled layers for each side, then a linear layer to pixels; if it grows, at each."""

    def __init__(self, c: StyleGANConfig) -> None:
        super().__init__()
        widths = c.widths
        self.mapping = Mapping(c.latent_dim, c.mapping_layers)
        self.start = nn.Parameter(torch.ones(1, widths[0], 4, 4))
        self.layers = nn.ModuleList()
        for k, (c_in, c_out) in enumerate(zip([None, *widths], widths, strict=False)):
            self.layers.append(StyledLayer(c_in, c_out, c.latent_dim, 4 * 2**k, up=k > 0))
            self.layers.append(StyledLayer(c_out, c_out, c.latent_dim, 4 * 2**k, up=False))
        smaller = widths[:-1] if c.growing == "progressive" else []
        self.to_smaller = nn.ModuleList(EqualizedConv2d(width, c.image_shape[0], 1, gain=1.0) for width in smaller)
        self.to_image = EqualizedConv2d(widths[-1], c.image_shape[0], 1, gain=1.0)
        if c.growing == "progressive":
            self.register_buffer("reached", torch.zeros(2))  # level and alpha of the training so far

    def forward(self, z: Tensor) -> Tensor:
        # z [N, latent_dim] -> images [N, C, S, S], with the constant noise
        images: Tensor = self.synthesis(self.mapping(z)[:, None].expand(-1, len(self.layers), -1))
        return images

    def synthesis(
        self, w: Tensor, strength: float = 1.0, random: torch.Generator | None = None, level: int | None = None,
        alpha: float = 1.0,
    ) -> Tensor:  # fmt: skip
        """Images [N, C, S, S], not bounded, of a w for each layer, [N, layers, latent_dim].

        Args:
            w: Styles.
            strength: Scales all noise.
            random: Where noise is drawn from, a picture's all alike; the constant noise if None. In training it is
                drawn anew for each picture.
            level: Doublings of 4x4 to the images' side S; by default all.
            alpha: How far the last doubling has faded in.
        """
        last = len(self.layers) // 2 - 1
        level = last if level is None else level
        to_image = [*self.to_smaller, self.to_image]
        before = x = self.start.expand(w.shape[0], -1, -1, -1)
        for k, layer in enumerate(self.layers[: 2 * level + 2]):
            before = x if k == 2 * level else before
            noise: Tensor = layer.get_buffer("noise")
            if self.training:
                noise = torch.randn(len(w), *noise.shape[1:], device=noise.device)
            elif random is not None:
                noise = torch.randn(noise.shape, generator=random).to(noise)
            x = layer(x, w[:, k], strength * noise)
        images: Tensor = to_image[level - last - 1](x)
        if level and alpha < 1:
            images = double(to_image[level - last - 2](before)).lerp(images, alpha)
        return images


def from_pixels(channels: int, width: int) -> list[nn.Module]:
    """The first two layers of a critic."""
    return [EqualizedConv2d(channels, width, 1), nn.LeakyReLU(0.2)]


class Discriminator(nn.Module):
    """Two convolutions for each side, blurred before halving; at 4x4 the deviation of the group, then one logit."""

    def __init__(self, c: StyleGANConfig) -> None:
        super().__init__()
        widths = c.widths[::-1]
        layers = from_pixels(c.pack_channels, widths[0])
        for c_in, c_out in zip(widths, widths[1:], strict=False):
            layers += [EqualizedConv2d(c_in, c_in, 3), nn.LeakyReLU(0.2), Blur(c_in)]
            layers += [EqualizedConv2d(c_in, c_out, 3, resample="down"), nn.LeakyReLU(0.2)]
        layers += [MinibatchDeviation(), EqualizedConv2d(widths[-1] + 1, widths[-1], 3), nn.LeakyReLU(0.2)]
        layers += [nn.Flatten(), EqualizedLinear(widths[-1] * 16, widths[-1]), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, EqualizedLinear(widths[-1], 1, gain=1.0), nn.Flatten(0))
        smaller = widths[1:] if c.growing == "progressive" else []
        self.from_smaller = nn.ModuleList(nn.Sequential(*from_pixels(c.pack_channels, width)) for width in smaller)
        self.size = c.image_shape[1]

    def forward(self, images: Tensor, alpha: float = 1.0) -> Tensor:
        # images [N, C * pack, S, S] -> logits [N]
        from_image = [self.layers[:2], *self.from_smaller]
        k = (self.size // images.shape[-1]).bit_length() - 1  # halvings that the images have behind them
        x, at = from_image[k](images), 2 + 5 * k  # every side has five layers
        if alpha < 1:
            x = from_image[k + 1](F.avg_pool2d(images, 2)).lerp(self.layers[at : at + 5](x), alpha)
            at += 5
        logits: Tensor = self.layers[at:](x)
        return logits


@register("stylegan")
class StyleGAN(GrowingRecipe):
    """The non-saturating game with R1, between a generator of styles and a plain critic."""

    Config = StyleGANConfig
    config: StyleGANConfig
    train_options = TrainOptions(lr=2e-3, betas=(0.0, 0.99), batch_size=64)
    controls: tuple[Control, ...] = (
        Control("truncation", 1.0, -1.0, 2.0, "Psi: moves styles towards their mean (0) or away; -1 mirrors them."),
        Control("cutoff", 18.0, 0.0, 18.0, "How many layers, from the coarsest, truncation is for.", whole=True),
        Control("noise", 1.0, 0.0, 2.0, "Scales the noise that draws the fine, random detail; 0 is none."),
        Control("noise_seed", 0.0, 0.0, 9999.0, "Which noise: 0 is the model's own, constant one.", whole=True),
    )  # fmt: skip

    def __init__(self, config: Any = None, options: TrainOptions | None = None) -> None:
        super().__init__(config, options)
        if self.config.knows_its_pictures:  # else it is left to the data, and is known later
            layers = float(self.style_layers)
            self.controls = tuple(
                replace(control, default=layers, high=layers) if control.name == "cutoff" else control
                for control in self.controls
            )

    @property
    def grows(self) -> bool:
        return self.config.growing == "progressive"

    @property
    def style_layers(self) -> int:
        return self.config.style_layers

    def build(self) -> nn.ModuleDict:
        return nn.ModuleDict({"G": Generator(self.config), "D": Discriminator(self.config)})

    def critic_loss(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        return {"real": losses.discriminator_real(real), "fake": losses.discriminator_fake(fake)}

    def generator_loss(self, fake: Tensor) -> Tensor:
        return losses.generator_nonsaturating(fake)

    def generate(self, nets: nn.ModuleDict, batch: Batch, images_seen: int) -> Tensor:
        """Fakes of which most have the style of one w up to a random layer, and of another after it."""
        generator = cast(Generator, nets["G"])
        level, alpha = self.reach(nets, images_seen)
        first, second = generator.mapping(self.latents(batch)), generator.mapping(self.latents(batch))
        n, layer = len(first), torch.arange(self.style_layers, device=first.device)
        crossover = torch.randint(1, 2 * level + 2, (n, 1), device=first.device)
        mixed = (torch.rand(n, 1, device=first.device) < self.config.mixing) & (layer >= crossover)  # [N, layers]
        w = torch.where(mixed[:, :, None], second[:, None], first[:, None])
        return generator.synthesis(w, level=level, alpha=alpha)

    @torch.no_grad()
    def settle(self, generators: nn.ModuleDict) -> None:
        """The mean of w is that of these weights' own mapping, over `MEAN_OF` latents."""
        mapping = cast(Generator, generators["G"]).mapping
        mean = mapping.get_buffer("mean")
        mean.copy_(mapping(latents(0, MEAN_OF, self.config.latent_dim).to(mean.device)).mean(0))

    def styles(self, nets: nn.ModuleDict, z: Tensor, truncation: float = 1.0, cutoff: float | None = None) -> Tensor:
        """The w of each layer, [N, layers, latent_dim], of latents z, truncated in the layers before the cutoff."""
        mapping = cast(Generator, nets["G"]).mapping
        w = mapping(z)[:, None].expand(-1, self.style_layers, -1)
        mean = mapping.get_buffer("mean")
        nearer = mean + truncation * (w - mean)
        is_before = torch.arange(self.style_layers, device=z.device) < (self.style_layers if cutoff is None else cutoff)
        return torch.where(is_before[:, None], nearer, w) if truncation != 1 else w

    def decode(
        self, nets: nn.ModuleDict, z: Tensor, labels: Tensor | None = None, *, truncation: float = 1.0,
        cutoff: float | None = None, noise: float = 1.0, noise_seed: float = 0.0, stage: float | None = None,
        alpha: float | None = None,
    ) -> Tensor:  # fmt: skip
        """See `NoiseRecipe.decode` and `controls`; truncation moves w, not z."""
        return self.drawn(nets, self.styles(nets, z, truncation, cutoff), noise, noise_seed, stage, alpha)

    def mix(
        self, nets: nn.ModuleDict, z: Tensor, other: Tensor, first: int, last: int, *, truncation: float = 1.0,
        cutoff: float | None = None, noise: float = 1.0, noise_seed: float = 0.0, stage: float | None = None,
        alpha: float | None = None,
    ) -> Tensor:  # fmt: skip
        """See `NoiseRecipe.mix`; each style is truncated before."""
        layer = torch.arange(1, self.style_layers + 1, device=z.device)[:, None]
        w, others = (self.styles(nets, latents, truncation, cutoff) for latents in (z, other))
        mixed = torch.where((first <= layer) & (layer <= last), others, w)
        return self.drawn(nets, mixed, noise, noise_seed, stage, alpha)

    def drawn(
        self, nets: nn.ModuleDict, w: Tensor, noise: float, noise_seed: float, stage: float | None, alpha: float | None
    ) -> Tensor:
        """Images of a w for each layer, [N, layers, latent_dim]; see `controls` for the rest."""
        random = torch.Generator().manual_seed(int(noise_seed)) if noise_seed else None
        return self.enlarged(cast(Generator, nets["G"]).synthesis(w, noise, random, *self.shown(nets, stage, alpha)))
