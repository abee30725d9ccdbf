"""Data: a person's folders of pictures to translate, in each of their layouts, and in every way they go wrong."""

import hashlib
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

import gan_core
from gan_core.cli import main
from gan_core.data import load_data
from gan_core.data.doctor import examine
from gan_core.data.folder import folder
from gan_core.data.layout import find
from gan_core.data.pairs import pairs, scan_pairs, split_together
from gan_core.data.picture_file import read_image
from gan_core.errors import UsageError

ENDS = r"[^\n]{1,400}\.$"  # one sentence


def noise(seed, width=20, height=30, mode="RGB"):
    shape = (height, width, len(mode)) if len(mode) > 1 else (height, width)
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8), mode)


def save(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return path


def beside(left, right):
    """Two pictures of one size as one."""
    both = Image.new(left.mode, (2 * left.width, left.height))
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    return both


def both_splits(home, size=16):
    return load_data(str(home), size), load_data(str(home), size, split="test")


def rows_of(images):
    return {image.numpy().tobytes() for image in images}


@pytest.fixture
def by_name(tmp_path):
    """60 pairs: a grey picture and its negative in colour, named alike but for the suffix."""
    for k in range(60):
        grey = noise(k, 24 + k % 3, 40, "L")
        save(tmp_path / "by name" / "A" / f"{k:02d}.png", grey)
        save(tmp_path / "by name" / "B" / f"{k:02d}.bmp", grey.point(lambda value: 255 - value).convert("RGB"))
    return tmp_path / "by name"


@pytest.fixture
def unpaired(tmp_path):
    """Grey pictures and fewer coloured ones, each with a test folder."""
    for split, count in (("train", 9), ("test", 4)):
        for k in range(count):
            save(tmp_path / "unpaired" / f"{split}A" / f"{k}.png", noise(k + 100 * count, mode="L"))
        for k in range(count - 2):
            save(tmp_path / "unpaired" / f"{split}B" / f"{k}.png", noise(k + 200 * count))
    return tmp_path / "unpaired"


@pytest.fixture
def side_by_side(tmp_path):
    """A picture to the left of its negative, five to train on and two to test on."""
    for k in range(7):
        left = noise(k, 32, 32)
        name = "test" if k > 4 else "train"
        save(tmp_path / "halves" / name / f"{k}.png", beside(left, left.point(lambda value: 255 - value)))
    return tmp_path / "halves"


# -------------------------------------------------------------------------------------------------------------- layouts


def test_sub_folders_tell_the_layouts_apart(by_name, unpaired, side_by_side, tmp_path):
    assert (find(by_name), find(unpaired), find(side_by_side)) == ("by name", "unpaired", "side by side")
    for outside in ("A", "trainA", "B"):
        assert find(by_name / "A") is None and find(unpaired / "trainA") is None
        shutil.copytree(by_name, tmp_path / outside / "outer" / "inner")
    assert find(tmp_path / "A") == "by name"  # inside other folders, as in a zip
    assert load_data(str(tmp_path / "A"), 8).paired
    (by_name / "C").mkdir()
    assert find(by_name) is None  # letters are classes


@pytest.mark.parametrize(
    ("file", "size"),
    [("train/9.png", (64, 33)), ("9.png", (64, 32)), ("train/cats/9.png", (64, 32)), ("valid/9.png", (64, 32))],
)
def test_one_other_picture_makes_an_ordinary_folder_of_pictures_side_by_side(side_by_side, file, size):
    save(side_by_side / file, noise(9, *size))
    assert find(side_by_side) is None
    assert load_data(str(side_by_side)).inputs is None


def test_train_and_test_of_ordinary_pictures_stay_what_they_were(tmp_path):
    for name in ("train/cats/1.png", "train/dogs/1.png", "test/cats/1.png", "test/dogs/2.png"):
        save(tmp_path / name, noise(len(name), 32, 32))
    data = load_data(str(tmp_path))
    assert find(tmp_path) is None and data.inputs is None and data.classes == ("cats", "dogs") and len(data) == 2


def test_pairs_by_name_become_inputs_and_images(by_name):
    train, test = both_splits(by_name)
    assert len(train) + len(test) == 60 and train.paired and test.paired
    for data in (train, test):
        assert data.inputs.shape == (len(data), 1, 16, 16) and data.images.shape == (len(data), 3, 16, 16)
        assert (data.inputs.int() + data.images.int() - 255).abs().max() <= 1  # all are of one geometry, in one order
    assert load_data(str(by_name), 16, channels=1).images.shape[1] == 1
    assert train.classes is None and train.labels is None and train.name == str(by_name)


def test_pictures_without_pairs_are_of_any_number_and_size(unpaired):
    save(unpaired / "trainB" / "wide.jpg", noise(1, 90, 20))
    train, test = both_splits(unpaired)
    assert (len(train.inputs), len(train.images), len(test.inputs), len(test.images)) == (9, 8, 4, 2)
    assert (train.inputs.shape[1], train.images.shape[1]) == (1, 3)
    assert not train.paired and not test.paired  # equal names may be nothing but numbers
    files = sorted((unpaired / "testB").iterdir())
    assert torch.equal(test.images, torch.stack([read_image(file, 16, 3) for file in files]))


def test_the_left_half_becomes_the_right_one(side_by_side):
    train, test = both_splits(side_by_side, 32)
    assert (len(train), len(test)) == (5, 2) and train.paired and test.paired
    assert torch.equal(test.inputs[0], torch.from_numpy(np.array(noise(5, 32, 32))).permute(2, 0, 1))
    assert torch.equal(train.images, 255 - train.inputs)


def test_a_folder_val_is_never_trained_on(side_by_side):
    before = rows_of(load_data(str(side_by_side)).images)
    shutil.copytree(side_by_side / "test", side_by_side / "val")
    (side_by_side / "test" / "5.png").unlink()
    train, test = both_splits(side_by_side, 64)
    assert rows_of(train.images) == before and len(test) == 3
    shutil.rmtree(side_by_side / "test")
    assert len(both_splits(side_by_side)[1]) == 2


@pytest.mark.parametrize("size", [(30, 20), (20, 30), (50, 49)])
def test_crop_and_resize_are_those_of_an_ordinary_folder(tmp_path, size):
    for k, mode in enumerate(("L", "RGB", "RGBA")):
        for side in "AB":
            save(tmp_path / side / f"{k}.png", noise(k, *size, mode))
    Image.fromarray(np.full(size[::-1], 32896, dtype=np.uint16)).save(tmp_path / "A" / "deep.png")
    noise(5, *size).convert("P").save(tmp_path / "B" / "deep.gif")
    found = scan_pairs(tmp_path, "by name")
    for side in (found.inputs, found.images):
        expected = torch.stack([read_image(file, 12, 3) for file in side.listing.files])
        assert torch.equal(side.read(range(4), 12, 3), expected)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "I;16"])
