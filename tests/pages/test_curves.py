import json

import pandas as pd
import pytest

from gan_core.runs import Run
from pages.curves import MAX_POINTS, History, curves, loss_terms, time_left


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
    frame = pd.DataFrame(columns=["step", "d/real", "d/p_real", "d/p_fake", "g/adversarial", "metric/fd"])
    assert loss_terms(frame) == ["d/real", "g/adversarial"]


def test_time_left_follows_the_recent_rate():
    state = {"step": 100, "steps": 300, "images_seen": 6400}
    frame = pd.DataFrame({"images_per_second": [1.0] * 10 + [640.0] * 10})
    assert time_left(state, frame) == pytest.approx(200 * 64 / 640)
    assert time_left({**state, "step": 0}, frame) is None
    assert time_left(state, pd.DataFrame()) is None
