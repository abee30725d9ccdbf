"""The probe: that it times steps, and nothing else."""

import multiprocessing.process
import time

import numpy as np
import pytest
import torch
from PIL import Image

from gan_core.data.folder import StreamedImages, folder
from gan_core.data.images import to_unit_range
from gan_core.errors import UsageError
from gan_core.probe import one_batch, seconds_per_step
from gan_core.recipe import RECIPES
from gan_core.train_options import TrainOptions

CPU = torch.device("cpu")


def tiny(batch_size):
    recipe = RECIPES["dcgan"](RECIPES["dcgan"].Config.tiny(), TrainOptions(batch_size=batch_size))
    return recipe.resolve(32, 1)


@pytest.fixture
def streamed(tmp_path):
    """12 pictures of noise in two classes, too many for memory."""
    pixels = np.random.default_rng(0).integers(0, 256, (12, 32, 32), dtype=np.uint8)
    for k, image in enumerate(pixels):
        path = tmp_path / "train" / "ab"[k % 2] / f"{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    (tmp_path / "test").mkdir()  # else some of the pictures would be held out
    data = folder(tmp_path, tiny(8).config.image_size, 1, memory_limit=0)
    assert isinstance(data, StreamedImages)
    return data


def test_a_streamed_folder_is_timed_without_starting_workers(streamed, monkeypatch):
    def refuse(process):
        raise AssertionError("a process was started")

    monkeypatch.setattr(multiprocessing.process.BaseProcess, "start", refuse)
    seconds = seconds_per_step(tiny(8), streamed, CPU, ["fp32", "bf16"])
    assert seconds.keys() == {"fp32", "bf16"} and all(value > 0 for value in seconds.values())
    with pytest.raises(AssertionError, match="a process was started"):  # its own batches would need them
        next(streamed.batches(8, seed=0, start=0))


def test_the_timed_batch_is_of_the_data(streamed):
    sample = one_batch(streamed, 8)
    assert sample.images.shape == (8, 1, streamed.image_size, streamed.image_size)
    assert torch.equal(to_unit_range(sample.images), streamed.examples(8))
    assert sample.classes == ("a", "b") and set(sample.labels.tolist()) == {0, 1}


def test_growing_networks_are_timed_at_their_full_side(noise_data):
    class Noted(RECIPES["progan"]):
        sides = []

        def generate(self, nets, batch, images_seen):
            images = super().generate(nets, batch, images_seen)
            self.sides.append((images.shape[-1], self.stage(images_seen)[1]))
            return images

    recipe = Noted(Noted.Config.tiny(), TrainOptions(batch_size=4))
    seconds_per_step(recipe, noise_data(recipe), CPU, ["fp32"])
    assert set(Noted.sides) == {(16, 1.0)}


def test_fewer_images_than_a_batch_cannot_be_timed(streamed):
    with pytest.raises(UsageError, match="There are 12 images, fewer than one batch of 16"):
        seconds_per_step(tiny(16), streamed, CPU, ["fp32"])


def test_a_lazy_phase_counts_as_often_as_it_comes(noise_data, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])

    class Timed(RECIPES["stylegan"]):  # R1 every fourth step
        def after_update(self, phase, nets):
            clock[0] += {"d": 1.0, "g": 2.0, "r1": 8.0}[phase]

    recipe = Timed(Timed.Config.tiny(), TrainOptions(batch_size=4))
    assert [phase.every for phase in recipe.phases] == [1, 1, 4]
    assert seconds_per_step(recipe, noise_data(recipe), CPU, ["fp32"]) == {"fp32": 3.0 + 8.0 / 4}
