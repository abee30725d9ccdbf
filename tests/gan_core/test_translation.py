"""Recipes that translate: pairs that stay pairs, games over patches, pictures of any size, and what is refused."""

import dataclasses
import io
import itertools
import json
import subprocess
import sys

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
from gan_core.recipes.gen_3 import noise_plane
from gan_core.train_options import TrainOptions
from gan_core.trainer import Trainer
from gan_core.translate import back_and_forth, reflected, spans, weights, with_statistics_of, working_size
from gan_core.translation import PairedRecipe, TranslationRecipe
from tests.families import TRANSLATION

EVERY = pytest.mark.parametrize("name", TRANSLATION)
PAIRED = pytest.mark.parametrize("name", [name for name in TRANSLATION if issubclass(RECIPES[name], PairedRecipe)])


def tiny(name="gen_1", **changes):
    recipe = RECIPES[name](dataclasses.replace(RECIPES[name].Config.tiny(), **changes), TrainOptions(batch_size=4))
    torch.manual_seed(0)
    return recipe, recipe.build()


@pytest.fixture
def fresh(noise_data):
    """Makes an untrained model with examples."""

    def make(name="gen_1", **changes):
        recipe, _ = tiny(name, **changes)
        data = noise_data(recipe)
        five = ImageData("five", data.images[:5], inputs=None if data.inputs is None else data.inputs[:5])
        trainer = Trainer(recipe, data, examples=Examples.of(five, recipe))
        return trainer.model(dataset="batik", command="python train.py gen_1")

    return make


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


# ------------------------------------------------------------------------------------------------------------ any size


@EVERY
@pytest.mark.parametrize("size", [(1, 1), (2, 1), (37, 53), (16, 16), (64, 20)])
def test_a_picture_of_any_size_becomes_one_of_the_same_size_times_the_factor(name, size, fresh):
    model = fresh(name)
    drawn = model.translate(Image.effect_noise(size, 90))
    assert drawn.size == tuple(model.recipe.factor * side for side in size) and drawn.mode == "RGB"


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16"])
def test_a_picture_of_any_mode_is_taken(mode, fresh):
    image = Image.new("I;16", (16, 16), 30_000) if mode == "I;16" else Image.effect_noise((16, 16), 90).convert(mode)
    assert fresh().translate(image).mode == "RGB"


def test_what_is_translated_is_the_networks_own(fresh):
    model = fresh()
    pixels = torch.randint(0, 256, (1, 1, 16, 16), dtype=torch.uint8)
    drawn = model.translate(Image.fromarray(pixels[0, 0].numpy()))
    expected = model.translations(pixels / 127.5 - 1)
    assert np.abs(np.array(drawn) - ((expected[0].permute(1, 2, 0).numpy() + 1) * 127.5)).max() <= 0.51


def test_a_picture_does_not_depend_on_those_beside_it(fresh):
    model, inputs = fresh(), torch.rand(20, 1, 16, 16) * 2 - 1
    assert torch.allclose(model.translations(inputs)[17], model.translations(inputs[17:18])[0], atol=1e-5)


def test_a_picture_goes_back_and_forth_beyond_its_border():
    assert back_and_forth(4, 9).tolist() == [0, 1, 2, 3, 2, 1, 0, 1, 2]
    assert back_and_forth(1, 3).tolist() == [0, 0, 0] and back_and_forth(5, 5).tolist() == [0, 1, 2, 3, 4]
    images = torch.arange(6.0).view(1, 1, 2, 3)
    assert reflected(images, 4, least=8).shape == (1, 1, 8, 8)
    assert reflected(images, 4, least=4)[0, 0].tolist() == [[0, 1, 2, 1], [3, 4, 5, 4], [0, 1, 2, 1], [3, 4, 5, 4]]
    assert torch.equal(reflected(images, 1, least=1), images)


# --------------------------------------------------------------------------------------------------------- big pictures


def reach(recipe, nets, row, column):
    """How far from this pixel of the picture the farthest pixel of the input lies that it depends on."""
    side = 3 * recipe.context // 4 * 4
    inputs = torch.zeros(1, recipe.config.channels_in, side, side, dtype=torch.float64, requires_grad=True)
    recipe.translate(nets, inputs)[..., recipe.factor * row, recipe.factor * column].sum().backward()
    rows, columns = (inputs.grad.abs().sum((0, 1)) > 0).nonzero().unbind(1)
    return max((rows - row).abs().max(), (columns - column).abs().max()).item()


