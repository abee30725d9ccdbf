"""Timing contenders in turns, so that whatever else the machine does falls on all of them."""

import time
from collections.abc import Callable, Mapping

import numpy as np


def interleaved(contenders: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, np.ndarray]:
    """Seconds of every contender's call, [rounds] each: A B C A B C ..., after one round of warming up."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds + 1):
        for name, call in contenders.items():
            began = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - began)
    return {name: np.array(times[1:]) for name, times in seconds.items()}


def quartiles(values: np.ndarray) -> str:
    """The spread of what was measured round by round."""
    low, high = np.quantile(values, [0.25, 0.75])
    return f"{low:.2f} - {high:.2f}"
