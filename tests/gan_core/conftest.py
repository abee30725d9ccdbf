"""Fixtures for the engine's tests: a Hub of their own, a disk that is full, models that translate."""

import contextlib
import importlib
import resource
import threading

import huggingface_hub
import pytest
from huggingface_hub import constants

from gan_core import hub as gan_core_hub
from gan_core.data import ImageData
from gan_core.examples import Examples
from gan_core.trainer import Trainer
from tests import mini_hub
from tests.families import tiny


@pytest.fixture
def full_disk():
    """For the time of a block, no file may grow beyond so many bytes."""

    @contextlib.contextmanager
    def limit(size):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limit


@pytest.fixture
def connect(tmp_path, monkeypatch):
    """Points huggingface_hub at an address, with a cache and a login of this test's own; more settings by name."""

    def settings(url, **more):
        own = {
            "HF_ENDPOINT": url,
            "HF_HOME": str(tmp_path / "hf"),
            "HF_TOKEN": mini_hub.TOKEN,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }
        for name, value in (own | more).items():
            monkeypatch.setenv(name, value)
        importlib.reload(constants)  # where the client keeps what it read from the environment
        huggingface_hub.close_session()

    monkeypatch.setattr(gan_core_hub, "_unreachable", threading.Event())
    yield settings
    monkeypatch.undo()
    importlib.reload(constants)
    huggingface_hub.close_session()


@pytest.fixture
def hub(connect):
    """An empty Hub on 127.0.0.1 that huggingface_hub talks to."""
    with mini_hub.serve() as hub:
        connect(hub.url)
        yield hub


@pytest.fixture
def untrained(noise_data):
    """Makes a model that translates, with examples."""

    def make(name="gen_1", **changes):
        recipe, _ = tiny(name, **changes)
        data = noise_data(recipe)
        five = ImageData("five", data.images[:5], inputs=None if data.inputs is None else data.inputs[:5])
        trainer = Trainer(recipe, data, examples=Examples.of(five, recipe))
        return trainer.model(dataset="batik", command="python train.py gen_1")

    return make
