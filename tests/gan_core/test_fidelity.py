"""Translations: what is said of a model whose every answer is known beforehand."""

import dataclasses
import json

import pytest
import torch
from torch import nn

from gan_core.cli import main
from gan_core.data import DATASETS, ImageData
from gan_core.data.registry import DatasetEntry
from gan_core.errors import UsageError
from gan_core.evaluate import evaluate
from gan_core.fidelity import nearest_pictures
from gan_core.library import load
from gan_core.model import Model
from gan_core.recipes.cyclegan import CycleGAN, CycleGANConfig
from gan_core.recipes.srgan import SRGAN, SRGANConfig
from gan_core.runs import Run
from gan_core.translation import TranslationConfig, TranslationRecipe

SIDE = 16


class Negative(TranslationRecipe):
    """Draws the negative of its input, which in these data is the truth."""

    name = "negative"

    def translate(self, nets, inputs, seed=0, place=(0, 0)):
        return -inputs


class Unchanged(Negative):
    """Gives its input back."""

    def translate(self, nets, inputs, seed=0, place=(0, 0)):
        return inputs


class BothWays(CycleGAN):
    """Negative there, and back again a little brighter, by 51 of 255."""

    name = "both_ways"

    def translate(self, nets, inputs, seed=0, place=(0, 0), *, backwards=0.0):
        return -inputs + 0.4 * backwards


def noisy(count, seed, channels=3):
    """Pictures of noise between 0 and 150, [count, channels, SIDE, SIDE]."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 150, (count, channels, SIDE, SIDE), dtype=torch.uint8, generator=generator)


@pytest.fixture
def data(monkeypatch, tmp_path):
    """Registers a data set of pairs, made by a function of the split."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def register(make):
        def load(split, image_size, channels):
            return make(split)

        counts = {split: len(make(split)) for split in ("train", "test")}
        entry = DatasetEntry(load, counts, "Noise.", "none", embedded=True, kind="pairs")
        monkeypatch.setitem(DATASETS, "noise", entry)

    return register


def negatives(split):
    """Inputs, and their negatives as truth."""
    inputs = noisy(40, 0 if split == "train" else 1)
    return ImageData("noise", 255 - inputs, inputs=inputs)


def model_of(recipe, config=TranslationConfig, channels=3, **options):
    config = config(image_size=SIDE if config is TranslationConfig else 32, channels=3, input_channels=channels)
    nets = nn.ModuleDict({"G": nn.Conv2d(1, 1, 1)})
    return Model(recipe(config), nets, training={"dataset": "noise"})


def test_a_model_that_is_always_right_has_no_error_and_the_distance_of_held_out_pictures(data):
    data(negatives)
    report = evaluate(model_of(Negative))
    right, copy, truth = (report.sources[name] for name in ("model", "input", "truth"))
    assert (right.truth.l1, right.truth.psnr, right.features) == (0, None, 0)
    assert right.truth.ssim == pytest.approx(1, abs=1e-4)
    assert (right.fd, right.kid) == (truth.fd, truth.kid)
    inputs = negatives("test").inputs.double()
    assert copy.truth.l1 == pytest.approx(float((255 - 2 * inputs).abs().mean() / 255), rel=1e-6)
    assert copy.edges == pytest.approx(1, abs=1e-5) == right.edges  # a negative has its edges in the same places
    assert copy.fd > truth.fd and copy.features > 0
    assert (report.n, report.split, report.dataset, report.cycle) == (40, "test", "noise", None)
    json.dumps(report.as_dict(), allow_nan=False)


def test_a_model_that_does_nothing_scores_as_its_input_does(data):
    data(negatives)
    report = evaluate(model_of(Unchanged), n=30)
    assert report.n == 30
    assert report.sources["model"] == report.sources["input"]


def test_the_nearest_training_picture_is_that_of_the_nearest_input():
    known = noisy(20, 0)
    pictures = noisy(20, 5)
    close = (known[[7, 3]].int() + 4).to(torch.uint8)
    assert torch.equal(nearest_pictures(close, known, pictures), pictures[[7, 3]])
    grey = close.float().mean(1, keepdim=True).to(torch.uint8)  # as of line art, beside pictures in colour
    assert torch.equal(nearest_pictures(grey, known, pictures), pictures[[7, 3]])


def test_without_true_pictures_only_sets_are_compared(data):
    data(lambda split: dataclasses.replace(negatives(split), paired=False))
    report = evaluate(model_of(Negative))
    assert all(source.truth is None and source.features is None for source in report.sources.values())
    assert report.sources["model"].fd == report.sources["truth"].fd


