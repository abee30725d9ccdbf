"""Generators leave PyTorch: exported to ONNX, they draw the same pictures."""

import sys

import numpy as np
import pytest
import torch

import gan_core
from gan_core.cli import main
from gan_core.errors import UsageError
from gan_core.export import Drawing, export, parts, refuse_unlike
from gan_core.recipe import RECIPES
from tests.families import TRANSLATION
from tests.tabs.tiny import tiny_model, tiny_translator

CLASSES = {"cgan": 3, "biggan": 3}


def shaken(name):
    """A tiny model whose weights are none that hide a mistake, such as zeros."""
    classes = tuple("abc")[: RECIPES[name].Config.tiny().num_classes] if name in CLASSES else None
    model = tiny_translator(name) if name in TRANSLATION else tiny_model(name, classes)
    with torch.no_grad():
        for parameter in model.generators.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


@pytest.mark.slow
@pytest.mark.parametrize("name", gan_core.list_recipes())
def test_a_generator_exports_to_onnx_and_equals_torch(name, tmp_path):
    import onnxruntime  # takes a second

    model, path = shaken(name), tmp_path / f"{name}.onnx"
    inputs = export(model, path)  # itself compares, on other numbers
    session = onnxruntime.InferenceSession(path)
    module, given = parts(model, None)
    assert list(inputs) == list(given)
    generator = torch.Generator().manual_seed(5)
    feeds = {}
    for label, value in given.items():
        sides = [2 * side if k >= 2 else side for k, side in enumerate(value.shape[1:], start=1)]
        shape = (5, *sides)  # more pictures, of twice the side where there is one
        feeds[label] = torch.arange(5) % 2 if value.dtype == torch.int64 else torch.randn(shape, generator=generator)
    (drawn,) = session.run(None, {label: value.numpy() for label, value in feeds.items()})
    with torch.no_grad():
        assert np.allclose(drawn, module(**feeds).numpy(), atol=1e-4)


@pytest.mark.slow
def test_a_model_that_samples_is_exported_as_it_samples(tmp_path):
    """simple_gan: its pixels are mapped to [-1, 1] outside of its network."""
    import onnxruntime

    model = gan_core.load("weights/simple_gan-digits")
    assert "z" in export(model, tmp_path / "m.onnx")
    z = gan_core.latent.latents(3, 4, model.latent_dim)
    (drawn,) = onnxruntime.InferenceSession(tmp_path / "m.onnx").run(None, {"z": z.numpy()})
    assert np.allclose(drawn, model.sample(4, seed=3).numpy(), atol=1e-4)


def test_a_network_that_draws_otherwise_is_refused(tmp_path):
    model = shaken("simple_gan")
    export(model, tmp_path / "m.onnx")
    module, given = parts(model, None)
    assert isinstance(module, Drawing)
    with torch.no_grad():
        next(iter(module.parameters())).add_(0.5)
    with pytest.raises(UsageError, match="draws other pictures: they differ by"):
        refuse_unlike(tmp_path / "m.onnx", module, given)


def test_what_draws_otherwise_is_not_written(tmp_path, monkeypatch):
    (tmp_path / "m.onnx").write_text("of before")
    monkeypatch.setattr("gan_core.export.TOLERANCE", -1)
    with pytest.raises(UsageError, match="draws other pictures"):
        export(shaken("simple_gan"), tmp_path / "m.onnx")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["of before"]


def test_the_generator_that_is_asked_for_is_exported():
    model = tiny_translator("cyclegan")
    for name in ("G_ab", "G_ba"):
        assert parts(model, name)[0] is model.generators[name]


def test_what_does_not_fit_is_one_sentence(tmp_path, capsys, monkeypatch):
    def said(*words):
        with pytest.raises(SystemExit) as end:
            main(["export", *map(str, words)])
        assert end.value.code == 2
        return capsys.readouterr().err

    model = "weights/simple_gan-digits"
    assert "takes the name of an .onnx file" in said(model, tmp_path / "m.pt")
    assert "There is no folder" in said(model, tmp_path / "none" / "m.onnx")
    with pytest.raises(UsageError, match="no generator 'G_c' .did you mean 'G_ba'|no generator 'G_c' .there are"):
        export(tiny_translator("cyclegan"), tmp_path / "m.onnx", "G_c")
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    assert "onnxscript is not installed; exporting takes: pip install onnx" in said(model, tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())
