"""Fixtures for the engine's tests: a Hub of their own."""

import importlib
import threading

import huggingface_hub
import pytest
from huggingface_hub import constants

from gan_core import hub as gan_core_hub
from tests import mini_hub


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
