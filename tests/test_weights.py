"""The models in the box: small, strict, unchanged, and digits to a judge that never saw them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

import gan_core
from gan_core.data.digits import digits
from gan_core.model import MODEL_FILES

ROOT = Path(__file__).parents[1]
FOLDERS = sorted(path.parent for path in (ROOT / "weights").glob("*/config.json"))
GOLDEN = Path(__file__).with_name("golden")
AWAITED = {"wgan", "wgan_gp", "cgan", "simple_gan", "r3gan", "biggan", "stylegan", "progan"}  # still to be trained
EVERY = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def test_there_is_one_for_each_recipe():
    without = {recipe for recipe in gan_core.list_recipes() if not (ROOT / "weights" / f"{recipe}-digits").is_dir()}
    assert without == AWAITED


@EVERY
def test_the_folder_is_whole_and_small(folder):
    assert {path.name for path in folder.iterdir()} <= set(MODEL_FILES)
    assert (folder / "model.safetensors").stat().st_size < 5e6
    training = gan_core.load(folder).training
    assert training["command"].startswith(f"python train.py {folder.name.split('-')[0]}")


@EVERY
def test_a_seed_still_draws_the_same_picture(folder):
    golden = torch.from_numpy(np.load(GOLDEN / f"{folder.name}.npy"))
    assert torch.allclose(gan_core.load(folder).sample(1, seed=0)[0], golden, atol=1e-4)


@pytest.fixture(scope="module")
def judge():
    """Five nearest training images; right on 93 % of the test digits."""
    train, test = digits("train"), digits("test")
    judge = KNeighborsClassifier(5).fit(train.images.flatten(1).numpy(), train.labels.numpy())
    assert judge.score(test.images.flatten(1).numpy(), test.labels.numpy()) > 0.92
    return judge


@pytest.mark.parametrize("folder", [folder for folder in FOLDERS if folder.name.endswith("-digits")], ids=str)
def test_all_ten_digits_are_drawn_and_none_too_often(folder, judge):
    images = (gan_core.load(folder).sample(500, seed=1) + 1) * 127.5
    shares = np.bincount(judge.predict(images.flatten(1).numpy()), minlength=10) / 500
    assert shares.min() > 0.01 and shares.max() < 0.4, shares
