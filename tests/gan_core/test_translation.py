"""Recipes that translate: pairs that stay pairs, games over patches, models and commands, and what is refused."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import gan_core
from gan_core import losses
from gan_core.cli import main
from gan_core.data import ImageData
from gan_core.data.picture_file import open_image
from gan_core.errors import UsageError
from gan_core.examples import Examples
from gan_core.library import available
from gan_core.noise import NoiseRecipe
from gan_core.recipe import RECIPES, Batch, Inputs
from gan_core.trainer import Trainer
from gan_core.translation import PairedRecipe, TranslationRecipe
from tests.families import TRANSLATION, tiny

EVERY = pytest.mark.parametrize("name", TRANSLATION)
PAIRED = pytest.mark.parametrize("name", [name for name in TRANSLATION if issubclass(RECIPES[name], PairedRecipe)])


# --------------------------------------------------------------------------------------------------------------- pairs


def test_pairs_are_mirrored_together_and_others_each_by_itself():
    recipe, _ = tiny(channels=1)
    images = torch.arange(2.0 * 16 * 16).view(2, 1, 16, 16).repeat(200, 1, 1, 1)
    inputs, truths = recipe.prepared(Batch(images, inputs=images.clone()))
    assert torch.equal(inputs, truths)
    mirrored = (inputs != images).flatten(1).any(1)
    assert 0.4 < mirrored.float().mean() < 0.6 and torch.equal(inputs[mirrored], images[mirrored].flip(3))
    inputs, truths = recipe.prepared(Batch(images, inputs=images.clone(), paired=False))
    assert 0.4 < (inputs == truths).flatten(1).all(1).float().mean() < 0.6
    inputs, truths = tiny(channels=1, flip=False)[0].prepared(Batch(images, inputs=images + 1))
    assert torch.equal(inputs, images + 1) and torch.equal(truths, images)


def test_what_a_recipe_learns_from_is_asked_of_the_data():
    recipe = gan_core.create("gen_1")
    made = recipe.resolve(64, 3, inputs=Inputs(1, paired=True))
    assert (made.config.image_shape, made.config.channels_in) == ((3, 64), 1)
    with pytest.raises(UsageError, match="turns pictures into pictures, but the data has no inputs .*: take batik"):
        recipe.resolve(64, 3)
    with pytest.raises(UsageError, match="gen_1 learns from pairs, but the data's inputs belong to other pictures"):
        recipe.resolve(64, 3, inputs=Inputs(3, paired=False))
    with pytest.raises(UsageError, match="input_channels is 3, but the data's inputs have 1"):
        gan_core.create("gen_1", input_channels=3).resolve(64, 3, inputs=Inputs(1, paired=True))
    with pytest.raises(UsageError, match="input_channels is still left to the data"):
        gan_core.create("gen_1", image_size=32, channels=3).build()


# --------------------------------------------------------------------------------------------------------------- games


@PAIRED
@pytest.mark.parametrize("adversarial", ["vanilla", "lsgan", "hinge", "wgan_gp"])
def test_every_game_is_really_played_over_patches(name, adversarial, noise_data):
    recipe, nets = tiny(name, adversarial=adversarial)
    maps = [torch.randn(4, 1, 3, 3), torch.randn(4, 1, 2, 2)]
    others = [torch.randn(4, 1, 3, 3), torch.randn(4, 1, 2, 2)]
    found = recipe.critic_loss(maps, others)
    real, fake = recipe.real_label, recipe.fake_label

    def mean(of):
        return torch.stack([of(a, b) for a, b in zip(maps, others, strict=True)]).mean()

    expected = {
        "vanilla": lambda a, b: (losses.cross_entropy(a, real) + losses.cross_entropy(b, fake)) / 2,
        "lsgan": lambda a, b: ((a - real).square().mean() + (b - fake).square().mean()) / 4,
        "hinge": lambda a, b: (1 - a).clamp(min=0).mean() + (1 + b).clamp(min=0).mean(),
        "wgan_gp": lambda a, b: b.mean() - a.mean(),
    }[adversarial]
    assert torch.stack(list(found.values())).sum().item() == pytest.approx(mean(expected).item(), rel=1e-4)
    trainer = Trainer(recipe, noise_data(recipe))
    trainer.run(2)
    assert ("d/penalty" in trainer.logs) == (adversarial == "wgan_gp")
    if adversarial == "wgan_gp":  # the slope at one picture is no matter of the others
        channels, side = recipe.config.image_shape
        images = torch.randn(4, channels, side, side, requires_grad=True)
        inputs = torch.randn(4, recipe.config.channels_in, side, side)
        recipe.judge(trainer.nets.train(), inputs, images)[0][0].sum().backward()
        assert images.grad[0].any() and not images.grad[1:].any()
    assert all(value.isfinite() for value in trainer.logs.values())


def test_the_penalty_of_patches_is_that_of_a_pictures_mean_logit():
    recipe, nets = tiny("gen_1", adversarial="wgan_gp", channels=1)
    nets["D"] = nn.Conv2d(1, 1, 16, bias=False)  # one patch: the picture
    images = torch.rand(4, 1, 16, 16)
    terms = recipe.losses("d", nets, Batch(images, inputs=images), 0)
    slope = nets["D"].weight.detach().norm()
    assert terms["penalty"].item() == pytest.approx(10 * (slope.item() - 1) ** 2, rel=1e-3)


def test_cross_entropy_is_that_of_its_target():
    logits = torch.randn(3, 1, 4, 4)
    for target in (0.0, 0.1, 0.9, 1.0):
        expected = nn.functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))
        assert losses.cross_entropy(logits, target).item() == pytest.approx(expected.item(), rel=1e-5)


# -------------------------------------------------------------------------------------------------------------- models


@EVERY
def test_what_is_saved_is_what_is_loaded(name, untrained, tmp_path):
    model = untrained(name)
    model.save(tmp_path / "m")
    loaded = gan_core.load(tmp_path / "m")
    picture = Image.effect_noise((20, 16), 90)
    assert np.array_equal(loaded.translate(picture), model.translate(picture))
    assert torch.equal(loaded.examples.inputs, model.examples.inputs)
    assert torch.equal(loaded.examples.truths, model.examples.truths)
    assert model.examples.inputs.shape[-1] * model.recipe.factor == model.examples.truths.shape[-1]
    with Image.open(tmp_path / "m" / "samples.png") as sheet:
        side = model.image_size
        scale = max(1, 64 // side)  # five examples, in rows of inputs, pictures and truths
        assert sheet.size == (scale * (5 * (side + 1) - 1), scale * (3 * (side + 1) - 1))
    card = (tmp_path / "m" / "README.md").read_text()
    assert "pipeline_tag: image-to-image" in card and "model.translate(" in card and "model.sample(" not in card


def test_examples_without_truths(tmp_path):
    examples = Examples(torch.randint(0, 256, (3, 1, 8, 8), dtype=torch.uint8), None)
    examples.save(tmp_path / "e.png")
    read = Examples.read(tmp_path / "e.png", 8, 1, 3)
    assert read.truths is None and torch.equal(read.inputs, examples.inputs)
    assert examples.sheet(torch.zeros(3, 3, 8, 8)).size == (8 * (3 * 9 - 1), 8 * (2 * 9 - 1))
    with pytest.raises(UsageError, match="does not hold rows of pictures of 7 pixels"):
        Examples.read(tmp_path / "e.png", 7, 1, 3)
    whole = (tmp_path / "e.png").read_bytes()
    (tmp_path / "e.png").write_bytes(whole[:60])  # refused before its pixels are looked for
    with pytest.raises(UsageError, match="does not hold rows of pictures of 7 pixels"):
        Examples.read(tmp_path / "e.png", 7, 1, 3)
    with pytest.raises(UsageError, match="cannot be read as a picture"):
        Examples.read(tmp_path / "e.png", 8, 1, 3)
    with pytest.raises(UsageError, match="has no inputs to translate"):
        Examples.of(ImageData("plain", torch.zeros(4, 1, 8, 8, dtype=torch.uint8)), tiny()[0])


def test_inputs_smaller_than_their_pictures_are_shown_and_kept_as_large(tmp_path):
    examples = Examples(*(torch.randint(0, 256, (3, 3, side, side), dtype=torch.uint8) for side in (4, 8)), factor=2)
    examples.save(tmp_path / "e.png")
    with Image.open(tmp_path / "e.png") as kept:
        assert kept.size == (24, 16)
        first = torch.from_numpy(np.array(kept)).permute(2, 0, 1)[:, :8, :8]
    for row in range(8):
        for column in range(8):
            assert torch.equal(first[:, row, column], examples.inputs[0, :, row // 2, column // 2])
    read = Examples.read(tmp_path / "e.png", 8, 3, 3, factor=2)
    assert torch.equal(read.inputs, examples.inputs) and torch.equal(read.truths, examples.truths)
    assert read.factor == 2 and examples.sheet(torch.zeros(3, 3, 8, 8)).size == (8 * (3 * 9 - 1), 8 * (3 * 9 - 1))


def test_noise_and_pictures_are_not_confused(untrained, tmp_path):
    model = untrained()
    with pytest.raises(UsageError, match="A gen_1 model turns pictures into pictures; it cannot sample from noise"):
        model.sample(2)
    with pytest.raises(UsageError, match="no control 'truncation'"):
        model.translate(Image.new("L", (4, 4)), truncation=0.5)
    with pytest.raises(UsageError, match="The seed is -1"):
        model.translate(Image.new("L", (4, 4)), seed=-1)
    with pytest.raises(UsageError, match="A dcgan model draws from noise; it cannot translate a picture"):
        gan_core.load("weights/dcgan-digits").translate(Image.new("L", (4, 4)))


def test_models_are_listed_by_what_they_do(untrained, runs):
    untrained().save(runs / "sketches" / "model")
    assert "runs/sketches" in available() and "runs/sketches" in available(TranslationRecipe)
    assert "runs/sketches" not in available(NoiseRecipe) and "weights/dcgan-digits" in available(NoiseRecipe)
    (runs / "sketches" / "model" / "config.json").write_text("{")
    assert "runs/sketches" in available(NoiseRecipe)  # which says what is wrong with it


# -------------------------------------------------------------------------------------------------------- command line


@pytest.fixture
def few_cloths(monkeypatch):
    from gan_core.data import batik

    monkeypatch.setattr(batik, "SEEDS", {"train": range(8), "test": range(100, 104)})


def test_a_training_shows_held_out_inputs_and_its_model_translates_a_folder(runs, few_cloths, tmp_path, capsys):
    words = ["train", "gen_1", "--dataset", "batik", "--image_size", "16", "--width", "4", "--batch_size", "4"]
    main([*words, "--steps", "2", "--precision", "fp32", "--out", str(runs / "sketches")])
    model = gan_core.load("runs/sketches")
    held_out = gan_core.data.load_data("batik", 16, split="test")
    assert torch.equal(model.examples.inputs, held_out.inputs) and torch.equal(model.examples.truths, held_out.images)
    assert (runs / "sketches" / "samples" / "step-000002.png").exists()
    folder = tmp_path / "in"
    folder.mkdir()
    for k in range(3):
        Image.effect_noise((20 + k, 30), 90).save(folder / f"{k}.png")
    main(["translate", str(folder), str(tmp_path / "out"), "--model", "runs/sketches"])
    assert [open_image(tmp_path / "out" / f"{k}.png").size for k in range(3)] == [(20, 30), (21, 30), (22, 30)]
    main(["translate", str(folder / "[01].png"), str(tmp_path / "two"), "--model", "runs/sketches"])
    assert len(list((tmp_path / "two").iterdir())) == 2
    main(["translate", str(folder / "0.png"), str(tmp_path / "one.png"), "--model", "runs/sketches"])
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "out" / "0.png").read_bytes()
    for words in ([folder, folder], [folder / "0.png", folder / "0.png"]):
        with pytest.raises(SystemExit):
            main(["translate", *map(str, words), "--model", "runs/sketches"])
        assert "would replace what goes in" in capsys.readouterr().err
    (folder / "text.png").write_text("no picture")
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["translate", str(folder), str(tmp_path / "again"), "--model", "runs/sketches"])
    told = capsys.readouterr()
    assert "1 of 4 were left out: text.png cannot be read as a picture" in told.err
    assert "Translated 3 of 4" in told.out and len(list((tmp_path / "again").iterdir())) == 3


def test_sub_folders_and_what_came_out_before_are_not_translated(untrained, runs, tmp_path, capsys):
    untrained().save(runs / "sketches" / "model")
    (tmp_path / "in" / "deeper.png").mkdir(parents=True)
    Image.new("L", (8, 8)).save(tmp_path / "in" / "a.png")
    for words in 2 * ([tmp_path / "in", tmp_path / "in" / "out"],) + ([tmp_path / "in" / "*", tmp_path / "two"],):
        main(["translate", *map(str, words), "--model", "runs/sketches"])
        assert "Translated 1 of 1" in capsys.readouterr().out
    assert [file.name for file in (tmp_path / "in" / "out").iterdir()] == ["a.png"]


def test_the_command_draws_by_the_seed_and_says_what_it_makes_smaller(untrained, runs, tmp_path, capsys, monkeypatch):
    for name in ("gen_3", "pix2pix"):
        untrained(name).save(runs / name / "model")
    picture = Image.effect_noise((64, 64), 90)
    picture.save(tmp_path / "a.png")
    for seed in (0, 7):
        words = [str(tmp_path / "a.png"), str(tmp_path / "b.png"), "--model", "runs/gen_3", "--seed", str(seed)]
        main(["translate", *words])
        assert np.array_equal(open_image(tmp_path / "b.png"), untrained("gen_3").translate(picture, seed))
    monkeypatch.setattr("gan_core.translate.ONE_PASS", 1024)
    main(["translate", str(tmp_path / "a.png"), str(tmp_path / "c.png"), "--model", "runs/pix2pix"])
    told = capsys.readouterr()
    assert "a.png is translated at 32x32, since the network sees it as a whole" in told.out + told.err
    assert open_image(tmp_path / "c.png").size == (64, 64)


def test_the_command_goes_backwards_where_a_model_can(untrained, runs, tmp_path, capsys):
    model = untrained("cyclegan")
    model.save(runs / "both" / "model")
    untrained().save(runs / "sketches" / "model")
    picture = Image.effect_noise((20, 16), 90)
    picture.save(tmp_path / "a.png")
    main(["translate", str(tmp_path / "a.png"), str(tmp_path / "b.png"), "--model", "runs/both", "--backwards"])
    assert np.array_equal(Image.open(tmp_path / "b.png"), model.translate(picture, backwards=1))
    with pytest.raises(SystemExit):
        main(["translate", str(tmp_path / "a.png"), str(tmp_path / "c.png"), "--model", "runs/sketches", "--backwards"])
    assert "A gen_1 model has no control 'backwards'" in capsys.readouterr().err
    assert not (tmp_path / "c.png").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere", "out"], "nowhere is no picture and no folder that holds some, and as a pattern it matches none"),
        (["in", "in/a.png/out"], "OUT is in/a.png/out; nothing can be written there"),
        (["in/a.png", "in/a.png/b.png"], "OUT is in/a.png/b.png; nothing can be written there"),
        (["in/a.png", "folder.png"], "OUT is folder.png; nothing can be written there"),
        (["in", "out.jpg"], "OUT is out.jpg; it takes a .png for one picture, or a folder"),
        (["in", "out.png"], "in is 2 pictures, so OUT must be a folder"),
        (["twice", "out"], "Several pictures are called a"),
    ],
)
def test_what_cannot_be_translated(words, sentence, untrained, runs, tmp_path, monkeypatch, capsys):
    untrained().save(runs / "sketches" / "model")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.png").mkdir()
    for file in ("in/a.png", "in/b.png", "twice/a.png", "twice/deeper/a.png"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4)).save(tmp_path / file)
    with pytest.raises(SystemExit):
        main(["translate", *words, "--model", "runs/sketches"])
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists() and not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("gen_1", 15), ("gen_2", 15), ("gen_4", 15), ("gen_3", 28), ("gen_5", 44), ("pix2pix", 16), ("cyclegan", 28),
        ("srgan", 8),
    ],
)  # fmt: skip
def test_pictures_smaller_than_the_networks_take_are_refused(name, size, runs, monkeypatch, capsys):
    """Each just below what trains, which is the size of the tests' own: no run begins."""
    assert RECIPES[name].Config.tiny().image_size in (size + 1, size + 4, 2 * size)
    monkeypatch.setattr("gan_core.data.load_data", None)
    with pytest.raises(SystemExit):
        main(["train", name, "--image_size", str(size), "--steps", "1", "--out", str(runs / "no")])
    assert f"image_size is {size}; " in capsys.readouterr().err
    assert not (runs / "no").exists()


def test_data_that_does_not_fit_is_said_before_anything_is_written(runs, few_cloths, capsys):
    words = ["gen_1", "--dataset", "digits", "--steps", "1", "--batch_size", "4", "--image_size", "16"]
    with pytest.raises(SystemExit):
        main(["train", *words, "--out", str(runs / "no")])
    assert "the data has no inputs to translate" in capsys.readouterr().err
    assert not (runs / "no").exists()


def test_the_config_of_a_saved_model_says_what_it_takes(untrained, tmp_path):
    untrained().save(tmp_path / "m")
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    assert config["config"]["input_channels"] == 1 and config["image"]["channels"] == 3
