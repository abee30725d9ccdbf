"""A model's generator as an ONNX file, for programs that have no PyTorch: browsers, phones, other languages."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from gan_core.atomic import replacing
from gan_core.errors import UsageError
from gan_core.model import Model
from gan_core.noise import NoiseRecipe
from gan_core.recipe import nearest
from gan_core.translation import TranslationRecipe

TOLERANCE = 1e-4  # of pictures in [-1, 1]
INSTALL = "pip install onnx onnxscript onnxruntime"
VARYING = {0: "N", 2: "H", 3: "W"}  # dimensions whose length is the caller's
TALKATIVE = ("torch.onnx", "onnxscript", "onnx_ir")
Named = dict[str, Tensor]


class Drawing(nn.Module):
    """Latents z [N, latent_dim], of a conditional model also labels [N], to pictures in [-1, 1].

    A recipe that cuts its latents is given them cut, for ONNX knows no quantiles.
    """

    def __init__(self, recipe: NoiseRecipe, generators: nn.ModuleDict, controls: dict[str, float]) -> None:
        super().__init__()
        self.recipe, self.generators, self.controls = recipe, generators, controls

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        decode = NoiseRecipe.decode if self.recipe.cuts_latents else type(self.recipe).decode
        return decode(self.recipe, self.generators, z, labels, **self.controls).clamp(-1, 1)


def export(model: Model, path: Path, generator: str | None = None) -> dict[str, list[int | str]]:
    """Writes a generator as ONNX, once it has drawn the same pictures in onnxruntime as here.

    Of a model that draws from noise, everything from z to pixels, its controls as it was trained (only z of a biggan is
    to be cut to [-2, 2] before); of one that translates, the network from inputs to pictures (an srgan's go a little
    beyond [-1, 1] at bright and dark edges). Any number of pictures goes in, and inputs of any size that the network
    takes.

    Args:
        model: Any.
        path: Where to; a file that is there is replaced.
        generator: Which, of a model with several; by default the first.

    Returns:
        Names of the inputs and their shapes, a name standing for a side that may vary.

    Raises:
        UsageError: ONNX is not installed, there is no such generator, or the pictures differ.
    """
    refuse_missing()
    module, given = parts(model, generator)
    varying = {name: {k: VARYING[k] for k in VARYING if k < value.ndim} for name, value in given.items()}
    with torch.no_grad(), quietly():
        program = torch.onnx.export(
            module, kwargs=given, dynamo=True, dynamic_shapes=varying, input_names=list(given),
            output_names=["images"], verbose=False,
        )  # fmt: skip
    assert program is not None
    with replacing(path) as file:
        file.write(program.model_proto.SerializeToString())
        file.flush()
        refuse_unlike(Path(file.name), module, given)
    import onnx

    inputs = onnx.load(path).graph.input
    return {
        node.name: [side.dim_value or side.dim_param for side in node.type.tensor_type.shape.dim] for node in inputs
    }


def refuse_missing() -> None:
    """Raises `UsageError` if what writes and runs ONNX is not installed."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # type: ignore[import-untyped]  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise UsageError(f"{error.name} is not installed; exporting takes: {INSTALL}.") from None


def parts(model: Model, generator: str | None) -> tuple[nn.Module, Named]:
    """What is exported, and something for it to draw."""
    names = list(model.generators)
    if generator is not None and generator not in names:
        raise UsageError(f"A {model.recipe.name} model has no generator {generator!r}{nearest(generator, names)}.")
    recipe, random = model.recipe, torch.Generator().manual_seed(0)
    if isinstance(recipe, NoiseRecipe):
        given = {"z": torch.randn(3, model.latent_dim, generator=random)}
        if model.classes is not None:
            given["labels"] = torch.arange(3) % len(model.classes)
        as_trained = {control.name: control.default for control in model.controls}
        return Drawing(recipe, model.generators, as_trained).eval(), given
    assert isinstance(recipe, TranslationRecipe)
    return model.generators[generator or names[0]].eval(), recipe.arguments(3, random)


def refuse_unlike(path: Path, module: nn.Module, given: Named) -> None:
    """Raises `UsageError` if the file does not draw what the module draws."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    (drawn,) = session.run(None, {name: value.numpy() for name, value in given.items()})
    with torch.no_grad():
        difference = float(np.abs(drawn - module(**given).numpy()).max())
    if not difference <= TOLERANCE:
        raise UsageError(f"The exported network draws other pictures: they differ by {difference:.2g} of [-1, 1].")


@contextmanager
def quietly() -> Iterator[None]:
    """The exporter tells of every step."""
    loggers = [logging.getLogger(name) for name in TALKATIVE]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
