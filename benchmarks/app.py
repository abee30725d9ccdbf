"""The app as a visitor meets it: its cold start, how fast pictures come, and its memory."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from gradio_client import Client

from benchmarks.report import Report
from gan_core.library import project_folder
from gan_core.runs import Run

STARTING_SECONDS = 180
MODELS = {"small": (32, 32), "large": (64, 64)}  # runs of one step: their width and image size
QUIET: dict[str, Any] = {
    "cwd": project_folder(),
    "stdin": subprocess.DEVNULL,
    "stdout": subprocess.DEVNULL,
    "stderr": subprocess.DEVNULL,
}


def measure(requests: int = 40) -> Report:
    """Starts the server on a free port, asks `/sample` for pictures one request after the other, and ends it.

    Figures: `cold_start_seconds` from the command to the first picture; `sample_p50_ms` and `sample_p95_ms` of requests
    for 16 pictures with nothing else going on; `resident_mb` of the server with two models loaded.

    Args:
        requests: For each row of the table.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "GAN_PLAYGROUND_RUNS": folder}
        for name, (width, size) in MODELS.items():
            flags = ["--steps", "1", "--width", str(width), "--image_size", str(size), "--precision", "fp32"]
            subprocess.run(train_command(Path(folder) / name, *flags), env=environment, check=True, **QUIET)
        with served(environment) as (server, client, cold_start):
            for name in MODELS:
                seconds_per_request(client, f"runs/{name}", images=16, requests=3)
            resident = sum(p.memory_info().rss for p in [server, *server.children(recursive=True)]) / 2**20
            rows = [row(client, images, "no", requests) for images in (1, 16)]
            with training(Path(folder) / "training", environment):
                rows += [row(client, images, "yes", requests) for images in (1, 16)]
    idle = rows[1]
    return Report(
        "app",
        figures={
            "cold_start_seconds": round(cold_start, 2),
            "sample_p50_ms": idle["p50_ms"],
            "sample_p95_ms": idle["p95_ms"],
            "resident_mb": round(resident),
        },
        rows=rows,
        note=f"dcgan, width 32, 32x32; {requests} requests a row through gradio_client, one after the other.",
    )


def row(client: Client, images: int, training: str, requests: int) -> dict[str, Any]:
    """Latencies of the small model in milliseconds."""
    p50, p95 = np.quantile(seconds_per_request(client, "runs/small", images, requests), [0.5, 0.95]) * 1000
    return {"images": images, "training": training, "p50_ms": round(float(p50), 1), "p95_ms": round(float(p95), 1)}


def seconds_per_request(client: Client, model: str, images: int, requests: int) -> np.ndarray:
    """How long each of several requests takes; every one has another seed."""
    seconds = []
    for seed in range(requests):
        began = time.perf_counter()
        client.predict(model=model, seed=seed, images=images, api_name="/sample")
        seconds.append(time.perf_counter() - began)
    return np.array(seconds)


@contextmanager
def served(environment: Mapping[str, str]) -> Iterator[tuple[psutil.Process, Client, float]]:
    """The app in its own process, a client of it, and the seconds until its first picture had come."""
    port = free_port()
    address = f"http://127.0.0.1:{port}/playground/"
    flags = ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    began = time.perf_counter()
    with running([sys.executable, "-m", "streamlit", "run", "app.py", *flags], environment) as server:
        client = connect(address, server)
        pictures, _ = client.predict(images=1, api_name="/sample")
        httpx.get(pictures[0]["url"]).raise_for_status()
        yield psutil.Process(server.pid), client, time.perf_counter() - began


def connect(address: str, server: subprocess.Popen[bytes]) -> Client:
    """A client as soon as the server answers.

    Raises:
        RuntimeError: The server ended, or did not answer in time.
    """
    deadline = time.monotonic() + STARTING_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            return Client(address, verbose=False, download_files=False)
        except (httpx.HTTPError, ValueError):
            time.sleep(0.05)
    raise RuntimeError(f"{address} did not answer: the server's status is {server.poll()}")


@contextmanager
def training(folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """A training that is under way while the block runs.

    Raises:
        RuntimeError: It ended before its first step.
    """
    with running(train_command(folder, "--steps", "1000000"), environment) as process:
        while Run(folder).state()["step"] == 0:
            if process.poll() is not None:
                raise RuntimeError(f"the training ended: {Run(folder).log_tail(1)}")
            time.sleep(0.1)
        yield


def train_command(folder: Path, *flags: str) -> list[str]:
    """Trains a DCGAN on the embedded digits into a run's folder."""
    return [sys.executable, "-m", "gan_core", "train", "dcgan", "--out", str(folder), *flags]


@contextmanager
def running(command: list[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A silent process that ends with the block."""
    with subprocess.Popen(command, env=environment, **QUIET) as process:
        try:
            yield process
        finally:
            process.terminate()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
