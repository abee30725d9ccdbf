import copy
import io
import json
import threading
import time

import numpy as np
import pandas as pd
import pytest
import torch

from gan_core.data import ImageData
from gan_core.errors import UsageError
from gan_core.pictures import to_uint8
from gan_core.runs import Run
from pages import neighbours, plots, reports
from pages.table import HELD_OUT, table

REPORT = {
    "model": "runs/tiny", "dataset": "digits", "split": "train", "n": 5000, "m": 1000, "seed": 0,
    "extractor": {"name": "digits net", "sha256": "3f9a1b2c" + "0" * 56, "trained_on": "4,000 training digits"},
    "fd": {"value": 12.1, "floor": 3.5, "spread": 0.3, "all": 9.8},
    "kid": {"value": 0.0123, "low": 0.011, "high": 0.0136, "floor": 0.0002},
    "precision": 0.8, "recall": 0.5, "density": 0.9, "coverage": 0.6,
    "diversity": {"of": "features", "value": 5.0, "real": 6.0},
    "classes": {"names": ["0", "1"], "shares": [0.7, 0.3], "real": [0.5, 0.5], "entropy": 0.61, "real_entropy": 0.69},
    "memorisation": {"ratio": 1.1, "copies": 0.002, "held_out_copies": 0.01, "flagged": False},
    "floors": {"precision": 0.9, "recall": 0.91, "density": 1.0, "coverage": 0.95},
    "seconds": 30.0, "date": "2026-11-22", "gan_core": "0.1",
}  # fmt: skip


def source(fd, l1, psnr=20.0):
    truth = {"l1": l1, "psnr": psnr, "ssim": 0.5, "changed": None, "kept": None}
    return {"fd": fd, "kid": 0.1, "edges": 0.4, "features": 3.0, "truth": truth}


TRANSLATED = {
    "model": "runs/tiny", "dataset": "batik", "split": "test", "n": 200, "available": 200, "factor": 1,
    "extractor": REPORT["extractor"],
    "sources": {
        "model": source(5.0, 0.031), "input": source(39.0, 0.253), "nearest": source(6.9, 0.244),
        "truth": source(1.3, 0.0, None),
    },
    "cycle": None, "identity": None, "seconds": 20.0, "date": "2026-11-22", "gan_core": "0.1",
}  # fmt: skip


def other(**changes):
    """The report with some of it changed."""
    return copy.deepcopy(REPORT) | changes


@pytest.fixture
def carry(runs, trained):
    """Gives the tiny model, or a copy of it under another name, a report to carry."""

    def give(report, name="tiny"):
        source, target = runs / "tiny" / "model", runs / name / "model"
        target.mkdir(parents=True, exist_ok=True)
        for file in source.iterdir():
            (target / file.name).write_bytes(file.read_bytes())
        described = json.loads((source / "config.json").read_text())
        (target / "config.json").write_text(json.dumps(described | {"metrics": report}))

    return give


