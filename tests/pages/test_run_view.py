"""A run that was measured, as its page shows it."""

import json

import pytest

from gan_core.library import load, local_models
from gan_core.runs import find_run

WARNING = "Collapse: diversity fell from 90 % to 31 % of real since step 20. Try a new run with a lower --lr."


@pytest.fixture
def judged(trained, runs):
    """A stopped run with a warning, evaluations and a best step."""
    run = find_run("tiny")
    run.model_folder.rename(run.best_folder)
    config = json.loads((run.best_folder / "config.json").read_text())
    config["training"]["steps"] = 20
    (run.best_folder / "config.json").write_text(json.dumps(config))
    rows = [
        {"step": step, "images_seen": 8 * step, "seconds": 1.0, "images_per_second": 9.0, "g/adversarial": 1.0,
         "metric/fd": fd, "metric/fd_floor": 3.0, "metric/diversity": 0.9, "monitor/d_accuracy": 0.9}
        for step, fd in ((10, 30.0), (20, 12.0), (30, 25.0))
    ]  # fmt: skip
    rows[-1]["warnings"] = [WARNING]
    run.metrics_file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run.write_state(status="stopped", step=30, steps=40, images_seen=240, warnings=[WARNING])
    return run


def links(at):
    return [link.proto.label for link in at.get("page_link")]


def test_warnings_charts_and_the_way_to_the_best(judged, open_page):
    at = open_page("train.py", run="tiny")
    assert [warning.value for warning in at.warning] == [WARNING]
    titles = [text.value for text in at.markdown]
    assert "**Distance to real pictures (FD)**" in titles and "**Variety**" in titles
    assert "Open the best, step 20" in links(at)
    assert load("runs/tiny/best").training["steps"] == 20 and "runs/tiny/best" in local_models()


def test_at_the_best_step_there_is_no_other_way_to_it(judged, open_page):
    judged.write_state(step=20)
    assert not any("best" in label for label in links(open_page("train.py", run="tiny")))
