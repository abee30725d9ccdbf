import copy

import pytest
import torch

import gan_core
from gan_core.recipes.biggan import Attention, ConditionalBatchNorm, off_orthogonal, truncated
from gan_core.spectral import Spectral
from gan_core.trainer import Trainer


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


def test_biggan_standing_statistics_are_those_of_the_averaged_generators_pictures(tiny, noise_data):
    recipe, _, _ = tiny("biggan")
    trainer = Trainer(recipe, noise_data(recipe))
    trainer.run(2)
    with torch.no_grad():
        for parameter in trainer.ema.nets.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    before = copy.deepcopy(trainer.ema.nets.state_dict())
    generator = trainer.model().generators["G"]
    assert all(torch.equal(value, before[key]) for key, value in trainer.ema.nets.state_dict().items())

    seen, norm = [], generator.blocks[1].norm1.norm
    norm.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    generator(truncated(torch.randn(3000, 8)), torch.arange(3000) % 3)
    means, variances = seen[0].mean((0, 2, 3)), seen[0].var((0, 2, 3))
    assert torch.allclose(norm.running_mean, means, atol=0.1 * variances.max().sqrt().item())
    assert torch.allclose(norm.running_var, variances, rtol=0.2)
    assert not torch.allclose(before["G.blocks.1.norm1.norm.running_var"], variances, rtol=0.2)

    asked = []
    many, nets, _ = tiny("biggan", num_classes=100)
    nets["G"].register_forward_pre_hook(lambda module, inputs: asked.append(inputs[1]))
    many.settle(nets)
    assert len(asked) == 16 and torch.cat(asked).unique().tolist() == list(range(100))

    kept, _, _ = tiny("biggan", standing=0)
    nets = copy.deepcopy(trainer.ema.nets)
    kept.settle(nets)
    assert all(torch.equal(value, before[key]) for key, value in nets.state_dict().items())


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


def test_attention_against_one_place_at_a_time():
    torch.manual_seed(0)
    attention, x = Attention(16).eval(), torch.randn(2, 16, 4, 4)
    torch.nn.init.constant_(attention.gamma, 0.5)
    query, key, value = (part(x) for part in (attention.query, attention.key, attention.value))
    key, value = (torch.nn.functional.max_pool2d(part, 2).flatten(2) for part in (key, value))
    expected = torch.empty(2, 8, 4, 4)
    for n in range(2):
        for row in range(4):
            for column in range(4):
                likeness = torch.stack([query[n, :, row, column] @ key[n, :, other] for other in range(4)]).exp()
                expected[n, :, row, column] = value[n] @ (likeness / likeness.sum())
    assert torch.allclose(attention(x), x + 0.5 * attention.out(expected), atol=1e-5)


def test_biggan_draws_from_the_truncated_normal(tiny):
    recipe, nets, batch = tiny("biggan")
    nets.eval()
    z = 3 * torch.randn(8, 8)
    expected = nets["G"](0.5 * truncated(z), batch.labels)
    assert torch.equal(recipe.decode(nets, z, batch.labels, truncation=0.5), expected)


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
    weights = [p for name, p in nets["G"].named_parameters() if p.ndim > 1 and name != "shared.weight"]
    with torch.no_grad():
        for weight in weights:
            weight.normal_()
    expected = 1e-4 * sum(off_orthogonal(weight).item() for weight in weights)
    assert recipe.losses("g", nets, batch, 0)["orthogonal"].item() == pytest.approx(expected, rel=1e-4)
    assert "orthogonal" not in recipe.losses("d", nets, batch, 0)
