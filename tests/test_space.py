"""What a docker Space runs: the Dockerfile's command, as user 1000, on the files that `deploy` uploads."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
from gradio_client import Client

from gan_core.deploy import project_files

ROOT = Path(__file__).parents[1]
USER = 1000

pytestmark = pytest.mark.skipif(os.getuid() not in (0, USER), reason=f"only root can become user {USER}")


BECOME = {"user": USER, "group": USER, "extra_groups": []} if os.getuid() == 0 else {}
PACKAGES = sysconfig.get_paths()["purelib"]


@pytest.fixture
def python():
    """An interpreter that the user may run: this one, or the system's where this one lies in root's home."""
    for candidate in (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
        try:
            subprocess.run([candidate, "-c", "import numpy"], env={"PYTHONPATH": PACKAGES}, check=True, **BECOME)
            return candidate
        except (OSError, subprocess.CalledProcessError):
            continue
    pytest.skip(f"no Python {sys.version_info.major}.{sys.version_info.minor} here that user {USER} may run")


@pytest.fixture
def home():
    """A home that belongs to the user, with the Space's files in it; pytest's own folders are closed to others."""
    folder = Path(tempfile.mkdtemp())
    for name, source in project_files(ROOT).items():
        target = folder / "app" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    if os.getuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, USER, USER)
    yield folder
    shutil.rmtree(folder)


def test_the_command_of_the_dockerfile_serves_as_user_1000(home, python, free_port):
    command = re.search(r"^CMD (\[.*?\])", (ROOT / "Dockerfile").read_text().replace("\\\n", ""), re.M).group(1)
    port = str(free_port())
    words = [port if word == "7860" else word for word in json.loads(command)]
    words[:1] = [python, "-m", "streamlit"]
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHONPATH": PACKAGES, "SPACE_ID": "owner/space"}
    with (home / "log.txt").open("wb") as log:
        server = subprocess.Popen(words, cwd=home / "app", env=environment, stdout=log, stderr=log, **BECOME)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.time() + 90
        while True:
            assert server.poll() is None and time.time() < deadline, (home / "log.txt").read_text()
            try:
                assert urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).read() == b"ok"
                break
            except OSError:
                time.sleep(0.2)
        assert psutil.Process(server.pid).uids().real == USER
        client = Client(f"{address}/playground/", verbose=False, download_files=str(home / "downloads"))
        pictures, settings = client.predict(api_name="/sample")
        assert len(pictures) == 16 and settings["model"] == "weights/dcgan-digits"
        client.close()
    finally:
        server.terminate()
        server.wait(20)
