"""Frechet distance against closed forms, scipy's matrix root in other arithmetic, and torchmetrics."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from torchmetrics.image.fid import _compute_fid

from gan_core.errors import UsageError
from gan_core.metrics.frechet import Moments, frechet_distance, moments


def random(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def with_exact_moments(mean, covariance, n=50):
    """Rows whose sample mean and covariance are exactly these."""
    rows = random(n, len(mean))
    rows = torch.linalg.qr(rows - rows.mean(0)).Q * math.sqrt(n - 1)  # orthonormal columns, orthogonal to ones
    values, vectors = torch.linalg.eigh(covariance)
    return rows @ (vectors * values.sqrt()).T + mean


def covariance(d, seed, rank=None):
    factor = random(d, rank or 2 * d, seed=seed)
    return factor @ factor.T / d


def test_moments_are_those_of_numpy():
    features = random(40, 5)
    found = moments(features.float())
    assert found.mean.dtype == found.covariance.dtype == torch.float64
    np.testing.assert_allclose(found.mean, features.float().double().mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(features.float().double().numpy().T), rtol=1e-12, atol=1e-14)


def test_two_gaussians_with_diagonal_covariances_have_the_closed_form():
    a, b = torch.tensor([4.0, 1.0, 0.25]).double(), torch.tensor([9.0, 1.0, 1.0]).double()
    mean = torch.tensor([1.0, -2.0, 0.5]).double()
    found = frechet_distance(
        moments(with_exact_moments(mean, a.diag())), moments(with_exact_moments(torch.zeros(3).double(), b.diag()))
    )
    assert found == pytest.approx(1 + 4 + 0.25 + (3 - 2) ** 2 + 0 + (1 - 0.5) ** 2, rel=1e-10)


def test_commuting_covariances_have_the_closed_form():
    basis = torch.linalg.qr(random(64, 64)).Q
    a, b = random(64, seed=1).square(), random(64, seed=2).square()
    mean = random(64, seed=3)
    found = frechet_distance(
        Moments(mean, basis @ a.diag() @ basis.T), Moments(torch.zeros(64).double(), basis @ b.diag() @ basis.T)
    )
    assert found == pytest.approx(float(mean.square().sum() + (a.sqrt() - b.sqrt()).square().sum()), rel=1e-10)


def test_two_by_two_covariances_have_the_closed_form():
    # The root of a 2x2 matrix M with positive eigenvalues has the trace sqrt(tr M + 2 sqrt(det M)).
    a, b = torch.tensor([[2.0, 0.6], [0.6, 1.0]]).double(), torch.tensor([[1.0, -0.7], [-0.7, 3.0]]).double()
    product = a @ b
    root = math.sqrt(product.trace() + 2 * math.sqrt(torch.linalg.det(product)))
    zero = torch.zeros(2).double()
    assert frechet_distance(Moments(zero, a), Moments(zero, b)) == pytest.approx(4 - 2 * root + 3, rel=1e-10)


def test_general_covariances_agree_with_other_programs():
    a, b = Moments(random(48, seed=1), covariance(48, 2)), Moments(random(48, seed=3), covariance(48, 4))
    root = scipy.linalg.sqrtm((a.covariance @ b.covariance).numpy()).real
    expected = float((a.mean - b.mean).square().sum() + (a.covariance + b.covariance).trace()) - 2 * np.trace(root)
    found = frechet_distance(a, b)
    assert found == pytest.approx(expected, rel=1e-9)
    assert found == pytest.approx(float(_compute_fid(a.mean, a.covariance, b.mean, b.covariance)), rel=1e-9)
    assert found == pytest.approx(frechet_distance(b, a), rel=1e-12)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_singular_covariances_are_as_exact_as_others(scale):
    # Zero beside non-zero variances in a common, dense basis: a root of rounding errors would show at about 1e-8.
    basis = torch.linalg.qr(random(100, 100)).Q
    a, b = torch.zeros(2, 100, dtype=torch.float64)
    a[:30], b[20:60] = 4 * scale, 9 * scale
    zero = torch.zeros(100, dtype=torch.float64)
    found = frechet_distance(
        Moments(zero, basis @ a.diag() @ basis.T), Moments(zero, basis @ b.diag() @ basis.T)
    )  # 20 only in a, 10 in both, 30 only in b
    assert found == pytest.approx(scale * (20 * 4 + 10 * (3 - 2) ** 2 + 30 * 9), rel=1e-12)


def test_a_set_has_no_distance_to_itself_even_with_fewer_rows_than_features():
    few = moments(random(20, 100))
    assert 0 <= frechet_distance(few, few) < 1e-11
    assert few.factor.shape == (100, 19)


def test_constant_features_are_points():
    a, b = moments(torch.zeros(3, 4)), moments(torch.ones(3, 4) * 2)
    assert frechet_distance(a, b) == 16


@pytest.mark.parametrize(
    ("features", "sentence"),
    [
        (torch.zeros(1, 4), "at least 2 images; there is 1"),
        (torch.tensor([[0.0], [float("nan")], [float("inf")]]), "2 of 3 images are not finite"),
        (torch.zeros(3), r"shape \[3\]"),
    ],
)
def test_bad_features_are_refused(features, sentence):
    with pytest.raises(UsageError, match=sentence):
        moments(features)


def test_features_of_two_extractors_are_refused():
    with pytest.raises(UsageError, match="Features of 4 and of 5"):
        frechet_distance(moments(torch.zeros(3, 4)), moments(torch.zeros(3, 5)))
