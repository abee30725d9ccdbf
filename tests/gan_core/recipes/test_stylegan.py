import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import gan_core
from gan_core.recipes.stylegan import Blur, StyledLayer
from gan_core.trainer import Trainer


@pytest.fixture
def trained(tiny, noise_data):
    """A stylegan after a few steps, its noise strengths and mean style no longer 0."""
    recipe, _, _ = tiny("stylegan")
    trainer = Trainer(recipe, noise_data(recipe))
    trainer.run(3)
    return trainer.model()


def test_blur_is_one_two_one_in_both_directions_and_keeps_the_sum():
    x = torch.zeros(1, 2, 5, 5)
    x[0, 1, 2, 2] = 16.0
    y = Blur(2)(x)
    assert torch.equal(y[0, 1, 1:4, 1:4], torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]))
    assert not y[0, 0].any()


def test_the_gradient_of_blur_is_that_of_its_convolution_the_second_too():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 6, 5, dtype=torch.double, requires_grad=True)
    blur = Blur(3)
    assert torch.autograd.gradcheck(blur, x) and torch.autograd.gradgradcheck(blur, x)
    plain = F.conv2d(x, blur.get_buffer("kernel").double(), padding=1, groups=3)
    assert torch.equal(blur(x), plain)


def test_a_style_decides_spread_and_mean_of_every_map():
    torch.manual_seed(0)
    layer = StyledLayer(None, 3, 4, 8, up=False)
    w = torch.randn(2, 4)
    y = layer(torch.randn(2, 3, 8, 8), w, torch.zeros(1, 1, 8, 8))
    spread, mean = layer.style(w).chunk(2, dim=1)
    assert torch.allclose(y.mean((2, 3)), mean, atol=1e-5)
    assert torch.allclose(y.std((2, 3), unbiased=False), (spread + 1).abs(), rtol=1e-2)


def test_noise_has_a_strength_per_channel_that_starts_at_zero(tiny):
    _, nets, _ = tiny("stylegan")
    layers = [m for m in nets["G"].modules() if isinstance(m, StyledLayer)]
    assert len(layers) == 6 and not any(layer.strength.any() for layer in layers)
    layer = layers[1]
    x, w = torch.randn(1, 8, 4, 4), torch.randn(1, 8)
    quiet = layer(x, w, torch.zeros(1, 1, 4, 4))
    assert torch.equal(layer(x, w, torch.randn(1, 1, 4, 4)), quiet)
    with torch.no_grad():
        layer.strength[2] = 1.0
    changed = (layer(x, w, torch.randn(1, 1, 4, 4)) != quiet).flatten(2).any(2)[0]
    assert changed.tolist() == [k == 2 for k in range(8)]


def test_truncation_of_one_is_the_identity_of_zero_the_mean_and_of_some_layers_both(trained):
    recipe, nets = trained.recipe, trained.generators
    z = torch.randn(3, 8)
    mapping = nets["G"].mapping
    full, none, half = (recipe.styles(nets, z, t) for t in (1.0, 0.0, 0.5))
    assert torch.equal(full, mapping(z)[:, None].expand(-1, 6, -1)) and mapping.mean.any()
    assert torch.allclose(none, mapping.mean.expand(3, 6, -1))
    assert torch.allclose(half, (full + none) / 2, atol=1e-6)
    cut = recipe.styles(nets, z, 0.0, cutoff=2)
    assert torch.equal(cut[:, 2:], full[:, 2:]) and torch.equal(cut[:, :2], none[:, :2])
    images = trained.sample(2, truncation=0.0)
    assert torch.equal(images[0], images[1]) and not torch.equal(trained.sample(2)[0], trained.sample(2)[1])


def test_mean_style_is_that_of_the_averaged_mapping(tiny, noise_data):
    recipe, _, _ = tiny("stylegan")
    trainer = Trainer(recipe, noise_data(recipe))
    with torch.no_grad():  # far from what it averages
        for parameter in trainer.ema.nets.parameters():
            parameter.add_(100 * torch.randn_like(parameter))
    mapping = trainer.model().generators["G"].mapping
    w = mapping(torch.randn(20_000, 8))
    assert torch.allclose(mapping.mean, w.mean(0), atol=0.05 * w.std().item())
    other = trainer.nets["G"].mapping(torch.randn(20_000, 8)).mean(0)
    assert (mapping.mean - other).abs().max() > 0.2 * w.std()


