"""gen_1 against the document that describes it."""

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

from gan_core.layers import blueprint, parameter_count
from gan_core.recipe import RECIPES
from tests.gan_core.recipes.gen_1_document import FILE, document_output


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


def test_gen_1_computes_the_documents_formulas():
    stored = load_file(FILE)
    weights = {key.removeprefix("weights."): value for key, value in stored.items() if key.startswith("weights.")}
    generator = paper().build()["G"].eval()
    generator.load_state_dict(weights, strict=True)
    with torch.no_grad():
        assert torch.allclose(generator(stored["input"]), stored["output"], atol=1e-5, rtol=0)
    in_numpy = {key: value.numpy() for key, value in weights.items()}
    formulas = torch.from_numpy(document_output(in_numpy, stored["input"].double().numpy()))
    assert torch.allclose(formulas.float(), stored["output"], atol=1e-6, rtol=0)


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
