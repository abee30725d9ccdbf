"""The benchmarks in miniature: that they measure what they say, and report it under their stable names."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks import app, costs, sample, train, translate
from benchmarks.report import Report
from benchmarks.textbook import in_memory, of_files, textbook_steps
from benchmarks.timing import interleaved
from gan_core import UsageError, create


def check(report, figures, tmp_path):
    """A report has its figures, rows of one shape, and survives JSON and the table."""
    file = tmp_path / "report.json"
    report.write(file)
    report.show()
    stored = json.loads(file.read_text())
    assert set(stored) == {"benchmark", "machine", "date", "figures", "rows", "note"}
    assert stored["figures"].keys() == figures
    assert all(value > 0 for value in stored["figures"].values())
    assert len({tuple(row) for row in stored["rows"]}) == 1


def test_train_reports_its_figures(tmp_path, monkeypatch):
    def costs_of(names, rounds):
        rates = {"fp32": np.array([9.0]), "bf16": np.array([10.0])}
        return [costs.row(name, precision, rates, 2**28 if precision == "fp32" else None)
                for name in names for precision in rates]  # fmt: skip

    monkeypatch.setattr(train, "costs", costs_of)
    sizes = {"width": 4, "image_size": 16, "batch_size": 8, "pictures": 16, "peak_channels": 8}
    report = train.measure(**sizes, steps=1, rounds=2, only=["lsgan"])
    assert [row["what"] for row in report.rows] == ["playground", "textbook", "lsgan", "lsgan"]
    assert report.figures["auto_of_faster"] == 0.9
    check(report, {"speedup_over_textbook", "share_of_peak", "auto_of_faster"}, tmp_path)


def test_a_report_is_read_as_it_was_written(tmp_path):
    report = Report("coverage", figures={"a": 1.5, "b": None}, rows=[{"x": 1, "y": None}], note="")
    file = tmp_path / "report.json"
    report.write(file)
    report.show()
    assert Report.read(file, "coverage") == report
    with pytest.raises(UsageError, match=r"report\.json is a report of the benchmark coverage, not of quality"):
        Report.read(file, "quality")
    file.write_text("[]")
    for strange in (file, tmp_path / "none.json"):
        with pytest.raises(UsageError, match="is no report that --json has written"):
            Report.read(strange, "coverage")


def test_sample_reports_its_figure(tmp_path):
    report = sample.measure(rounds=2, sizes=[(4, 16), (8, 16)])
    assert [row["images"] for row in report.rows] == [1, 16, 64] * 2
    check(report, {"share_of_bare_forward", "share_of_bare_forward_small"}, tmp_path)


def test_translate_reports_its_figures(tmp_path):
    report = translate.measure(rounds=2, sides=(16, 24, 32))
    assert [(row["width"], row["picture"]) for row in report.rows] == [
        (w, s) for s in (16, 24, 32) for w in ("32", "64")
    ]
    check(report, {"milliseconds_of_24_at_width_32", "milliseconds_of_24_at_width_64"}, tmp_path)


@pytest.mark.slow
def test_a_picture_of_256_pixels_takes_less_than_three_tenths_of_a_second():
    figures = translate.measure(rounds=10, sides=(256,)).figures
    assert figures["milliseconds_of_256_at_width_32"] < 300


@pytest.mark.slow
def test_app_reports_its_figures(tmp_path):
    figures = {"cold_start_seconds", "sample_p50_ms", "sample_p95_ms", "resident_mb"}
    check(app.measure(requests=3), figures, tmp_path)


def test_contenders_take_turns_and_the_first_round_does_not_count():
    calls = []
    seconds = interleaved({name: lambda name=name: calls.append(name) for name in "ab"}, rounds=2)
    assert calls == ["a", "b"] * 3
    assert [len(times) for times in seconds.values()] == [2, 2]


def test_flops_of_a_step_are_those_of_forward_and_backward():
    layer = nn.Linear(3, 5)
    rows = torch.ones(2, 3, requires_grad=True)
    product = 2 * (2 * 3 * 5)  # a multiplication and an addition for each of N x in x out
    assert train.counted(lambda: layer(rows)) == product
    assert train.counted(lambda: layer(rows).sum().backward()) == 3 * product


def test_textbook_trains_both_networks_from_the_files(tmp_path):
    train.write_pictures(tmp_path, 5)
    nets = create("dcgan", width=4, image_size=16, channels=3).build()
    before = {name: parameter.clone() for name, parameter in nets.named_parameters()}
    steps = textbook_steps(nets["G"], nets["D"], of_files(tmp_path, image_size=16, batch_size=4), latent_dim=100)
    train.take(steps, 2)  # more than one epoch: a batch is left over
    unmoved = [name for name, parameter in nets.named_parameters() if torch.equal(parameter, before[name])]
    assert unmoved == []


def test_the_textbooks_pictures_in_memory_are_all_of_them_in_the_generators_range():
    images = torch.arange(0, 240, 20, dtype=torch.uint8)[:, None, None, None].expand(12, 1, 2, 2)
    batches = list(in_memory(images, batch_size=4))
    assert [batch.shape for batch in batches] == [(4, 1, 2, 2)] * 3
    seen = torch.cat(batches)[:, 0, 0, 0]
    assert seen.sort().values.tolist() == pytest.approx([value / 127.5 - 1 for value in range(0, 240, 20)], abs=1e-6)
    assert seen.tolist() != seen.sort().values.tolist()  # shuffled
