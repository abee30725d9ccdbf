"""Models at hand: the averaged generator, and the raw one of a run that still has its checkpoint."""

import shutil

import pytest
import torch

import gan_core
from gan_core import library
from gan_core.callbacks import keep
from gan_core.checkpoint import load_checkpoint, save_checkpoint
from gan_core.cli import main
from gan_core.errors import UsageError
from gan_core.recipe import RECIPES
from gan_core.runs import Run
from gan_core.train_options import TrainOptions
from gan_core.trainer import Trainer


def trainer_of(name, noise_data):
    recipe = RECIPES[name](RECIPES[name].Config.tiny(), TrainOptions(batch_size=4))
    return Trainer(recipe, noise_data(recipe))


@pytest.fixture
def trained(runs, noise_data):
    """The trainer of runs/mine, which has a last and a best checkpoint."""
    trainer = trainer_of("dcgan", noise_data)
    run = Run(runs / "mine")
    run.folder.mkdir(parents=True)
    trainer.run(1)
    keep(trainer, {}, run.best_file, run.best_folder, "best")
    trainer.run(3)
    keep(trainer, {}, run.checkpoint_file, run.model_folder, "mine")
    return trainer


def state(model):
    return model.generators["G"].state_dict()


def same(a, b):
    return all(torch.equal(value, b[key]) for key, value in a.items())


def test_raw_weights_are_those_of_the_optimizer(trained, runs):
    averaged, raw = gan_core.load("runs/mine"), gan_core.load("runs/mine", raw=True)
    assert same(state(averaged), trained.ema.nets["G"].state_dict())
    assert same(state(raw), trained.nets["G"].state_dict()) and not same(state(raw), state(averaged))
    assert not raw.generators.training and not any(p.requires_grad for p in raw.generators.parameters())
    assert raw.training == averaged.training and raw.has_critic
    assert gan_core.load("runs/mine", raw=True) is raw and gan_core.load("runs/mine") is averaged
    assert gan_core.load(runs / "mine" / "model", raw=True) is raw  # the folder that `find_listed` gives
    best = load_checkpoint(Run(runs / "mine").best_file)["nets"]["G.project.0.weight"]
    assert torch.equal(state(gan_core.load("runs/mine/best", raw=True))["project.0.weight"], best)


def test_raw_weights_are_there_as_long_as_the_checkpoint_is(trained, runs):
    assert library.raw_weights("runs/mine") and library.raw_weights("runs/mine/best")
    assert not library.raw_weights(str(runs / "mine"))  # a stranger names listed models only
    assert not library.raw_weights("weights/dcgan-digits") and not library.raw_weights("runs/else")
    (runs / "mine" / "checkpoint.pt").unlink()
    assert not library.raw_weights("runs/mine") and library.raw_weights("runs/mine/best")
    for name in ("runs/mine", "weights/dcgan-digits"):
        with pytest.raises(UsageError, match=f"{name} has no checkpoint of a run, so only its averaged generator"):
            gan_core.load(name, raw=True)


def test_raw_weights_are_settled_like_averaged_ones(runs, noise_data):
    run = Run(runs / "styles")
    run.folder.mkdir(parents=True)
    trainer = trainer_of("stylegan", noise_data)
    keep(trainer, {}, run.checkpoint_file, run.model_folder, "styles")
    mapping = gan_core.load("runs/styles", raw=True).generators["G"].mapping
    assert torch.allclose(mapping.mean, mapping(torch.randn(20_000, 8)).mean(0), atol=0.1) and mapping.mean.any()


def test_a_checkpoint_of_other_networks_is_refused(trained, runs):
    checkpoint = Run(runs / "mine").checkpoint_file
    save_checkpoint(checkpoint, {"nets": {"G.project.0.weight": torch.zeros(1)}})
    with pytest.raises(UsageError, match=r"checkpoint\.pt does not hold the networks of the model in"):
        gan_core.load("runs/mine", raw=True)
    shutil.copyfile(__file__, checkpoint)
    with pytest.raises(UsageError, match="is no checkpoint of this project, or is damaged"):
        gan_core.load("runs/mine", raw=True)


def test_generate_draws_raw_weights(trained, tmp_path):
    for flags, name in ((["--raw"], "raw.png"), ([], "averaged.png")):
        main(["generate", "--model_path", "runs/mine", "--num_samples", "4", "--out", str(tmp_path / name), *flags])
    assert (tmp_path / "raw.png").read_bytes() != (tmp_path / "averaged.png").read_bytes()
