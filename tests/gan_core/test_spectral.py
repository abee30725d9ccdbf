"""Spectral normalisation against the singular values that torch finds."""

import pytest
import torch

from gan_core.spectral import SpectralConv2d, SpectralLinear


def test_spectral_norm_divides_by_the_largest_singular_value():
    torch.manual_seed(0)
    layer = SpectralConv2d(5, 7, 3)
    with torch.no_grad():
        layer.weight.normal_(0, 3)
    for _ in range(200):
        layer.normalised()
    largest = torch.linalg.matrix_norm(layer.normalised().flatten(1), 2)
    assert largest.item() == pytest.approx(1.0, abs=1e-3)


def test_the_gradient_flows_through_the_singular_value_too():
    torch.manual_seed(0)
    layer, direction = SpectralLinear(5, 4), torch.randn(4, 5)
    with torch.no_grad():
        layer.weight.normal_(0, 3)
    for _ in range(300):
        layer.normalised()
    found = torch.autograd.grad((layer.normalised() * direction).sum(), layer.weight)[0]
    weight = layer.weight.detach().requires_grad_()
    expected = torch.autograd.grad((weight / torch.linalg.matrix_norm(weight, 2) * direction).sum(), weight)[0]
    assert torch.allclose(found, expected, atol=1e-4)


def test_spectral_norm_iterates_in_training_only_but_always_divides():
    torch.manual_seed(0)
    layer = SpectralLinear(4, 3)
    with torch.no_grad():
        layer.weight.normal_(0, 3)
    x = torch.randn(2, 4)
    first = layer.eval()(x)
    assert torch.equal(layer(x), first) and not torch.allclose(first, torch.nn.functional.linear(x, layer.weight))
    before = layer.u.clone()
    layer.train()(x)
    assert not torch.equal(layer.u, before)


def test_two_forwards_before_a_backward_do_not_disturb_the_singular_vectors():
    torch.manual_seed(0)
    layer, x = SpectralLinear(4, 3), torch.randn(2, 4)
    with torch.no_grad():
        layer.weight.normal_(0, 3)
    u, v = layer.u, layer.v
    one = layer(x)
    expected = torch.autograd.grad(one.square().sum(), layer.weight)[0]
    layer.u, layer.v = u, v
    one, _ = layer(x), layer(x)
    assert torch.equal(torch.autograd.grad(one.square().sum(), layer.weight)[0], expected)
