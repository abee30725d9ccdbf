"""Losses against binary cross-entropy computed from probabilities in float64, penalties against known slopes."""

import math
from contextlib import nullcontext

import pytest
import torch
from torch import nn

from gan_core import losses

LOGITS = torch.tensor([-3.0, -0.5, 0.0, 2.0], dtype=torch.float64)
D = [1 / (1 + math.exp(-x)) for x in LOGITS.tolist()]


def mean(values):
    values = list(values)
    return sum(values) / len(values)


@pytest.mark.parametrize("label", [1.0, 0.9])
def test_discriminator_real_is_cross_entropy_with_the_label(label):
    expected = mean(-label * math.log(d) - (1 - label) * math.log(1 - d) for d in D)
    assert losses.discriminator_real(LOGITS, label).item() == pytest.approx(expected, rel=1e-12)


def test_discriminator_fake_is_cross_entropy_with_label_exactly_zero():
    assert losses.discriminator_fake(LOGITS).item() == pytest.approx(mean(-math.log(1 - d) for d in D), rel=1e-12)


def test_generator_losses():
    assert losses.generator_nonsaturating(LOGITS).item() == pytest.approx(mean(-math.log(d) for d in D), rel=1e-12)
    assert losses.generator_saturating(LOGITS).item() == pytest.approx(mean(math.log(1 - d) for d in D), rel=1e-12)


@pytest.mark.parametrize(
    ("loss", "at_zero", "when_d_is_sure"),
    [(losses.generator_nonsaturating, -0.5, -1.0), (losses.generator_saturating, -0.5, 0.0)],
)
def test_where_the_generator_gets_its_gradient(loss, at_zero, when_d_is_sure):
    for logit, expected in [(0.0, at_zero), (-30.0, when_d_is_sure)]:
        x = torch.tensor([logit], dtype=torch.float64, requires_grad=True)
        loss(x).backward()
        assert x.grad.item() == pytest.approx(expected, abs=1e-9)


def test_least_squares_is_half_the_squared_distance_to_the_target():
    assert losses.least_squares(LOGITS, 1.0).item() == pytest.approx(mean((x - 1) ** 2 / 2 for x in LOGITS.tolist()))
    assert losses.least_squares(LOGITS, 0.0).item() == pytest.approx(mean(x**2 / 2 for x in LOGITS.tolist()))


def test_wasserstein_is_low_where_reals_score_high():
    assert losses.wasserstein(torch.tensor([3.0, 5.0]), torch.tensor([1.0, 0.0, 2.0])).item() == 1 - 4


def test_hinge_stops_at_the_margin():
    terms = losses.hinge_critic(torch.tensor([2.0, 0.5]), torch.tensor([-3.0, -0.5, 1.0]))
    assert terms["real"].item() == pytest.approx(0.5 / 2)
    assert terms["fake"].item() == pytest.approx((0.5 + 2) / 3)


def test_relativistic_pairs():
    real, fake = torch.tensor([1.0, -2.0]), torch.tensor([0.0, 3.0])
    assert losses.relativistic(real, fake).item() == pytest.approx(
        (math.log(1 + math.exp(-1)) + math.log(1 + math.exp(5))) / 2
    )
    assert losses.relativistic(real + 7, fake + 7) == losses.relativistic(real, fake)  # only differences count
    with pytest.raises(ValueError, match="2 and 1 scores make no pairs"):
        losses.relativistic(real, fake[:1])


# --------------------------------------------------------------------------------------------------------- penalties


def linear_critic(w):
    return lambda images: images.flatten(1) @ w


def test_a_linear_critic_has_its_length_as_slope_everywhere():
    w = torch.randn(3 * 4 * 4)
    real, fake = torch.randn(6, 3, 4, 4), torch.randn(6, 3, 4, 4)
    penalty = losses.gradient_penalty(linear_critic(w), real, fake)
    assert penalty.item() == pytest.approx((w.norm().item() - 1) ** 2, rel=1e-5)
    assert losses.zero_centered_penalty(linear_critic(w), real).item() == pytest.approx(
        w.square().sum().item(), rel=1e-5
    )


