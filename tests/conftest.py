"""Fixtures for all tests: a cache and a runs folder of their own, and two threads."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # tests, servers and trainers share two cores; before torch
import torch

from gan_core.data import ImageData
from gan_core.translation import TranslationRecipe

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session", autouse=True)
def two_threads():
    torch.set_num_threads(2)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    patch.setenv("OMP_NUM_THREADS", "2")
    for name in ("SPACE_ID", "GAN_PLAYGROUND_PUBLIC", "WORLD_SIZE"):
        patch.delenv(name, raising=False)
    yield
    patch.undo()


@pytest.fixture
def nothing_bundled(tmp_path, monkeypatch):
    """An installation without models, whatever lies in weights/ and in the Hub cache."""
    monkeypatch.setattr("gan_core.library.project_folder", lambda: tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def light():
    """Starts `python -c` for modules of gan_core that need no torch: without the package's own imports, it is quick."""
    package = "import sys, types; package = sys.modules['gan_core'] = types.ModuleType('gan_core')\n"

    def start(code):
        words = [sys.executable, "-c", f"{package}package.__path__ = ['{ROOT / 'gan_core'}']\n{code}"]
        return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)

    return start


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """An empty runs folder, where runs of this test go."""
    folder = tmp_path / "runs"
    monkeypatch.setenv("GAN_PLAYGROUND_RUNS", str(folder))
    return folder


@pytest.fixture
def noise_data():
    """Makes 40 images of noise that fit a recipe, in as many classes as it tells apart."""

    def make(recipe):
        channels, size = recipe.config.image_shape
        generator = torch.Generator().manual_seed(0)
        images = torch.randint(0, 256, (40, channels, size, size), dtype=torch.uint8, generator=generator)
        if isinstance(recipe, TranslationRecipe) and not recipe.makes_inputs:
            shape = (40, recipe.config.channels_in, size, size)
            inputs = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
            return ImageData("noise", images, inputs=inputs, paired=recipe.pairs)
        if recipe.num_classes is None:
            return ImageData("noise", images)
        names = tuple(f"class {k}" for k in range(recipe.num_classes))
        return ImageData("noise", images, torch.arange(40) % recipe.num_classes, names)

    return make


@pytest.fixture
def free_port():
    """Finds a TCP port of 127.0.0.1 that nobody listens on."""

    def find():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    return find
