"""gen_1 as its document writes it down, in NumPy and float64: layer names, shapes and formulas, none of our code.

`python -m tests.gan_core.recipes.gen_1_document` wrote the file that the tests hold against gen_1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from safetensors.numpy import save_file

FILE = Path(__file__).resolve().parents[2] / "golden" / "gen_1-document.safetensors"
FEATURES, RESIDUAL_BLOCKS, EPSILON = 64, 6, 1e-5
Array = np.ndarray[Any, Any]


def document_weights(random: np.random.Generator) -> dict[str, Array]:
    """By the document's names: convolutions that keep a signal's size, normalisations that do something."""

    def conv(name: str, c_in: int, c_out: int, kernel: int) -> dict[str, Array]:
        weight = random.normal(0, np.sqrt(2 / (c_in * kernel**2)), (c_out, c_in, kernel, kernel))
        return {f"{name}.weight": weight, f"{name}.bias": random.normal(0, 0.1, c_out)}

    def norm(name: str) -> dict[str, Array]:
        return {
            f"{name}.weight": random.uniform(0.3, 1.0, FEATURES),
            f"{name}.bias": random.normal(0, 0.1, FEATURES),
            f"{name}.running_mean": random.normal(0, 0.2, FEATURES),
            f"{name}.running_var": random.uniform(0.5, 2.0, FEATURES),
            f"{name}.num_batches_tracked": np.array(1),
        }

    weights = conv("conv1", 1, FEATURES, 7) | norm("bn1") | conv("conv2", FEATURES, 3, 7)
    for k in range(RESIDUAL_BLOCKS):
        for layer in "12":
            weights |= conv(f"res_blocks.{k}.conv{layer}", FEATURES, FEATURES, 3) | norm(f"res_blocks.{k}.bn{layer}")
    return weights


def document_output(weights: dict[str, Array], x: Array) -> Array:
    """The document's forward pass on x [N, 1, H, W], normalising by what was measured in training: [N, 3, H, W]."""

    def conv(name: str, x: Array) -> Array:
        weight, bias = weights[f"{name}.weight"].astype(float), weights[f"{name}.bias"].astype(float)
        kernel = weight.shape[-1]
        padded = np.pad(x, ((0, 0), (0, 0), (kernel // 2,) * 2, (kernel // 2,) * 2))
        windows = sliding_window_view(padded, (kernel, kernel), axis=(2, 3))
        y: Array = np.einsum("nihwkl,oikl->nohw", windows, weight, optimize=True) + bias[:, None, None]
        return y

    def norm(name: str, x: Array) -> Array:
        scale, shift, mean, var = (
            weights[f"{name}.{part}"].astype(float)[:, None, None]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        y: Array = (x - mean) / np.sqrt(var + EPSILON) * scale + shift
        return y

    x = np.maximum(norm("bn1", conv("conv1", x)), 0)
    for k in range(RESIDUAL_BLOCKS):
        block = f"res_blocks.{k}"
        y = np.maximum(norm(f"{block}.bn1", conv(f"{block}.conv1", x)), 0)
        x = np.maximum(x + norm(f"{block}.bn2", conv(f"{block}.conv2", y)), 0)
    return np.tanh(conv("conv2", x))


def main() -> None:
    random = np.random.default_rng(0)
    weights = {
        key: value.astype(np.float16 if value.ndim else np.int64) for key, value in document_weights(random).items()
    }
    x = random.uniform(-1, 1, (1, 1, 20, 16)).astype(np.float32)
    y = document_output(weights, x.astype(float)).astype(np.float32)
    save_file({f"weights.{key}": value for key, value in weights.items()} | {"input": x, "output": y}, FILE)


if __name__ == "__main__":
    main()
