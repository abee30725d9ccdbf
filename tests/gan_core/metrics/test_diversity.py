"""Diversity against loops and known pictures."""

import math

import pytest
import torch

from gan_core.errors import UsageError
from gan_core.metrics import rows
from gan_core.metrics.diversity import ms_ssim_diversity, pairwise_distance, within_class_diversity


def random(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def by_loops(features):
    n = len(features)
    return sum(math.dist(features[i], features[j]) for i in range(n) for j in range(i)) / (n * (n - 1) / 2)


def test_pairwise_distance_is_the_mean_over_distinct_pairs(monkeypatch):
    monkeypatch.setattr(rows, "BLOCK", 10)
    features = random(33, 5) + 1e5  # far from the origin, where a matrix product alone rounds to 1e-6
    assert pairwise_distance(features) == pytest.approx(by_loops(features.tolist()), rel=1e-9)


def test_equal_rows_have_no_diversity():
    assert pairwise_distance(torch.full((20, 5), 0.1)) == pytest.approx(0, abs=1e-12)


def test_within_a_class_every_image_counts_once():
    features, labels = random(20, 3), torch.tensor([0] * 12 + [2] * 7 + [5])  # the single 5 has no pair
    features[12:] += 100  # far apart: pairs across classes must not count
    expected = (12 * by_loops(features[:12].tolist()) + 7 * by_loops(features[12:19].tolist())) / 19
    assert within_class_diversity(features, labels) == pytest.approx(expected, rel=1e-12)


def test_one_picture_a_class_is_seen_within_classes_only():
    labels = torch.arange(40) % 4
    collapsed = torch.eye(4)[labels]
    assert within_class_diversity(collapsed, labels) == pytest.approx(0, abs=1e-6)
    assert pairwise_distance(collapsed) > 1


def test_bad_input_is_refused():
    with pytest.raises(UsageError, match="at least 2 images; there is 1"):
        pairwise_distance(torch.zeros(1, 3))
    with pytest.raises(UsageError, match="a class of at least 2 images"):
        within_class_diversity(torch.zeros(3, 3), torch.arange(3))
    with pytest.raises(UsageError, match=r"3 rows of features, but labels of the shape \[2\]"):
        within_class_diversity(torch.zeros(3, 3), torch.arange(2))
    small = torch.zeros(4, 1, 175, 200, dtype=torch.uint8)
    with pytest.raises(UsageError, match="sides of at least 176 pixels; these images have 200 x 175"):
        ms_ssim_diversity(small)
    with pytest.raises(UsageError, match="at least 2 uint8 images"):
        ms_ssim_diversity(small.float())


def test_ms_ssim_diversity_is_zero_for_one_picture_and_near_one_for_noise():
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (4, 1, 176, 176), dtype=torch.uint8, generator=generator)
    assert ms_ssim_diversity(noise[:1].repeat(3, 1, 1, 1), pairs=3) == pytest.approx(0, abs=1e-6)
    assert ms_ssim_diversity(noise, pairs=6) > 0.9
    darker = torch.cat([noise[:1], noise[:1] // 2])
    assert 0.01 < ms_ssim_diversity(darker, pairs=3) < 0.5
