import pytest
import torch

from gan_core import UsageError
from gan_core.latent import latents
from gan_core.pictures import to_pil
from tabs.film import scale_of
from tabs.walk import Walk, live, read_seeds
from tests.tabs.tiny import tiny_model

WALK = Walk((3, 14, 15), loop=False)
CLASSES = ("zero", "one", "two")


@pytest.fixture(scope="module")
def model():
    return tiny_model()


@pytest.fixture(scope="module")
def classy():
    return tiny_model("biggan", CLASSES)


@pytest.mark.parametrize(
    ("text", "seeds"), [("3, 14,15", (3, 14, 15)), ("3 14", (3, 14)), (" 7,\n8 ", (7, 8)), ("3,,4", (3, 4))]
)
def test_key_seeds_are_read_with_commas_or_blanks(text, seeds):
    assert read_seeds(text) == seeds


@pytest.mark.parametrize("word", ["x", "-3", "1.5", "1e3", "²", "٣", "9" * 5000])
def test_what_is_no_seed_is_named(word):
    with pytest.raises(UsageError, match="is no seed; give whole numbers"):
        read_seeds(f"3, {word}")


@pytest.mark.parametrize(
    ("walk", "sentence"),
    [
        ({"seeds": (3,)}, "There are 1 key seeds; a walk takes 2 to 12"),
        ({"seeds": tuple(range(13))}, "There are 13"),
        ({"seeds": (3, 2**32)}, "key seed is '4294967296'"),
        ({"seeds": (3, 4), "path": "polar"}, "The path is 'polar'; it takes slerp or lerp"),
        ({"seeds": (3, 4), "hold": True}, "goes nowhere without a class to go to"),
    ],
)
def test_walks_that_cannot_be(walk, sentence):
    with pytest.raises(UsageError, match=sentence):
        Walk(**walk)


@pytest.mark.parametrize(
    ("loop", "mix", "leg"),
    [
        (False, 0.0, (0, 0.0)), (False, 0.25, (0, 0.5)), (False, 0.5, (1, 0.0)), (False, 1.0, (1, 1.0)),
        (True, 1.0, (2, 1.0)), (True, 0.5, (1, 0.5)), (True, 7.0, (2, 1.0)), (True, -1.0, (0, 0.0)),
    ],
)  # fmt: skip
def test_the_slider_goes_along_the_whole_walk(loop, mix, leg):
    assert Walk((3, 14, 15), loop=loop).leg(mix) == leg


def test_the_live_picture_lies_between_its_two_seeds(model):
    (a, _), (middle, label), (b, _) = live(WALK, model, 0.25)
    ends = model.decode(torch.cat([latents(3, 1, model.latent_dim), latents(14, 1, model.latent_dim)]))
    scale = scale_of(model.image_size)
    assert [a, b] == [to_pil(ends[0], scale), to_pil(ends[1], scale)]
    assert middle == to_pil(WALK.decode(model, 5)[1], scale)
    assert label == "50 %"
    assert [text for _, text in live(Walk((3, 14, 15)), model, 1.0)] == ["Seed 15", "100 %", "Seed 3"]


def test_without_a_class_to_go_to_a_walk_stays_in_one(model, classy):
    position = torch.linspace(0, 1, 3)
    assert Walk((1, 2)).labels(model, position) is None
    assert Walk((1, 2)).labels(classy, position) == 0
    assert Walk((1, 2), label=1).labels(classy, position) == 1


def test_a_walk_goes_from_class_to_class_and_a_loop_back():
    classy = tiny_model("biggan", CLASSES)
    there, back = Walk((1, 2), loop=False, label=2, goal=1), Walk((1, 2), label=2, goal=1)
    assert there.labels(classy, there.positions(3)).tolist() == [[0, 0, 1], [0, 0.5, 0.5], [0, 1, 0]]
    assert back.labels(classy, back.positions(4)).tolist() == [[0, 0, 1], [0, 0.5, 0.5], [0, 1, 0], [0, 0.5, 0.5]]


def test_a_held_seed_lets_only_the_class_change(classy):
    walk = Walk((5, 6), loop=False, label=0, goal=2, hold=True)
    z = latents(5, 1, classy.latent_dim)
    assert torch.equal(walk.latents(classy, 7), z.expand(7, -1))
    ends = walk.decode(classy, 7)[[0, -1]]
    assert torch.allclose(ends, classy.decode(z.expand(2, -1), [0, 2]), atol=1e-5)
    assert not torch.equal(ends[0], ends[1])
    texts = [text for _, text in live(walk, classy, 0.25)]
    assert texts == ["Seed 5 · class zero", "Seed 5 · 25 % from zero to two", "Seed 5 · class two"]


def test_the_live_picture_of_a_morph_is_one_of_its_frames(classy):
    walk = Walk((3, 14), label=0, goal=1)
    (_, first), (picture, middle), (_, last) = live(walk, classy, 0.75)
    assert picture == to_pil(walk.decode(classy, 4)[3], scale_of(classy.image_size))
    assert (first, middle, last) == ("Seed 14 · class one", "50 % · 50 % from zero to one", "Seed 3 · class zero")


def test_classes_that_a_model_does_not_have(model, classy):
    with pytest.raises(UsageError, match="unconditional"):
        Walk((1, 2), goal=1).labels(model, torch.zeros(1))
    with pytest.raises(UsageError, match="from 0 to 2"):
        Walk((1, 2), goal=3).labels(classy, torch.zeros(1))
