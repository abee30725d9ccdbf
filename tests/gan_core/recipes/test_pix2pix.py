"""pix2pix: the paper's networks by default, and every other choice of networks really built and trained."""

import dataclasses

import pytest
import torch

from gan_core.errors import UsageError
from gan_core.image_networks import MultiScale, ResnetGenerator, UNetGenerator
from gan_core.recipes.pix2pix import Pix2Pix, Pix2PixConfig
from gan_core.train_options import TrainOptions
from gan_core.trainer import Trainer


def made(**changes):
    recipe = Pix2Pix(dataclasses.replace(Pix2PixConfig.tiny(), **changes), TrainOptions(batch_size=4))
    torch.manual_seed(0)
    return recipe, recipe.build()


def test_by_default_a_u_net_against_patches_of_the_pair():
    recipe, nets = made()
    assert isinstance(nets["G"], UNetGenerator) and recipe.context is None
    assert nets["D"][0].in_channels == 1 + 3
    strides = [layer.stride[0] for layer in nets["D"] if isinstance(layer, torch.nn.Conv2d)]
    assert strides == [2, 2, 2, 1, 1]  # 70x70 pixels


@pytest.mark.parametrize("generator", ["unet", "resnet"])
@pytest.mark.parametrize(
    ("critic", "layers", "maps"),
    [("patch", 2, [6]), ("patch", 3, [2]), ("pixel", 3, [32]), ("multiscale", 1, [14, 6, 2])],
)
@pytest.mark.parametrize("upsample", ["conv_transpose", "pixel_shuffle", "nearest"])
def test_every_choice_of_networks_plays(generator, critic, layers, maps, upsample, noise_data):
    recipe, nets = made(generator=generator, blocks=1, critic=critic, critic_layers=layers, upsample=upsample)
    assert isinstance(nets["G"], ResnetGenerator) == (generator == "resnet")
    assert isinstance(nets["D"], MultiScale) == (critic == "multiscale")
    inputs, images = torch.rand(2, 1, 32, 32), torch.rand(2, 3, 32, 32)
    logits = recipe.judge(nets, inputs, images)
    assert [part.shape[-1] for part in logits] == maps
    trainer = Trainer(recipe, noise_data(recipe))
    trainer.run(2)
    assert all(value.isfinite() for value in trainer.logs.values())


def test_a_critic_may_be_kept_from_seeing_the_input():
    recipe, nets = made(conditional=False)
    images = torch.rand(2, 3, 32, 32)
    first, second = (recipe.judge(nets, torch.rand(2, 1, 32, 32), images)[0] for _ in range(2))
    assert torch.equal(first, second)
    recipe, nets = made()
    first, second = (recipe.judge(nets, torch.rand(2, 1, 32, 32), images)[0] for _ in range(2))
    assert not torch.equal(first, second)


def test_a_residual_generator_takes_other_sides_and_looks_around_a_pixel():
    recipe, nets = made(generator="resnet", image_size=36, blocks=1)
    assert recipe.multiple == 4 and recipe.context == 3 + 1 + 2 + 8 + 6 + 3 + 3
    assert nets["G"](torch.rand(1, 1, 36, 44)).shape == (1, 3, 36, 44)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"image_size": 36}, "image_size is 36; it is halved to a pixel, so it takes 32, 64"),
        ({"image_size": 30, "generator": "resnet"}, "it is halved twice and judged in patches"),
        ({"critic_layers": 4}, "a critic of 4 layers takes 48 or more"),
        ({"critic": "multiscale"}, "a critic of 3 layers at 3 scales takes 96 or more"),
        ({"blocks": 0}, "blocks is 0"),
        ({"critic": "patches"}, "critic is 'patches'"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(changes, said):
    with pytest.raises(UsageError, match=said):
        made(**changes)
