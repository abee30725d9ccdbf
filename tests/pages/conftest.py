"""Pages are opened the way a link opens them: through the navigation, with a query."""

import io
import os
import signal
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from gan_core import create
from gan_core.model import Model
from gan_core.runs import LIVE, find_run, list_runs
from tests.gan_core.conftest import connect, hub  # noqa: F401  fixtures

NAVIGATION = Path(__file__).parents[2] / "pages" / "navigation.py"


def zipped(files):
    """A zip of files by name."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def picture(seed):
    """A PNG of noise, 30 by 20 pixels in colour."""
    pixels = np.random.default_rng(seed).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


@pytest.fixture
def open_page(runs):
    """Opens a page in a session of its own; nothing may be raised on it."""

    def open_(page, **query):
        at = AppTest.from_file(NAVIGATION, default_timeout=30)
        at.switch_page(page)  # before the first run it is found by its file's name, so that must be its path, too
        at.query_params.update(query)
        at.run()
        assert not at.exception, at.exception
        return at

    return open_


@pytest.fixture
def trained(runs):
    """A run folder that holds nothing but a tiny, untrained model."""
    recipe = create("gan", image_size=16, channels=1, latent_dim=8, hidden=16)
    nets = recipe.build()
    training = {"dataset": "digits", "images_seen": 0, "steps": 0, "seconds": 0.0}
    folder = runs / "tiny" / "model"
    folder.parent.mkdir(parents=True)
    Model(recipe, type(nets)({"G": nets["G"].eval()}), training=training).save(folder)
    return "runs/tiny"


@pytest.fixture
def wait_for(runs):
    """Waits until a run has a status, and returns the run; none outlives the test."""

    def wait(name, *wanted, step=0, seconds=60):
        run = find_run(name)
        deadline = time.monotonic() + seconds
        while (state := run.state())["status"] not in wanted or state["step"] < step:
            assert time.monotonic() < deadline, f"{name} is {state}: {run.log_tail()}"
            time.sleep(0.1)
        return run

    yield wait
    for run in list_runs():
        if (state := run.state())["status"] in LIVE:
            os.kill(state["pid"], signal.SIGKILL)
