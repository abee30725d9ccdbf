"""Extractors: what they say of pictures, what stands in their folders, and everything that must be refused."""

import hashlib
import json
import shutil
from pathlib import Path
from urllib.error import URLError

import pytest
import torch

import gan_core
from gan_core.data import ImageData
from gan_core.data.digits import digits
from gan_core.errors import UsageError
from gan_core.extractors import INCEPTION_FILE, extractor_for, load_extractor, read_extractor
from gan_core.metrics.extractor import Extractor, FeatureNet

WEIGHTS = Path(__file__).parents[2] / "weights"
FOLDERS = sorted(path.parent for path in WEIGHTS.glob("*/extractor.json"))


@pytest.fixture(scope="module")
def net():
    return load_extractor("digits")


@pytest.fixture(scope="module")
def test_digits():
    return digits("test")


def tiny(channels=1, **facts):
    torch.manual_seed(0)
    net = FeatureNet(channels, 8, (4,), 6, {"colour": 3}).eval()
    known = {"name": "tiny net", "sha256": "0" * 64, "trained_on": "nothing", "classes": ("a", "b", "c")}
    return Extractor(net, net.heads["colour"], image_size=8, channels=channels, **(known | facts))


def pictures(n, channels=1, size=8):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (n, channels, size, size), dtype=torch.uint8, generator=generator)


# ------------------------------------------------------------------------------------------------------ in the box


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_folder_is_whole_small_and_states_its_digest(folder):
    assert {path.name for path in folder.iterdir()} == {"extractor.json", "model.safetensors", "README.md"}
    assert (folder / "model.safetensors").stat().st_size < 1e6
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert read_extractor(folder).sha256 == digest and digest[:8] in (folder / "README.md").read_text()


def test_the_digits_net_is_right_as_often_as_it_says(net, test_digits):
    found = net(test_digits.images).probabilities.argmax(1)
    assert (found == test_digits.labels).double().mean().item() == pytest.approx(net.accuracy, abs=0.001)
    assert net.accuracy >= 0.975 and net.classes == test_digits.classes


def test_its_features_have_the_unit_of_the_training_digits(net):
    features = net(digits("train").images).features.double()
    assert features.mean(0).abs().max() < 1e-4 and (features.var(0) - 1).abs().max() < 1e-3


def test_it_tells_the_three_digits_of_a_colour_picture(net, test_digits):
    rows = torch.randperm(1000, generator=torch.Generator().manual_seed(0))[:150].view(50, 3)
    stacked = test_digits.images[rows, 0]  # [50, 3, 32, 32]
    found, alone = net(stacked), net(test_digits.images[rows.flatten()])
    assert torch.allclose(found.features, alone.features.view(50, -1), atol=1e-4)
    tens = alone.probabilities.argmax(1).view(50, 3) @ torch.tensor([100, 10, 1])
    assert torch.equal(found.probabilities.argmax(1), tens)
    assert found.probabilities.sum(1) == pytest.approx(1, abs=1e-4)
    names = net.classes_of(3)
    assert len(names) == 1000 and names[123] == "123"


def test_which_extractor_knows_which_data():
    def asked(name):
        return extractor_for(ImageData(name, pictures(1)))

    assert {asked(name) for name in ("digits", "mnist", "stacked_digits")} == {"digits"}
    assert {asked(name) for name in ("openmoji", "faces", "cifar10", "fashion_mnist", "/my/folder")} == {"color"}


def test_the_color_net_knows_emoji_and_faces():
    heads = json.loads((WEIGHTS / "features-color" / "extractor.json").read_text())["heads"]
    chance = {name: 1 / len(head["names"]) for name, head in heads.items()}
    assert {"openmoji", "hair", "skin", "mouth"} <= {n for n, head in heads.items() if head["accuracy"] > 4 * chance[n]}
    assert load_extractor("color").classes is None  # of many questions, none is the class


def test_it_is_loaded_once():
    assert load_extractor("digits") is load_extractor("digits")


# --------------------------------------------------------------------------------------------------------- pictures


def test_a_picture_does_not_depend_on_its_batch():
    images = pictures(20)
    whole, parts = tiny()(images), tiny(chunk=7)(images)
    assert torch.allclose(whole.features, parts.features, atol=1e-5)
    assert torch.allclose(whole.probabilities, parts.probabilities, atol=1e-5)


