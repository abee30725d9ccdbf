"""Data: embedded digits, what is downloaded, and the order of training."""

import hashlib
import itertools
import urllib.request

import numpy as np
import pytest
import torch

from gan_core.data import DATASETS, ImageData, load_data
from gan_core.data.channels import with_channels
from gan_core.data.digits import digits
from gan_core.data.images import order, to_unit_range
from gan_core.errors import UsageError


def take(iterator, n):
    return list(itertools.islice(iterator, n))


# ------------------------------------------------------------------------------------------------------------ digits


def test_digits_are_padded_never_resized():
    data = digits()
    assert data.images.shape == (4000, 1, 32, 32) and data.images.dtype == torch.uint8
    border = torch.ones(32, 32, dtype=torch.bool)
    border[2:-2, 2:-2] = False
    assert not data.images[..., border].any()
    assert torch.equal(data.images[..., 2:-2, 2:-2], digits(image_size=28).images)


def test_digits_split_is_the_last_hundred_of_each_class():
    train, test = digits("train"), digits("test")
    assert len(train) == 4000 and len(test) == 1000
    assert torch.equal(train.labels.bincount(), torch.full((10,), 400))
    seen = {image.numpy().tobytes() for image in train.images}
    assert not any(image.numpy().tobytes() in seen for image in test.images)


def test_digits_in_colour_and_other_sizes():
    assert digits(image_size=64, channels=3).images.shape == (4000, 3, 64, 64)
    small, full = (digits(image_size=size).images.float().mean().item() for size in (16, 32))
    assert small == pytest.approx(full, rel=0.02)


def test_pixels_lie_in_minus_one_to_one():
    batch = next(digits().batches(64, seed=0, start=0))
    assert batch.images.min() == -1 and batch.images.max() == 1 and batch.labels.shape == (64,)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10"])
def test_a_download_without_a_network_names_what_works(name, monkeypatch):
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # a port where nobody listens
    monkeypatch.setattr(urllib.request, "_opener", None)  # it reads the proxies once; and no later test should see ours
    with pytest.raises(UsageError, match=f"{name} could not be downloaded .* embedded sets 'digits', .*'faces'"):
        load_data(name)


def test_a_downloaded_set_is_read_and_padded(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    raw = tmp_path / "gan-playground" / "torchvision" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    images, labels = digits(image_size=28).images[:50], digits().labels[:50]
    for part in ("train", "t10k"):  # the IDX format: magic number, sizes, bytes
        header = np.array([0x803, 50, 28, 28], dtype=">i4").tobytes()
        (raw / f"{part}-images-idx3-ubyte").write_bytes(header + images.numpy().tobytes())
        header = np.array([0x801, 50], dtype=">i4").tobytes()
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(header + labels.to(torch.uint8).numpy().tobytes())
    data = load_data("mnist")
    assert torch.equal(data.images, digits().images[:50]) and torch.equal(data.labels, labels)
    assert load_data("mnist", image_size=28, channels=3).images.shape == (50, 3, 28, 28)


def test_an_unknown_data_set_names_the_nearest(tmp_path):
    with pytest.raises(UsageError, match=r"digit is neither a data set nor a folder \(did you mean 'digits'\?\)"):
        load_data("digit")
    (tmp_path / "file.txt").touch()
    with pytest.raises(UsageError, match="is a file, not a folder"):
        load_data(str(tmp_path / "file.txt"))


# ---------------------------------------------------------------------------------------------------------- protocol


@pytest.mark.parametrize("name", ["digits", "stacked_digits", "photos", "ring", "grid"])
def test_counts_that_are_listed_are_those_of_the_data(name):
    held_out = load_data(name, split="test")
    assert DATASETS[name].counts == {"train": len(load_data(name)), "test": len(held_out)}
    assert DATASETS[name].classes == len(held_out.classes or ())


def test_pictures_are_the_stored_ones_of_these_rows():
    data = digits()
    assert torch.equal(data.pictures(torch.tensor([7, 3])), data.images[[7, 3]])


def test_a_fingerprint_tells_content_and_shape_apart_and_nothing_else():
    images = torch.arange(64, dtype=torch.uint8).view(4, 1, 4, 4)
    first = ImageData("a", images)
    assert first.fingerprint == ImageData("b", images.clone(), torch.zeros(4, dtype=torch.int64)).fingerprint
    assert first.fingerprint == hashlib.sha256(b"(4, 1, 4, 4)" + bytes(range(64))).hexdigest()
    strided = ImageData("a", images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2))
    assert strided.fingerprint == first.fingerprint
    others = (images.view(1, 1, 8, 8), images.flip(0), images + 1)
    assert len({first.fingerprint, *(ImageData("a", other).fingerprint for other in others)}) == 4


