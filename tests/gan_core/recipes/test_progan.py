import pytest
import torch
import torch.nn.functional as F
from torch import nn

import gan_core
from gan_core.growing import faded
from gan_core.layers import EqualizedConv2d, EqualizedLinear, MinibatchDeviation, pixel_norm
from gan_core.plan import usual
from gan_core.recipe import Batch
from gan_core.trainer import Trainer


def test_equalized_layers_scale_the_weight_and_not_the_bias():
    torch.manual_seed(0)
    conv, dense = EqualizedConv2d(8, 4, 3), EqualizedLinear(50, 40, gain=1.0)
    assert conv.weight.std().item() == pytest.approx(1.0, rel=0.1)
    nn.init.constant_(conv.bias, 3.0)
    x = torch.randn(2, 8, 5, 5)
    assert torch.allclose(conv(x), F.conv2d(x, conv.weight * (2 / 72) ** 0.5, conv.bias, padding=1), atol=1e-5)
    assert dense(torch.randn(500, 50)).std().item() == pytest.approx(1.0, rel=0.1)


@pytest.mark.parametrize("bias", [True, False])
def test_an_equalized_convolution_doubles_before_and_halves_after(bias):
    torch.manual_seed(0)
    up, down = (EqualizedConv2d(3, 4, 3, bias=bias, resample=resample) for resample in ("up", "down"))
    x = torch.randn(2, 3, 6, 8)
    for layer in (up, down) if bias else ():
        nn.init.normal_(layer.bias)
    doubled = F.interpolate(x, scale_factor=2)
    assert torch.allclose(up(x), F.conv2d(doubled, up.weight * up.scale, up.bias, padding=1), atol=1e-5)
    halved = F.avg_pool2d(F.conv2d(x, down.weight * down.scale, down.bias, padding=1), 2)
    assert torch.allclose(down(x), halved, atol=1e-5)


def test_an_equalized_layers_speed_changes_how_fast_it_learns_not_what_it_gives():
    torch.manual_seed(0)
    layer = EqualizedLinear(50, 40, gain=1.0, speed=0.01)
    x = torch.randn(500, 50)
    before = layer(x)
    assert before.std().item() == pytest.approx(1.0, rel=0.1)
    with torch.no_grad():
        layer.weight += 1.0  # what a step of Adam of that size does
    assert (layer(x) - before).abs().mean() < 0.01


def test_pixel_norm_brings_every_place_to_mean_square_one():
    assert torch.allclose(pixel_norm(torch.randn(2, 6, 3, 3) * 7).square().mean(1), torch.ones(2, 3, 3), atol=1e-4)


@pytest.mark.parametrize("n", [4, 6, 7, 8])
def test_minibatch_deviation_against_a_loop(n):
    torch.manual_seed(0)
    x = torch.randn(n, 3, 2, 2)
    size = {4: 4, 6: 3, 7: 1, 8: 4}[n]
    y = MinibatchDeviation()(x)
    assert y.shape == (n, 4, 2, 2) and torch.equal(y[:, :3], x)
    for k in range(n):
        members = torch.stack([x[j] for j in range(n) if j % (n // size) == k % (n // size)])
        expected = members.std(0, unbiased=False).mean() if size > 1 else torch.tensor(1e-4)
        assert torch.allclose(y[k, 3], expected.expand(2, 2), atol=1e-4)


def test_progan_stages_are_a_pure_function_of_the_images_seen(tiny):
    recipe, _, _ = tiny("progan")  # 16 images a stage; 4, 8 and 16 pixels
    expected = {
        0: (0, 1.0), 15: (0, 1.0), 16: (1, 0.0), 24: (1, 0.5), 32: (1, 1.0), 47: (1, 1.0),
        48: (2, 0.0), 60: (2, 0.75), 64: (2, 1.0), 10_000: (2, 1.0),
    }  # fmt: skip
    assert {seen: recipe.stage(seen) for seen in expected} == expected


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize(("name", "options"), [("progan", {}), ("stylegan", {"growing": "progressive"})])
def test_a_usual_run_reaches_its_own_side(name, options, size):
    recipe = gan_core.create(name, image_size=size, channels=3, **options)
    steps = usual(type(recipe)).total_steps(recipe, images=4_000, world=1)
    level, alpha = recipe.stage(steps * recipe.batches_per_step * recipe.options.batch_size)
    assert (4 * 2**level, alpha) == (size, 1.0)


def test_progan_costs_most_where_its_last_side_has_faded_in(tiny):
    recipe, _, _ = tiny("progan")
    assert recipe.stage(recipe.typical_images_seen) == (2, 1.0)
    assert recipe.stage(recipe.typical_images_seen - 1)[1] < 1


@pytest.mark.parametrize("alpha", [0.0, 0.25, 1.0])
def test_progan_reals_and_fakes_fade_alike(tiny, alpha):
    recipe, nets, batch = tiny("progan")
    seen = 48 + int(16 * alpha)
    prepared = recipe.prepared(batch, seen).images
    low = F.interpolate(F.avg_pool2d(batch.images, 2), scale_factor=2)
    assert torch.allclose(prepared, (1 - alpha) * low + alpha * batch.images, atol=1e-6)
    z = torch.randn(2, 8)
    generator = nets["G"]
    low, high = F.interpolate(generator(z, 1), scale_factor=2.0), generator(z, 2)
    assert torch.allclose(generator(z, 2, alpha), (1 - alpha) * low + alpha * high, atol=1e-5)
    critic = nets["D"]
    low, high = critic.from_image[1](F.avg_pool2d(prepared, 2)), critic.stages[2](critic.from_image[2](prepared))
    expected = critic.stages[0](critic.stages[1]((1 - alpha) * low + alpha * high))
    assert torch.allclose(critic(prepared, alpha), expected, atol=1e-5)


def test_progan_layers_have_the_papers_gains():
    nets = gan_core.create("progan", image_size=16, channels=1, latent_dim=8, width=4, max_width=8).build()
    for name, module in nets.named_modules():
        if isinstance(module, EqualizedConv2d | EqualizedLinear):
            linear = name.startswith("G.to_image") or name == "D.stages.0.6"  # nothing follows that halves the variance
            fan_in = module.weight[0].numel()
            assert module.scale == pytest.approx((1.0 if linear else 2**0.5) / fan_in**0.5), name
    assert {name for name, _ in nets.named_modules()} > {"G.to_image.2", "D.stages.0.6"}


def test_progan_brings_z_to_a_mean_square_of_one(tiny):
    _, nets, _ = tiny("progan")
    torch.nn.init.normal_(nets["G"].stages[0][1].bias)  # else the pixel norm after it would hide a factor
    z = torch.randn(3, 8)
    assert torch.allclose(nets["G"](7 * z), nets["G"](z), atol=1e-5)


def test_progan_first_map_is_a_dense_layer_of_z_with_one_bias_a_map(tiny):
    _, nets, _ = tiny("progan")
    _, first, *_ = nets["G"].stages[0]
    torch.nn.init.normal_(first.bias)
    z = torch.randn(3, 8)
    dense = torch.einsum("nz,mzyx->nmyx", z, first.weight.flip(2, 3)) * (2**0.5 / 4) / 8**0.5
    assert torch.allclose(first(z[:, :, None, None]), dense + first.bias[:, None, None], atol=1e-5)


def test_progan_first_stage_is_four_pixels_wide(tiny):
    recipe, nets, batch = tiny("progan")
    seen = []
    nets["D"].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].shape[-1]))
    recipe.losses("d", nets, batch, 0)
    recipe.losses("d", nets, batch, 20)
    assert seen == [4, 4, 4, 8, 8, 8]  # real, fake and what lies between
    assert faded(batch.images, 0, 1.0).shape[-1] == 4


