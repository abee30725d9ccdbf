"""Reports: readable, hard to misread, and refused where they do not compare."""

import pytest

from gan_core.errors import UsageError
from gan_core.figures import number, spread
from gan_core.readable import readable
from gan_core.report import refuse_incomparable

SCORES = {"precision": 0.8, "recall": 0.6, "density": 1.02, "coverage": 0.7}
REPORT = {
    "model": "weights/dcgan-digits",
    "dataset": "digits",
    "split": "train",
    "n": 5000,
    "m": 1000,
    "seed": 0,
    "extractor": {"name": "digits net", "sha256": "3f9a1b2c" + "0" * 56, "trained_on": "digits"},
    "fd": {"value": 12.13, "floor": 3.51, "spread": 0.31, "all": 11.2},
    "kid": {"value": 0.0412, "low": 0.033, "high": 0.0514, "floor": 0.0023},
    **SCORES,
    "diversity": {"of": "features within a class", "value": 6.5, "real": 5.05},
    "classes": {"names": ["0"], "shares": [1.0], "real": [1.0], "entropy": 2.28, "real_entropy": 2.303},
    "memorisation": {"ratio": 1.3, "copies": 0.0024, "held_out_copies": 0.01, "flagged": False},
    "floors": SCORES,
    "seconds": 20.0,
    "date": "2026-11-22",
    "gan_core": "0.1.0",
}


def test_every_number_stands_beside_its_noise():
    rows = readable(REPORT)
    assert rows["FD, digits net 3f9a1b2c"] == "12.1 ± 0.3 (floor 3.51, m 1,000)"
    assert rows["of all 5,000 samples"] == "11.2 (no floor)"
    assert rows["Kernel distance (KID)"] == "0.0412 (0.0330 to 0.0514, floor 0.00230)"
    assert rows["Recall"] == "0.600 (held-out 0.600)"
    assert rows["Diversity of features within a class"] == "6.50 (real 5.05)"
    assert rows["Near copies of training images"] == "0.2% (held-out 1.0%)"


def test_of_a_conditional_model_it_is_said_what_it_was_asked_for_and_whether_it_obeys():
    assert not any("asked" in label or "accuracy" in label for label in readable(REPORT | {"conditional": None}))
    rows = readable(REPORT | {"conditional": {"as_data": True, "accuracy": 0.953, "held_out": 0.99}})
    assert rows["Classes asked for"] == "as often as in the data"
    assert rows["Right class drawn (conditional accuracy)"] == "95.3% (held-out 99.0%)"
    rows = readable(REPORT | {"conditional": {"as_data": False, "accuracy": None, "held_out": None}})
    assert rows["Classes asked for"] == "in turn" and not any("accuracy" in label for label in rows)


def test_one_block_has_no_spread():
    rows = readable(REPORT | {"fd": REPORT["fd"] | {"spread": None}})
    assert rows["FD, digits net 3f9a1b2c"] == "12.1 (floor 3.51, m 1,000)"


def test_only_the_standard_inceptions_distance_is_called_fid():
    named = {"name": "Inception", "sha256": "6726825d", "trained_on": "ImageNet"}
    assert "FID, Inception 6726825d" in readable(REPORT | {"extractor": named})
    assert not any("FID" in label for label in readable(REPORT))


def test_a_model_that_repeats_training_images_is_named():
    copies = {"copies": 0.4, "held_out_copies": 0.01, "flagged": True}
    text = readable(REPORT | {"memorisation": copies})["Near copies of training images"]
    assert text == "40.0% (held-out 1.0%): it repeats training images"


@pytest.mark.parametrize("junk", [None, "x", "![](http://x)", [], {}, {"value": []}, float("nan"), True, 10**400])
@pytest.mark.parametrize(
    "key", ["fd", "kid", "precision", "diversity", "classes", "conditional", "memorisation", "floors", "n", "m"]
)
def test_what_a_stranger_wrote_is_no_error(key, junk):
    rows = readable(REPORT | {key: junk})
    assert all(isinstance(part, str) for row in rows.items() for part in row)


def test_what_a_stranger_wrote_draws_nothing():
    evil = '<img src=x> ![](http://x) | **b** `c` "' + "y" * 1000
    for metrics in (
        {"score": evil, evil: 1},
        REPORT | {"extractor": {"name": evil, "sha256": evil}, "dataset": evil, "date": evil},
    ):
        text = "".join(f"{label}{value}" for label, value in readable(metrics).items())
        assert not set(text) & set('<>[]|*`!"&\\') and len(text) < 1500


