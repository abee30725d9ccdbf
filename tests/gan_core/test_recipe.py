"""The vocabulary of recipes: registry, options, controls."""

import dataclasses

import pytest

import gan_core
from gan_core.errors import UsageError
from gan_core.fields import fields_of
from gan_core.recipe import RECIPES, Control, Phase, Recipe, register
from gan_core.train_options import TrainOptions


def test_an_unknown_recipe_names_the_nearest():
    with pytest.raises(UsageError, match=r"There is no recipe 'dcgn' \(did you mean 'dcgan'\?\)"):
        gan_core.create("dcgn")


def test_an_unknown_option_names_the_nearest():
    with pytest.raises(UsageError, match=r"dcgan has no option 'widht' \(did you mean 'width'\?\)"):
        gan_core.create("dcgan", widht=3)


def test_a_name_is_registered_once():
    with pytest.raises(ValueError, match=r"'gan' is already registered by gan_core\.recipes\.gan"):
        register("gan")(type("Other", (Recipe,), {}))


def test_create_changes_only_what_is_named():
    recipe = gan_core.create("dcgan", width=8)
    assert dataclasses.replace(recipe.config, width=RECIPES["dcgan"].Config().width) == RECIPES["dcgan"].Config()


def test_a_config_left_to_the_data_says_so_when_built():
    with pytest.raises(UsageError, match="left to the data"):
        gan_core.create("dcgan").build()
    assert gan_core.create("dcgan", channels=3).resolve(64, 1).config.image_shape == (3, 64)


@pytest.mark.parametrize("name", gan_core.list_recipes())
def test_every_option_is_documented(name):
    for cls in (RECIPES[name].Config, TrainOptions):
        for field in fields_of(cls):
            assert field.help.endswith((".", ")")), field.name


def test_fields_carry_the_choices_and_defaults_of_the_source():
    fields = {field.name: field for field in fields_of(RECIPES["dcgan"].Config)}
    assert fields["upsample"].choices == ("conv_transpose", "pixel_shuffle", "nearest")
    assert fields["upsample"].default == "conv_transpose"
    assert fields["image_size"].default is None
    assert fields_of(TrainOptions, TrainOptions(batch_size=7))[2].default == 7


@pytest.mark.parametrize(("value", "fits"), [(0, True), (2.0, True), (2.01, False), (True, False), ("1", False)])
def test_a_control_takes_numbers_in_its_range(value, fits):
    control = Control("truncation", 1.0, 0.0, 2.0, "help")
    if fits:
        assert control.check(value) == value
    else:
        with pytest.raises(UsageError, match="truncation is .*; it takes a number from 0 to 2"):
            control.check(value)


@pytest.mark.parametrize("options", [{"lr": 0}, {"betas": (0.5, 1.0)}, {"batch_size": 1}, {"ema_half_life": -1}])
def test_train_options_are_checked_at_construction(options):
    with pytest.raises(UsageError, match=f"{next(iter(options))} (is|are) "):
        TrainOptions(**options)


def test_batches_per_step_counts_fresh_images():
    class Critic(Recipe):
        phases = (Phase("d", ("D",), repeats=5), Phase("g", ("G",)))

    assert Critic.batches_per_step.fget(Critic) == 5
    assert gan_core.create("dcgan").batches_per_step == 1
