"""The evaluator: what its numbers say of pictures whose faults are known, and that it computes real sides once."""

import dataclasses
import json
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from torchvision.transforms.functional import gaussian_blur

import gan_core
from gan_core.cli import main
from gan_core.conditional import Asked, as_the_data, share_right
from gan_core.data import ImageData
from gan_core.data.digits import digits
from gan_core.data.images import to_unit_range
from gan_core.errors import UsageError
from gan_core.evaluate import evaluate, evaluate_pictures, samples
from gan_core.extractors import load_extractor
from gan_core.metrics import reference
from gan_core.pictures import to_uint8
from gan_core.reals import real_images, refuse_makers_folder
from tests.gan_core.test_extractors import pictures, tiny
from tests.gan_core.test_model import TRAINING, conditional, fresh

ROOT = Path(__file__).parents[2]


def silent(done, text):
    pass


# --------------------------------------------------------------------------------------- faults that are known


def halved(data):
    """Every other image."""
    return dataclasses.replace(data, images=data.images[::2], labels=data.labels[::2])


@pytest.fixture(scope="module")
def judged():
    """Reports on 500 pictures each: real ones that were never trained on, and what was done to them."""
    train, test = (halved(digits(split)) for split in ("train", "test"))
    net = load_extractor("digits")
    generator = torch.Generator().manual_seed(0)
    unit = to_unit_range(test.images)
    first = test.images[test.labels < 5]
    sets = {
        "held out": test.images,
        "noise": to_uint8(unit + 0.1 * torch.randn(unit.shape, generator=generator)),
        "blur": to_uint8(gaussian_blur(unit, [9, 9], [1.0, 1.0])),
        "half": torch.cat([first, first]),
        "uniform": torch.randint(0, 256, unit.shape, generator=generator, dtype=torch.uint8),
        "copies": torch.cat([train.images[::40], test.images[torch.arange(500) % 10 > 0]]),
    }
    asked = Asked(test.labels, test.classes, as_data=True)
    return {name: evaluate_pictures(images, train, test, net, asked) for name, images in sets.items()}


def test_frechet_distances_are_in_order(judged):
    # A blur of one pixel stands above half the classes: strokes are two pixels wide, so it leaves no picture right
    # (precision .26), while half the classes are all right, and only miss.
    order = ["held out", "noise", "half", "blur", "uniform"]
    values = [judged[name].fd.value for name in order]
    assert all(b > 2 * a or (b > 1.5 * a and a > 10) for a, b in zip(values, values[1:], strict=False)), values
    kernel = [judged[name].kid.value for name in order]
    assert kernel == sorted(kernel)


def test_half_the_classes_lose_coverage_and_recall_but_no_precision(judged):
    half, whole = judged["half"], judged["held out"]
    assert half.recall < 0.6 * whole.recall and half.coverage < 0.6 * whole.coverage
    assert half.precision > 0.98 * whole.precision
    assert half.classes.entropy < 0.75 * half.classes.real_entropy
    assert sum(half.classes.shares[5:]) < 0.05 < 0.45 < sum(half.classes.real[5:])


def test_bad_pictures_lose_precision(judged):
    assert judged["uniform"].precision == 0 and judged["blur"].precision < 0.5 * judged["held out"].precision


def test_copies_of_training_images_are_flagged_and_nothing_else_is(judged):
    assert {name for name, report in judged.items() if report.memorisation.flagged} == {"copies"}
    assert judged["copies"].memorisation.copies == pytest.approx(0.1, abs=0.02)
    assert judged["copies"].fd.value < judged["held out"].fd.value  # so a low distance alone proves nothing


def test_whether_pictures_show_what_they_should(judged):
    asked = {name: report.conditional for name, report in judged.items()}
    assert asked["held out"].accuracy == asked["held out"].held_out > 0.98
    assert asked["half"].accuracy == pytest.approx(0.5, abs=0.01)  # 5 to 9 were asked for as well
    assert asked["uniform"].accuracy < 0.15 and asked["uniform"].held_out == asked["held out"].held_out


def test_held_out_images_score_their_own_floors(judged):
    report = judged["held out"]
    assert (report.n, report.m) == (500, 500)
    assert report.fd.value == pytest.approx(report.fd.floor) and report.fd.spread is None
    assert report.kid.value == pytest.approx(report.kid.floor) and report.kid.low < report.kid.value < report.kid.high
    assert {name: getattr(report, name) for name in report.floors} == pytest.approx(report.floors)
    assert report.memorisation.ratio == 1


# ----------------------------------------------------------------------------------------------------- real images


