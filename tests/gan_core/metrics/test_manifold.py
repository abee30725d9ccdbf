"""Precision, recall, density and coverage against loops, and what they say of known failures."""

import numpy as np
import pytest
import torch

from gan_core.errors import UsageError
from gan_core.metrics import rows
from gan_core.metrics.manifold import manifold_scores


def random(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def by_loops(real, fake, k):
    real, fake = real.numpy(), fake.numpy()

    def radius(points, i):
        return sorted(np.linalg.norm(points[i] - points[j]) for j in range(len(points)) if j != i)[k - 1]

    real_radii = [radius(real, i) for i in range(len(real))]
    fake_radii = [radius(fake, j) for j in range(len(fake))]
    distance = [[np.linalg.norm(x - y) for y in fake] for x in real]
    n, m = range(len(real)), range(len(fake))
    return (
        np.mean([any(distance[i][j] <= real_radii[i] for i in n) for j in m]),
        np.mean([any(distance[i][j] <= fake_radii[j] for j in m) for i in n]),
        sum(distance[i][j] <= real_radii[i] for i in n for j in m) / (k * len(fake)),
        np.mean([any(distance[i][j] <= real_radii[i] for j in m) for i in n]),
    )


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (0.4, 0.5), (2.0, 0.0), (1.0, 2.0)])
def test_scores_are_those_of_loops(k, scale, shift, monkeypatch):
    monkeypatch.setattr(rows, "BLOCK", 13)
    real, fake = random(40, 3), random(31, 3, seed=1) * scale + shift
    found = manifold_scores(real, fake, k)
    expected = by_loops(real, fake, k)
    assert (found.precision, found.recall, found.density, found.coverage) == pytest.approx(expected, rel=1e-12)


def test_rows_on_the_rim_and_repeated_rows_are_inside_in_spite_of_rounding():
    real = random(60, 20).repeat(4, 1) + 1e3  # each row four times: with k = 3 every radius is zero
    found = manifold_scores(real, real[:60], k=3)
    assert (found.precision, found.coverage) == (1, 1)
    lattice = torch.arange(50, dtype=torch.float64)[:, None] / 7  # the neighbours of each lie on its rim
    assert manifold_scores(lattice, lattice, k=1).density == pytest.approx((3 * 48 + 2 * 2) / 50)


def test_equal_distributions_score_high_and_a_lost_half_lowers_recall_and_coverage_not_precision():
    real, fake = random(800, 4), random(800, 4, seed=1)
    alike = manifold_scores(real, fake)
    assert alike.precision > 0.9 and alike.recall > 0.9 and alike.coverage > 0.9
    assert alike.density == pytest.approx(1, abs=0.1)
    half = manifold_scores(real, torch.cat([fake[:, :1].abs() + 0.3, fake[:, 1:]], 1))
    assert half.precision > 0.9 and half.recall < 0.75 and half.coverage < 0.75


def test_noise_outside_the_data_lowers_precision():
    found = manifold_scores(random(300, 4), random(300, 4, seed=1) + 20)
    assert (found.precision, found.recall, found.density, found.coverage) == (0, 0, 0, 0)


def test_bad_features_are_refused():
    with pytest.raises(UsageError, match="at least 6 generated images; there are 5"):
        manifold_scores(torch.zeros(9, 3), torch.zeros(5, 3))
    with pytest.raises(UsageError, match="at least 4 real images; there are 3"):
        manifold_scores(torch.zeros(3, 3), torch.zeros(5, 3), k=3)
    with pytest.raises(UsageError, match="Features of 3 and of 4"):
        manifold_scores(torch.zeros(9, 3), torch.zeros(9, 4))
