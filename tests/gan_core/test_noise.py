"""The add-ons that every game between a generator and a critic takes: augmentation, packs, R1, rates, classes."""

import dataclasses
import math

import pytest
import torch
from torch import nn

import gan_core
from gan_core.errors import UsageError
from gan_core.model import Model
from gan_core.recipe import RECIPES, Batch, Phase
from gan_core.recipes.dcgan import ConvolutionalConfig
from gan_core.train_options import TrainOptions
from gan_core.trainer import Trainer
from tests.families import NOISE

EVERY = pytest.mark.parametrize("name", NOISE)


def tiny(name, batch_size=4, options=None, **changes):
    config = dataclasses.replace(RECIPES[name].Config.tiny(), **changes)
    recipe = RECIPES[name](config, options or TrainOptions(batch_size=batch_size))
    torch.manual_seed(0)
    return recipe, recipe.build()


# --------------------------------------------------------------------------------------------------------- all at once


@EVERY
def test_every_recipe_takes_every_add_on(name, noise_data):
    penalised = {"r1": 1.0, "r1_every": 2} if name != "r3gan" else {}  # it has penalties of its own
    plain = {"critic_norm": "none"} if issubclass(RECIPES[name].Config, ConvolutionalConfig) else {}
    recipe, _ = tiny(name, augment="color,translation,cutout", pack=2, **penalised, **plain)
    trainer = Trainer(recipe, noise_data(recipe))
    before = {key: value.clone() for key, value in trainer.nets["D"].named_parameters()}
    trainer.run(1)
    assert all(value.isfinite() for value in trainer.logs.values())
    assert not penalised or trainer.logs["r1/r1"] > 0
    assert any(not torch.equal(value, before[key]) for key, value in trainer.nets["D"].named_parameters())


def test_penalties_that_make_no_sense_are_refused():
    with pytest.raises(UsageError, match="r1 is 2; an r3gan has R1 and R2 of its own, whose weight is gamma"):
        gan_core.create("r3gan", r1=2.0)
    with pytest.raises(UsageError, match="a score depends on the whole batch: take --critic_norm layer or none"):
        gan_core.create("dcgan", r1=1.0)
    gan_core.create("dcgan", r1=1.0, critic_norm="layer")


# --------------------------------------------------------------------------------------------------------------- packs


def test_a_pack_is_consecutive_pictures_side_by_side():
    recipe, nets = tiny("dcgan", pack=2)
    images = torch.rand(6, 1, 16, 16)
    scores = recipe.score(nets.eval(), images)
    assert scores.shape == (3,)
    joined = torch.stack([torch.cat([images[2 * k], images[2 * k + 1]]) for k in range(3)])
    assert torch.allclose(scores, nets["D"](joined))


def test_a_packed_critic_has_no_verdict_on_one_picture():
    recipe, nets = tiny("dcgan", pack=2)
    model = Model(recipe, nn.ModuleDict({"G": nets["G"].eval()}), nn.ModuleDict({"D": nets["D"]}))
    assert model.has_critic and not model.has_verdict
    with pytest.raises(UsageError, match="judges packs of 2 pictures, not single ones"):
        model.verdict(model.sample(2))


def test_packs_that_do_not_come_out_even_are_refused():
    with pytest.raises(UsageError, match="batch_size is 64; packs of 3 take a multiple of 3"):
        gan_core.create("dcgan", pack=3)


@EVERY
def test_a_critic_has_a_verdict_unless_it_compares_pictures_or_judges_batches(name):
    recipe, nets = tiny(name)
    classes = None if recipe.num_classes is None else tuple("abcdefghij"[: recipe.num_classes])
    model = Model(recipe, nn.ModuleDict({"G": nets["G"].eval()}), nn.ModuleDict({"D": nets["D"]}), classes=classes)
    together = name in ("dcgan", "cgan", "lsgan", "stylegan")
    assert model.has_verdict != (recipe.comparative or together)
    if model.has_verdict:
        images = model.sample(3)
        verdict = model.verdict(images, 1 if classes else None)
        assert verdict.shape == (3,) and 0 <= verdict.min() and verdict.max() <= 1
        assert torch.allclose(model.verdict(images[1:2], 1 if classes else None), verdict[1], atol=1e-6)
    else:
        with pytest.raises(UsageError, match="compares pictures" if recipe.comparative else "judges whole batches"):
            model.verdict(model.sample(2))