def test_halves_of_every_mode_are_what_their_own_files_would_be(tmp_path, mode):
    whole = noise(3, 40, 20, "RGBA").convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        whole = Image.fromarray(np.array(whole).astype(np.uint16) * 257)
    for name in ("train", "test"):
        save(tmp_path / "both" / name / "1.png", whole)
    for half in (0, 1):
        save(tmp_path / "halves" / f"{half}.png", whole.crop((20 * half, 0, 20 * half + 20, 20)))
    data = load_data(str(tmp_path / "both"), 16)
    for half, side in enumerate((data.inputs, data.images)):
        assert torch.equal(side[0], read_image(tmp_path / "halves" / f"{half}.png", 16, data.channels))
    assert data.channels == data.given.channels == (1 if mode in ("1", "L", "I;16") else 3)


# --------------------------------------------------------------------------------------------------------------- splits


def test_pairs_are_held_out_together_by_content_and_never_trained_on(by_name):
    train, test = both_splits(by_name)
    assert 1 <= len(test) <= 15
    for ours, held_out in ((train.inputs, test.inputs), (train.images, test.images)):
        assert not rows_of(ours) & rows_of(held_out)
    for k, file in enumerate(sorted((by_name / "A").iterdir())):  # names do not matter
        file.rename(by_name / "A" / f"new-{99 - k}.png")
        (by_name / "B" / f"{file.stem}.bmp").rename(by_name / "B" / f"new-{99 - k}.bmp")
    assert rows_of(both_splits(by_name)[1].inputs) == rows_of(test.inputs)


