"""Nearest training images against loops; copies of real digits are flagged, real digits and plain ones are not."""

import pytest
import torch
import torch.nn.functional as F

from gan_core.data.digits import digits
from gan_core.errors import UsageError
from gan_core.metrics import rows
from gan_core.metrics.nearest import memorisation, nearest


def random(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_nearest_is_that_of_all_distances(monkeypatch):
    monkeypatch.setattr(rows, "BLOCK", 10)
    queries, references = random(33, 5) + 50, random(27, 5, seed=1) + 50
    distances = (queries[:, None] - references[None]).norm(dim=2)
    found = nearest(queries, references)
    assert torch.equal(found.index, distances.argmin(1))
    torch.testing.assert_close(found.distance, distances.min(1).values, rtol=1e-12, atol=0)


def test_a_copy_is_at_exactly_zero():
    references = random(300, 64) * 1e3 + 1e4
    found = nearest(references[[7, 3]], references)
    assert found.index.tolist() == [7, 3] and found.distance.tolist() == [0, 0]


class Digits:
    """Real digits at 16 pixels as rows of pixels in [0, 1]."""

    def __init__(self):
        train, test = digits("train"), digits("test")
        self.train, self.held_out = self.rows(train.images), self.rows(test.images)
        self.labels = test.labels
        self.copies = self.train[torch.randperm(4000, generator=torch.Generator().manual_seed(0))[:1000]]

    @staticmethod
    def rows(images):
        return F.avg_pool2d(images.double() / 255, 2).flatten(1)


@pytest.fixture(scope="module")
def data():
    return Digits()


def test_held_out_digits_are_not_flagged(data):
    order = torch.randperm(1000, generator=torch.Generator().manual_seed(0))
    some, others = data.held_out[order[:500]], data.held_out[order[500:]]
    found = memorisation(some, others, data.train)
    assert not found.flagged and found.copies < 0.03
    assert found.ratio == pytest.approx(1, abs=0.1)
    itself = memorisation(data.held_out, data.held_out, data.train)
    assert (itself.ratio, itself.copies, itself.flagged) == (1, itself.held_out_copies, False)


@pytest.mark.parametrize(("noise", "least"), [(0.0, 1.0), (0.02, 0.99), (0.05, 0.9)])
def test_copies_are_flagged_even_with_noise(data, noise, least):
    found = memorisation(data.copies + noise * random(*data.copies.shape), data.held_out, data.train)
    assert found.flagged and found.copies >= least and found.ratio < 0.5
    assert noise or found.ratio == 0


def test_a_tenth_of_copies_among_new_digits_is_flagged(data):
    mixed = torch.cat([data.held_out[::2], data.copies[:60]])
    found = memorisation(mixed, data.held_out[1::2], data.train)
    assert found.flagged and found.ratio > 0.8


def test_plain_digits_are_near_but_not_flagged(data):
    found = memorisation(data.held_out[data.labels == 1], data.held_out, data.train)
    assert found.ratio < 0.6 and not found.flagged


def test_averages_of_two_digits_are_not_flagged(data):
    found = memorisation((data.copies + data.copies.flip(0)) / 2, data.held_out, data.train)
    assert not found.flagged


def test_repeated_training_images_do_not_hide_copies(data):
    assert memorisation(data.copies, data.held_out, data.train.repeat(2, 1)).copies == 1


def test_few_images_raise_no_false_alarm():
    flagged = [
        memorisation(random(20, 3, seed=3 * s), random(20, 3, seed=3 * s + 1), random(100, 3, seed=3 * s + 2)).flagged
        for s in range(100)
    ]
    assert not any(flagged)
    assert memorisation(random(100, 3)[:11], random(20, 3, seed=1), random(100, 3)).flagged


def test_bad_input_is_refused():
    ten, train = random(10, 3), random(50, 3, seed=1)
    with pytest.raises(UsageError, match="at least 11 held-out images; there are 10"):
        memorisation(random(20, 3), ten, train)
    with pytest.raises(UsageError, match="at least 2 different training images; there is 1"):
        memorisation(random(20, 3), random(20, 3), torch.ones(50, 3))
    with pytest.raises(UsageError, match="half of the held-out images are training images"):
        memorisation(random(20, 3), train[:20], train)
    with pytest.raises(UsageError, match="Features of 3 and of 4"):
        nearest(ten, torch.zeros(5, 4))
    with pytest.raises(UsageError, match="at least 1 training images; there are 0"):
        nearest(ten, torch.zeros(0, 3))