# ------------------------------------------------------------------------------------------------------- augmentation


def test_reals_and_fakes_are_augmented_in_training_but_not_in_a_verdict():
    recipe, nets = tiny("dcgan", augment="color")
    images = torch.rand(4, 1, 16, 16)
    seen = []
    nets["D"].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    batch = Batch(images)
    recipe.losses("d", nets.train(), batch, 0)
    recipe.losses("g", nets, batch, 0)
    assert len(seen) == 3 and not torch.equal(seen[0], images)
    fakes = nets["G"](torch.randn(4, 8))
    assert not torch.equal(seen[1], fakes) and seen[2].grad_fn is not None
    recipe.score(nets.eval(), images)
    assert torch.equal(seen[3], images)


def test_r1_is_measured_at_the_picture_before_augmentation():
    recipe, nets = tiny("dcgan", augment="cutout", critic_norm="none", r1=2.0, r1_every=1)

    class Sum(nn.Module):
        def forward(self, images):
            return images.sum((1, 2, 3))

    nets["D"] = Sum().train()
    images = torch.rand(64, 1, 16, 16)
    torch.manual_seed(0)
    penalty = recipe.penalty(lambda x: recipe.score(nets, x), images, images, 0)["r1"].item()
    assert 256 - 64 <= penalty < 256  # gamma / 2 = 1 times the pixels that were not cut out


# ------------------------------------------------------------------------------------------------------------------ r1


def linear(recipe):
    critic = nn.Sequential(nn.Flatten(), nn.Linear(256, 1), nn.Flatten(0))
    return nn.ModuleDict({"G": nn.Identity(), "D": critic}), critic[1].weight.square().sum().item()


@pytest.mark.parametrize("every", [1, 4])
def test_r1_is_half_gamma_and_a_lazy_one_as_many_times_as_strong(every):
    recipe, _ = tiny("dcgan", critic_norm="none", r1=3.0, r1_every=every)
    nets, squared = linear(recipe)
    batch = Batch(torch.rand(4, 1, 16, 16))
    if every == 1:
        assert [phase.name for phase in recipe.phases] == ["d", "g"]
        nets["G"] = nn.Sequential(nn.Linear(8, 256), nn.Unflatten(1, (1, 16, 16)))
    else:
        assert recipe.phases[-1] == Phase("r1", ("D",), every=4)
    terms = recipe.losses("d" if every == 1 else "r1", nets, batch, 0)
    assert terms["r1"].item() == pytest.approx(every * 1.5 * squared, rel=1e-4)


def test_without_r1_there_is_no_such_phase():
    assert [phase.name for phase in tiny("dcgan")[0].phases] == ["d", "g"]


# --------------------------------------------------------------------------------------------------------------- rates


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", {0: 0.0, 50: 0.5, 100: 1.0, 600: 1.0, 1100: 1.0, 9999: 1.0}),
        ("linear", {0: 0.0, 50: 0.5, 100: 1.0, 600: 0.6, 1100: 0.2, 9999: 0.2}),
        ("cosine", {0: 0.0, 100: 1.0, 350: 0.2 + 0.8 * (1 + math.sqrt(0.5)) / 2, 600: 0.6, 1100: 0.2, 9999: 0.2}),
    ],
)
def test_learning_rates_rise_and_fall_as_scheduled(schedule, expected):
    options = TrainOptions(lr=1.0, lr_schedule=schedule, lr_horizon=1100, lr_final=0.2, lr_warm_up=100)
    for images_seen, share in expected.items():
        assert options.lr_share(images_seen) == pytest.approx(share), images_seen


