"""Losses against binary cross-entropy computed from probabilities in float64, and analytic gradients."""

import math

import pytest
import torch

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


@pytest.mark.parametrize("name", ["discriminator_real", "discriminator_fake", "generator_nonsaturating"])
def test_extreme_logits_stay_finite(name):
    assert torch.isfinite(getattr(losses, name)(torch.tensor([-1e4, 1e4])))
