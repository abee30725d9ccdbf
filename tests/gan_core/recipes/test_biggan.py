import pytest
import torch

import gan_core
from gan_core.recipes.biggan import (
    Attention,
    ConditionalBatchNorm,
    Spectral,
    SpectralConv2d,
    SpectralLinear,
    off_orthogonal,
    truncated,
)


def test_spectral_norm_divides_by_the_largest_singular_value():
    torch.manual_seed(0)
    layer = SpectralConv2d(5, 7, 3)
    with torch.no_grad():
        layer.weight.normal_(0, 3)
    for _ in range(200):
        layer.normalised()
    largest = torch.linalg.matrix_norm(layer.normalised().flatten(1), 2)
    assert largest.item() == pytest.approx(1.0, abs=1e-3)


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


def test_biggan_all_weights_but_the_shared_vectors_are_normalised_and_orthogonal_at_first():
    nets = gan_core.create("biggan", image_size=32, channels=1, num_classes=10).build()
    weighty = {name for name, module in nets.named_modules() if getattr(module, "weight", None) is not None}
    plain = {name for name, module in nets.named_modules() if name in weighty and not isinstance(module, Spectral)}
    assert plain == {"G.shared", "G.to_image.0"}
    for module in nets.modules():
        if isinstance(module, Spectral):
            rows = module.weight.flatten(1)
            rows = rows if len(rows) <= rows.shape[1] else rows.T
            assert torch.allclose(rows @ rows.T, torch.eye(len(rows)), atol=1e-5)


def test_conditional_batch_norm_scales_around_one_by_class_and_chunk():
    torch.manual_seed(0)
    norm = ConditionalBatchNorm(3, 4).eval()
    x, condition = torch.randn(2, 3, 4, 4), torch.randn(2, 4)
    scale = 1 + condition @ norm.scale.normalised().T
    shift = condition @ norm.shift.normalised().T
    expected = x / (1 + 1e-5) ** 0.5 * scale[:, :, None, None] + shift[:, :, None, None]
    assert torch.allclose(norm(x, condition), expected, atol=1e-5)


def test_biggan_every_block_listens_to_the_class_and_to_its_own_chunk(tiny):
    _, nets, _ = tiny("biggan")
    generator = nets["G"].eval()
    seen = []
    for block in generator.blocks:
        block.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[1]))
    z, label = torch.arange(8.0)[None], torch.tensor([2])
    generator(z, label)
    assert [condition[0, :4].equal(generator.shared.weight[2]) for condition in seen] == [True, True]
    assert [condition[0, 4:].tolist() for condition in seen] == [[3.0, 4.0, 5.0], [6.0, 7.0]]


def test_biggan_discriminator_adds_the_product_of_class_and_features(tiny):
    recipe, nets, batch = tiny("biggan")
    critic = nets["D"].eval()
    features = critic.blocks(batch.images).relu().sum((2, 3))
    vectors = critic.label.normalised()[batch.labels]
    expected = critic.to_score(features).flatten() + (vectors * features).sum(1)
    assert torch.allclose(recipe.score(nets, batch.images, batch.labels), expected, atol=1e-5)


def test_attention_starts_at_zero_and_gathers_a_weighted_mean():
    torch.manual_seed(0)
    attention, x = Attention(8), torch.randn(2, 8, 4, 4)
    assert torch.equal(attention(x), x)
    with torch.no_grad():
        attention.gamma.fill_(1.0)
        attention.query.weight.zero_()  # every place gathers the same: the mean of the values
    attention.query.u, attention.query.v = torch.ones(1), torch.ones(8)
    attention.query.normalised = lambda: torch.zeros_like(attention.query.weight)
    gathered = (attention(x) - x).flatten(2)
    assert torch.allclose(gathered, gathered[:, :, :1].expand_as(gathered), atol=1e-5)


def test_biggan_attention_sits_at_the_side_that_is_asked_for():
    for side, count in ((16, 2), (0, 0)):
        nets = gan_core.create("biggan", image_size=32, channels=1, num_classes=3, attention=side).build()
        shapes = []
        for module in nets.modules():
            if isinstance(module, Attention):
                module.register_forward_pre_hook(lambda module, inputs, to=shapes: to.append(inputs[0].shape[-1]))
        images = nets["G"].eval()(torch.randn(1, 64), torch.tensor([0]))
        nets["D"].eval()(images, torch.tensor([[0]]))
        assert shapes == [side] * count
    with pytest.raises(gan_core.UsageError, match="attention is 12; at 32 pixels it takes 0, 8, 16, 32"):
        gan_core.create("biggan", image_size=32, attention=12)


def test_truncated_latents_have_the_quantiles_of_the_truncated_normal():
    z = torch.randn(200_000, generator=torch.Generator().manual_seed(0))
    t = truncated(z)
    assert t.abs().max() <= 2 and (t[z.argsort()].diff() >= 0).all()
    assert truncated(torch.zeros(1)).abs().item() < 1e-6
    assert t.var().item() == pytest.approx(0.7737, abs=0.01)  # 1 - 4 phi(2) / (Phi(2) - Phi(-2))


def test_orthogonal_regularisation_is_zero_for_orthogonal_rows_only():
    assert off_orthogonal(torch.diag(torch.tensor([2.0, 3.0]))).item() == 0
    assert off_orthogonal(torch.ones(2, 3)).item() == 2 * 3**2


def test_biggan_orthogonal_regularisation_is_the_generators(tiny):
    recipe, nets, batch = tiny("biggan", orthogonal=1e-4)
    assert "orthogonal" in recipe.losses("g", nets, batch, 0)
    assert "orthogonal" not in recipe.losses("d", nets, batch, 0)
