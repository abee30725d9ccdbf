"""Pictures of any size, mode and orientation; big ones in tiles that are the whole."""

import io
import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import rgb2lab
from torch import nn

from gan_core.data.picture_file import open_image, to_mode
from gan_core.recipes.gen_3 import noise_plane
from gan_core.translate import back_and_forth, reflected, spans, weights, with_statistics_of, working_size
from tests.families import TRANSLATION, tiny

# ------------------------------------------------------------------------------------------------------------ any size


@pytest.mark.parametrize("name", TRANSLATION)
@pytest.mark.parametrize("size", [(1, 1), (2, 1), (37, 53), (16, 16), (64, 20)])
def test_a_picture_of_any_size_becomes_one_of_the_same_size_times_the_factor(name, size, untrained):
    model = untrained(name)
    drawn = model.translate(Image.effect_noise(size, 90))
    assert drawn.size == tuple(model.recipe.factor * side for side in size) and drawn.mode == "RGB"


GREY = Image.effect_noise((16, 16), 90)
BLACK_AND_WHITE = GREY.point(lambda level: 255 * (level > 127))
WIDE = Image.fromarray(np.asarray(GREY, dtype=np.uint16) * 257)  # the same in 16 bits
FLOATS = Image.fromarray(np.asarray(GREY, dtype=np.float32) / 255)
CLEAR = GREY.convert("RGBA")
CLEAR.putalpha(0)


@pytest.mark.parametrize(
    ("image", "same"),
    [
        (BLACK_AND_WHITE.convert("1"), BLACK_AND_WHITE),
        *((GREY.convert(mode), GREY) for mode in ("P", "RGB", "RGBA", "LA", "CMYK")),
        (WIDE, GREY),
        (FLOATS, GREY),
        (Image.fromarray(np.asarray(FLOATS) * 255), GREY),
        (CLEAR, Image.new("L", (16, 16), "white")),
        (CLEAR.convert("LA"), Image.new("L", (16, 16), "white")),
    ],
    ids=["1", "P", "RGB", "RGBA", "LA", "CMYK", "I;16", "F to 1", "F to 255", "clear RGBA", "clear LA"],
)
def test_a_picture_of_any_mode_is_taken_for_what_it_shows(image, same, untrained):
    model = untrained()
    drawn, expected = (np.asarray(model.translate(picture), dtype=int) for picture in (image, same))
    assert model.translate(image).mode == "RGB" and np.abs(drawn - expected).max() <= 1


def test_a_picture_in_lab_is_taken_for_what_it_shows(tmp_path):
    colours = np.array([[(0, 0, 0), (255, 255, 255), (128, 128, 128), (200, 60, 40), (90, 120, 160)]], dtype=np.uint8)
    coded = (rgb2lab(colours) * (2.55, 1, 1) + (0, 128, 128)).round().astype(np.uint8)
    bands = [Image.fromarray(np.ascontiguousarray(coded[..., band])) for band in range(3)]
    Image.merge("LAB", bands).save(tmp_path / "picture.tif")
    shown = to_mode(open_image(tmp_path / "picture.tif"), 3)
    assert np.abs(np.asarray(shown, dtype=int) - colours).max() <= 12  # two white points: D50 there, D65 here


def test_what_is_translated_is_the_networks_own(untrained):
    model = untrained()
    pixels = torch.randint(0, 256, (1, 1, 16, 16), dtype=torch.uint8)
    drawn = model.translate(Image.fromarray(pixels[0, 0].numpy()))
    expected = model.translations(pixels / 127.5 - 1)
    assert np.abs(np.array(drawn) - ((expected[0].permute(1, 2, 0).numpy() + 1) * 127.5)).max() <= 0.51


def test_a_picture_does_not_depend_on_those_beside_it(untrained):
    model, inputs = untrained(), torch.rand(20, 1, 16, 16) * 2 - 1
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
def test_tiles_are_the_whole(name, size, untrained, monkeypatch):
    recipe = untrained(name).recipe
    monkeypatch.setattr("gan_core.translate.TILE", 64)
    monkeypatch.setattr("gan_core.translate.BLEND", 8)
    model, image = untrained(name), Image.effect_noise(size, 90)
    whole = np.array(model.translate(image, seed=3), dtype=int)
    monkeypatch.setattr("gan_core.translate.ONE_PASS", 64)
    told = []
    drawn = np.array(model.translate(image, seed=3, progress=lambda share, text: told.append(share)), dtype=int)
    assert np.abs(drawn - whole).max() <= 1
    assert told[-1] == 1 and told == sorted(told)
    side = max(64, 2 * (2 * recipe.context + 8))
    across, down = (len(spans(length, side, side - 2 * recipe.context - 8, recipe.multiple)) for length in size)
    assert len(told) == across * down


