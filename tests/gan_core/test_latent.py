"""Latents of seeds, and ways between them."""

import numpy as np
import pytest
import torch

from gan_core.errors import UsageError
from gan_core.latent import MAX_SEED, latents, lerp, morph, slerp, walk


def test_latents_are_numpys_of_the_seed():
    expected = np.random.RandomState(7).randn(3, 5).astype(np.float32)
    assert np.array_equal(latents(7, 3, 5).numpy(), expected)


def test_a_row_does_not_depend_on_how_many_there_are():
    assert torch.equal(latents(3, 20, 8)[:5], latents(3, 5, 8))


@pytest.mark.parametrize("seed", [-1, MAX_SEED + 1, 1.5, "7", True, None])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(UsageError, match="it takes a whole number from 0 to 4294967295"):
        latents(seed, 1, 4)


def test_the_largest_seed_works():
    assert latents(MAX_SEED, 1, 4).shape == (1, 4)


def test_slerp_on_the_unit_circle():
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    for t in (0.0, 0.25, 0.5, 1.0):
        angle = torch.tensor(t * torch.pi / 2)
        assert torch.allclose(slerp(a, b, t), torch.stack([angle.cos(), angle.sin()]), atol=1e-6)


def test_slerp_keeps_length_where_lerp_shrinks():
    a, b = latents(0, 2, 512)
    assert slerp(a, b, 0.5).norm() == pytest.approx(float(a.norm() + b.norm()) / 2, rel=0.05)
    assert lerp(a, b, 0.5).norm() < 0.8 * a.norm()


@pytest.mark.parametrize("b", [torch.tensor([2.0, 0.0]), torch.tensor([-1.0, 0.0]), torch.tensor([0.0, 0.0])])
def test_slerp_of_parallel_or_zero_vectors_is_finite_and_meets_its_ends(b):
    a = torch.tensor([1.0, 0.0])
    assert torch.isfinite(slerp(a, b, 0.5)).all()
    assert torch.allclose(slerp(a, b, 0.0), a) and torch.allclose(slerp(a, b, 1.0), b)


@pytest.mark.parametrize("path", ["slerp", "lerp"])
def test_an_open_walk_visits_every_key(path):
    frames = walk([1, 2, 3], 9, 6, path, loop=False)
    for frame, seed in [(0, 1), (4, 2), (8, 3)]:
        assert torch.allclose(frames[frame], latents(seed, 1, 6)[0], atol=1e-5)


def test_a_loop_returns_without_repeating_its_first_frame():
    frames = walk([1, 2], 8, 6, "lerp", loop=True)
    first, second = latents(1, 1, 6)[0], latents(2, 1, 6)[0]
    assert torch.allclose(frames[0], first) and torch.allclose(frames[4], second, atol=1e-5)
    assert torch.allclose(frames[7], lerp(second, first, 0.75), atol=1e-5)


def test_a_walk_needs_keys_and_frames():
    with pytest.raises(UsageError, match="at least 2 key seeds"):
        walk([1], 8, 6)
    with pytest.raises(UsageError, match="2 frames cannot visit 3 key seeds"):
        walk([1, 2, 3], 2, 6)


def test_a_morph_is_the_straight_line_between_two_classes():
    assert morph(2, 0, 3, 4).tolist() == [[0, 0, 1, 0], [0.5, 0, 0.5, 0], [1, 0, 0, 0]]
    assert morph(1, 1, 2, 2).tolist() == [[0, 1], [0, 1]]
    with pytest.raises(UsageError, match="The class is 4; it takes an index from 0 to 3"):
        morph(0, 4, 3, 4)
    with pytest.raises(UsageError, match="in 1 points has no ends; it takes at least 2"):
        morph(0, 1, 1, 4)