def test_metrics_of_another_kind_are_shown_as_they_are():
    assert readable({}) == {}
    assert readable({"fid": 12.5, "note": "on a GPU"}) == {"fid": "12.5", "note": "on a GPU"}


@pytest.mark.parametrize(
    ("value", "text"),
    [(12.13, "12.1"), (0.00123, "0.00123"), (1234.5, "1,234"), (0, "0"), (-0.0011, "-0.00110"), (1e-12, "0.000000")],
)
def test_three_figures(value, text):
    assert number(value) == text


def test_a_small_spread_is_not_written_as_none():
    assert spread(13.641, 0.0471) == "13.64 ± 0.05" and spread(13.6, 0.0) == "13.6 ± 0.0"


def test_a_spread_ends_at_the_values_place():
    assert spread(1.66, 0.0509) == "1.66 ± 0.05" and spread(12.1, 0.3) == "12.1 ± 0.3" and spread(1.66, None) == "1.66"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"extractor": REPORT["extractor"] | {"sha256": "aaaaaaaa"}}, "extractors differ .*3f9a1b2c and .*aaaaaaaa"),
        ({"dataset": "mnist"}, "data sets differ .digits and mnist"),
        ({"split": "test"}, "splits differ"),
        ({"m": 225}, "numbers of images m differ .1,000 and 225"),
        ({"fd": REPORT["fd"] | {"floor": 1.2}}, "floors differ .3.51 and 1.20"),  # the same set in colour
    ],
)
def test_numbers_that_mean_different_things_are_not_compared(change, sentence):
    with pytest.raises(UsageError, match=sentence):
        refuse_incomparable([REPORT, REPORT, REPORT | {"model": "other"} | change])


def test_numbers_that_mean_the_same_are_compared():
    worse = REPORT["fd"] | {"value": 99.0}
    refuse_incomparable([REPORT, REPORT | {"model": "other", "n": 2000, "seed": 1, "fd": worse}])
    refuse_incomparable([REPORT])


def source(fd, l1, psnr=20.0):
    truth = {"l1": l1, "psnr": psnr, "ssim": 0.5, "changed": None, "kept": {"l1": 0.01, "ssim": 0.9}}
    return {"fd": fd, "kid": 0.1, "edges": 0.4, "features": 3.0, "truth": truth}


TRANSLATED = {
    "model": "weights/gen_1-batik",
    "dataset": "batik",
    "split": "test",
    "n": 200,
    "available": 200,
    "factor": 1,
    "extractor": REPORT["extractor"],
    "sources": {
        "model": source(5.0, 0.031), "input": source(39.0, 0.253), "nearest": source(6.9, 0.244),
        "truth": source(1.3, 0.0, None),
    },
    "cycle": None, "identity": 0.0123, "seconds": 20.0, "date": "2026-11-22", "gan_core": "0.1.0",
}  # fmt: skip


def test_a_translation_stands_beside_what_could_be_had_without_a_model():
    rows = readable(TRANSLATED)
    assert rows["Difference from the truth (L1)"] == ("0.0310 (input as it is 0.253, nearest training picture 0.244)")
    assert rows["FD, digits net 3f9a1b2c"] == (
        "5.00 (input as it is 39.0, nearest training picture 6.90, held-out pictures 1.30)"
    )
    assert rows["Edges where the input has them"] == "0.400 (true pictures 0.400)"
    assert rows["Difference where nothing is to be done (identity)"] == "0.0123"
    assert rows["Measured"] == "on 200 held-out inputs of batik, 2026-11-22, gan_core 0.1.0"
    assert not any("cycle" in label or "differs from the input" in label for label in rows)
    assert any("where it does not" in label for label in rows)


def test_what_enlarges_stands_beside_bicubic_interpolation():
    assert (
        "0.0310 (input enlarged bicubically 0.253, "
        in readable(TRANSLATED | {"factor": 2})["Difference from the truth (L1)"]
    )


def test_a_strangers_odd_report_on_translations_is_no_trouble():
    assert readable(TRANSLATED | {"sources": {"model": 3}})["Kernel distance (KID)"].startswith("? (")


def test_samples_and_translations_do_not_compare():
    with pytest.raises(UsageError, match="their kinds differ"):
        refuse_incomparable([REPORT, TRANSLATED])
    refuse_incomparable([TRANSLATED, TRANSLATED | {"model": "other"}])
    with pytest.raises(UsageError, match="their numbers of inputs differ"):
        refuse_incomparable([TRANSLATED, TRANSLATED | {"n": 100}])