def test_tiles_overlap_and_one_gives_way_to_the_next(monkeypatch):
    monkeypatch.setattr("gan_core.translate.BLEND", 8)
    tiles = spans(200, 64, 64 - 28, 4)  # of context 10
    assert tiles[0] == (0, 64) and tiles[-1] == (136, 200) and all(start % 4 == 0 for start, _ in tiles)
    assert all(before[1] - after[0] >= 28 for before, after in itertools.pairwise(tiles))
    first, second = (weights(*tile, 200, 10, 1) for tile in tiles[:2])
    assert first[0] == 1 and first[-10:].sum() == 0 and second[:10].sum() == 0
    assert torch.allclose(first[36:] + second[:28], torch.ones(28))
    assert first.diff().abs().max() <= math.pi / 2 / 8  # the slope of a half period of sin^2: no step
    assert torch.equal(weights(0, 200, 200, 10, 2), torch.ones(400))


def test_noise_is_one_plane_whatever_the_tiles():
    whole = noise_plane(5, 3, (0, 0), (200, 150))
    assert torch.equal(noise_plane(5, 3, (37, 70), (90, 64)), whole[:, :, 37:127, 70:134])
    assert not torch.equal(noise_plane(6, 3, (0, 0), (8, 8)), whole[:, :, :8, :8])
    assert whole.mean().abs() < 0.02 and abs(whole.std() - 1) < 0.02


def test_tiles_share_the_statistics_of_the_whole_picture(untrained, monkeypatch):
    """A half black, half white picture: each tile by itself would be grey."""
    monkeypatch.setattr("gan_core.translate.TILE", 64)
    monkeypatch.setattr("gan_core.translate.BLEND", 8)
    model = untrained("cyclegan")
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


def test_a_big_picture_through_a_u_net_is_reduced_and_enlarged_again(untrained, monkeypatch):
    monkeypatch.setattr("gan_core.translate.ONE_PASS", 32 * 32)
    model = untrained("pix2pix")
    assert model.working_size((64, 64)) == (32, 32)
    image = Image.effect_noise((64, 64), 90)
    small = model.translate(image.resize((32, 32), Image.Resampling.LANCZOS))
    assert np.array_equal(model.translate(image), small.resize((64, 64), Image.Resampling.LANCZOS))
    for size in ((70, 50), (33, 31), (1, 500), (400, 3)):
        assert model.translate(Image.effect_noise(size, 90)).size == size


def test_a_picture_is_turned_upright(untrained):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    image = Image.effect_noise((20, 12), 90)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif, quality=95)
    model = untrained()
    drawn = model.translate(Image.open(buffer))
    assert drawn.size == (12, 20)
    turned = Image.fromarray(np.rot90(np.array(Image.open(buffer)), 3))
    assert np.array_equal(drawn, model.translate(turned))


@pytest.mark.slow
@pytest.mark.parametrize(
    "recipe",
    [
        "gen_1(image_size=64, channels=3, input_channels=1)",
        "srgan(image_size=64, channels=3, input_channels=3)",
        "cyclegan(image_size=64, channels=3, input_channels=3)",
        "pix2pix(image_size=64, channels=3, input_channels=1)",
    ],
)
def test_twelve_megapixels_fit_into_two_gigabytes(recipe):
    """Its own process: what is counted is the most memory that it ever had."""
    name, config = recipe.split("(")
    script = f"""
from PIL import Image
from benchmarks.costs import peak_bytes
from gan_core.model import Model
from gan_core.recipe import recipe_class

recipe = recipe_class("{name}")(recipe_class("{name}").Config({config})
nets = recipe.build().eval()
for name in [name for name in nets if name.startswith("D")]:
    del nets[name]
drawn = Model(recipe, nets).translate(Image.effect_noise((4000, 3000), 90))
assert drawn.size == (4000 * recipe.factor, 3000 * recipe.factor)
print(peak_bytes())
"""
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(found.stdout) < 2e9
