"""gen_2 to gen_5 and pix2pix: published sizes, and what sets each apart."""

import pytest
import torch
from torch import nn

from gan_core.layers import blueprint, parameter_count
from gan_core.recipe import RECIPES
from gan_core.recipes.gen_5 import Gate


@pytest.mark.parametrize(
    ("name", "generator", "critic"),
    [
        ("gen_2", 457_411, 663_745),
        ("gen_3", 11_419_459, 2_767_553),
        ("gen_4", 457_411, 663_745),
        ("gen_5", 11_399_075, 5_533_058),
        ("pix2pix", 54_413_955, 2_768_705),  # of its critic: 4 x 4 x 64 weights less bias-free than with instance norm
    ],
)
def test_published_numbers_of_parameters(name, generator, critic):
    with blueprint():
        nets = RECIPES[name](RECIPES[name].Config.paper()).build()
    assert (parameter_count(nets["G"]), parameter_count(nets["D"])) == (generator, critic)


def test_gen_2s_critic_gives_63_by_63_patches_of_512_pixels():
    with torch.device("meta"):
        critic = RECIPES["gen_2"](RECIPES["gen_2"].Config.paper()).build()["D"]
        assert critic(torch.empty(1, 3, 512, 512)).shape == (1, 1, 63, 63)


def test_gen_3_draws_variations_by_seed_and_one_noise_for_all(tiny):
    recipe, nets, batch = tiny("gen_3")
    nets.eval()
    one, again, other = (recipe.translate(nets, batch.inputs, seed) for seed in (1, 1, 2))
    assert torch.equal(one, again) and not torch.allclose(one, other)
    alike = recipe.translate(nets, batch.inputs[:1].expand(2, -1, -1, -1), 1)
    assert torch.allclose(alike[0], alike[1], atol=1e-6) and torch.allclose(alike[0], one[0], atol=1e-5)
    torch.manual_seed(0)
    first = recipe.generate(nets, batch.inputs)
    assert not torch.allclose(first, recipe.generate(nets, batch.inputs))  # in training, it is drawn anew


def test_gen_3s_losses(tiny):
    recipe, nets, batch = tiny("gen_3", flip=False)
    real, fake = torch.randn(8, 1, 2, 2), torch.randn(8, 1, 2, 2)
    terms = recipe.critic_loss([real], [fake])
    cross = nn.functional.binary_cross_entropy_with_logits
    assert terms["real"].item() == pytest.approx(cross(real, torch.full_like(real, 0.9)).item() / 2, rel=1e-5)
    assert terms["fake"].item() == pytest.approx(cross(fake, torch.full_like(fake, 0.1)).item() / 2, rel=1e-5)
    fakes = torch.randn(8, 3, 5, 5)
    expected = -0.5 * sum(fakes[n, c].flatten().std() for n in range(8) for c in range(3)).item() / 24
    assert recipe.beside(fakes)["spread"].item() == pytest.approx(expected, rel=1e-4)
    assert set(recipe.losses("g", nets, batch, 0)) == {"adversarial", "l1", "spread"} and recipe.config.l1 == 10


@pytest.mark.parametrize("name", ["gen_3", "pix2pix"])
def test_a_conditional_critic_sees_the_input_beside_the_picture(tiny, name):
    recipe, nets, batch = tiny(name)
    seen = []
    nets["D"].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    recipe.judge(nets, batch.inputs, batch.images)
    assert torch.equal(seen[0], torch.cat([batch.inputs, batch.images], dim=1))


def test_gen_5s_gate_weighs_each_place_by_itself():
    torch.manual_seed(0)
    gate, x = Gate(16), torch.randn(2, 16, 3, 3)
    first, second = (layer.weight.flatten(1) for layer in list(gate.weigh)[:2])
    biases = [layer.bias for layer in list(gate.weigh)[:2]]
    here = x[1, :, 2, 0]
    expected = here * (second @ (first @ here + biases[0]) + biases[1]).sigmoid()
    assert torch.allclose(gate(x)[1, :, 2, 0], expected, atol=1e-5)


def test_gen_5_averages_over_two_scales_and_softens_the_label_of_reals_only(tiny):
    recipe, nets, batch = tiny("gen_5")
    maps = recipe.judge(nets, batch.inputs, batch.images)
    assert len(maps) == 2 and maps[0].shape[-1] > maps[1].shape[-1]
    cross = nn.functional.binary_cross_entropy_with_logits
    terms = recipe.critic_loss(maps, maps)
    real = sum(cross(logits, torch.full_like(logits, 0.9)) for logits in maps).item() / 2
    fake = sum(cross(logits, torch.zeros_like(logits)) for logits in maps).item() / 2
    assert terms["real"].item() == pytest.approx(real / 2, rel=1e-5)
    assert terms["fake"].item() == pytest.approx(fake / 2, rel=1e-5)
    share = recipe.train_options.lr_share
    assert [share(seen) for seen in (0, 24_000, 48_000, 200_000)] == pytest.approx([1.0, 0.55, 0.1, 0.1])


def test_pix2pix_is_a_function_of_its_input_and_drops_units_in_training_only(tiny):
    recipe, nets, batch = tiny("pix2pix")
    assert not torch.equal(recipe.generate(nets, batch.inputs), recipe.generate(nets, batch.inputs))
    nets.eval()
    assert torch.equal(recipe.translate(nets, batch.inputs), recipe.translate(nets, batch.inputs))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in nets.modules())
    weights = torch.cat([m.weight.flatten() for m in nets.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)])
    assert weights.std().item() == pytest.approx(0.02, rel=0.05)