def test_noise_can_be_switched_off_kept_and_redrawn(trained):
    own, again = trained.sample(2, seed=1), trained.sample(2, seed=1)
    off, other, third = (trained.sample(2, seed=1, **c) for c in ({"noise": 0}, {"noise_seed": 5}, {"noise_seed": 6}))
    assert torch.equal(own, again) and torch.equal(other, trained.sample(2, seed=1, noise_seed=5))
    assert not torch.equal(own, off) and not torch.equal(own, other) and not torch.equal(other, third)
    assert torch.equal(off, trained.sample(2, seed=1, noise=0, noise_seed=5))


@pytest.mark.parametrize("mixing", [0.0, 1.0])
def test_mixing_gives_layers_the_styles_of_two_latents(tiny, mixing):
    recipe, nets, batch = tiny("stylegan", mixing=mixing)
    seen = []
    for layer in nets["G"].layers:
        layer.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[1]))
    recipe.generate(nets, batch, 0)
    same = torch.stack([torch.equal(seen[0][k], seen[-1][k]) * torch.ones(()) for k in range(8)])
    assert same.all() if mixing == 0 else not same.any()
    for k in range(8):  # one crossing a picture
        assert sum(not torch.equal(a[k], b[k]) for a, b in zip(seen, seen[1:], strict=False)) == mixing


def test_stylegan_starts_from_constant_ones_and_learns_its_mapping_slowly(tiny):
    _, nets, _ = tiny("stylegan")
    start = dict(nets["G"].named_parameters())["start"]
    assert torch.equal(start, torch.ones(1, 8, 4, 4))
    assert all(layer[0].speed == 0.01 for layer in nets["G"].mapping.layers)
    assert not any(isinstance(m, nn.BatchNorm2d | nn.Tanh) for m in nets.modules())


def test_stylegan_brings_z_to_a_mean_square_of_one(tiny):
    _, nets, _ = tiny("stylegan")
    z = torch.randn(3, 8)
    assert torch.allclose(nets["G"].mapping(7 * z), nets["G"].mapping(z), atol=1e-5)


def test_stylegan_blurs_after_doubling_and_before_halving(tiny):
    _, nets, _ = tiny("stylegan")
    for k, layer in enumerate(nets["G"].layers):
        assert isinstance(layer.blur, Blur) == (k in (2, 4))
    layers = nets["D"].layers
    halving = [k for k, layer in enumerate(layers) if getattr(layer, "resample", None) == "down"]
    assert len(halving) == 2 and all(isinstance(layers[k - 1], Blur) for k in halving)
    torch.manual_seed(0)
    layer, x, w = nets["G"].layers[2], torch.randn(1, 8, 4, 4), torch.randn(1, 8)
    doubled = F.conv2d(F.interpolate(x, scale_factor=2), layer.conv.weight * layer.conv.scale, padding=1)
    expected = F.instance_norm(F.leaky_relu(Blur(8)(doubled), 0.2))
    spread, mean = layer.style(w)[:, :, None, None].chunk(2, dim=1)
    assert torch.allclose(layer(x, w, torch.zeros(1, 1, 8, 8)), expected * (spread + 1) + mean, atol=1e-5)


def test_stylegan_pays_r1_by_default():
    config = gan_core.create("stylegan").config
    assert (config.r1, config.r1_every) == (1.0, 4)
    assert [phase.name for phase in gan_core.create("stylegan").phases] == ["d", "g", "r1"]
    paper = gan_core.recipe.RECIPES["stylegan"].Config.paper()
    assert (paper.r1, paper.r1_every, paper.mapping_layers) == (10, 1, 8)


# ----------------------------------------------------------------------------------------------------------- growing


@pytest.mark.parametrize("alpha", [0.0, 0.25, 1.0])
def test_growing_stylegan_fades_reals_and_fakes_alike(tiny, alpha):
    recipe, nets, batch = tiny("stylegan", growing="progressive")  # 16 images a stage; 4, 8 and 16 pixels
    generator, critic = nets.eval()["G"], nets["D"]
    seen = 48 + int(16 * alpha)
    prepared = recipe.prepared(batch, seen).images
    low = F.interpolate(F.avg_pool2d(batch.images, 2), scale_factor=2)
    assert torch.allclose(prepared, (1 - alpha) * low + alpha * batch.images, atol=1e-6)
    w = torch.randn(2, 6, 8)
    low, high = F.interpolate(generator.synthesis(w, level=1), scale_factor=2), generator.synthesis(w, level=2)
    mixed = generator.synthesis(w, level=2, alpha=alpha)
    assert torch.allclose(mixed, (1 - alpha) * low + alpha * high, atol=1e-5)
    low, high = critic.from_smaller[0](F.avg_pool2d(prepared, 2)), critic.layers[:7](prepared)
    expected = critic.layers[7:]((1 - alpha) * low + alpha * high)
    assert torch.allclose(recipe.critic(nets, batch, seen)(prepared), expected, atol=1e-5)


