"""The benchmarks in miniature: that they measure what they say, and report it under their stable names."""

import json

import pytest
import torch
from torch import nn

from benchmarks import app, sample, train
from benchmarks.textbook import textbook_steps
from benchmarks.timing import interleaved
from gan_core import create


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


def test_train_reports_its_figures(tmp_path):
    report = train.measure(width=4, image_size=16, batch_size=8, pictures=16, steps=1, rounds=2, peak_channels=8)
    assert {row["what"] for row in report.rows} == {"playground", "textbook"}
    check(report, {"speedup_over_textbook", "share_of_peak"}, tmp_path)


def test_sample_reports_its_figure(tmp_path):
    report = sample.measure(rounds=2, sizes=[(4, 16), (8, 16)])
    assert [row["images"] for row in report.rows] == [1, 16, 64] * 2
    check(report, {"share_of_bare_forward", "share_of_bare_forward_small"}, tmp_path)


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
    steps = textbook_steps(nets["G"], nets["D"], tmp_path, image_size=16, latent_dim=100, batch_size=4)
    train.take(steps, 2)  # more than one epoch: a batch is left over
    unmoved = [name for name, parameter in nets.named_parameters() if torch.equal(parameter, before[name])]
    assert unmoved == []
