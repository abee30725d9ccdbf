"""gen_1 against the document that describes it."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gan_core.layers import blueprint, parameter_count
from gan_core.recipe import RECIPES


def paper():
    return RECIPES["gen_1"](RECIPES["gen_1"].Config.paper())


def test_gen_1_at_the_documents_size():
    with blueprint():
        nets = paper().build()
    assert (parameter_count(nets["G"]), parameter_count(nets["D"])) == (457_411, 136_385)
    block = {f"{layer}.{part}" for layer in ("conv1", "conv2") for part in ("weight", "bias")}
    norms = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    block |= {f"{layer}.{part}" for layer in ("bn1", "bn2") for part in norms}
    keys = {f"res_blocks.{k}.{key}" for k in range(6) for key in block}
    keys |= {f"{layer}.{part}" for layer in ("conv1", "conv2") for part in ("weight", "bias")}
    keys |= {f"bn1.{part}" for part in norms}
    assert set(nets["G"].state_dict()) == keys
    assert set(nets["D"].state_dict()) == {f"model.{k}.{part}" for k in (0, 2, 4) for part in ("weight", "bias")}


def drawn_by_the_document(weights, x):
    """The document's forward pass, from its formulas: batch normalisation by what was measured in training."""

    def conv(name, x, padding):
        return F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=padding)

    def norm(name, x):
        mean, var, scale, shift = (
            weights[f"{name}.{part}"].view(1, -1, 1, 1) for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (var + 1e-5).sqrt() * scale + shift

    x = norm("bn1", conv("conv1", x, 3)).clamp(min=0)
    for k in range(6):
        at = f"res_blocks.{k}"
        y = norm(f"{at}.bn1", conv(f"{at}.conv1", x, 1)).clamp(min=0)
        x = (x + norm(f"{at}.bn2", conv(f"{at}.conv2", y, 1))).clamp(min=0)
    return conv("conv2", x, 3).tanh()


def test_gen_1_computes_the_documents_formulas():
    torch.manual_seed(0)
    generator = paper().build()["G"].eval()
    weights = {
        key: value.abs() + 0.5 if key.endswith("var") else value
        for key, value in ((key, 0.1 * torch.randn(value.shape)) for key, value in generator.state_dict().items())
    } | {key: torch.tensor(1) for key in generator.state_dict() if key.endswith("tracked")}
    generator.load_state_dict(weights, strict=True)
    x = torch.randn(2, 1, 24, 20)
    with torch.no_grad():
        assert torch.allclose(generator(x), drawn_by_the_document(weights, x), atol=1e-5)


def test_gen_1s_critic_gives_the_63_by_63_patches_that_the_document_speaks_of():
    critic = paper().build()["D"]
    images = torch.randn(1, 3, 256, 256)
    layers = [layer for layer in critic.model if isinstance(layer, nn.Conv2d)]
    expected = F.leaky_relu(layers[0](images), 0.2)
    expected = layers[2](F.leaky_relu(layers[1](expected), 0.2))
    with torch.no_grad():
        assert critic(images).shape == (1, 1, 63, 63) and torch.equal(critic(images), expected)


def test_a_pixel_is_coloured_by_the_37_by_37_around_it():
    recipe = RECIPES["gen_1"](RECIPES["gen_1"].Config(image_size=64, channels=3, input_channels=1, width=4))
    torch.manual_seed(0)
    generator = recipe.build()["G"].eval().double()
    x = torch.randn(1, 1, 64, 64, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(generator(x)[0, :, 32, 32].sum(), x)
    rows, columns = gradient[0, 0].nonzero().unbind(1)
    reach = 37 // 2
    assert rows.min() >= 32 - reach and rows.max() <= 32 + reach
    assert rows.min() == columns.min() == 32 - reach and rows.max() == columns.max() == 32 + reach


def test_gen_1s_losses(tiny):
    recipe, nets, batch = tiny("gen_1", flip=False)
    terms = recipe.losses("g", nets, batch, 0)
    with torch.no_grad():
        fakes = nets["G"](batch.inputs)
        assert terms["l1"].item() == pytest.approx(100 * (fakes - batch.images).abs().mean().item(), rel=1e-3)
        logits = nets["D"](fakes)
    assert terms["adversarial"].item() == pytest.approx(-logits.sigmoid().log().mean().item(), rel=1e-3)
    terms = recipe.losses("d", nets, batch, 0)
    with torch.no_grad():
        real = nets["D"](batch.images)
    assert terms["real"].item() == pytest.approx(-real.sigmoid().log().mean().item() / 2, rel=1e-3)
    assert terms["fake"].item() == pytest.approx(-(1 - logits.sigmoid()).log().mean().item() / 2, rel=1e-2)
