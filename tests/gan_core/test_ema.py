"""The averaged generator."""

import pytest
import torch
from torch import nn

from gan_core.ema import EMA


def net(value):
    module = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1))
    nn.init.constant_(module[0].weight, value)
    return nn.ModuleDict({"G": module})


def test_a_half_life_halves_the_distance():
    ema, nets = EMA(net(0.0), half_life=100), net(1.0)
    ema.update(nets, images=100, images_seen=1_000_000)
    assert ema.nets["G"][0].weight.item() == pytest.approx(0.5)
    ema.update(nets, images=50, images_seen=1_000_000)
    assert ema.nets["G"][0].weight.item() == pytest.approx(1 - 0.5 * 0.5**0.5)


def test_the_ramp_up_forgets_first_weights():
    ema = EMA(net(0.0), half_life=10_000)
    assert ema.beta(64, images_seen=64) == pytest.approx(0.5 ** (64 / 3.2))
    assert ema.beta(64, images_seen=10**9) == pytest.approx(0.5 ** (64 / 10_000))


def test_zero_half_life_follows():
    ema = EMA(net(0.0), half_life=0)
    ema.update(net(3.0), images=1, images_seen=1)
    assert ema.nets["G"][0].weight.item() == 3.0


def test_batch_norm_buffers_are_copied_not_interpolated():
    ema, nets = EMA(net(0.0), half_life=10_000), net(1.0)
    nets["G"][1].running_mean.fill_(5.0)
    nets["G"][1].num_batches_tracked.fill_(7)
    ema.update(nets, images=1, images_seen=10**9)
    assert ema.nets["G"][1].running_mean.item() == 5.0
    assert ema.nets["G"][1].num_batches_tracked.item() == 7


def test_the_average_is_a_copy_in_eval_mode_without_gradients():
    nets = net(1.0)
    ema = EMA(nets, half_life=1)
    assert not ema.nets.training and not any(p.requires_grad for p in ema.nets.parameters())
    assert ema.nets["G"][0].weight.data_ptr() != nets["G"][0].weight.data_ptr()
    assert torch.equal(ema.nets["G"][0].weight, nets["G"][0].weight)
