"""What every registered recipe must do, and what makes gan and dcgan the real ones."""

import copy
import dataclasses
import re
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import gan_core
from gan_core.fields import fields_of
from gan_core.layers import blueprint, downsample, parameter_count, upsample
from gan_core.recipe import RECIPES, Batch, Inputs
from gan_core.trainer import Trainer
from tests.families import NOISE, TRANSLATION, own_options

EVERY = pytest.mark.parametrize("name", gan_core.list_recipes())
FROM_NOISE = pytest.mark.parametrize("name", NOISE)


def tiny(name):
    recipe = RECIPES[name](RECIPES[name].Config.tiny(), own_options(name, 4))
    torch.manual_seed(0)
    return recipe, recipe.build()


def batch_for(recipe, n=4):
    channels, size = recipe.config.image_shape
    inputs = None
    if recipe.name in TRANSLATION and not recipe.makes_inputs:
        inputs = torch.rand(n, recipe.config.channels_in, size, size) * 2 - 1
    return Batch(torch.rand(n, channels, size, size) * 2 - 1, labels_for(recipe, n), inputs)


def labels_for(recipe, n):
    """One label after the other; None for an unconditional recipe."""
    return None if recipe.num_classes is None else torch.arange(n) % recipe.num_classes


@EVERY
def test_file_class_and_paper(name):
    module = sys.modules[RECIPES[name].__module__]
    assert Path(module.__file__).stem == name
    assert re.search(r"arXiv:\d{4}\.\d{4,5}", RECIPES[name].about())
    assert "$$" in RECIPES[name].about()


@FROM_NOISE
def test_shapes_and_range(name):
    recipe, nets = tiny(name)
    labels = labels_for(recipe, 3)
    images = recipe.decode(nets.eval(), torch.randn(3, recipe.config.latent_dim) * 5, labels)
    assert images.shape == (3, *recipe.config.image_shape, recipe.config.image_shape[1])
    assert images.abs().max() <= 1
    assert recipe.score(nets, images, labels).shape == (3,)


@FROM_NOISE
def test_zero_truncation_is_one_picture_for_all_seeds(name):
    recipe, nets = tiny(name)
    z, labels = torch.randn(2, recipe.config.latent_dim), None if recipe.num_classes is None else torch.tensor([1, 1])
    images = recipe.decode(nets.eval(), z, labels, truncation=0.0)
    assert torch.allclose(images[0], images[1], atol=1e-6)  # some processors round by the place in a batch


def is_idle(name, phase, parameter):
    """Whether a parameter has no say in a phase, and rightly so."""
    if phase == "r1" and parameter.endswith("bias"):  # behind the last bend, it does not change the slope
        return True
    if name in ("wgan", "wgan_gp") and parameter == "to_logit.1.bias":  # it moves all scores alike
        return True
    return name == "progan" and parameter.startswith(("to_image.0", "from_image.0"))  # of a stage long past


@EVERY
def test_a_phase_moves_all_of_its_networks_and_no_other(name, noise_data):
    recipe, _ = tiny(name)
    trainer = Trainer(recipe, noise_data(recipe))
    with torch.no_grad():
        for parameter in trainer.nets.parameters():  # a layer that starts at zero hides those before it
            parameter.add_(0.01 * torch.randn_like(parameter))
    trainer.images_seen = 56  # progan: half way through the last fade
    for phase in recipe.phases:
        before = copy.deepcopy(trainer.nets)
        trainer.nets.zero_grad()
        trainer.update(phase, batch_for(recipe))
        for net_name, net in trainer.nets.items():
            for (parameter, new), old in zip(net.named_parameters(), before[net_name].parameters(), strict=True):
                if net_name in phase.nets and is_idle(name, phase.name, parameter):
                    continue
                if net_name in phase.nets:
                    assert new.grad is not None and new.grad.abs().sum() > 0, parameter
                    assert not torch.equal(new, old), parameter
                else:
                    assert new.grad is None and torch.equal(new, old), parameter


@EVERY
def test_fakes_are_drawn_anew_in_every_phase_and_without_gradients_for_the_critic(name):
    recipe, nets = tiny(name)
    drawn = []
    for net_name, net in nets.items():
        if net_name not in recipe.generators:
            net.register_forward_pre_hook(lambda module, inputs: drawn.append(inputs[0]))
    for phase in ("d", "g"):
        recipe.losses(phase, nets.train(), batch_for(recipe), 0)
    _, critics = drawn[:2]
    generators = drawn[-1]
    assert critics.grad_fn is None and generators.grad_fn is not None
    assert not torch.equal(critics, generators)


@EVERY
def test_two_seeds_differ_and_one_repeats(name, noise_data):
    weights = []
    for seed in (1, 1, 2):
        recipe, _ = tiny(name)
        trainer = Trainer(recipe, noise_data(recipe), seed=seed)
        trainer.run(1)
        weights.append(torch.cat([p.flatten() for p in trainer.nets.parameters()]))
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


