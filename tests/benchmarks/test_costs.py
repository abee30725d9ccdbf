"""Timing recipes: which of them, how far from the faster precision, and what memory is counted."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from benchmarks import costs
from gan_core import UsageError
from gan_core.recipe import list_recipes


def test_all_recipes_from_noise_are_listed_unless_some_are_named():
    assert costs.noise_recipes() == [name for name in list_recipes() if name in costs.noise_recipes()]
    assert {"simple_gan", "progan", "biggan"} <= set(costs.noise_recipes())
    assert costs.noise_recipes(["wgan"]) == ["wgan"]
    with pytest.raises(UsageError, match="There is no recipe 'wgam'"):
        costs.noise_recipes(["wgam"])


def test_a_precision_is_compared_with_the_faster_one_round_by_round():
    rates = {"fp32": np.array([100.0, 50.0, 10.0]), "bf16": np.array([90.0, 45.0, 11.0])}
    fp32, bf16 = (costs.row("dcgan", name, rates, 3 * 2**20 if name == "bf16" else None) for name in rates)
    assert (fp32["images_per_second"], fp32["of_faster"], fp32["auto"], fp32["peak_mb"]) == (50, 1, False, None)
    assert (bf16["images_per_second"], bf16["of_faster"], bf16["auto"], bf16["peak_mb"]) == (45, 0.9, True, 3)


def test_images_per_second_are_real_images_of_the_time_that_a_turn_takes(monkeypatch):
    monkeypatch.setattr(costs, "faster_precision", lambda *args: "fp32")
    monkeypatch.setattr(costs, "has_bf16", lambda device: True)
    monkeypatch.setattr(costs, "interleaved", lambda calls, rounds: {name: np.full(rounds, 0.25) for name in calls})
    chosen, rates = costs.speed("simple_gan", rounds=2, turn=0.5)
    assert chosen == "fp32" and {name: rate.tolist() for name, rate in rates.items()} == {
        name: [2 * 64 / 0.25] * 2 for name in ("fp32", "bf16")  # two steps fill a turn
    }  # fmt: skip


def test_progan_is_timed_when_it_has_grown():
    trainer = costs.grown("progan", "fp32")
    assert trainer.images_seen >= 6 * trainer.recipe.config.stage_images  # 4 pixels to 32: three fade in and settle


@pytest.mark.slow
def test_a_process_counts_its_own_memory_only():
    before = costs.peak_bytes()
    ballast = np.ones(2**28 // 8)
    assert costs.peak_bytes() >= before + 2**27
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as anew:
        child = anew.submit(costs.peak_bytes).result()
    assert 2**26 < child < costs.peak_bytes() - ballast.nbytes // 2


@pytest.mark.slow
def test_every_recipe_is_timed_in_processes_of_its_own():
    rows = costs.costs(["simple_gan", "gan"], rounds=1, turn=0.05)
    assert [row["what"] for row in rows if row["auto"]] == ["simple_gan", "gan"]
    assert all(row["images_per_second"] > 0 and 0 < row["of_faster"] <= 1 for row in rows)
    assert all(row["peak_mb"] > 100 for row in rows if row["auto"])