def test_growing_stylegan_learns_at_the_stage_it_has_reached_and_nowhere_else(tiny, noise_data):
    recipe, _, batch = tiny("stylegan", growing="progressive")
    to_image = ("G.to_smaller.0.", "G.to_smaller.1.", "G.to_image.")
    from_image = ("D.from_smaller.1.", "D.from_smaller.0.", "D.layers.0.")
    for images_seen, level, alpha in ((0, 0, 1.0), (24, 1, 0.5), (40, 1, 1.0), (64, 2, 1.0)):
        trainer = Trainer(recipe, noise_data(recipe))
        trainer.images_seen = images_seen
        pixels = slice(level - 1 if alpha < 1 else level, level + 1)
        for phase in recipe.phases[:2]:
            trainer.nets.zero_grad()
            trainer.update(phase, batch)
            for name, parameter in trainer.nets.named_parameters():
                part, at = [*name.split("."), ""][1:3]
                if name.startswith((*to_image, *from_image)):
                    used = name.startswith((*to_image[pixels], *from_image[pixels]))
                elif part in ("mapping", "start"):
                    used = True
                else:
                    used = int(at) < 2 * level + 2 if name.startswith("G") else int(at) >= 2 + 5 * (2 - level)
                assert (parameter.grad is not None) == (used and name[0].lower() == phase.name), name


def test_growing_stylegan_is_drawn_at_the_stage_it_has_reached_or_another(tiny):
    recipe, nets, batch = tiny("stylegan", growing="progressive")
    recipe.losses("g", nets, batch, 24)  # level 1, half faded
    nets.eval()
    z = torch.randn(2, 8)
    reached = recipe.decode(nets, z)
    assert reached.shape == (2, 1, 16, 16) and torch.equal(reached, recipe.decode(nets, z, stage=1, alpha=0.5))
    assert torch.equal(recipe.mix(nets, z, z, 1, 2), reached)
    assert recipe.decode(nets, z, stage=0).unfold(2, 4, 4).std(-1).max() < 1e-6  # 4x4, enlarged
    assert {"stage", "alpha"} <= {control.name for control in recipe.controls}
    assert recipe.stage(recipe.typical_images_seen) == (2, 1.0)


def test_growing_stylegan_is_resumed_bit_for_bit_in_the_middle_of_a_fade(tiny, noise_data):
    recipe, _, _ = tiny("stylegan", growing="progressive")
    whole, first, second = (Trainer(recipe, noise_data(recipe)) for _ in range(3))
    whole.run(5)
    first.run(3)  # 24 images seen: half way to 8 pixels
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    second.run(5)
    ours, theirs = whole.state_dict(), second.state_dict()
    for part in ("nets", "ema"):
        assert all(torch.equal(value, theirs[part][key]) for key, value in ours[part].items())


def test_a_fixed_stylegan_is_at_its_full_side_from_the_start(tiny):
    recipe, nets, _ = tiny("stylegan")
    assert recipe.stage(0) == (2, 1.0) and recipe.typical_images_seen == 0
    assert not {"stage", "alpha"} & {control.name for control in recipe.controls}
    assert not any("smaller" in name or "reached" in name for name in nets.state_dict())


# ---------------------------------------------------------------------------------------------------------- controls


@pytest.mark.parametrize(
    ("controls", "sentence"),
    [
        ({"truncation": 3}, "truncation is 3; it takes a number from -1 to 2"),
        ({"cutoff": 7}, "cutoff is 7; it takes a whole number from 0 to 6"),
        ({"noise_seed": 0.5}, "noise_seed is 0.5; it takes a whole number"),
    ],
)
def test_controls_out_of_range(trained, controls, sentence):
    with pytest.raises(gan_core.UsageError, match=sentence):
        trained.sample(1, **controls)


def test_noise_in_training_is_each_pictures_own(tiny):
    _, nets, _ = tiny("stylegan")
    with torch.no_grad():
        for layer in nets["G"].layers:
            layer.strength.fill_(0.5)
    z = torch.randn(1, 8).expand(2, -1)
    images = nets["G"](z)
    assert not torch.equal(images[0], images[1])
    images = nets["G"].eval()(z)
    assert F.mse_loss(images[0], images[1]) < 1e-10