def fixed_norms(nets):
    """Instance norms as they are when frozen: they must not carry a change to all of the picture."""
    return with_statistics_of(nets, lambda nets: nets["G" if "G" in nets else "G_ab"](torch.randn(1, 3, 64, 64)))


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("gen_1", {}),
        ("gen_2", {}),
        ("gen_3", {}),
        ("gen_4", {}),
        ("gen_5", {}),
        ("srgan", {}),
        ("srgan", {"factor": 4}),
        ("cyclegan", {"composite": True}),
    ]
    + [("cyclegan", {"upsample": kind}) for kind in ("conv_transpose", "pixel_shuffle", "nearest")],
)
def test_no_network_looks_further_than_it_says(name, changes):
    recipe, nets = tiny(name, **changes)
    nets = nets.eval()
    if name == "cyclegan":
        nets = fixed_norms(nets)
    for parameter in nets.parameters():  # all above 0 and small: no part of the gradient cancels or is cut off
        parameter.data.abs_().mul_(0.1).add_(1e-3)
    middle = 3 * recipe.context // 2
    found = [reach(recipe, nets.double(), middle + k, middle + k) for k in range(recipe.multiple)]
    assert recipe.context - 8 <= max(found) <= recipe.context


def test_a_u_net_looks_at_everything():
    recipe, _ = tiny("pix2pix")
    assert recipe.context is None
    assert working_size(recipe, (1024, 1024)) == (1024, 1024)
    for size in ((4000, 3000), (1100, 950), (1366, 768), (1, 60_000), (2000, 3)):
        wide, high = working_size(recipe, size)
        assert -(-wide // 32) * -(-high // 32) * 32 * 32 <= 2**20
        assert (wide, high) == size or min(wide, high) == 1 or wide * high > 0.9 * 2**20
    assert working_size(tiny("gen_1")[0], (4000, 3000)) == (4000, 3000)


@pytest.mark.parametrize("size", [(120, 130), (40, 210), (64, 64)])
@pytest.mark.parametrize("name", ["gen_1", "gen_2", "gen_3", "gen_4", "gen_5", "srgan"])
def test_tiles_are_the_whole(name, size, fresh, monkeypatch):
    recipe = fresh(name).recipe
    monkeypatch.setattr("gan_core.translate.TILE", 64)
    monkeypatch.setattr("gan_core.translate.BLEND", 8)
    model, image = fresh(name), Image.effect_noise(size, 90)
    whole = np.array(model.translate(image, seed=3), dtype=int)
    monkeypatch.setattr("gan_core.translate.ONE_PASS", 64)
    told = []
    drawn = np.array(model.translate(image, seed=3, progress=lambda share, text: told.append(share)), dtype=int)
    assert np.abs(drawn - whole).max() <= 1
    assert told[-1] == 1 and told == sorted(told)
    side = max(64, 2 * (2 * recipe.context + 8))
    assert len(told) == len(spans(size[1], side, side - 2 * recipe.context - 8, recipe.multiple))


def test_tiles_overlap_and_one_gives_way_to_the_next(monkeypatch):
    monkeypatch.setattr("gan_core.translate.BLEND", 8)
    tiles = spans(200, 64, 64 - 28, 4)  # of context 10
    assert tiles[0] == (0, 64) and tiles[-1] == (136, 200) and all(start % 4 == 0 for start, _ in tiles)
    assert all(before[1] - after[0] >= 28 for before, after in itertools.pairwise(tiles))
    first, second = (weights(*tile, 200, 10, 1) for tile in tiles[:2])
    assert first[0] == 1 and first[-10:].sum() == 0 and second[:10].sum() == 0
    assert torch.allclose(first[36:] + second[:28], torch.ones(28))
    assert torch.equal(weights(0, 200, 200, 10, 2), torch.ones(400))


def test_noise_is_one_plane_whatever_the_tiles():
    whole = noise_plane(5, 3, (0, 0), (200, 150))
    assert torch.equal(noise_plane(5, 3, (37, 70), (90, 64)), whole[:, :, 37:127, 70:134])
    assert not torch.equal(noise_plane(6, 3, (0, 0), (8, 8)), whole[:, :, :8, :8])
    assert whole.mean().abs() < 0.02 and abs(whole.std() - 1) < 0.02


def test_tiles_share_the_statistics_of_the_whole_picture(fresh, monkeypatch):
    """A half black, half white picture: each tile by itself would be grey."""
    monkeypatch.setattr("gan_core.translate.TILE", 64)
    monkeypatch.setattr("gan_core.translate.BLEND", 8)
    model = fresh("cyclegan")
    image = Image.new("RGB", (400, 128), "black")
    image.paste("white", (200, 0, 400, 128))
    whole = np.array(model.translate(image), dtype=int)
    before = {key: value.clone() for key, value in model.generators.state_dict().items()}
    monkeypatch.setattr("gan_core.translate.ONE_PASS", 200 * 64)  # half of each side, for the statistics
    drawn = np.array(model.translate(image), dtype=int)
    assert np.abs(drawn - whole).mean() < 3 and np.abs(whole[:, 50] - whole[:, 350]).mean() > 10
    assert all(torch.equal(value, before[key]) for key, value in model.generators.state_dict().items())


@pytest.mark.parametrize("affine", [False, True])
def test_a_frozen_norm_does_what_the_norm_did(affine):
    norm = nn.InstanceNorm2d(3, affine=affine)
    for parameter in norm.parameters():
        nn.init.normal_(parameter)
    x = torch.randn(1, 3, 8, 8) * 3 + 1
    settled = with_statistics_of(nn.ModuleDict({"G": nn.Sequential(norm)}), lambda nets: nets["G"](x))
    assert torch.allclose(settled["G"](x), norm(x), atol=1e-5)
    assert not torch.allclose(settled["G"](x[..., :4]), norm(x[..., :4]), atol=1e-2)


def test_a_big_picture_through_a_u_net_is_reduced_and_enlarged_again(fresh, monkeypatch):
    monkeypatch.setattr("gan_core.translate.ONE_PASS", 32 * 32)
    model = fresh("pix2pix")
    assert model.working_size((64, 64)) == (32, 32)
    image = Image.effect_noise((64, 64), 90)
    small = model.translate(image.resize((32, 32), Image.Resampling.LANCZOS))
    assert np.array_equal(model.translate(image), small.resize((64, 64), Image.Resampling.LANCZOS))
    for size in ((70, 50), (33, 31), (1, 500), (400, 3)):
        assert model.translate(Image.effect_noise(size, 90)).size == size


def test_a_picture_is_turned_upright(fresh):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    image = Image.effect_noise((20, 12), 90)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif, quality=95)
    model = fresh()
    drawn = model.translate(Image.open(buffer))
    assert drawn.size == (12, 20)
    turned = Image.fromarray(np.rot90(np.array(Image.open(buffer)), 3))
    assert np.array_equal(drawn, model.translate(turned))


