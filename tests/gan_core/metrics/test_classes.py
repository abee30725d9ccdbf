"""Class shares and their entropy in closed form."""

import math

import pytest
import torch

from gan_core.errors import UsageError
from gan_core.metrics.classes import class_histogram, entropy, kl_to_uniform


def test_shares_count_the_most_probable_class_and_keep_empty_ones():
    probabilities = torch.tensor([[0.6, 0.4, 0.0], [0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.5, 0.3, 0.2]])
    assert class_histogram(probabilities).tolist() == [0.75, 0.25, 0]


@pytest.mark.parametrize(
    ("shares", "nats"),
    [
        ([0.1] * 10, math.log(10)),
        ([1.0, 0.0], 0),
        ([0.5, 0.25, 0.25, 0.0], 1.5 * math.log(2)),
    ],
)
def test_entropy_and_divergence_are_analytic(shares, nats):
    assert entropy(torch.tensor(shares)) == pytest.approx(nats, abs=1e-7)
    assert kl_to_uniform(torch.tensor(shares)) == pytest.approx(math.log(len(shares)) - nats, abs=1e-7)


def test_even_a_perfect_generator_has_the_divergence_of_chance():
    drawn = torch.randint(1000, (26_000,), generator=torch.Generator().manual_seed(0))
    shares = torch.bincount(drawn, minlength=1000).double() / 26_000
    assert kl_to_uniform(shares) == pytest.approx(999 / (2 * 26_000), rel=0.15)


@pytest.mark.parametrize("shares", [[0.5, 0.6], [1.5, -0.5], [float("nan"), 1.0], [[1.0]]])
def test_what_are_no_shares_is_refused(shares):
    with pytest.raises(UsageError, match="sum to 1"):
        entropy(torch.tensor(shares))


def test_no_image_is_refused():
    with pytest.raises(UsageError, match="at least 1 images; there are 0"):
        class_histogram(torch.zeros(0, 10))
