import json

import pandas as pd
import pytest

from gan_core.runs import Run
from pages.curves import MAX_POINTS, History, curves, loss_terms, panel_chart, panels, time_left


def write(run, rows, mode="a"):
    with run.metrics_file.open(mode) as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def test_history_reads_on_and_starts_again_when_the_rows_were_cut(tmp_path):
    run = Run(tmp_path)
    history = History(run)
    assert history.update().empty
    write(run, [{"step": step, "g/adversarial": 1.0} for step in (1, 2, 3)])
    assert list(history.update()["step"]) == [1, 2, 3]
    write(run, [{"step": 4, "g/adversarial": 1.0}])
    assert list(history.update()["step"]) == [1, 2, 3, 4]
    # a resumed run: a new file takes the old one's place, and is soon as long as that was
    other = Run(tmp_path / "other")
    other.folder.mkdir()
    write(other, [{"step": step, "g/adversarial": 2.0} for step in (1, 20, 30, 40, 50)])
    other.metrics_file.replace(run.metrics_file)
    assert list(history.update()["step"]) == [1, 20, 30, 40, 50]


def test_curves_are_thinned_and_keep_the_newest_row():
    frame = pd.DataFrame({"step": range(10_001), "d/real": 1.0, "g/adversarial": 2.0})
    points = curves(frame, ["d/real", "g/adversarial"], 0.9)
    assert set(points.groupby("term").size()) <= set(range(MAX_POINTS // 2, MAX_POINTS + 1))
    assert points["step"].max() == 10_000
    assert set(points[points["term"] == "d/real"]["smooth"].round(6)) == {1.0}


def test_smoothing_is_a_running_average_of_all_rows():
    frame = pd.DataFrame({"step": [1, 2, 3], "g/x": [0.0, 0.0, 1.0]})
    assert list(curves(frame, ["g/x"], 0.0)["smooth"]) == [0.0, 0.0, 1.0]
    assert curves(frame, ["g/x"], 0.5)["smooth"].iloc[-1] == pytest.approx(1 / (1 + 0.5 + 0.25))


def test_loss_terms_leave_out_verdicts_and_metrics():
    names = ["d/real", "d/p_real", "d/p_fake", "g/adversarial", "metric/fd", "monitor/d_accuracy", "warnings"]
    frame = pd.DataFrame(columns=["step", *names])
    assert loss_terms(frame) == ["d/real", "g/adversarial"]


def test_time_left_follows_the_recent_rate():
    state = {"step": 100, "steps": 300, "images_seen": 6400}
    frame = pd.DataFrame({"images_per_second": [1.0] * 10 + [640.0] * 10})
    assert time_left(state, frame) == pytest.approx(200 * 64 / 640)
    assert time_left({**state, "step": 0}, frame) is None
    assert time_left(state, pd.DataFrame()) is None


MEASURED = [
    {"step": 1, "g/x": 1.0},
    {"step": 2, "g/x": 1.0, "metric/fd": 30.0, "metric/fd_floor": 3.0, "metric/own": 1.0, "warnings": ["Look out."]},
    {"step": 3, "g/x": 1.0, "metric/fd": None, "metric/fd_floor": 3.0},
    {"step": 4, "g/x": 1.0, "metric/fd": 12.0, "metric/fd_floor": 3.0, "metric/recall": 0.5},
    {"step": 5, "g/x": 1.0, "metric/fd": 20.0, "metric/fd_floor": 3.0},
]


def test_what_was_measured_has_a_chart_known_or_not(tmp_path):
    run = Run(tmp_path)
    write(run, MEASURED)
    frame = History(run).update()
    assert [list(panel.terms) for panel in panels(frame)][::2] == [["metric/fd"], ["metric/own"]]
    assert panels(frame[["step", "g/x"]]) == []


def drawn(frame, panel):
    """What each layer of a chart shows: kind, and its rows."""
    chart = panel_chart(frame, panel).to_dict()
    return [
        (layer["mark"], chart["datasets"][layer.get("data", chart.get("data"))["name"]]) for layer in chart["layer"]
    ]


def test_the_floor_is_a_line_and_the_best_step_is_marked():
    frame = pd.DataFrame(MEASURED)
    fd, shares, _ = panels(frame)
    layers = drawn(frame, fd)
    assert [row["value"] for row in layers[0][1]] == [30, 12, 20]
    assert [mark["type"] for mark, _ in layers] == ["line", "rule", "text", "point", "text"]
    assert layers[1][1] == [{"value": 3.0}] and layers[2][0]["text"] == "floor 3"
    assert layers[3][1][0]["step"] == 4 and layers[4][0]["text"] == "best 12 at step 4"
    assert [mark["type"] for mark, _ in drawn(frame, shares)] == ["line"]