def test_other_sizes_are_resized_and_grey_is_seen_as_colour():
    assert tiny()(pictures(2, size=20)).features.shape == (2, 6)
    grey = pictures(2)
    colour = tiny(channels=3)
    assert torch.equal(colour(grey).features, colour(grey.repeat(1, 3, 1, 1)).features)


def test_progress_ends_at_one():
    told = []
    tiny(chunk=3)(pictures(10), told.append)
    assert told == sorted(told) and told[-1] == 1


@pytest.mark.parametrize("images", [torch.zeros(2, 1, 8, 8), pictures(2, channels=2), pictures(0), pictures(1)[0]])
def test_what_is_no_picture(images):
    with pytest.raises(UsageError, match=r"an extractor takes uint8 \[n, 1 or 3, height, width\]"):
        tiny()(images)


# ---------------------------------------------------------------------------------------------------------- refused


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(WEIGHTS / "features-digits", tmp_path / "features-digits")


def edit(folder, **changes):
    path = folder / "extractor.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_missing_extractor(tmp_path):
    with pytest.raises(UsageError, match=r"features-color is missing: .* scripts/train_features.py color"):
        read_extractor(tmp_path / "features-color")
    with pytest.raises(UsageError, match="is no extractor: it has no extractor.json"):
        read_extractor(tmp_path)
    with pytest.raises(UsageError, match=r"no extractor 'digit' \(did you mean 'digits'\?\)"):
        load_extractor("digit")


def test_weights_that_were_changed(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(UsageError, match=r"truncated or changed: its sha256 is not the one in extractor.json"):
        read_extractor(folder)
    path.unlink()
    with pytest.raises(UsageError, match="has no model.safetensors"):
        read_extractor(folder)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": 2}, "has format 2, this reads 1: update the playground"),
        ({"format": "1"}, "does not describe an extractor"),
        ({"heads": None}, "does not describe an extractor"),
        ({"network": {"channels": 1}}, "does not describe an extractor"),
        ({"network": {"channels": 1, "image_size": 32, "widths": [8], "features": 64}}, "does not hold the weights"),
    ],
)
def test_a_description_that_does_not_fit(folder, changes, sentence):
    edit(folder, **changes)
    with pytest.raises(UsageError, match=sentence):
        read_extractor(folder)


def test_an_extractor_is_no_model():
    with pytest.raises(UsageError, match="is a feature extractor, which judges pictures and draws none"):
        gan_core.load("weights/features-digits")


# -------------------------------------------------------------------------------------------------------- inception


@pytest.fixture
def fresh_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    load_extractor.cache_clear()
    yield tmp_path / "gan-playground"
    load_extractor.cache_clear()


def test_inception_without_a_network(fresh_cache, monkeypatch):
    def refuse(*given, **named):
        raise URLError("Name or service not known")

    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    with pytest.raises(UsageError, match=r"could not be downloaded \(.*not known.*\). Without a network, --features"):
        load_extractor("inception")


def test_a_download_that_holds_more_than_tensors_is_not_unpickled(fresh_cache):
    fresh_cache.mkdir()
    torch.save({"weight": Path("/tmp")}, fresh_cache / INCEPTION_FILE)
    with pytest.raises(UsageError, match="could not be downloaded"):
        load_extractor("inception")


@pytest.mark.slow
def test_inception_with_its_file_at_hand(fresh_cache):
    # The real weights need a network: the same network with values of its own stands in.
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    class Unloaded(FeatureExtractorInceptionV3):
        def load_state_dict(self, state):
            pass

    fresh_cache.mkdir()
    torch.save({}, fresh_cache / "nothing.pth")
    torch.manual_seed(0)
    net = Unloaded("inception-v3-compat", ["2048"], feature_extractor_weights_path=str(fresh_cache / "nothing.pth"))
    torch.save(net.state_dict(), fresh_cache / INCEPTION_FILE)
    extractor = load_extractor("inception")
    images = pictures(3, size=32)
    assert torch.allclose(extractor(images).features, net(images.repeat(1, 3, 1, 1))[0], rtol=1e-3, atol=1e-5)
    assert extractor(images).features.shape == (3, 2048)
