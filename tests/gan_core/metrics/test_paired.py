"""Pixel scores against their definitions."""

import math

import numpy as np
import pytest
import torch

from gan_core.errors import UsageError
from gan_core.metrics import paired


def pictures(n=3, channels=3, side=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, channels, side, side), dtype=torch.uint8, generator=generator)


def ssim_of_one(a, b):
    """Wang 2004, equation 13, a window around every pixel, edges mirrored; one channel, [H, W] in [0, 1]."""
    a, b = (np.pad(image, 5, mode="reflect") for image in (a, b))
    offsets = np.arange(11) - 5
    line = np.exp(-(offsets**2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2
    values = []
    for top in range(a.shape[0] - 10):
        for left in range(a.shape[1] - 10):
            x, y = a[top : top + 11, left : left + 11], b[top : top + 11, left : left + 11]
            mx, my = (window * x).sum(), (window * y).sum()
            vx, vy = (window * (x - mx) ** 2).sum(), (window * (y - my) ** 2).sum()
            covariance = (window * (x - mx) * (y - my)).sum()
            values.append((2 * mx * my + 1e-4) * (2 * covariance + 9e-4) / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4)))
    return np.mean(values)


def test_psnr_is_that_of_the_error_over_all_pictures(monkeypatch):
    monkeypatch.setattr(paired, "CHUNK", 2)
    a, b = pictures(), pictures(seed=1)
    b[0] = a[0]  # one picture is exactly right, the mean of all decibels would be infinite
    error = ((a.double() - b.double()) / 255).square().mean()
    assert paired.psnr(a, b) == pytest.approx(float(-10 * error.log10()), rel=1e-6)
    assert paired.psnr(a, a) == math.inf


def test_ssim_is_its_definition(monkeypatch):
    monkeypatch.setattr(paired, "CHUNK", 2)
    a = pictures(channels=1)
    b = (a // 2 + pictures(channels=1, seed=1) // 4).clamp(max=255)
    expected = np.mean([ssim_of_one(x[0].numpy() / 255, y[0].numpy() / 255) for x, y in zip(a, b, strict=True)])
    assert paired.ssim(a, b) == pytest.approx(expected, abs=1e-5)
    assert paired.ssim(a, a) == pytest.approx(1, abs=1e-6)


def test_l1_is_in_units_of_the_range(monkeypatch):
    monkeypatch.setattr(paired, "CHUNK", 2)
    black, white = torch.zeros(3, 1, 4, 4, dtype=torch.uint8), torch.full((3, 1, 4, 4), 255, dtype=torch.uint8)
    assert paired.l1(black, white) == paired.l1(white, black) == 1
    white[1:] = 51
    assert paired.l1(black, white) == pytest.approx((1 + 0.2 + 0.2) / 3)


def test_feature_distance_is_of_row_to_row():
    a, b = torch.tensor([[0.0, 0.0], [1.0, 1.0]]), torch.tensor([[3.0, 4.0], [1.0, 2.0]])
    assert paired.feature_distance(a, b) == pytest.approx(3)


@pytest.mark.parametrize("measure", [paired.psnr, paired.ssim, paired.l1])
def test_bad_pairs_are_refused(measure):
    with pytest.raises(UsageError, match="equal shapes"):
        measure(pictures(), pictures(n=2))
    with pytest.raises(UsageError, match="uint8"):
        measure(pictures().float(), pictures().float())
    with pytest.raises(UsageError, match="at least one"):
        measure(pictures(n=0), pictures(n=0))


def test_ssim_refuses_pictures_smaller_than_its_window():
    with pytest.raises(UsageError, match="at least 11 pixels; these pictures have 8"):
        paired.ssim(pictures(side=8), pictures(side=8))


def test_scores_may_be_taken_where_it_matters_only():
    a, b = pictures(), pictures(seed=1)
    everywhere = torch.ones(3, 16, 16, dtype=torch.bool)
    assert paired.ssim(a, b, everywhere) == pytest.approx(paired.ssim(a, b), abs=1e-6)
    half = everywhere.clone()
    half[:, :, 8:] = False
    assert paired.l1(a, b, half) == pytest.approx(paired.l1(a[..., :8], b[..., :8]), rel=1e-6)
    half[0] = False  # a picture without such pixels says nothing
    assert paired.l1(a, b, half) == pytest.approx(paired.l1(a[1:, ..., :8], b[1:, ..., :8]), rel=1e-6)


def test_edges_agree_where_their_gradients_do():
    from scipy.ndimage import sobel

    a, b = pictures(channels=1), pictures(channels=1, seed=1)
    magnitudes = [
        np.array(
            [
                np.hypot(sobel(x[0].numpy() / 255, 0, mode="nearest"), sobel(x[0].numpy() / 255, 1, mode="nearest"))
                for x in rows
            ]
        )
        for rows in (a, b)
    ]
    expected = np.mean([np.corrcoef(x.ravel(), y.ravel())[0, 1] for x, y in zip(*magnitudes, strict=True)])
    assert paired.edge_agreement(a, b) == pytest.approx(expected, abs=1e-5)
    assert paired.edge_agreement(a, 255 - a) == pytest.approx(1, abs=1e-5)
    assert paired.edge_agreement(a, a.repeat(1, 3, 1, 1)) == pytest.approx(1, abs=1e-5)  # grey beside colour
    assert paired.edge_agreement(a, torch.full_like(a, 90)) == 0
