"""cyclegan: its size, its terms against the paper's, its pool, and the way back."""

import pytest
import torch
from torch import nn

import gan_core
from gan_core.errors import UsageError
from gan_core.layers import blueprint, parameter_count
from gan_core.recipe import RECIPES, Inputs
from gan_core.recipes.cyclegan import Pool


def test_cyclegan_at_the_papers_size():
    with blueprint():
        nets = RECIPES["cyclegan"](RECIPES["cyclegan"].Config.paper()).build()
    sizes = {name: parameter_count(net) for name, net in nets.items()}
    assert sizes == {"G_ab": 11_378_179, "G_ba": 11_378_179, "D_a": 2_764_737, "D_b": 2_764_737}


@pytest.mark.parametrize(("layers", "seen"), [(1, 16), (2, 34), (3, 70)])
def test_its_critics_judge_patches_of_the_size_asked_for(layers, seen):
    recipe = RECIPES["cyclegan"](RECIPES["cyclegan"].Config(image_size=128, channels=3, width=4, critic_layers=layers))
    critic = nn.Sequential(*(layer for layer in recipe.build()["D_b"] if isinstance(layer, nn.Conv2d)))
    for layer in critic:
        nn.init.ones_(layer.weight)
    picture = torch.zeros(1, 3, 128, 128, requires_grad=True)
    scores = critic(picture)
    scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2].backward()
    assert (picture.grad[0, 0].sum(0) != 0).sum() == seen
    with pytest.raises(UsageError, match="image_size is 32; a critic of 4 layers takes 48 or more"):
        RECIPES["cyclegan"].Config(image_size=32, channels=3, critic_layers=4)


def test_cyclegan_moves_the_generators_first_and_then_the_critics():
    phases = RECIPES["cyclegan"].phases
    assert [(phase.name, phase.nets) for phase in phases] == [("g", ("G_ab", "G_ba")), ("d", ("D_a", "D_b"))]


def test_the_generators_terms_are_the_papers(tiny):
    recipe, nets, batch = tiny("cyclegan", flip=False)
    nets.eval()
    a, b = batch.inputs, batch.images
    terms = recipe.losses("g", nets, batch, 0)
    with torch.no_grad():
        fake_b, fake_a = nets["G_ab"](a), nets["G_ba"](b)
        expected = {
            "adversarial_ab": (nets["D_b"](fake_b) - 1).square().mean(),
            "adversarial_ba": (nets["D_a"](fake_a) - 1).square().mean(),
            "cycle_a": 10 * (nets["G_ba"](fake_b) - a).abs().mean(),
            "cycle_b": 10 * (nets["G_ab"](fake_a) - b).abs().mean(),
            "identity_a": 5 * (nets["G_ba"](a) - a).abs().mean(),
            "identity_b": 5 * (nets["G_ab"](b) - b).abs().mean(),
        }
    assert terms.keys() == expected.keys()
    for name, value in expected.items():
        assert terms[name].item() == pytest.approx(value.item(), rel=1e-4), name
    without = tiny("cyclegan", identity=0.0)[0].losses("g", nets, batch, 0)
    assert set(without) == set(expected) - {"identity_a", "identity_b"}


def test_the_critics_terms_are_half_and_of_their_own_domain(tiny):
    recipe, nets, batch = tiny("cyclegan", flip=False, pool=0)
    nets.eval()
    terms = recipe.losses("d", nets, batch, 0)
    with torch.no_grad():
        fakes = {"a": nets["G_ba"](batch.images), "b": nets["G_ab"](batch.inputs)}
        for name, real in (("a", batch.inputs), ("b", batch.images)):
            critic = nets[f"D_{name}"]
            assert terms[f"real_{name}"].item() == pytest.approx(((critic(real) - 1) ** 2).mean().item() / 2, rel=1e-4)
            assert terms[f"fake_{name}"].item() == pytest.approx((critic(fakes[name]) ** 2).mean().item() / 2, rel=1e-4)


def test_a_pool_has_the_papers_size_unless_another_is_asked_for():
    for config, size in (({}, 50), ({"pool": 7}, 7)):
        pools = RECIPES["cyclegan"](RECIPES["cyclegan"].Config(**config)).pools
        assert [pool.size for pool in pools.values()] == [size, size]


def test_a_pool_fills_and_then_exchanges_half_of_what_it_is_given():
    torch.manual_seed(0)
    pool = Pool(50)
    numbers = torch.arange(2000.0).view(-1, 4, 1, 1, 1)
    given = [pool.exchange(images) for images in numbers]
    assert torch.equal(torch.cat(given[:12]), numbers[:12].flatten(0, 1))  # 48 of 50
    later = torch.cat(given[13:]).flatten()
    fresh = torch.cat(list(numbers[13:])).flatten()
    assert 0.45 < (later == fresh).float().mean() < 0.55
    assert (later <= fresh).all() and len(later.unique()) == len(later)  # nothing twice, nothing from the future
    assert pool.images.shape == (50, 1, 1, 1)
    assert torch.equal(Pool(0).exchange(numbers[0]), numbers[0])


def test_the_critics_see_the_pools_pictures(tiny):
    recipe, nets, batch = tiny("cyclegan", n=6, pool=6)
    seen = []
    nets["D_b"].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    recipe.losses("d", nets, batch, 0)
    full = recipe.pools["b"].images.clone()
    recipe.losses("d", nets, batch, 0)
    old = [any(torch.equal(image, other) for other in full) for image in seen[3]]
    assert any(old) and len(seen) == 4


def test_a_pool_is_kept_in_the_checkpoint(tiny):
    recipe, nets, batch = tiny("cyclegan")
    recipe.losses("d", nets, batch, 0)
    other, _, _ = tiny("cyclegan")
    assert other.pools["a"].images is None
    other.load_state_dict(recipe.state_dict())
    for name in "ab":
        assert torch.equal(other.pools[name].images, recipe.pools[name].images)


def test_backwards_is_the_other_generator(tiny):
    recipe, nets, batch = tiny("cyclegan")
    nets.eval()
    assert torch.equal(recipe.translate(nets, batch.inputs), nets["G_ab"](batch.inputs))
    assert torch.equal(recipe.translate(nets, batch.images, backwards=1.0), nets["G_ba"](batch.images))


def test_a_composite_leaves_alone_what_it_does_not_change(tiny):
    recipe, nets, batch = tiny("cyclegan", composite=True)
    generator = nets["G_ab"].eval()
    last = [module for module in generator.modules() if isinstance(module, nn.Conv2d)][-1]
    assert last.out_channels == 4
    x = batch.inputs
    with torch.no_grad():
        drawn = generator.layers(x)
        share = (drawn[:, 3:] + 1) / 2
        assert torch.allclose(generator(x), share * drawn[:, :3] + (1 - share) * x, atol=1e-6)
        last.bias[3] = -50.0
        assert torch.allclose(generator(x), x, atol=1e-5)
        last.bias[3] = 50.0
        assert torch.allclose(generator(x), generator.layers(x)[:, :3], atol=1e-5)


def test_cyclegan_takes_data_without_pairs_and_with_as_many_channels():
    recipe = gan_core.create("cyclegan")
    assert recipe.resolve(64, 3, inputs=Inputs(3, paired=False)).config.channels_in == 3
    with pytest.raises(
        UsageError, match="the inputs are grey and the pictures in colour: --channels 1 makes them alike"
    ):
        recipe.resolve(64, 3, inputs=Inputs(1, paired=True))