@pytest.mark.parametrize(("shared", "own"), ["AB", "BA"])
def test_pairs_that_share_a_picture_are_never_in_both_splits(tmp_path, shared, own):
    for k in range(60):  # two pictures of a side for each of the other
        for side, seed in ((shared, k // 2), (own, 100 + k)):
            save(tmp_path / side / f"{k}.png", noise(seed))
    train, test = both_splits(tmp_path)
    assert len(test) and len(test) % 2 == 0 and len(train) + len(test) == 60
    assert not rows_of(train.inputs) & rows_of(test.inputs)
    assert not rows_of(train.images) & rows_of(test.images)


def test_the_least_digest_of_all_that_are_tied_together_decides():
    assert split_together(["14", "1e"], ["33", "28"]) == ("test", "test")  # 20 and 30 divide by ten
    assert split_together(["0b", "1e", "15"], ["1e", "15", "2a"]) == ("train",) * 3  # a chain from 11
    assert split_together(["50", "1e", "0a"], ["1e", "33", "1e"]) == ("test",) * 3  # all tied to 10
    assert split_together(["0b", "14"], ["33", "34"]) == ("train", "test")


def test_without_test_folders_each_side_is_held_out_by_its_content(tmp_path):
    for side in "AB":
        for k in range(60):
            save(tmp_path / f"train{side}" / f"{k}.png", noise(k + ord(side)))
    train, test = both_splits(tmp_path)
    found = scan_pairs(tmp_path, "unpaired")
    for side, ours, held_out in (
        (found.inputs, train.inputs, test.inputs),
        (found.images, train.images, test.images),
    ):
        assert len(ours) + len(held_out) == 60 and not rows_of(ours) & rows_of(held_out)
        for file, split in zip(side.listing.files, side.listing.splits, strict=True):
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            assert split == ("test" if int(digest, 16) % 10 == 0 else "train")


def test_sub_folders_train_and_test_of_both_sides_are_the_splits(tmp_path):
    for k in range(5):
        for side in "AB":
            save(tmp_path / side / ("test" if k > 2 else "train") / f"{k}.png", noise(k))
    train, test = both_splits(tmp_path)
    assert (len(train), len(test)) == (3, 2) and train.paired


@pytest.mark.parametrize(
    ("names", "advice"),
    [
        (("A", "B"), "sub-folders train and test of both A and B"),
        (("trainA", "trainB"), "folders trainA, trainB, testA and testB"),
    ],
)
def test_a_split_without_pictures_is_one_sentence(tmp_path, monkeypatch, names, advice):
    monkeypatch.setattr("gan_core.data.folder.HELD_OUT", 2**300)
    for name in names:
        save(tmp_path / name / "1.png", noise(1))
    with pytest.raises(UsageError, match=f"no pictures for the test split.*; add pictures, or sort them into {advice}"):
        load_data(str(tmp_path), split="test")


# -------------------------------------------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (("trainA",), "has trainA but no trainB: "),
        (("trainB", "testB"), "has trainB and testB but no trainA and no testA: "),
        (("trainA", "trainB", "testA"), "has trainA and trainB and testA but no testB: "),
        (("A",), "has A but no B: "),
        (("B",), "has B but no A: "),
    ],
)
def test_a_missing_side_is_one_sentence(tmp_path, names, sentence):
    for name in names:
        save(tmp_path / name / "1.png", noise(1))
    with pytest.raises(UsageError, match=sentence + ENDS):
        load_data(str(tmp_path))


@pytest.mark.parametrize("name", ["A", "trainB", "testA"])
def test_a_side_without_pictures_is_one_sentence(tmp_path, name):
    for side in ("A", "B") if name == "A" else ("trainA", "trainB", "testA", "testB"):
        save(tmp_path / side / "1.png", noise(1))
    (tmp_path / name / "1.png").unlink()
    with pytest.raises(UsageError, match=f"/{name} holds no pictures; it takes {ENDS}"):
        load_data(str(tmp_path))


def test_names_without_partner_are_named(by_name):
    (by_name / "B" / "07.bmp").rename(by_name / "B" / "seven.bmp")
    with pytest.raises(UsageError, match=r"by name, A/07\.png has no picture of the same name in B; " + ENDS):
        load_data(str(by_name))
    shutil.copy(by_name / "B" / "seven.bmp", by_name / "B" / "07.bmp")
    with pytest.raises(UsageError, match=r"B/seven\.bmp has no picture of the same name in A"):
        load_data(str(by_name))
    for file in (by_name / "A").glob("[1-5]?.png"):
        file.unlink()
    with pytest.raises(
        UsageError, match=r"B/10\.bmp, B/11\.bmp, B/12\.bmp and 48 more have no picture of the same name in A"
    ):
        load_data(str(by_name))


def test_a_name_that_is_there_twice_is_no_name(by_name):
    save(by_name / "A" / "07.jpg", noise(1))
    with pytest.raises(UsageError, match=r"A/07\.jpg and 07\.png have one name for a pair; " + ENDS):
        load_data(str(by_name))