def test_grey_is_weighed_as_pillow_does_and_colour_repeats_grey():
    from PIL import Image

    colours = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 3, 16, 16), dtype=np.uint8))
    theirs = np.asarray(Image.fromarray(colours[0].permute(1, 2, 0).numpy()).convert("L"))
    ours = with_channels(colours, 1)
    assert ours.shape == (1, 1, 16, 16) and np.abs(ours[0, 0].numpy().astype(int) - theirs).max() <= 1
    assert torch.equal(with_channels(ours, 3), ours.expand(1, 3, 16, 16))
    assert with_channels(colours, None) is colours and with_channels(colours, 3) is colours


def test_to_unit_range_ends():
    assert to_unit_range(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1.0, 1.0]


# ------------------------------------------------------------------------------------------------------------- order


def test_each_epoch_is_a_permutation_and_epochs_differ():
    batches = np.concatenate(take(order(10, 4, seed=0, start=0, rank=0, world=1), 5))
    first, second = batches[:10], batches[10:]
    assert sorted(first) == sorted(second) == list(range(10))
    assert list(first) != list(second)


def test_the_order_is_a_function_of_what_was_seen():
    whole = take(order(10, 4, seed=3, start=0, rank=0, world=1), 6)
    later = take(order(10, 4, seed=3, start=12, rank=0, world=1), 3)
    assert np.array_equal(whole[3:], later)


def test_ranks_share_the_joined_batch():
    joined = take(order(24, 8, seed=0, start=0, rank=0, world=1), 4)
    ranks = [take(order(24, 4, seed=0, start=0, rank=rank, world=2), 4) for rank in range(2)]
    assert np.array_equal(joined, np.concatenate(ranks, axis=1))


def test_fewer_images_than_a_batch():
    data = ImageData("few", torch.zeros(5, 1, 4, 4, dtype=torch.uint8))
    with pytest.raises(UsageError, match="There are 5 images, fewer than one batch of 8"):
        data.batches(8, seed=0, start=0)


def test_fewer_images_than_any_batch_takes():
    with pytest.raises(UsageError, match="Training takes at least 2 images; there is 1"):
        order(1, 8, seed=0, start=0, rank=0, world=1)
    with pytest.raises(UsageError, match="Training takes at least 8 images; there are 7"):
        order(7, 2, seed=0, start=0, rank=0, world=4)
    with pytest.raises(UsageError, match="take --batch_size 2 or less"):
        order(8, 4, seed=0, start=0, rank=0, world=4)


# ------------------------------------------------------------------------------------------------------------- inputs


def numbered(count, channels=1):
    """Pictures that are told apart by their grey."""
    return torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, channels, 2, 2).contiguous()


def test_paired_inputs_come_with_their_pictures():
    data = ImageData("pairs", numbered(10, channels=3), inputs=numbered(10))
    for batch, _ in zip(data.batches(4, seed=0, start=0), range(5), strict=False):
        assert batch.paired and batch.images.shape == (4, 3, 2, 2) and batch.inputs.shape == (4, 1, 2, 2)
        assert torch.equal(batch.inputs, batch.images[:, :1])


def test_unpaired_inputs_have_an_order_and_a_number_of_their_own():
    data = ImageData("sides", numbered(12), inputs=100 + numbered(8), paired=False)
    batches = [batch for batch, _ in zip(data.batches(4, seed=0, start=0), range(6), strict=False)]
    images, inputs = (torch.cat([getattr(batch, side) for batch in batches]) for side in ("images", "inputs"))
    images, inputs = (((side[:, 0, 0, 0] + 1) * 127.5).round().int() for side in (images, inputs))
    assert not any(batch.paired for batch in batches)
    assert sorted(images.tolist()) == sorted([*range(12)] * 2)  # two epochs of the one, three of the other
    assert sorted(inputs.tolist()) == sorted([*range(100, 108)] * 3)
    assert len({(image % 8) - (other - 100) for image, other in zip(images.tolist(), inputs.tolist(), strict=True)}) > 3
    later = next(data.batches(4, seed=0, start=16))
    assert torch.equal(later.images, batches[4].images) and torch.equal(later.inputs, batches[4].inputs)


def test_fewer_inputs_than_a_batch():
    data = ImageData("sides", numbered(12), inputs=numbered(3), paired=False)
    with pytest.raises(UsageError, match="There are 3 images, fewer than one batch of 4"):
        data.batches(4, seed=0, start=0)
