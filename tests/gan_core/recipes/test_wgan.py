import pytest
import torch
from torch import nn

import gan_core
from gan_core.recipe import RECIPES
from gan_core.trainer import Trainer
from tests.families import NOISE


def test_wgan_weights_are_clipped_after_every_critic_step_and_normalisation_is_not(tiny, noise_data):
    recipe, _, batch = tiny("wgan", clip=0.005)
    trainer = Trainer(recipe, noise_data(recipe))
    trainer.update(recipe.phases[0], batch)
    for module in trainer.nets["D"].modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            assert all(0 < p.abs().max() <= 0.005 for p in module.parameters() if p.any())
        if isinstance(module, nn.BatchNorm2d):
            assert module.weight.min() > 0.5
    generator = torch.cat([p.flatten() for p in trainer.nets["G"].parameters()])
    assert generator.abs().max() > 0.005


def test_wgan_critic_minimises_fake_minus_real_and_takes_five_steps(tiny):
    recipe, _, _ = tiny("wgan")
    real, fake = torch.tensor([2.0, 4.0]), torch.tensor([1.0, 0.0])
    assert recipe.critic_loss(real, fake)["wasserstein"].item() == 0.5 - 3.0
    assert recipe.generator_loss(fake).item() == -0.5
    assert recipe.batches_per_step == 5


def test_wgan_uses_rmsprop_without_momentum():
    recipe = gan_core.create("wgan")
    optimizer = recipe.optimizer(recipe.phases[0], [nn.Parameter(torch.zeros(1))])
    assert isinstance(optimizer, torch.optim.RMSprop)
    assert optimizer.defaults["momentum"] == 0 and optimizer.defaults["lr"] == 5e-4


@pytest.mark.parametrize("name", [name for name in NOISE if RECIPES[name].comparative])
def test_no_comparing_critic_ends_in_a_sigmoid(name):
    recipe = RECIPES[name](RECIPES[name].Config.tiny())
    torch.manual_seed(0)
    channels, size = recipe.config.image_shape
    labels = None if recipe.num_classes is None else torch.zeros(64, dtype=torch.long)
    scores = recipe.score(recipe.build(), 100 * torch.randn(64, channels, size, size), labels)
    assert scores.min() < 0 or scores.max() > 1