@pytest.mark.slow
def test_twelve_megapixels_fit_into_two_gigabytes(tmp_path):
    """Its own process: what is counted is the most memory that it ever had."""
    script = """
import resource
from PIL import Image
from gan_core.model import Model
from gan_core.recipes.gen_1 import Gen1, Gen1Config

recipe = Gen1(Gen1Config(image_size=64, channels=3, input_channels=1))
nets = recipe.build().eval()
del nets["D"]
assert Model(recipe, nets).translate(Image.effect_noise((4000, 3000), 90)).size == (4000, 3000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(found.stdout) * 1024 < 2e9


# -------------------------------------------------------------------------------------------------------------- models


@EVERY
def test_what_is_saved_is_what_is_loaded(name, fresh, tmp_path):
    model = fresh(name)
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


def test_noise_and_pictures_are_not_confused(fresh, tmp_path):
    model = fresh()
    with pytest.raises(UsageError, match="A gen_1 model turns pictures into pictures; it cannot sample from noise"):
        model.sample(2)
    with pytest.raises(UsageError, match="no control 'truncation'"):
        model.translate(Image.new("L", (4, 4)), truncation=0.5)
    with pytest.raises(UsageError, match="The seed is -1"):
        model.translate(Image.new("L", (4, 4)), seed=-1)
    with pytest.raises(UsageError, match="A dcgan model draws from noise; it cannot translate a picture"):
        gan_core.load("weights/dcgan-digits").translate(Image.new("L", (4, 4)))


def test_models_are_listed_by_what_they_do(fresh, runs):
    fresh().save(runs / "sketches" / "model")
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
    assert "3 pictures translated" in told.out and len(list((tmp_path / "again").iterdir())) == 3


def test_the_command_goes_backwards_where_a_model_can(fresh, runs, tmp_path, capsys):
    model = fresh("cyclegan")
    model.save(runs / "both" / "model")
    fresh().save(runs / "sketches" / "model")
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
        (["nowhere", "out"], "nowhere is no picture, no folder of pictures, and matches none"),
        (["in", "out.jpg"], "OUT is out.jpg; it takes a .png for one picture, or a folder"),
        (["in", "out.png"], "in is 2 pictures, so OUT must be a folder"),
        (["twice", "out"], "Several pictures are called a"),
    ],
)
def test_what_cannot_be_translated(words, sentence, fresh, runs, tmp_path, monkeypatch, capsys):
    fresh().save(runs / "sketches" / "model")
    monkeypatch.chdir(tmp_path)
    for file in ("in/a.png", "in/b.png", "twice/a.png", "twice/deeper/a.png"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4)).save(tmp_path / file)
    with pytest.raises(SystemExit):
        main(["translate", *words, "--model", "runs/sketches"])
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists() and not (tmp_path / "out.png").exists()


def test_data_that_does_not_fit_is_said_before_anything_is_written(runs, few_cloths, capsys):
    words = ["gen_1", "--dataset", "digits", "--steps", "1", "--batch_size", "4", "--image_size", "16"]
    with pytest.raises(SystemExit):
        main(["train", *words, "--out", str(runs / "no")])
    assert "the data has no inputs to translate" in capsys.readouterr().err
    assert not (runs / "no").exists()


def test_the_config_of_a_saved_model_says_what_it_takes(fresh, tmp_path):
    fresh().save(tmp_path / "m")
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    assert config["config"]["input_channels"] == 1 and config["image"]["channels"] == 3