@FROM_NOISE
def test_losses_are_finite_scalars_and_what_the_critic_believes_is_logged(name, noise_data):
    recipe, _ = tiny(name)
    trainer = Trainer(recipe, noise_data(recipe))
    trainer.run(2)
    assert all(value.ndim == 0 and value.isfinite() for value in trainer.logs.values())
    if recipe.comparative:
        assert {"d/score_real", "d/score_fake"} <= set(trainer.logs)
    else:
        assert 0 <= trainer.logs["d/p_real"] <= 1 and 0 <= trainer.logs["d/p_fake"] <= 1


@EVERY
def test_bf16_trains(name, noise_data):
    recipe, _ = tiny(name)
    trainer = Trainer(recipe, noise_data(recipe), precision="bf16")
    seen = set()

    def note(module, inputs, output):
        if torch.is_autocast_enabled("cpu"):  # penalties are computed outside, in fp32
            seen.add(output.dtype)

    for module in trainer.nets.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            module.register_forward_hook(note)
    trainer.run(2)
    assert seen == {torch.bfloat16}
    assert all(p.dtype == torch.float32 for p in trainer.nets.parameters())


@EVERY
def test_a_word_that_is_no_choice_is_refused(name):
    for field in fields_of(RECIPES[name].Config):
        if field.choices:
            with pytest.raises(gan_core.UsageError, match=f"{field.name} is 'else'; it takes {field.choices[0]}"):
                gan_core.create(name, **{field.name: "else"})


@pytest.mark.parametrize("name", [name for name in NOISE if name not in ("gan", "simple_gan")])
def test_a_size_that_no_doubling_of_four_reaches_is_refused(name):
    for make in (lambda: gan_core.create(name, image_size=28), lambda: RECIPES[name]().resolve(28, 1, 10)):
        with pytest.raises(gan_core.UsageError, match="image_size is 28; .*, so it takes .*16, 32, 64"):
            make()


@EVERY
def test_a_side_may_be_chosen_and_the_rest_left_to_the_data(name):
    config = dataclasses.replace(RECIPES[name].Config.tiny(), channels=None)
    inputs = Inputs(config.input_channels, paired=True) if name in TRANSLATION else None
    resolved = RECIPES[name](config).resolve(64, 3, getattr(config, "num_classes", 0), inputs)
    assert resolved.config.image_shape == (3, config.image_size)


@EVERY
@pytest.mark.parametrize("size", [0, -4, 1_000_000])
def test_a_size_no_picture_has_is_refused(name, size):
    with pytest.raises(gan_core.UsageError, match=f"image_size is {size}; it takes 1 to 1024"):
        gan_core.create(name, image_size=size)


def test_a_precision_that_is_refused(noise_data):
    with pytest.raises(gan_core.UsageError, match="precision is 'fp16'; it takes fp32 or bf16"):
        Trainer(tiny("gan")[0], noise_data(tiny("gan")[0]), precision="fp16")


# ---------------------------------------------------------------------------------------------------------------- gan


def test_gan_drops_pixels_and_units_of_the_discriminator_in_training_only():
    for pixels, units in ((0.0, 0.0), (0.3, 0.0), (0.0, 0.6)):
        config = {"image_size": 16, "channels": 1, "input_dropout": pixels, "dropout": units}
        critic = gan_core.create("gan", **config).build()["D"]
        images = torch.rand(4, 1, 16, 16)
        assert torch.equal(critic(images), critic(images)) == (pixels == units == 0)
        critic.eval()
        assert torch.equal(critic(images), critic(images))