def test_a_rate_may_be_held_before_it_falls_as_in_cyclegans_paper():
    """Section 4: a full rate for the first half of the run, then down to 0 in a straight line."""
    options = TrainOptions(lr=1.0, lr_schedule="linear", lr_hold=100, lr_horizon=200)
    shares = {0: 1, 50: 1, 100: 1, 125: 0.75, 150: 0.5, 200: 0, 300: 0}
    assert {seen: options.lr_share(seen) for seen in shares} == shares
    risen = TrainOptions(lr=1.0, lr_schedule="linear", lr_warm_up=40, lr_hold=60, lr_horizon=200)
    assert [risen.lr_share(seen) for seen in (20, 40, 100, 150)] == [0.5, 1, 1, 0.5]


def test_the_critic_may_have_a_rate_of_its_own(noise_data):
    options = TrainOptions(lr=1e-3, d_lr=4e-3, batch_size=4, lr_schedule="linear", lr_horizon=16)
    recipe, _ = tiny("dcgan", options=options)
    trainer = Trainer(recipe, noise_data(recipe))
    trainer.run(2)  # the second step ends at 8 of 16 images
    rates = {nets: optimizer.param_groups[0]["lr"] for nets, optimizer in trainer.optimizers.items()}
    assert rates == {("D",): pytest.approx(2e-3), ("G",): pytest.approx(5e-4)}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"lr_schedule": "linear"}, "lr_horizon is None; a linear schedule ends there"),
        ({"lr_schedule": "cosine", "lr_horizon": 10, "lr_warm_up": 10}, "lr_horizon is 10; a cosine"),
        ({"lr_schedule": "linear", "lr_horizon": 10, "lr_warm_up": 5, "lr_hold": 5}, "lr_hold together, 10"),
        ({"lr_schedule": "step"}, "lr_schedule is 'step'; it takes constant, linear, cosine"),
        ({"lr_final": 1.5}, "lr_final is 1.5; it is a share"),
        ({"d_lr": 0.0}, "d_lr is 0; it must be above 0"),
        ({"lr": float("nan")}, "lr is nan; it must be above 0"),
        ({"lr_warm_up": -1}, "lr_warm_up is -1"),
        ({"lr_hold": -1}, "lr_hold is -1"),
        ({"optimizer": "sgd"}, "optimizer is 'sgd'; it takes adam, rmsprop"),
    ],
)
def test_rates_that_do_not_fit(options, sentence):
    with pytest.raises(UsageError, match=sentence):
        TrainOptions(**options)


# -------------------------------------------------------------------------------------------------------------- classes


@pytest.mark.parametrize("name", [name for name in NOISE if hasattr(RECIPES[name].Config, "num_classes")])
def test_classes_come_from_the_data(name):
    cls = RECIPES[name]
    assert cls().resolve(32, 1, 7).num_classes == 7
    with pytest.raises(UsageError, match="draws pictures by class, but the data has no classes"):
        cls().resolve(32, 1)
    with pytest.raises(UsageError, match="num_classes is 3, but the data has 7 classes"):
        cls(cls.Config(num_classes=3)).resolve(32, 1, 7)
    with pytest.raises(UsageError, match="num_classes is still left to the data"):
        cls(cls.Config(image_size=32, channels=1)).build()


@pytest.mark.parametrize("name", [name for name in NOISE if hasattr(RECIPES[name].Config, "num_classes")])
def test_a_trained_model_knows_the_names_of_its_classes(name, noise_data, tmp_path):
    recipe, _ = tiny(name)
    trainer = Trainer(recipe, noise_data(recipe))
    trainer.run(1)
    trainer.model(command="python train.py").save(tmp_path / "m")
    model = gan_core.load(tmp_path / "m")
    assert model.classes == ("class 0", "class 1", "class 2")
    z = torch.randn(1, model.latent_dim)
    assert not torch.equal(model.decode(z, 0), model.decode(z, 1))
    with pytest.raises(UsageError, match="class index from 0 to 2"):
        model.sample(1, labels=3)