def test_pairs_of_unequal_sizes_are_refused_with_both(by_name):
    save(by_name / "B" / "07.bmp", noise(1, 41, 25))
    with pytest.raises(UsageError, match=r"A/07\.png 25x40 and B/07\.bmp 41x25 pixels are a pair; " + ENDS):
        load_data(str(by_name))


def test_a_picture_of_two_halves_that_lies_on_its_side_is_refused(side_by_side):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    noise(1, 64, 32).save(side_by_side / "train" / "turned.jpg", exif=exif)
    with pytest.raises(UsageError, match=r"train/turned\.jpg is 32x64 when upright; " + ENDS):
        load_data(str(side_by_side))


def test_of_a_pair_with_an_unreadable_side_both_are_skipped(by_name, caplog):
    before = {split: rows_of(load_data(str(by_name), 16, split=split).inputs) for split in ("train", "test")}
    (by_name / "A" / "03.png").write_text("no picture")
    (by_name / "B" / "05.bmp").write_bytes((by_name / "B" / "05.bmp").read_bytes()[:40])
    train, test = both_splits(by_name)
    assert len(train) + len(test) == 58
    assert rows_of(train.inputs) <= before["train"] and rows_of(test.inputs) <= before["test"]
    assert "skipped: 03.png cannot be read as a picture" in caplog.text and "skipped: 05.bmp" in caplog.text
    for k in range(10, 15):
        (by_name / "A" / f"{k}.png").write_text("no picture")
    with pytest.raises(UsageError, match=r"7 of 120 pictures in .*by name cannot be read: 03\.png cannot be read as"):
        load_data(str(by_name))


@pytest.mark.parametrize("where", ["unpaired/testB", "halves/test"])
def test_unreadable_pictures_of_the_other_layouts_are_counted_too(unpaired, side_by_side, tmp_path, where):
    for name in ("broken.png", "cut.jpg"):
        (tmp_path / where / name).write_text("no picture")
    total = 24 if where.startswith("unpaired") else 9
    with pytest.raises(UsageError, match=f"2 of {total} pictures in .* cannot be read: broken.png"):
        load_data(str(tmp_path / where.split("/")[0]))


def test_a_side_of_which_nothing_can_be_read_is_one_sentence(unpaired):
    for side in ("trainB", "testB"):
        for file in (unpaired / side).iterdir():
            file.unlink()
        (unpaired / side / "0.png").write_text("no picture")
    for k in range(40):
        save(unpaired / "trainA" / f"more-{k}.png", noise(k))
    with pytest.raises(UsageError, match=r"2 of 2 pictures in .* cannot be read: 0\.png"):
        load_data(str(unpaired))  # though they are less than 5 % of all


