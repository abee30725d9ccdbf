"""Generators leave PyTorch: exported to ONNX, they draw the same pictures."""

import numpy as np
import pytest
import torch

import gan_core
from gan_core.recipe import RECIPES
from tests.families import TRANSLATION


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", gan_core.list_recipes())
def test_a_generator_exports_to_onnx_and_equals_torch(name, tmp_path):
    import onnxruntime  # takes a second

    recipe = RECIPES[name](RECIPES[name].Config.tiny())
    torch.manual_seed(0)
    generator = recipe.build()[recipe.generators[0]].eval()
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    if name in TRANSLATION:
        size = recipe.config.image_size
        given = [torch.randn(3, recipe.config.channels_in, size, size)]
        given += [torch.randn(3, recipe.config.width, size, size)] if name == "gen_3" else []
    else:
        given = [torch.randn(3, recipe.config.latent_dim)]
    if recipe.num_classes is not None:
        given.append(torch.tensor([0, 1, 2]))
    path = tmp_path / f"{name}.onnx"
    torch.onnx.export(generator, tuple(given), path, dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession(path)
    feeds = {node.name: value.numpy() for node, value in zip(session.get_inputs(), given, strict=True)}
    (drawn,) = session.run(None, feeds)
    with torch.no_grad():
        assert np.allclose(drawn, generator(*given).numpy(), atol=1e-4)
