"""DiffAugment against what each step should do to a known picture, and its gradients."""

import pytest
import torch

from gan_core.augment import STEPS, augment, color, cutout, translation
from gan_core.fields import fields_of
from gan_core.noise import NoiseConfig


@pytest.fixture(autouse=True)
def one_seed():
    torch.manual_seed(0)


def test_every_subset_of_the_steps_is_a_policy():
    choices = next(field.choices for field in fields_of(NoiseConfig) if field.name == "augment")
    assert len(set(choices)) == 2 ** len(STEPS)
    for policy in set(choices) - {"none"}:
        steps = policy.split(",")
        assert steps == [step for step in STEPS if step in steps], policy


def test_none_is_the_picture_itself():
    images = torch.rand(2, 3, 8, 8)
    assert augment(images, "none") is images


@pytest.mark.parametrize("channels", [1, 3])
def test_color_keeps_what_it_says(channels):
    images = torch.rand(2000, channels, 4, 4) * 2 - 1
    changed = color(images)
    shift = changed.mean((1, 2, 3)) - images.mean((1, 2, 3))  # saturation and contrast turn around the mean
    assert shift.abs().max() <= 0.5 + 1e-5 and shift.std().item() == pytest.approx(1 / 12**0.5, rel=0.1)
    grey, grey_before = changed.mean(1), images.mean(1)
    contrast = grey.flatten(1).std(1) / grey_before.flatten(1).std(1)
    assert 0.5 - 1e-4 <= contrast.min() < 0.55 and 1.45 < contrast.max() <= 1.5 + 1e-4


def test_color_scales_what_sets_channels_apart_by_up_to_two():
    images = torch.rand(2000, 3, 4, 4) * 2 - 1

    def colourful(x):
        return (x - x.mean(1, keepdim=True)).flatten(1).norm(dim=1)

    def bright(x):
        return x.mean(1).flatten(1).std(1)

    changed = color(images)
    saturation = colourful(changed) / colourful(images) / (bright(changed) / bright(images))  # without the contrast
    assert torch.histc(saturation, 4, 0, 2).div(2000).sub(0.25).abs().max() < 0.04 and saturation.max() <= 2 + 1e-4


def test_translation_moves_every_picture_by_itself_and_lets_zeros_in():
    images = torch.arange(1.0, 257).reshape(1, 1, 16, 16).repeat(300, 1, 1, 1)
    seen = set()
    for picture in translation(images)[:, 0]:
        row, column = divmod(int(picture[8, 8]) - 1, 16)
        down, right = 8 - row, 8 - column
        seen.add((down, right))
        expected = torch.zeros(16, 16)
        target = expected[max(down, 0) : 16 + min(down, 0), max(right, 0) : 16 + min(right, 0)]
        target.copy_(images[0, 0, max(-down, 0) : 16 - max(down, 0), max(-right, 0) : 16 - max(right, 0)])
        assert torch.equal(picture, expected)
    assert seen == {(y, x) for y in range(-2, 3) for x in range(-2, 3)}  # an eighth of 16


def test_cutout_is_a_square_of_half_the_side_whose_centre_lies_anywhere():
    kept = cutout(torch.ones(500, 1, 16, 16))[:, 0]
    assert set(kept.unique().tolist()) == {0.0, 1.0}
    gone = 1 - kept
    heights, widths = gone.amax(2).sum(1), gone.amax(1).sum(1)
    assert torch.equal(gone.sum((1, 2)), heights * widths)  # rectangles: squares, cut off by the border
    assert heights.max() == widths.max() == 8 and heights.min() == widths.min() == 4
    assert (gone.mean(0) > 0.02).all()  # no pixel is safe


def test_gradients_flow_through_all_steps_and_pictures_stay_apart():
    images = torch.rand(4, 3, 16, 16, requires_grad=True)
    augment(images, "color,translation,cutout")[1].sum().backward()
    assert images.grad[1].abs().sum() > 0
    assert not images.grad[[0, 2, 3]].any()