def test_an_image_bomb_is_not_unpacked(by_name, side_by_side, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    with pytest.raises(UsageError, match=r"00\.png unpacks to more than the 500 pixels allowed"):
        load_data(str(by_name))
    with pytest.raises(UsageError, match=r"0\.png unpacks to more than the 500 pixels allowed"):
        load_data(str(side_by_side))


def test_what_does_not_fit_into_memory_names_a_size_that_does(by_name):
    size = len(pairs(by_name, "by name", 16)) * 4 * 16 * 16  # one grey and three coloured values of a pixel
    pairs(by_name, "by name", 16, memory_limit=size)
    with pytest.raises(UsageError, match=r"take 0\.0 GiB at 16 pixels, and .* --image_size 8 fits, or fewer") as error:
        pairs(by_name, "by name", 16, memory_limit=size - 1)
    assert "\n" not in str(error.value)
    pairs(by_name, "by name", 8, memory_limit=size - 1)


# ------------------------------------------------------------------------------------------------------------- training


def test_a_pair_from_a_folder_is_mirrored_together(side_by_side):
    data = load_data(str(side_by_side), 32)
    recipe = gan_core.create("pix2pix").resolve(32, 3, inputs=data.given)
    torch.manual_seed(0)
    mirrored = 0
    for _, batch in zip(range(20), data.batches(4, seed=0, start=0), strict=False):
        inputs, images = recipe.prepared(batch)
        assert torch.allclose(inputs, -images, atol=1e-6)
        mirrored += (inputs != batch.inputs).flatten(1).any(1).sum().item()
    assert 20 < mirrored < 60


def test_recipes_that_draw_from_noise_learn_b(by_name):
    data = load_data(str(by_name))
    assert torch.equal(data.pictures(torch.tensor([3])), data.images[3:4])
    assert len(folder(by_name / "B", split="train")) > 40  # a side alone is an ordinary folder


@pytest.mark.parametrize(
    ("recipe", "home"), [("pix2pix", "by_name"), ("pix2pix", "side_by_side"), ("cyclegan", "unpaired")]
)
def test_a_folder_trains_a_recipe_that_translates(recipe, home, request, tmp_path):
    folder, out = request.getfixturevalue(home), tmp_path / "run"
    words = ["--width", "4", "--steps", "2", "--batch_size", "2", "--image_size", "32", "--monitor_every", "0"]
    channels = ["--channels", "1"] if home == "unpaired" else []  # cyclegan goes both ways, and A is grey
    main(["train", recipe, "--dataset", str(folder), "--out", str(out), *words, *channels])
    held_out = load_data(str(folder), 32, 1 if channels else None, split="test")
    model = gan_core.load(str(out / "model"))
    assert torch.equal(model.examples.inputs, held_out.inputs[: len(model.examples.inputs)])
    assert (model.examples.truths is None) == (home == "unpaired")


# --------------------------------------------------------------------------------------------------------------- doctor


def test_the_doctor_says_what_pairs_there_are(by_name):
    shutil.copy(by_name / "A" / "01.png", by_name / "A" / "again.png")
    shutil.copy(by_name / "B" / "01.bmp", by_name / "B" / "again.bmp")
    (by_name / "B" / "05.bmp").write_text("no picture")
    found = examine(str(by_name), 16)
    train, test = both_splits(by_name)
    assert found.counts == found.inputs == {"train": len(train), "test": len(test)} and sum(found.counts.values()) == 60
    assert (found.layout, found.paired, found.channels, found.input_channels) == ("by name", ("train", "test"), 3, 1)
    assert found.modes == {"L": 60, "RGB": 60} and (found.widths.low, found.widths.high) == (24, 26)
    assert found.duplicates == (("A/01.png", "A/again.png"), ("B/01.bmp", "B/again.bmp")) and not found.leaks
    assert list(found.unreadable) == ["B/05.bmp"]
    left, right = found.examples.split(16, dim=3)
    assert found.examples.shape == (32, 3, 16, 32) and (left + right).abs().max() <= 2 / 127
    assert found.notes[0] == "A and B hold pairs: each picture in A is translated into the one of its name in B."
    assert "About one pair in ten, chosen by its content, is held out" in found.notes[2]
    assert "Every picture becomes 16x16 pixels, A grey, B in colour." in found.notes
    assert "1 of 122 files cannot be read: they are skipped, and what they are paired with." in found.warnings


def test_the_doctor_tells_the_other_layouts(unpaired, side_by_side):
    found = examine(str(unpaired))
    assert (found.counts, found.inputs) == ({"train": 7, "test": 2}, {"train": 9, "test": 4})
    assert found.paired == () and found.examples.shape == (7, 3, 64, 128)
    assert "9 to train on and 4 to test on; none belongs to a picture" in found.notes[1]
    assert found.notes[2] == "trainA and trainB are trained on, testA and testB are not."
    shutil.copy(side_by_side / "train" / "0.png", side_by_side / "test" / "again.png")
    found = examine(str(side_by_side), 32)
    assert (found.counts, found.widths.low, found.heights.low) == ({"train": 5, "test": 3}, 64, 32)
    assert found.leaks == (("test/again.png", "train/0.png"),)
    assert not found.oblong and not found.small
    assert found.notes[0] == "Every picture is a pair side by side: its left half is translated into the right one."


def test_the_doctor_names_what_keeps_a_folder_from_being_pairs_side_by_side(side_by_side):
    save(side_by_side / "train" / "odd.png", noise(9, 63, 32))
    found = examine(str(side_by_side))
    assert not found.layout and found.warnings == [
        "All pictures but train/odd.png are twice as wide as high: without exception, they would be taken for pairs "
        "side by side."
    ]
    for k in range(9):
        save(side_by_side / "train" / f"square-{k}.png", noise(k + 50, 32, 32))
    assert not examine(str(side_by_side)).warnings


def test_the_doctor_warns_of_what_training_refuses(by_name, unpaired, monkeypatch, capsys):
    assert not examine(str(by_name)).refused
    monkeypatch.setattr("gan_core.data.pairs.PairListing.refuse_big.__defaults__", (1000,))
    assert "those to translate may take 0.0: --image_size 2 fits" in examine(str(by_name)).warnings[0]
    for file in (unpaired / "testB").iterdir():
        file.write_text("no picture")
    assert "The test split has no pictures: add some, or sort them into folders trainA, trainB, testA and testB." in (
        examine(str(unpaired)).warnings
    )
    main(["data", str(by_name)])
    assert "60 pairs, " in capsys.readouterr().out