def split(name, n, seed=0, size=8):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (n, 1, size, size), dtype=torch.uint8, generator=generator)
    return ImageData(name, images)


class Counting:
    """An extractor that counts the pictures it is shown."""

    def __init__(self):
        self.inner, self.seen = tiny(), 0

    def __call__(self, images, progress=None):
        self.seen += len(images)
        return self.inner(images, progress)

    def __getattr__(self, name):
        return getattr(self.inner, name)


@pytest.fixture
def own_features(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_the_second_evaluation_computes_nothing_of_real_images(own_features, monkeypatch):
    extractor, fake = Counting(), pictures(60)
    first = evaluate_pictures(fake, split("r", 100), split("r", 30, seed=1), extractor)
    assert extractor.seen == 60 + 100 + 30
    asked = []
    scores = reference.manifold_scores
    monkeypatch.setattr(reference, "manifold_scores", lambda *sets: asked.append(sets) or scores(*sets))
    monkeypatch.setattr(reference, "kernel_distance", None)  # of the floors
    second = evaluate_pictures(fake, split("r", 100), split("r", 30, seed=1), extractor)
    assert extractor.seen == 60 + 190 and len(asked) == 2  # the two blocks of samples, no floor
    assert dataclasses.replace(second, seconds=0) == dataclasses.replace(first, seconds=0)


def test_other_pictures_under_the_same_name_are_not_taken_from_the_cache(own_features):
    extractor, fake = Counting(), pictures(30)
    for seed in (0, 5):
        report = evaluate_pictures(fake, split("r", 100, seed), split("r", 30, seed + 1), extractor)
    assert extractor.seen == 2 * 160
    evaluate_pictures(fake[:25], split("r", 100, 5), split("r", 30, 6), extractor)
    assert extractor.seen == 2 * 160 + 25
    assert report.m == 30


def test_values_are_means_over_blocks_of_m(own_features):
    fake, real, held_out = pictures(100), split("r", 200), split("r", 40, seed=1)
    report = evaluate_pictures(fake, real, held_out, tiny())
    assert (report.n, report.m) == (100, 40)
    features, train = tiny()(fake).features, tiny()(real.images).features
    whole = reference.moments(train)
    order = torch.randperm(100, generator=torch.Generator().manual_seed(0))
    expected = [reference.frechet_distance(reference.moments(features[rows]), whole) for rows in order[:80].split(40)]
    assert report.fd.value == pytest.approx(sum(expected) / 2)
    assert report.fd.spread == pytest.approx(abs(expected[0] - expected[1]) / 2**0.5)
    assert report.fd.all == pytest.approx(reference.frechet_distance(reference.moments(features), whole))
    assert report.fd.all < report.fd.value  # more samples, less of the floor: that is why it has none
    assert json.loads(json.dumps(report.as_dict()))["fd"]["value"] == report.fd.value


def test_parts_are_judged_as_the_whole(own_features):
    fake, sets = pictures(60), (split("r", 100), split("r", 30, seed=1), tiny())
    whole, parts = evaluate_pictures(fake, *sets), evaluate_pictures(iter(fake.split(7)), *sets)
    assert parts.fd.value == pytest.approx(whole.fd.value, rel=1e-4) and parts.n == 60


def test_without_classes_all_pairs_tell_the_diversity(own_features):
    nameless = tiny(classes=None)
    nameless.head = None
    report = evaluate_pictures(pictures(30), split("r", 100), split("r", 30, seed=1), nameless)
    assert report.classes is None and report.diversity.of == "features"
    assert 0.8 < report.diversity.value / report.diversity.real < 1.2


@pytest.mark.slow
def test_large_pictures_are_compared_by_ms_ssim(own_features):
    real, held_out = split("r", 40, size=176), split("r", 30, seed=1, size=176)
    report = evaluate_pictures(pictures(30, size=176), real, held_out, tiny())
    assert report.diversity.of == "MS-SSIM" and 0.8 < report.diversity.value / report.diversity.real < 1.2


# ---------------------------------------------------------------------------------------------------------- models


def test_samples_are_the_models_own():
    parts = list(samples(fresh(), 300, 3, silent))
    assert [len(part) for part in parts] == [256, 44]
    assert torch.equal(torch.cat(parts), to_uint8(fresh().sample(300, seed=3)))


def test_a_conditional_model_draws_its_classes_in_turn_unless_it_is_asked_for_others():
    images = torch.cat(list(samples(conditional(), 300, 0, silent)))  # 3 classes: 256 is no multiple
    assert torch.equal(images, to_uint8(conditional().sample(300)))
    asked = Asked(torch.arange(300) // 100, conditional().classes, as_data=False)
    images = torch.cat(list(samples(conditional(), 300, 0, silent, asked)))
    assert torch.equal(images, to_uint8(conditional().sample(300, labels=asked.labels)))


def uneven(classes=("c", "a")):
    """100 images of the classes, named in an order of their own: 90 of the first, 10 of the second."""
    return dataclasses.replace(split("r", 100), labels=(torch.arange(100) >= 90).long(), classes=classes)


def test_classes_are_asked_for_as_often_as_the_data_have_them():
    asked = as_the_data(conditional(), uneven(), 300, seed=0)
    assert asked.as_data and asked.classes == ("a", "b", "c")
    assert torch.bincount(asked.labels, minlength=3).tolist() == [30, 0, 270]
    assert 0 < (asked.labels[:50] == 0).sum() < 20  # in a random order
    assert torch.equal(as_the_data(conditional(), uneven(), 150, seed=0).labels, asked.labels[:150])
    assert not torch.equal(as_the_data(conditional(), uneven(), 300, seed=1).labels, asked.labels)
    assert as_the_data(fresh(), uneven(), 300, seed=0) is None


def test_evaluating_asks_for_classes_as_the_data_have_them(monkeypatch):
    given = []
    monkeypatch.setattr("gan_core.evaluate.real_images", lambda model, where, split: uneven())
    monkeypatch.setattr("gan_core.evaluate.evaluate_pictures", lambda *args, **_: given.extend(args))
    evaluate(conditional(), n=100, seed=3, features="digits")
    drawn, *_, asked = given
    assert asked.as_data and torch.equal(asked.labels, as_the_data(conditional(), uneven(), 100, seed=3).labels)
    expected = to_uint8(conditional().sample(100, seed=3, labels=asked.labels))
    assert torch.equal(torch.cat(list(drawn)), expected)


def test_of_images_without_the_models_classes_no_shares_are_known():
    for real in (split("r", 100), uneven(("a", "z"))):
        asked = as_the_data(conditional(), real, 7, seed=0)
        assert asked.labels.tolist() == [0, 1, 2, 0, 1, 2, 0] and not asked.as_data


def test_the_class_that_was_asked_for_is_found_by_its_name():
    labels, seen = torch.tensor([0, 0, 1, 1]), torch.tensor([2, 2, 1, 0])
    assert share_right(labels, ("c", "a"), seen, ("a", "b", "c")) == 0.75
    assert share_right(labels, ("c", "z"), seen, ("a", "b", "c")) is None
    for missing in range(4):
        given = [labels, ("c", "a"), seen, ("a", "b", "c")]
        assert share_right(*given[:missing], None, *given[missing + 1 :]) is None


def test_a_right_model_of_uneven_classes_is_not_punished(own_features, monkeypatch):
    """One that draws each class as the data have it is as good as they are; asked in turn, it would not seem so."""
    generator = torch.Generator().manual_seed(0)

    def grey(labels):  # class 0 is dark, class 1 is bright
        noise = torch.randint(0, 100, (len(labels), 1, 8, 8), generator=generator)
        return (noise + 155 * labels[:, None, None, None]).to(torch.uint8)

    model, labels = conditional(), uneven(("a", "c")).labels
    real, held_out = (ImageData(name, grey(labels), labels, ("a", "c")) for name in ("r", "h"))
    monkeypatch.setattr(
        "gan_core.model.Model.decode", lambda self, z, labels: to_unit_range(grey((labels == 2).long()))
    )
    asked = as_the_data(model, real, 500, seed=0)
    report = evaluate_pictures(samples(model, 500, 0, silent, asked), real, held_out, tiny(), asked)
    in_turn = evaluate_pictures(samples(model, 500, 0, silent), real, held_out, tiny())
    assert report.fd.all < report.fd.floor < in_turn.fd.all / 50
    assert report.conditional.as_data and in_turn.conditional is None


def test_a_model_that_draws_no_numbers():
    model = fresh()
    next(model.generators.parameters()).data.fill_(float("nan"))
    with pytest.raises(UsageError, match="not finite numbers: its weights are broken"):
        list(samples(model, 30, 0, silent))


def test_a_bundled_model_from_the_command_line(tmp_path, capsys):
    folder = shutil.copytree(ROOT / "weights" / "gan-digits", tmp_path / "gan-digits")
    before = {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    main(["evaluate", str(folder), "--n", "100", "--json", str(tmp_path / "out.json"), "--save"])
    printed = capsys.readouterr().out
    report = json.loads((tmp_path / "out.json").read_text())
    assert report["model"] == "gan-digits" and (report["n"], report["m"], report["split"]) == (100, 100, "train")
    assert report["extractor"]["sha256"] == load_extractor("digits").sha256
    assert report["fd"]["floor"] < report["fd"]["value"] and f"FD, {load_extractor('digits').label}" in printed
    after = {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    assert {name for name in after if after[name] != before[name]} == {"config.json", "README.md"}
    card = (folder / "README.md").read_text()
    assert f"| FD, {load_extractor('digits').label} |" in card and card.count("# gan-digits\n") == 1
    assert gan_core.load(folder).metrics == report


# --------------------------------------------------------------------------------------------------------- refused


def test_too_few_pictures(own_features):
    sets = split("r", 100), split("r", 30, seed=1)
    with pytest.raises(UsageError, match="takes at least 25 samples; there are 24"):
        evaluate_pictures(pictures(24), *sets, tiny())
    with pytest.raises(UsageError, match="takes at least 25 samples; there are 0"):
        evaluate_pictures([], *sets, tiny())
    with pytest.raises(UsageError, match="takes at least 25 held-out images of r .*; there are 7"):
        evaluate_pictures(pictures(30), split("r", 100), split("r", 7), tiny())
    with pytest.raises(UsageError, match="takes at least 25 samples; there is 1"):
        evaluate(fresh(), n=1)


@pytest.mark.parametrize("images", [pictures(30, size=16), pictures(30, channels=3)])
def test_pictures_of_another_size(own_features, images):
    with pytest.raises(UsageError, match=r"samples have the shape .* the images of r \[1, 8, 8\]; only equal ones"):
        evaluate_pictures(images, split("r", 100), split("r", 30), tiny())


def trained_on(name):
    model = fresh()
    model.training = TRAINING | {"dataset": name}
    return model


def test_which_images_a_model_is_judged_by():
    assert real_images(fresh(), None, "test").image_size == 16  # its own data, at the size it was trained at
    with pytest.raises(UsageError, match="draws 16x16 grey pictures and those of digits are 32x32 grey"):
        real_images(trained_on("mnist"), "digits", "train")
    with pytest.raises(UsageError, match="ring holds points of the plane"):
        real_images(fresh(), "ring", "train")
    with pytest.raises(UsageError, match="is neither a data set nor a folder"):
        real_images(trained_on("/gone/my pictures"), None, "train")
    model = fresh()
    model.training = {}
    with pytest.raises(UsageError, match="does not say what it was trained on; name a data set"):
        real_images(model, None, "train")


def test_a_model_from_the_hub_does_not_choose_a_folder_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    cached, own = tmp_path / "hub" / "models--owner--name" / "snapshots" / "0", tmp_path / "runs" / "x" / "model"
    with pytest.raises(UsageError, match="trained on its maker's pictures"):
        refuse_makers_folder(trained_on("/etc"), cached)
    refuse_makers_folder(trained_on("/etc"), own)
    refuse_makers_folder(trained_on("digits"), cached)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["weights/features-digits"], "is a feature extractor"),
        (["owner/name", "--save"], "owner/name lies on the Hub"),
        (["weights/gan-digits", "--json", "/no/such/folder/out.json"], "no folder /no/such/folder"),
        (["weights/gan-digits", "--json", "/"], "--json is /, a folder; it takes a file"),
        (["weights/gan-digits", "--data", "~nobody-here"], "neither a data set nor a folder"),
        (["weights/gan-digits", "--n", "5"], "at least 25 samples"),
    ],
)
def test_a_command_that_does_not_fit(words, sentence, capsys):
    with pytest.raises(SystemExit) as end:
        main(["evaluate", *words])
    assert end.value.code == 2 and sentence in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------------------ cost


@pytest.mark.slow
def test_five_thousand_digits_take_a_minute_and_little_memory(tmp_path):
    # Processor time, of which the clock shows less where two cores are free, and more where others work.
    code = (
        "import time, gan_core; from gan_core.evaluate import evaluate; from benchmarks.costs import peak_bytes; "
        "evaluate(gan_core.load('weights/dcgan-digits')); "
        "print(time.process_time(), peak_bytes() / 1e9)"
    )
    environment = {
        "XDG_CACHE_HOME": str(tmp_path),
        "OMP_NUM_THREADS": "2",
        "OMP_WAIT_POLICY": "PASSIVE",
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True)
    seconds, gigabytes = map(float, done.stdout.split())
    assert seconds < 60 and gigabytes < 1.5
