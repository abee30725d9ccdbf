"""Ring and grid: where their points lie, and that a trainer takes them and a picture's place does not."""

import itertools
import math

import pytest
import torch

from gan_core.data import DATASETS, load_data
from gan_core.data.points import grid, ring
from gan_core.errors import UsageError

EVERY = pytest.mark.parametrize(("load", "modes", "spacing"), [(ring, 8, 1.6 * math.sin(math.pi / 8)), (grid, 25, 0.4)])


@EVERY
@pytest.mark.parametrize("split", ["train", "test"])
def test_each_mode_is_a_gaussian_of_its_centre_and_deviation(load, modes, spacing, split):
    data = load(split)
    of_mode = data.images.flatten(1).view(-1, modes, 2)  # point k belongs to centre k modulo M
    n = len(of_mode)
    assert len(data.centres) == modes
    assert (of_mode.mean(0) - data.centres).abs().max() < 5 * data.std / math.sqrt(n)
    assert (of_mode.std(0) / data.std - 1).abs().max() < 5 / math.sqrt(2 * n)
    apart = torch.cdist(of_mode, data.centres[None]).argmin(2)
    assert torch.equal(apart, torch.arange(modes).expand(n, modes))


@EVERY
def test_neighbours_are_many_deviations_apart_and_the_range_is_a_pictures(load, modes, spacing):
    data = load()
    nearest = torch.pdist(data.centres).min().item()
    assert nearest == pytest.approx(spacing, rel=1e-5)
    assert nearest > 6 * data.std  # the circles of high quality do not meet
    assert data.images.abs().max() < 1


@EVERY
def test_splits_share_no_point_and_are_the_same_every_time(load, modes, spacing):
    train, test = load("train"), load("test")
    assert (len(train), len(test)) == (100_000, 10_000)
    assert not {tuple(point) for point in train.images.flatten(1).tolist()} & {
        tuple(point) for point in test.images.flatten(1).tolist()
    }
    assert train.fingerprint == load("train").fingerprint != test.fingerprint


def test_batches_are_points_and_follow_from_what_was_seen():
    data = load_data("ring")
    batches = list(itertools.islice(data.batches(64, seed=0, start=0), 3))
    (later,) = itertools.islice(data.batches(64, seed=0, start=128), 1)
    assert batches[0].images.shape == (64, 2, 1, 1) and batches[0].labels is None
    assert torch.equal(batches[2].images, later.images)
    assert data.examples(5).shape == (5, 2, 1, 1)
    assert (data.image_size, data.channels, data.classes, data.labels) == (1, 2, None, None)


@pytest.mark.parametrize("name", ["ring", "grid"])
def test_who_wants_pictures_is_told_where_points_go(name):
    assert DATASETS[name].kind == "points"
    sentence = f"{name} holds points of the plane, not pictures; `python -m benchmarks coverage`"
    for wanted in ({"image_size": 32}, {"channels": 3}):
        with pytest.raises(UsageError, match=sentence):
            load_data(name, **wanted)
    with pytest.raises(UsageError, match=sentence):
        load_data(name).pictures(torch.tensor([0]))