@pytest.fixture
def evaluated(monkeypatch, tmp_path):
    """Evaluation in no time; gives how often it was asked for."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    calls = []

    class Report:
        def __init__(self, n):
            self.n = n

        def as_dict(self):
            return other(n=self.n)

    def evaluate(model, *, n, progress):
        calls.append(n)
        progress(0.5, "sampling")
        return Report(n)

    monkeypatch.setattr(reports, "evaluate", evaluate)
    monkeypatch.setattr(reports, "digests", lambda: {REPORT["extractor"]["sha256"]})
    return calls


def charts(at):
    return at.get("vega_lite_chart") + at.get("arrow_vega_lite_chart")


def test_without_models_the_page_says_what_to_do(open_page, nothing_bundled):
    assert "Train one on the Train page" in open_page("evaluate.py").info[0].value


def test_a_model_without_a_report_says_what_to_press(open_page, nothing_bundled, trained):
    at = open_page("evaluate.py")
    assert "press Evaluate" in at.info[0].value
    assert not at.button(key="evaluate").disabled and not at.dataframe


def test_carried_reports_are_shown_at_once_with_noise_beside_every_number(open_page, nothing_bundled, carry, evaluated):
    carry(REPORT)
    at = open_page("evaluate.py")
    shown = at.dataframe[0].value
    assert list(shown["model"]) == [HELD_OUT, "runs/tiny"]
    assert list(shown["FD"]) == ["3.50", "12.1 ± 0.3"]
    assert shown["KID"][1] == "0.0123 (0.0110 to 0.0136)"
    assert list(shown["recall"]) == ["0.910", "0.500"]
    assert any("digits net 3f9a1b2c" in caption.value and "1,000" in caption.value for caption in at.caption)
    assert len(charts(at)) == 3
    assert at.button(key="evaluate").disabled and evaluated == []


def test_evaluate_computes_once_for_all_sessions(open_page, nothing_bundled, trained, evaluated):
    at = open_page("evaluate.py")
    at.button(key="evaluate").click().run()
    assert not at.exception and len(at.dataframe) == 1
    assert open_page("evaluate.py").button(key="evaluate").disabled
    assert evaluated == [5000]
    at.selectbox(key="samples").set_value(1000).run()
    assert not at.dataframe and not at.button(key="evaluate").disabled


def test_a_report_of_a_former_extractor_is_computed_again(runs, trained, evaluated, monkeypatch):
    folder = runs / "tiny" / "model"
    reports.computed(folder, 1000, lambda done, text: None)
    assert reports.kept(folder, 1000) == other(n=1000)
    monkeypatch.setattr(reports, "digests", lambda: {"0" * 64})
    assert reports.kept(folder, 1000) is None
    reports.computed(folder, 1000, lambda done, text: None)
    assert evaluated == [1000, 1000]


def test_two_sessions_at_once_compute_once(runs, trained, evaluated):
    folder = runs / "tiny" / "model"
    found = []
    threads = [
        threading.Thread(
            target=lambda: found.append(reports.computed(folder, 1000, lambda done, text: time.sleep(0.3)))
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert evaluated == [1000] and found[0] == found[1] == other(n=1000)


def test_a_model_that_cannot_be_evaluated_says_so_and_the_next_is_computed(
    open_page, nothing_bundled, carry, evaluated, monkeypatch
):
    carry({})
    carry({}, "worse")
    working = reports.evaluate

    def evaluate(model, *, n, progress):
        if not evaluated:
            evaluated.append("refused")
            raise UsageError("The data *digits* has no test split.")
        return working(model, n=n, progress=progress)

    monkeypatch.setattr(reports, "evaluate", evaluate)
    at = open_page("evaluate.py")
    at.button(key="evaluate").click().run()
    assert not at.exception
    assert "no test split" in at.error[0].value and "*digits*" not in at.error[0].value


def test_what_may_not_be_compared_stands_apart_and_on_the_same_data_with_the_reason(open_page, nothing_bundled, carry):
    carry(REPORT)
    carry(other(dataset="faces"), "faces")
    carry(other(fd=REPORT["fd"] | {"value": 5.0}), "better")
    at = open_page("evaluate.py")
    at.multiselect(key="models").set_value(["runs/tiny", "runs/faces", "runs/better"]).run()
    assert [list(frame.value["model"][1:]) for frame in at.dataframe] == [["runs/better", "runs/tiny"], ["runs/faces"]]
    assert not at.info
    carry(other(m=500), "fewer")
    at = open_page("evaluate.py")
    at.multiselect(key="models").set_value(["runs/tiny", "runs/faces", "runs/fewer"]).run()
    assert len(at.dataframe) == 3
    (info,) = at.info
    assert "stand apart" in info.value and "tiny" in info.value and "fewer" in info.value


def test_translations_stand_below_what_could_be_had_without_a_model(open_page, nothing_bundled, carry, evaluated):
    carry(TRANSLATED)
    carry(TRANSLATED | {"sources": TRANSLATED["sources"] | {"model": source(4.0, 0.02)}}, "better")
    carry(REPORT, "noise")
    at = open_page("evaluate.py")
    at.multiselect(key="models").set_value(["runs/tiny", "runs/better", "runs/noise"]).run()
    shown = next(frame.value for frame in at.dataframe if "L1" in frame.value)
    assert list(shown["model"]) == [
        HELD_OUT, "nearest training picture", "input as it is", "runs/better", "runs/tiny",
    ]  # fmt: skip
    assert list(shown["L1"]) == ["0", "0.244", "0.253", "0.0200", "0.0310"]
    assert shown["PSNR"][0] == "" and "cycle" not in shown  # nothing learned both ways
    assert at.button(key="evaluate").disabled and evaluated == []  # all inputs there are were translated
    rows = reports.frame({"runs/tiny": TRANSLATED})
    assert list(rows["source"]) == ["model", "input", "nearest", "truth"] and rows["l1"][1] == 0.253


def test_a_link_chooses_its_models_and_nothing_else(open_page, nothing_bundled, carry, evaluated):
    carry(REPORT)
    carry(REPORT, "second")
    at = open_page("evaluate.py", model=["runs/second", "../etc"])
    assert at.multiselect(key="models").value == ["runs/second"]
    at.multiselect(key="models").set_value(["runs/tiny"]).run()
    assert at.multiselect(key="models").value == ["runs/tiny"]


def test_the_download_holds_every_number(open_page, nothing_bundled, carry):
    carry(REPORT)
    row = pd.read_csv(io.StringIO(reports.frame({"runs/tiny": REPORT}).to_csv(index=False))).iloc[0]
    assert (row["fd"], row["fd_spread"], row["fd_floor"], row["fd_all"]) == (12.1, 0.3, 3.5, 9.8)
    assert (row["model"], row["m"], row["sha256"], row["kid_high"]) == (
        "runs/tiny",
        1000,
        "3f9a1b2c" + "0" * 56,
        0.0136,
    )
    assert len(open_page("evaluate.py").get("download_button")) == 1


@pytest.mark.parametrize(
    "odd",
    [
        {"fd": "![x](https://evil.example/x.png)"},
        {"fd": {}},
        other(kid=None),
        TRANSLATED | {"sources": {}},
        TRANSLATED | {"cycle": "far"},
        TRANSLATED | {"sources": TRANSLATED["sources"] | {"input": source("x", 0.1)}},
        other(dataset=["digits"]),
        other(classes={"names": 3}),
        other(classes=REPORT["classes"] | {"names": [{}, {}]}),
        other(memorisation=REPORT["memorisation"] | {"copies": 10**400}),
        other(conditional={"as_data": True, "accuracy": "<b>1</b>", "held_out": 0.9}),
        other(fd={"value": "<img src=https://evil.example/x.png>", "floor": 1, "spread": 1, "all": 1}),
    ],
)
def test_an_odd_report_of_a_strangers_model_is_told(open_page, nothing_bundled, carry, odd):
    carry(odd)
    at = open_page("evaluate.py")
    assert "cannot be read" in at.warning[0].value
    assert not any("evil.example" in warning.value for warning in at.warning)


def test_fd_over_training_of_a_run(open_page, nothing_bundled, carry, runs):
    carry(REPORT)
    run = Run(runs / "tiny")
    run.write_state(status="done")
    rows = [{"step": step, "metric/fd": 20.0 - step, "metric/fd_floor": 3.5} for step in (1, 2)]
    run.metrics_file.write_text("".join(json.dumps(row) + "\n" for row in [*rows, {"step": 3}]))
    at = open_page("evaluate.py")
    assert len(charts(at)) == 4
    assert any("FD over training" in header.value for header in at.subheader)


def test_a_public_space_shows_what_models_carry_and_computes_nothing(
    open_page, nothing_bundled, carry, evaluated, monkeypatch
):
    carry(REPORT)
    monkeypatch.setenv("GAN_PLAYGROUND_PUBLIC", "1")
    at = open_page("evaluate.py")
    assert "off on a public Space" in at.info[0].value
    assert len(at.dataframe) == 1
    at.selectbox(key="samples").set_value(1000).run()
    assert at.button(key="evaluate").disabled
    at.button(key="evaluate").proto.disabled = False  # as a script may press it; Streamlit drops it
    at.button(key="evaluate").click().run()
    assert not evaluated


def test_many_models_get_a_map_of_classes_centred_on_the_data():
    shares = pd.DataFrame(
        [{"class": c, "model": m, "share": 0.2, "real": 0.1} for m in ("weights/a", "weights/b") for c in "01"]
    )
    drawn = plots.class_map(shares, ["weights/a", "weights/b"]).to_dict()
    cells, numbers = drawn["layer"]
    scale = cells["encoding"]["color"]["scale"]
    assert scale["domain"][1] == 1 and scale["domain"][0] * scale["domain"][2] == pytest.approx(1)
    assert {row["ratio"] for row in next(iter(drawn["datasets"].values()))} == {2.0}
    assert numbers["mark"]["type"] == "text"


def test_the_lowest_distance_stands_first():
    rows = pd.DataFrame(
        [{"model": m, "fd": fd, "fd_spread": 0.1, "fd_floor": 0.4} for m, fd in (("a", 3.0), ("b", 1.0))]
    )
    assert plots.distances(rows).to_dict()["layer"][1]["encoding"]["y"]["sort"] == ["b", "a"]
    assert len(set(plots.colours([str(k) for k in range(11)]).range)) == 11


def test_a_table_without_classes_has_no_column_for_them():
    assert "class entropy" in table({"a": REPORT})
    assert "class entropy" not in table({"a": other(classes=None)})
    assert "right class" not in table({"a": REPORT})
    told = other(conditional={"as_data": True, "accuracy": 0.997, "held_out": 0.99})
    assert table({"a": REPORT, "b": told})["right class"].fillna("").tolist() == ["99.0%", "", "99.7%"]


@pytest.fixture
def learnt_by_heart(monkeypatch):
    """Training images that are a model's own samples, the first of them exactly, and held-out ones of noise."""

    def real_images(model, where, split):
        if split == "train":
            return ImageData("digits", to_uint8(model.sample(30)))
        noise = torch.randint(0, 256, (30, 1, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
        return ImageData("digits", noise)

    monkeypatch.setattr(neighbours, "real_images", real_images)
    monkeypatch.setattr(neighbours, "DRAWN", 40)


def test_copies_are_found_beside_their_originals(trained, runs, learnt_by_heart):
    pairs = neighbours.nearest_pairs(runs / "tiny" / "model", "copies")
    assert pairs.distances == [0.0] * neighbours.SHOWN < [pairs.usual]
    above, below = np.array_split(np.asarray(pairs.sheet), [pairs.sheet.height // 2 + 2])
    assert np.array_equal(above[:64], below[-64:])


def test_neighbours_are_looked_for_when_asked(open_page, nothing_bundled, trained, learnt_by_heart, monkeypatch):
    at = open_page("evaluate.py")
    assert not at.get("image")
    at.session_state["neighbours"] = True
    at.run(timeout=60)
    assert not at.exception and len(at.get("image")) == 1
    assert any("They lie 0 to 0 apart" in caption.value for caption in at.caption)
    monkeypatch.setenv("GAN_PLAYGROUND_PUBLIC", "1")
    at.run()
    assert not at.get("image")
