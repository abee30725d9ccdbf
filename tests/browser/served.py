"""The app behind a real Chromium: how it is started, and what is read off its pages."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
REQUIRED = os.environ.get("GAN_PLAYGROUND_REQUIRE_BROWSER") == "1"
NEEDS_BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None and not REQUIRED, reason="no Chromium is installed (apt install chromium)"),
]
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--in-process-gpu",  # the canvas is drawn by the processor: two thirds of the time of a process of its own
]  # fmt: skip
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SLOW = 60_000  # milliseconds that a busy two-core machine may take
expect.set_options(timeout=SLOW)


@contextmanager
def serve(runs: Path) -> Iterator[str]:
    """The app on a free port, its runs in that folder; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"GAN_PLAYGROUND_RUNS": str(runs), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
        cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.time() + 120
        while True:
            assert process.poll() is None and time.time() < deadline, "the app did not start"
            try:
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=1)
                break
            except OSError:
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def wait_for(condition, seconds=60, otherwise="it took too long"):
    deadline = time.time() + seconds
    while not (value := condition()):
        assert time.time() < deadline, otherwise
        time.sleep(0.1)
    return value


def pixels(page: Page, selector: str) -> str:
    """The address of a picture once it is shown; Gradio names files by content."""
    picture = page.locator(f"{selector} img").first
    expect(picture).to_be_visible()
    wait_for(lambda: picture.evaluate("image => image.complete && image.naturalWidth > 0"))
    return picture.get_attribute("src")


def content(page: Page, selector: str) -> bytes:
    """The bytes of a picture."""
    return page.request.get(pixels(page, selector)).body()