def test_what_changes_is_scored_apart_from_what_does_not(data):
    def masked(split):
        truth = noisy(40, 0 if split == "train" else 1)
        inputs = truth.clone()
        inputs[:, :, 4:8, 4:12] = 255  # a patch over an eighth of the picture
        return ImageData("noise", truth, inputs=inputs, paired=split == "test")

    data(masked)
    found = evaluate(model_of(Unchanged)).sources["model"].truth
    hidden = masked("test").images[:, :, 4:8, 4:12].double()
    assert found.kept.l1 == 0
    assert found.changed.l1 == pytest.approx(float((255 - hidden).mean() / 255), rel=1e-6)
    assert found.l1 == pytest.approx(found.changed.l1 / 8, rel=1e-6)
    assert found.kept.ssim > found.ssim > found.changed.ssim


def test_there_and_back_and_what_is_there_already(data):
    def pairs(split):
        inputs = noisy(40, 0 if split == "train" else 1).repeat(1, 1, 2, 2)
        return ImageData("noise", 255 - inputs, inputs=inputs)

    data(pairs)
    report = evaluate(model_of(BothWays, CycleGANConfig))
    assert report.cycle == pytest.approx(51 / 255, abs=1e-3)
    images = pairs("test").images.double()
    assert report.identity == pytest.approx(float((2 * images - 255).abs().mean() / 255), rel=1e-6)


def test_what_does_not_fit_is_refused_in_a_sentence(data):
    data(negatives)
    with pytest.raises(UsageError, match="takes inputs of 1 channels and those of noise have 3"):
        evaluate(model_of(Negative, channels=1))
    with pytest.raises(UsageError, match="at least 25 inputs; there are 20"):
        evaluate(model_of(Negative), n=20)
    data(lambda split: dataclasses.replace(negatives(split), inputs=None))
    with pytest.raises(UsageError, match="noise has no inputs to translate; name a data set that has"):
        evaluate(model_of(Negative))


def test_what_enlarges_is_compared_with_bicubic_interpolation(data):
    """A network that was not trained yet draws just that."""

    def pictures(split):
        return ImageData("noise", noisy(40, 0 if split == "train" else 1).repeat(1, 1, 2, 2))

    data(pictures)
    recipe = SRGAN(SRGANConfig(image_size=32, channels=3, input_channels=3, width=4, blocks=1, factor=2))
    report = evaluate(Model(recipe, nn.ModuleDict({"G": recipe.build()["G"].eval()}), training={"dataset": "noise"}))
    model, copy = report.sources["model"], report.sources["input"]
    assert report.factor == 2 and model.truth.l1 == pytest.approx(copy.truth.l1, abs=1e-4)
    assert model.truth.psnr == pytest.approx(copy.truth.psnr, abs=0.01) and model.truth.psnr < 40


def test_a_run_is_measured_on_held_out_inputs_and_its_best_is_kept(data, runs):
    data(negatives)
    words = ["gen_1", "--dataset", "noise", "--width", "4", "--blocks", "1", "--batch_size", "8", "--precision", "fp32"]
    main(["train", *words, "--steps", "4", "--evaluate_every", "2", "--monitor_every", "0", "--out", str(runs / "t")])
    rows = [row for row in Run(runs / "t").metrics()[0] if "metric/fd" in row]
    assert [row["step"] for row in rows] == [2, 4]
    last, report = rows[-1], evaluate(load("runs/t"))
    assert last["metric/l1"] == pytest.approx(report.sources["model"].truth.l1, abs=1e-5)
    assert last["metric/fd"] == pytest.approx(report.sources["model"].fd, abs=1e-3)
    assert last["metric/fd_floor"] == pytest.approx(report.sources["truth"].fd, abs=1e-6)
    assert Run(runs / "t").best_file.exists()


def test_too_few_inputs_are_said_before_the_first_step(data, runs, capsys):
    def lopsided(split):
        images = negatives(split).images.repeat(1, 1, 2, 2)
        return ImageData("noise", images, inputs=images if split == "train" else images[:10], paired=False)

    data(lopsided)
    words = ["cyclegan", "--dataset", "noise", "--width", "4", "--blocks", "1", "--batch_size", "4", "--steps", "1"]
    with pytest.raises(SystemExit):
        main(
            [
                "train",
                *words,
                "--image_size",
                "32",
                "--evaluate_every",
                "1",
                "--precision",
                "fp32",
                "--out",
                str(runs / "no"),
            ]
        )
    assert "--evaluate_every cannot measure here" in capsys.readouterr().err and not (runs / "no").exists()