def test_progan_learns_at_the_stage_it_has_reached_and_nowhere_else(tiny, noise_data):
    recipe, _, batch = tiny("progan")
    for images_seen, level, alpha in ((0, 0, 1.0), (24, 1, 0.5), (40, 1, 1.0)):
        trainer = Trainer(recipe, noise_data(recipe))
        trainer.images_seen = images_seen
        for phase in recipe.phases:
            trainer.nets.zero_grad()
            trainer.update(phase, batch)
            for name, parameter in trainer.nets.named_parameters():
                net, part, at = name.split(".")[:3]
                last = level - 1 if alpha < 1 else level  # of the layers to and from pixels, those that are mixed
                used = last <= int(at) <= level if part in ("to_image", "from_image") else int(at) <= level
                has_gradient = parameter.grad is not None and bool(parameter.grad.any())
                assert has_gradient == (used and net in phase.nets), name


def test_progan_critic_has_penalty_and_drift(tiny):
    recipe, nets, batch = tiny("progan")
    terms = recipe.critic_loss(torch.tensor([3.0, 1.0]), torch.tensor([1.0]))
    assert terms["wasserstein"].item() == -1.0 and terms["drift"].item() == pytest.approx(0.001 * 5)
    assert set(recipe.losses("d", nets, batch, 60)) == {"wasserstein", "drift", "penalty"}


def test_progan_generator_has_no_normalisation_of_the_batch_and_a_linear_output(tiny):
    _, nets, _ = tiny("progan")
    assert not any(isinstance(m, nn.BatchNorm2d | nn.Tanh) for m in nets.modules())


def test_progan_controls_show_every_stage(tiny):
    recipe, nets, batch = tiny("progan")
    recipe.losses("g", nets, batch, 24)  # level 1, half faded
    nets.eval()
    z = torch.randn(2, 8)
    reached = recipe.decode(nets, z)
    assert torch.equal(reached, recipe.decode(nets, z, stage=1, alpha=0.5))
    assert not torch.equal(reached, recipe.decode(nets, z, stage=2))
    assert recipe.decode(nets, z, stage=0).unfold(2, 4, 4).std(-1).max() < 1e-6  # 4x4, enlarged
    stage = next(control for control in recipe.controls if control.name == "stage")
    assert (stage.default, stage.high) == (2, 2)
    shown = {control.name: control.default for control in recipe.controls_of(nets)}
    assert (shown["stage"], shown["alpha"]) == (1, 0.5)
    with pytest.raises(gan_core.UsageError, match="stage is 3; it takes a whole number from 0 to 2"):
        stage.check(3)
    with pytest.raises(gan_core.UsageError, match="stage is 0.5; it takes a whole number"):
        stage.check(0.5)


def test_progan_labels_of_the_data_do_not_matter(tiny):
    recipe, nets, batch = tiny("progan")
    found = []
    for labels in (None, torch.zeros(8, dtype=torch.long)):
        torch.manual_seed(0)
        found.append(recipe.losses("d", nets, Batch(batch.images, labels), 0))
    assert found[0] == found[1]
