"""srgan: its size, its skip and its doublings, inputs made of pictures, and a game that begins later."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

import gan_core
from gan_core.cli import main
from gan_core.data import ImageData, load_data
from gan_core.errors import UsageError
from gan_core.layers import blueprint, parameter_count
from gan_core.recipe import RECIPES, Batch, Inputs
from gan_core.train_options import TrainOptions
from gan_core.trainer import Trainer

# ------------------------------------------------------------------------------------------------------------ networks


def convolution(c_in, c_out, kernel):
    """Weights and biases."""
    return c_in * c_out * kernel**2 + c_out


def test_srgan_at_the_papers_size():
    with blueprint():
        nets = RECIPES["srgan"](RECIPES["srgan"].Config.paper()).build()
    norm, prelu = 2 * 64, 1  # a scale and a shift of each channel; one slope for all
    block = 2 * (convolution(64, 64, 3) + norm) + prelu
    ends = convolution(3, 64, 9) + prelu + convolution(64, 3, 9)
    doubling = convolution(64, 256, 3) + prelu
    generator = ends + 16 * block + convolution(64, 64, 3) + norm + 2 * doubling
    assert parameter_count(nets["G"]) == generator == 1_549_462  # as others count SRResNet too
    pairs = [(64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512)]
    critic = convolution(3, 64, 3) + sum(9 * c_in * c_out + 2 * c_out for c_in, c_out in pairs)
    assert parameter_count(nets["D"]) == critic + (512 * 6 * 6 * 1024 + 1024) + (1024 + 1)


@pytest.mark.parametrize(("factor", "doublings"), [(2, 1), (4, 2)])
def test_the_side_is_doubled_by_pixel_shuffle_as_often_as_the_factor_asks(tiny, factor, doublings):
    recipe, nets, batch = tiny("srgan", factor=factor)
    assert sum(isinstance(module, nn.PixelShuffle) for module in nets["G"].modules()) == doublings
    assert recipe.factor == factor
    assert recipe.inputs_of(batch.images).shape == (8, 3, 16 // factor, 16 // factor)
    images = recipe.translate(nets.eval(), torch.rand(2, 3, 5, 9))
    assert images.shape == (2, 3, 5 * factor, 9 * factor) and images.abs().max() <= 1


def test_one_skip_leads_over_all_residual_blocks(tiny):
    _, nets, _ = tiny("srgan", residual=False)
    generator, x = nets["G"].eval(), torch.rand(2, 3, 8, 8)
    assert [type(part).__name__ for part in generator.body] == ["ResidualBlock"] * 2 + ["Conv2d", "BatchNorm2d"]
    with torch.no_grad():
        nn.init.zeros_(generator.body[-1].weight)  # nothing comes out of the blocks any more
        over = generator.to_image(generator.doublings(generator.stem(x)))
        assert torch.equal(generator(x), over) and over.std() > 0


def test_a_block_adds_to_what_it_is_given_and_leaves_the_sum_alone(tiny):
    _, nets, _ = tiny("srgan")
    block, x = nets["G"].body[0].eval(), torch.randn(2, 4, 8, 8)
    assert torch.equal(block(x), x + block.layers(x))
    with torch.no_grad():
        nn.init.zeros_(block.layers[-1].weight)
        assert torch.equal(block(x), x)


def test_a_residual_generator_begins_with_the_enlarged_input(tiny):
    x = torch.rand(2, 3, 8, 8) * 2 - 1
    _, nets, _ = tiny("srgan")
    assert torch.equal(nets["G"](x), F.interpolate(x, scale_factor=2, mode="bicubic"))
    _, others, _ = tiny("srgan", residual=False)
    assert not torch.allclose(others["G"](x), nets["G"](x), atol=0.1)


# -------------------------------------------------------------------------------------------------------------- inputs


def test_pictures_are_reduced_as_pillow_does_it(tiny):
    recipe, _, _ = tiny("srgan", factor=4)
    image = torch.linspace(-0.9, 0.9, 32).repeat(32, 1) * torch.linspace(-1, 1, 32)[:, None]
    expected = Image.fromarray(image.numpy()).resize((8, 8), Image.Resampling.BICUBIC)
    assert np.allclose(recipe.inputs_of(image[None, None])[0, 0], expected, atol=1e-5)


@pytest.mark.parametrize("factor", [2, 4])
def test_nothing_is_aliased(tiny, factor):
    recipe, _, _ = tiny("srgan", factor=factor)
    waves = torch.cos(2 * torch.pi * 0.4 * torch.arange(64.0)).expand(1, 3, 64, 64)  # finer than reduced pixels can be
    picked = F.interpolate(waves, scale_factor=1 / factor, mode="bicubic")
    assert recipe.inputs_of(waves)[..., 3:-3].abs().max() < 0.1 < 0.4 < picked[..., 3:-3].abs().max()


def test_inputs_stay_in_range_where_the_kernel_overshoots(tiny):
    edge = torch.ones(1, 3, 32, 32)
    edge[..., :15] = -1
    assert tiny("srgan")[0].inputs_of(edge).abs().max() == 1


def test_inputs_are_of_the_mirrored_pictures_and_the_datas_own_are_not_asked(tiny):
    recipe, _, batch = tiny("srgan", n=64)
    given = Batch(batch.images, inputs=torch.zeros(64, 1, 16, 16), paired=False)
    inputs, truth = recipe.prepared(given)
    assert torch.allclose(inputs, recipe.inputs_of(truth), atol=1e-5)
    mirrored = (truth != batch.images).flatten(1).any(1)
    assert 0.2 < mirrored.float().mean() < 0.8


def test_any_pictures_will_do():
    for channels, given in ((1, None), (3, None), (3, Inputs(1, paired=True)), (3, Inputs(3, paired=False))):
        config = gan_core.create("srgan").resolve(64, channels, inputs=given).config
        assert (config.image_shape, config.channels_in) == ((channels, 64), channels)
    with pytest.raises(UsageError, match="input_channels is 1, but the data's inputs have 3"):
        gan_core.create("srgan", input_channels=1).resolve(64, 3)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"factor": 3}, "factor is 3; it takes 2 or 4"),
        ({"image_size": 40}, "image_size is 40; the critic halves it four times: it takes 16, 32, 48, 64"),
        ({"blocks": 0}, "blocks is 0; it takes 1 to 64"),
        ({"adversarial": -1.0}, "adversarial is -1; it must be 0 or more"),
        ({"pretrain_images": -1}, "pretrain_images is -1; it must be 0 or more"),
    ],
)
def test_what_is_refused(options, sentence):
    with pytest.raises(UsageError, match=sentence):
        gan_core.create("srgan", **options)


# ---------------------------------------------------------------------------------------------------------------- game


def test_before_the_game_there_is_only_the_difference(tiny):
    recipe, nets, batch = tiny("srgan", pretrain_images=100, residual=False, flip=False)
    assert recipe.losses("d", nets, batch, 99) == {}
    before, after = (recipe.losses("g", nets.eval(), batch, seen) for seen in (99, 100))
    assert set(before) == {"content"} and set(after) == {"content", "adversarial"}
    assert set(recipe.losses("d", nets, batch, 100)) == {"real", "fake"}
    assert recipe.typical_images_seen == 100  # a run's time is estimated with the game
    with torch.no_grad():
        drawn = nets["G"](recipe.inputs_of(batch.images))
        assert before["content"].item() == pytest.approx((drawn - batch.images).square().mean().item(), rel=1e-5)
        expected = 1e-3 * F.softplus(-nets["D"](drawn)).mean()
    assert after["adversarial"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_critics_terms_are_cross_entropy(tiny):
    recipe, nets, batch = tiny("srgan", residual=False, flip=False)
    terms = recipe.losses("d", nets.eval(), batch, 0)
    with torch.no_grad():
        real, fake = nets["D"](batch.images), nets["D"](nets["G"](recipe.inputs_of(batch.images)))
    assert real.shape == (8,)
    assert terms["real"].item() == pytest.approx(F.softplus(-real).mean().item(), rel=1e-5)
    assert terms["fake"].item() == pytest.approx(F.softplus(fake).mean().item(), rel=1e-5)


def test_the_critic_rests_until_the_game_begins(tiny, noise_data):
    recipe, _, _ = tiny("srgan", pretrain_images=20)
    trainer = Trainer(recipe, noise_data(recipe))
    first = [parameter.clone() for parameter in trainer.nets["D"].parameters()]
    trainer.run(2)  # 16 pictures
    assert set(trainer.logs) == {"g/content"}
    assert all(map(torch.equal, trainer.nets["D"].parameters(), first))
    trainer.run(3)
    assert set(trainer.logs) == {"g/content", "g/adversarial", "d/real", "d/fake"}
    assert not any(map(torch.equal, trainer.nets["D"].parameters(), first))


def test_it_learns_what_the_enlarged_input_lacks(tiny):
    """Black and white squares of two pixels: reduced twice, each is one pixel, and its edge is known."""
    generator = torch.Generator().manual_seed(0)
    squares = torch.randint(0, 2, (64, 1, 8, 8), generator=generator, dtype=torch.uint8) * 255
    data = ImageData("squares", squares.repeat_interleave(2, 2).repeat_interleave(2, 3))
    recipe, _, _ = tiny("srgan", channels=1, input_channels=1, pretrain_images=10_000, width=8)
    recipe.options = TrainOptions(lr=1e-3, betas=(0.9, 0.999), batch_size=16)
    trainer = Trainer(recipe, data)
    trainer.run(1)
    bicubic = trainer.logs["g/content"].item()
    trainer.run(80)
    assert trainer.logs["g/content"] < bicubic / 4


# --------------------------------------------------------------------------------------------------------- whole models


def test_a_training_on_photos_is_shown_on_photographs_it_has_not_seen(runs):
    words = ["train", "srgan", "--dataset", "photos", "--image_size", "32", "--width", "4", "--blocks", "1"]
    main([*words, "--batch_size", "4", "--steps", "2", "--precision", "fp32", "--out", str(runs / "large")])
    model = gan_core.load("runs/large")
    held_out = load_data("photos", 32, split="test").images
    assert (model.examples.truths[:, None] == held_out[None]).flatten(2).all(2).any(1).all()
    assert model.examples.inputs.shape == (8, 3, 16, 16) and model.examples.factor == 2
    assert model.translate(Image.effect_noise((21, 30), 90)).size == (42, 60)
    card = (runs / "large" / "model" / "README.md").read_text()
    assert "2 times as wide and as high" in card and "CC BY 2.0" in card


def test_a_folder_of_pictures_is_enough(runs, tmp_path):
    for split in ("train", "test"):
        (tmp_path / "mine" / split).mkdir(parents=True)
        for k in range(5):
            Image.effect_noise((40 + k, 50), 90).convert("RGB").save(tmp_path / "mine" / split / f"{k}.png")
    words = [
        "train",
        "srgan",
        "--dataset",
        str(tmp_path / "mine"),
        "--image_size",
        "32",
        "--width",
        "4",
        "--factor",
        "4",
    ]
    main([*words, "--batch_size", "4", "--steps", "2", "--precision", "fp32", "--out", str(runs / "m")])
    assert gan_core.load("runs/m").translate(Image.effect_noise((10, 12), 90)).size == (40, 48)
