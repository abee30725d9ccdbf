"""Networks that translate and judge pictures: published sizes, what they see, and what they leave alone."""

import pytest
import torch
from torch import nn

from gan_core.image_networks import MultiScale, ResnetGenerator, UNetGenerator, patch_critic, picture_norm, pixel_critic
from gan_core.layers import blueprint, parameter_count


@pytest.mark.parametrize(
    ("build", "parameters"),
    [
        (lambda: ResnetGenerator(3, 3, 64, blocks=9), 11_378_179),
        (lambda: UNetGenerator(3, 3, 64, downs=8, norm="batch"), 54_413_955),
        (lambda: patch_critic(3, 64, (2, 2, 2, 1), "instance"), 2_764_737),
    ],
)
def test_published_numbers_of_parameters(build, parameters):
    with blueprint():
        assert parameter_count(build()) == parameters


@pytest.mark.parametrize(
    ("strides", "side", "patches"), [((2, 2), 256, 63), ((2, 2, 2), 512, 63), ((2, 2, 2, 1), 256, 30)]
)
def test_a_patch_critic_gives_a_map(strides, side, patches):
    with torch.device("meta"):
        critic = patch_critic(3, 4, strides, "none")
        assert critic(torch.empty(2, 3, side, side)).shape == (2, 1, patches, patches)


def seen_by_the_middle(critic, side=128):
    """Height and width of the pixels that one logit in the middle of the map depends on."""
    images = torch.randn(1, 3, side, side, requires_grad=True)
    logits = critic.double()(images.double())
    middle = logits.shape[2] // 2
    (gradient,) = torch.autograd.grad(logits[0, 0, middle, middle], images)
    rows, columns = gradient[0].abs().sum(0).nonzero().unbind(1)
    return int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1


def test_what_a_patch_is():
    assert seen_by_the_middle(patch_critic(3, 4, (2, 2, 2, 1), "none")) == (70, 70)
    assert seen_by_the_middle(patch_critic(3, 4, (2, 2), "none")) == (22, 22)
    assert seen_by_the_middle(pixel_critic(3, 4, "none")) == (1, 1)


@pytest.mark.parametrize("up", ["conv_transpose", "pixel_shuffle", "nearest"])
@pytest.mark.parametrize(
    "build", [lambda up: ResnetGenerator(1, 3, 4, 2, up=up), lambda up: UNetGenerator(1, 3, 4, 4, up=up)]
)
def test_a_generator_gives_a_picture_of_its_inputs_size(build, up):
    torch.manual_seed(0)
    generator = build(up).eval()
    images = generator(torch.randn(2, 1, 16, 48))
    assert images.shape == (2, 3, 16, 48) and images.abs().max() <= 1


@pytest.mark.parametrize("build", [lambda: ResnetGenerator(1, 3, 4, 2), lambda: UNetGenerator(1, 3, 4, 4)])
def test_a_picture_does_not_depend_on_the_others_of_its_batch(build):
    torch.manual_seed(0)
    generator = build().eval()
    x = torch.randn(3, 1, 16, 16)
    assert torch.allclose(generator(x)[1], generator(x[1:2])[0], atol=1e-4)


def test_a_unet_tells_its_doublings_what_it_saw():
    torch.manual_seed(0)
    generator = UNetGenerator(1, 3, 4, downs=3).eval()
    x, other = torch.randn(2, 1, 1, 8, 8)
    with torch.no_grad():
        before = generator(x)
        generator.downs[2][1].weight.zero_()  # nothing of the picture goes through the innermost maps any more
        assert torch.equal(generator.downs[2](torch.randn(1, 8, 2, 2)), generator.downs[2](torch.randn(1, 8, 2, 2)))
        assert not torch.allclose(generator(x), before) and not torch.allclose(generator(x), generator(other))


def test_a_unets_dropout_is_of_the_three_innermost_doublings():
    shares = [module.p for module in UNetGenerator(1, 3, 4, downs=6).modules() if isinstance(module, nn.Dropout)]
    assert shares == [0.5, 0.5, 0.5, 0.0, 0.0]


def test_instance_norm_is_that_of_each_map_of_each_picture():
    x = torch.randn(2, 3, 4, 5)
    y = picture_norm("instance", 3)(x)
    expected = (x - x.mean((2, 3), keepdim=True)) / x.var((2, 3), unbiased=False, keepdim=True).add(1e-5).sqrt()
    assert torch.allclose(y, expected, atol=1e-6)
    assert not picture_norm("instance", 3).track_running_stats


def test_each_scale_judges_a_picture_half_the_size():
    critic = MultiScale(*(patch_critic(3, 4, (2, 2), "none") for _ in range(2)))
    images = torch.randn(2, 3, 64, 64)
    full, half = critic(images)
    assert full.shape == (2, 1, 15, 15) and half.shape == (2, 1, 7, 7)
    seen = []
    critic.scales[1].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    assert torch.equal(critic(images)[0], critic.scales[0](images))
    around = nn.functional.unfold(images, 3, stride=2, padding=1).view(2, 3, 9, 32, 32)  # of every second pixel
    assert seen[0].shape == (2, 3, 32, 32)
    assert torch.allclose(seen[0][:, :, 1:, 1:], around[..., 1:, 1:].mean(2), atol=1e-6)
    corner = images[:, :, :2, :2].mean((2, 3))  # what lies beyond the border does not count
    assert torch.allclose(seen[0][:, :, 0, 0], corner, atol=1e-6)
