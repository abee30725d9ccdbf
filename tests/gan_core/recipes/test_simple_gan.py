import pytest
import torch
from torch import nn

from gan_core.layers import parameter_count
from gan_core.recipe import RECIPES


def test_simple_gan_has_the_programs_parameters():
    nets = RECIPES["simple_gan"](RECIPES["simple_gan"].Config.paper()).build()
    assert parameter_count(nets["G"]) == 114_320 and parameter_count(nets["D"]) == 100_609
    statistics = [buffer for name, buffer in nets["G"].named_buffers() if "running" in name]
    assert sum(buffer.numel() for buffer in statistics) == 256


def test_simple_gan_names_its_source():
    assert "Simple GAN Program to Generate MNIST" in RECIPES["simple_gan"].about()


def test_simple_gan_normalises_as_keras_does(tiny):
    _, nets, _ = tiny("simple_gan")
    (norm,) = (m for m in nets["G"].modules() if isinstance(m, nn.BatchNorm1d))
    nets["G"](torch.randn(8, 8))
    assert norm.eps == 1e-3
    assert (norm.running_var - 1).abs().max() <= 0.011  # moved by a hundredth only


def test_simple_gan_discriminator_loss_is_the_mean_of_its_two_halves(tiny):
    recipe, _, _ = tiny("simple_gan")
    terms = recipe.critic_loss(torch.zeros(3), torch.zeros(3))
    assert sum(terms.values()).item() == pytest.approx(torch.log(torch.tensor(2.0)).item())
