"""Kernel distance against loops over pairs, its interval against the truth of known Gaussians."""

import numpy as np
import pytest
import torch
from torchmetrics.image.kid import maximum_mean_discrepancy, poly_kernel

from gan_core.errors import UsageError
from gan_core.metrics import kid
from gan_core.metrics.kid import kernel_distance


def random(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def by_loops(x, y, u=None, v=None):
    """Each row counted u (v) times; pairs of a row with itself are left out."""
    x, y = x.numpy(), y.numpy()
    u, v = (np.ones(len(rows)) if w is None else w.numpy() for rows, w in ((x, u), (y, v)))

    def mean(a, b, wa, wb, same):
        total = pairs = 0.0
        for i in range(len(a)):
            for j in range(len(b)):
                if not (same and i == j):
                    total += wa[i] * wb[j] * (np.dot(a[i], b[j]) / a.shape[1] + 1) ** 3
                    pairs += wa[i] * wb[j]
        return total / pairs

    return mean(x, x, u, u, True) + mean(y, y, v, v, True) - 2 * mean(x, y, u, v, False)


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(kid, "BLOCK", 7)


def test_value_is_that_of_loops_over_pairs(small_blocks):
    x, y = random(23, 6), random(16, 6, seed=1) * 1.5 + 0.5
    assert kernel_distance(x, y).value == pytest.approx(by_loops(x, y), rel=1e-12)


def test_value_is_that_of_torchmetrics():
    x, y = random(600, 16), random(600, 16, seed=1) + 0.2  # it takes equal numbers only
    expected = maximum_mean_discrepancy(poly_kernel(x, x), poly_kernel(x, y), poly_kernel(y, y))
    assert kernel_distance(x, y).value == pytest.approx(float(expected), rel=1e-9)


def test_resamples_are_weighted_loops_that_leave_out_a_row_with_itself(small_blocks):
    x, y = random(17, 4), random(12, 4, seed=1) + 0.5
    found = kernel_distance(x, y, seed=3, resamples=5, level=0.999999)
    generator = torch.Generator().manual_seed(3)
    weights = [torch.stack([row.bincount(minlength=n) for row in torch.randint(n, (5, n), generator=generator)])
               for n in (17, 12)]  # fmt: skip
    values = [by_loops(x, y, u, v) for u, v in zip(*weights, strict=True)]
    assert (found.low, found.high) == pytest.approx((min(values), max(values)), rel=1e-4)


def squared_discrepancy(shift, d):
    """Of N(0, 1) and N(shift, 1) in d dimensions: (x.y/d + 1)^3 compares their first three moment tensors."""
    mean, one = np.full(d, shift), np.eye(d)
    second = np.einsum("i,j->ij", mean, mean)
    third = np.einsum("i,j,k->ijk", mean, mean, mean) + sum(
        np.einsum(indices, mean, one) for indices in ("i,jk->ijk", "j,ik->ijk", "k,ij->ijk")
    )
    return 3 * (mean**2).sum() / d + 3 * (second**2).sum() / d**2 + (third**2).sum() / d**3


@pytest.mark.parametrize(("shift", "least", "most"), [(0.5, 0.86, 1.0), (0.0, 0.93, 1.0)])
def test_value_is_unbiased_and_the_interval_holds_the_truth_as_often_as_it_says(shift, least, most):
    repetitions, truth = 80, squared_discrepancy(shift, 4)
    found = [
        kernel_distance(random(60, 4, seed=2 * s), random(40, 4, seed=2 * s + 1) + shift, seed=s, resamples=100)
        for s in range(repetitions)
    ]
    values = np.array([interval.value for interval in found])
    assert abs(values.mean() - truth) < 3.5 * values.std() / repetitions**0.5
    assert least <= np.mean([interval.low <= truth <= interval.high for interval in found]) <= most
    if shift:  # a wide interval would pass the line above
        assert np.mean([interval.high - interval.low for interval in found]) < 5.5 * values.std()


def test_the_interval_is_a_function_of_the_seed():
    x, y = random(30, 4), random(30, 4, seed=1)
    assert kernel_distance(x, y, seed=1) == kernel_distance(x, y, seed=1) != kernel_distance(x, y, seed=2)


def test_constant_equal_sets_have_no_distance_and_no_width():
    same = torch.full((9, 4), 3.0)
    found = kernel_distance(same, same)
    assert (found.value, found.low, found.high) == pytest.approx((0, 0, 0), abs=1e-9)


def test_bad_features_are_refused():
    with pytest.raises(UsageError, match="at least 2 generated images; there is 1"):
        kernel_distance(torch.zeros(5, 3), torch.zeros(1, 3))
    with pytest.raises(UsageError, match="Features of 3 and of 4"):
        kernel_distance(torch.zeros(5, 3), torch.zeros(5, 4))
    with pytest.raises(UsageError, match="1 of 5 real images are not finite"):
        kernel_distance(torch.zeros(5, 3).index_fill(0, torch.tensor([2]), float("nan")), torch.zeros(5, 3))