def test_gan_uniform_latents_reach_the_first_layer_uniform_on_minus_one_to_one():
    recipe = gan_core.create("gan", image_size=16, channels=1, latent="uniform")
    generator = recipe.build()["G"].eval()
    seen = []
    generator.layers[0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    generator(torch.randn(500, 100))
    assert seen[0].abs().max() <= 1
    assert torch.histc(seen[0], 10, -1, 1).div(seen[0].numel()).sub(0.1).abs().max() < 0.01
    generator(torch.zeros(1, 100))
    assert torch.equal(seen[1], torch.zeros(1, 100))


def test_gan_saturating_switches_the_generators_loss():
    losses = {}
    for saturating in (False, True):
        recipe = gan_core.create("gan", image_size=16, channels=1, saturating=saturating)
        torch.manual_seed(0)
        nets = recipe.build().eval()
        losses[saturating] = recipe.losses("g", nets, batch_for(recipe), 0)["adversarial"].item()
    assert losses[False] > 0 > losses[True]


def test_gan_at_the_papers_size():
    nets = RECIPES["gan"](RECIPES["gan"].Config.paper()).build()
    assert parameter_count(nets["G"]) == 100 * 1200 + 1200 + 1200 * 1200 + 1200 + 1200 * 784 + 784
    assert parameter_count(nets["D"]) == 784 * 1200 + 1200 + 240 * 1200 + 1200 + 240 + 1


# -------------------------------------------------------------------------------------------------------------- dcgan


def test_dcgan_at_the_papers_size_has_the_papers_convolutions():
    generator = RECIPES["dcgan"](RECIPES["dcgan"].Config.paper()).build()["G"]
    weights = [m.weight for m in generator.modules() if isinstance(m, nn.Linear | nn.ConvTranspose2d)]
    assert sum(weight.numel() for weight in weights) == 12_654_592

    assert [weight.shape[1] for weight in weights[1:]] == [512, 256, 128, 3]


@pytest.mark.parametrize(
    ("name", "generator", "critic"),
    [
        ("progan", 23_079_115, 23_087_249),  # Karras 2017, table 2: 23.1 million each
        ("stylegan", 26_219_627, 23_087_249),  # Karras 2018: 26.2 million
        ("biggan", 70_425_060, 87_982_370),  # Brock 2018: 70,433,988 with biases in the generator's blocks
    ],
)
def test_the_papers_networks_have_the_published_numbers_of_parameters(name, generator, critic):
    recipe = RECIPES[name](RECIPES[name].Config.paper()).resolve(128, 3, 1000)
    with blueprint():
        nets = recipe.build()
    assert (parameter_count(nets["G"]), parameter_count(nets["D"])) == (generator, critic)


def test_dcgan_initialisation():
    torch.manual_seed(0)
    nets = gan_core.create("dcgan", image_size=64, channels=3, width=64).build()
    for module in nets.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            assert module.weight.mean().abs() < 0.002
            assert module.weight.std().item() == pytest.approx(0.02, rel=0.2)
        if isinstance(module, nn.BatchNorm2d):
            assert module.weight.mean().item() == pytest.approx(1.0, abs=0.01)
            assert not module.bias.any()


def test_dcgan_normalises_all_but_the_generators_output_and_the_discriminators_input():
    nets = gan_core.create("dcgan", image_size=64, channels=3, width=8).build()
    assert sum(isinstance(m, nn.BatchNorm2d) for m in nets["G"].modules()) == 4
    assert sum(isinstance(m, nn.BatchNorm2d) for m in nets["D"].modules()) == 3
    assert not any(isinstance(m, nn.BatchNorm2d) for m in nets["G"].to_image.modules())
    assert not any(isinstance(m, nn.BatchNorm2d) for m in nets["D"].from_image.modules())


@pytest.mark.parametrize("size", [16, 32, 64, 128, 256])
@pytest.mark.parametrize("channels", [1, 3])
def test_dcgan_at_every_size(size, channels):
    recipe = gan_core.create("dcgan", image_size=size, channels=channels, width=2)
    nets = recipe.build().eval()
    images = nets["G"](torch.randn(2, 100))
    assert images.shape == (2, channels, size, size) and nets["D"](images).shape == (2,)


@pytest.mark.parametrize("size", [8, 20, 28, 48])
def test_dcgan_refuses_sizes_that_do_not_fit(size):
    with pytest.raises(gan_core.UsageError, match=f"image_size is {size}; .* 16, 32, 64"):
        gan_core.create("dcgan", image_size=size)


@pytest.mark.parametrize("option", ["pixel_shuffle", "nearest"])
def test_dcgan_upsampling_options_change_the_layers_not_the_shape(option):
    recipe = gan_core.create("dcgan", image_size=32, channels=1, upsample=option)
    generator = recipe.build()["G"]
    assert not any(isinstance(m, nn.ConvTranspose2d) for m in generator.modules())
    assert generator.eval()(torch.randn(2, 100)).shape == (2, 1, 32, 32)


def test_dcgan_other_options():
    recipe = gan_core.create("dcgan", image_size=32, channels=1, downsample="avg_pool", leaky_generator=True)
    nets = recipe.build()
    assert sum(isinstance(m, nn.AvgPool2d) for m in nets["D"].modules()) == 3
    assert not any(isinstance(m, nn.ReLU) for m in nets["G"].modules())


def test_dcgan_label_smoothing_is_one_sided():
    terms = {}
    for label in (1.0, 0.9):
        recipe = gan_core.create("dcgan", image_size=16, channels=1, width=4, real_label=label)
        torch.manual_seed(0)
        nets = recipe.build()
        terms[label] = recipe.losses("d", nets, batch_for(recipe), 0)
    assert terms[1.0]["fake"] == terms[0.9]["fake"]
    assert terms[0.9]["real"] != terms[1.0]["real"]
    with pytest.raises(gan_core.UsageError, match="real_label is 0.2"):
        gan_core.create("dcgan", real_label=0.2)


def test_resampling_layers_against_hand_computation():
    doubled = upsample("nearest", 1, 1)
    with torch.no_grad():
        doubled[1].weight.zero_()[0, 0, 1, 1] = 1.0
    assert torch.equal(doubled(torch.tensor([[[[1.0, 2.0]]]])), torch.tensor([[[[1.0, 1, 2, 2], [1, 1, 2, 2]]]]))
    halved = downsample("avg_pool", 1, 1)
    with torch.no_grad():
        halved[0].weight.zero_()[0, 0, 1, 1] = 1.0
    assert halved(torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]])).item() == 3.0