def test_penalties_are_means_over_images_of_each_images_own_slope():
    def critic(images):  # the slope of |x|^2 / 2 at x is x itself
        return images.square().sum((1, 2, 3)) / 2

    images = torch.randn(5, 2, 3, 3)
    lengths = images.flatten(1).norm(dim=1)
    assert losses.zero_centered_penalty(critic, images).item() == pytest.approx(
        lengths.square().mean().item(), rel=1e-5
    )
    same = losses.gradient_penalty(critic, images, images)  # no way to go between a point and itself
    assert same.item() == pytest.approx((lengths - 1).square().mean().item(), rel=1e-5)


def test_points_lie_on_the_lines_between_pairs_with_one_uniform_weight_an_image():
    seen = []

    def critic(images):
        seen.append(images.detach())
        return images.sum((1, 2, 3))

    real, fake = torch.zeros(2000, 2, 2, 2), torch.ones(2000, 2, 2, 2) * torch.arange(1, 3).view(1, 2, 1, 1)
    losses.gradient_penalty(critic, real, fake)
    t = seen[0][:, 0, 0, 0]
    assert torch.allclose(seen[0], real + t.view(-1, 1, 1, 1) * fake)
    assert torch.histc(t, 5, 0, 1).div(2000).sub(0.2).abs().max() < 0.04 and 0 <= t.min() and t.max() <= 1


def test_a_pack_has_one_slope():
    w = torch.randn(2, 16)

    def critic(images):  # judges two consecutive pictures at once
        return (images.reshape(-1, 2, 16) * w).sum((1, 2))

    images = torch.randn(6, 1, 4, 4)
    assert losses.zero_centered_penalty(critic, images).item() == pytest.approx(w.square().sum().item(), rel=1e-5)


def test_a_pack_moves_as_a_whole_along_the_line_between_packs():
    seen = []

    def critic(images):
        seen.append(images.detach())
        return images.reshape(-1, 3, 4).sum((1, 2))

    losses.gradient_penalty(critic, torch.zeros(30, 1, 2, 2), torch.ones(30, 1, 2, 2), pack=3)
    t = seen[0].reshape(10, 3 * 4)
    assert torch.equal(t, t[:, :1].expand_as(t)) and len(t[:, 0].unique()) == 10


@pytest.mark.parametrize("autocast", [False, True])
def test_penalties_leave_the_images_alone_train_the_critic_and_run_in_fp32(autocast):
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(16, 1), nn.Flatten(0))
    seen = []
    critic[0].register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    images = torch.randn(3, 1, 4, 4)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        penalty = losses.zero_centered_penalty(critic, images.bfloat16() if autocast else images)
    penalty.backward()
    assert seen == [torch.float32] and penalty.dtype == torch.float32 and not images.requires_grad
    assert all(p.grad.abs().sum() > 0 for p in list(critic.parameters())[:-1])


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("stride", [1, 2])
def test_fast_double_backward_is_pytorchs_own(groups, stride):
    torch.manual_seed(0)
    critic = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 4, 4, stride, 1, groups=groups), nn.Softplus(),
        nn.Flatten(), nn.LazyLinear(1),
    ).double()  # fmt: skip
    images = torch.randn(3, 2, 6, 6, dtype=torch.float64)
    critic(images)

    def gradients(around):
        x = images.clone().requires_grad_(True)
        with around:
            scores = critic(x)
        slope = torch.autograd.grad(scores.sum(), x, create_graph=True)[0]
        return torch.autograd.grad(slope.square().sum(), list(critic.parameters())[:-1])

    for fast, slow in zip(gradients(losses.FastDoubleBackward()), gradients(nullcontext()), strict=True):
        assert torch.allclose(fast, slow, rtol=1e-10, atol=1e-12) and slow.abs().max() > 0


@pytest.mark.parametrize("name", ["discriminator_real", "discriminator_fake", "generator_nonsaturating"])
def test_extreme_logits_stay_finite(name):
    assert torch.isfinite(getattr(losses, name)(torch.tensor([-1e4, 1e4])))
