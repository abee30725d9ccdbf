"""Stacked digits: three real digits in three channels, their labels, and no digit in both splits."""

import pytest
import torch

from gan_core.data import load_data
from gan_core.data.digits import digits
from gan_core.data.stacked import stack
from gan_core.errors import UsageError

SIZES = {"train": 20_000, "test": 5_000}


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_channel_is_a_digit_of_its_split_and_the_label_names_the_three(split):
    data, single = load_data("stacked_digits", split=split), digits(split)
    assert data.images.shape == (SIZES[split], 3, 32, 32) and data.images.dtype == torch.uint8
    label_of = {image.numpy().tobytes(): int(label) for image, label in zip(single.images, single.labels, strict=True)}
    for image, label in zip(data.images[::50], data.labels[::50], strict=True):
        red, green, blue = (label_of[channel.numpy().tobytes()] for channel in image)
        assert int(label) == 100 * red + 10 * green + blue
        assert data.classes[label] == f"{red}{green}{blue}"


def test_the_training_split_has_every_mode_about_equally_often():
    counts = load_data("stacked_digits").labels.bincount(minlength=1000).double()
    assert counts.min() > 0
    assert counts.var().item() == pytest.approx(20, rel=0.25)  # as of a Poisson draw


def test_a_draw_follows_from_its_seed():
    single = digits("test")
    assert torch.equal(stack(single, 20, seed=0).images, stack(single, 20, seed=0).images)
    assert not torch.equal(stack(single, 20, seed=0).images, stack(single, 20, seed=1).images)


def test_other_sizes_and_other_channels():
    assert load_data("stacked_digits", image_size=16, split="test").images.shape == (5_000, 3, 16, 16)
    with pytest.raises(UsageError, match="channels is 1; stacked_digits takes 3"):
        load_data("stacked_digits", channels=1)
