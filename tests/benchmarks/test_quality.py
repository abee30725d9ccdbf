"""The race between trainings: equal time in turns, what is judged, and when a curve reaches another's end."""

import pytest
import torch

from benchmarks import quality
from benchmarks.curves import COLOURS, HEIGHT, LEFT, TOP, WIDTH, Scale, draw
from gan_core import UsageError
from gan_core.data.digits import digits
from gan_core.report import Frechet


def rows(**curves):
    """Rows of a report whose contestants have these FDs at equal distances."""
    return [
        {"trained": name, "share": k / len(curve), "fd": fd, "floor": 0.4}
        for name, curve in curves.items()
        for k, fd in enumerate(curve, start=1)
    ]


def test_the_time_to_an_fd_lies_on_a_straight_line_between_two_points():
    curve = [(0.2, 9.0), (0.4, 5.0), (0.6, 6.0), (1.0, 1.0)]
    assert quality.reached(curve, 6.0) == pytest.approx(0.35)  # the first time, not the last
    assert quality.reached(curve, 5.0) == pytest.approx(0.4)
    assert quality.reached(curve, 3.5) == pytest.approx(0.8)
    assert quality.reached(curve, 9.5) == 0.2  # not extrapolated
    assert quality.reached(curve, 0.9) is None


def test_figures_compare_with_the_textbook_loops_last_fd():
    found = quality.figures(rows(textbook=[20, 16, 9, 8, 10], dcgan=[15, 12, 9, 6, 5], lsgan=[30, 30, 30, 30, 11]))
    assert found == {
        "textbook_fd_20": 20, "dcgan_fd_20": 15, "lsgan_fd_20": 30,
        "textbook_fd_100": 10, "dcgan_fd_100": 5, "lsgan_fd_100": 11,
        "dcgan_share": 0.533, "lsgan_share": None,
    }  # fmt: skip
    assert quality.figures(rows(textbook=range(20, 0, -1), dcgan=range(20, 0, -1)))["dcgan_fd_50"] == 11


def test_all_train_in_turns_for_equal_times_and_are_judged_after_each(monkeypatch):
    clock, order = [0.0], []
    monkeypatch.setattr(quality.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(quality, "TURNS", 4)

    def contestant(name, seconds):
        def step():
            clock[0] += seconds
            order.append(name)

        return quality.Contestant("fp32", step, lambda: name, images=64)

    def judge(model):
        clock[0] += 1000  # is not counted
        return Frechet(value=float(len(order)), floor=0.4, spread=None, all=0.0)

    found = quality.race({"quick": contestant("quick", 1.0), "slow": contestant("slow", 2.5)}, 20, judge)
    assert order == (["quick"] * 5 + ["slow"] * 2) * 4
    assert [(row["trained"], row["share"], row["seconds"]) for row in found[:4]] == [
        ("quick", 0.25, 5.0), ("slow", 0.25, 5.0), ("quick", 0.5, 10.0), ("slow", 0.5, 10.0),
    ]  # fmt: skip
    assert (found[-1]["steps"], found[-1]["images_seen"], found[-1]["seconds"]) == (8, 8 * 64, 20.0)
    assert [row["fd"] for row in found[:3]] == [5, 7, 12]


def test_a_turn_that_took_too_long_is_paid_back_in_the_next(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(quality.time, "perf_counter", lambda: clock[0])
    contestant = quality.Contestant("fp32", lambda: clock.__setitem__(0, clock[0] + 4), lambda: None, images=1)
    steps = []
    for seconds in (5, 10, 15, 20):
        contestant.train(seconds)
        steps.append(contestant.steps)
    assert steps == [2, 3, 4, 5]


def test_the_textbook_loop_has_our_networks_and_hands_out_its_generator_as_it_is(monkeypatch):
    monkeypatch.setattr(quality, "faster_precision", lambda *args: "fp32")
    data = digits()
    textbook, ours = quality.textbook(data), quality.ours("dcgan", data)
    assert (textbook.images, textbook.precision) == (ours.images, "fp32")
    shapes = [[tuple(p.shape) for p in one.model().generators.parameters()] for one in (textbook, ours)]
    assert shapes[0] == shapes[1]
    before = textbook.model()
    kept = [p.clone() for p in before.generators.parameters()]
    textbook.train(1e-9)
    after = textbook.model()
    assert textbook.steps == 1 and not after.generators["G"].training
    assert all(torch.equal(a, b) for a, b in zip(kept, before.generators.parameters(), strict=True))
    moved = [(a - b).abs().max() for a, b in zip(kept, after.generators.parameters(), strict=True)]
    assert max(moved) == pytest.approx(2e-4, rel=0.01)  # Adam's first step: nothing is averaged
    bn = after.generators["G"].project[2]
    assert bn.running_mean.abs().sum() > 0


def test_a_recipe_that_sees_more_images_a_step_is_counted_so(monkeypatch):
    monkeypatch.setattr(quality, "faster_precision", lambda *args: "fp32")
    assert quality.ours("wgan", digits()).images == 5 * 64


def test_bad_arguments_are_one_sentence():
    with pytest.raises(UsageError, match="minutes is 0; it must be above 0"):
        quality.measure(minutes=0)
    with pytest.raises(UsageError, match="There is no recipe 'lsgam'"):
        quality.ours("lsgam", digits())


def test_the_chart_is_logarithmic_and_its_ticks_are_round():
    scale = Scale(end=10.0, low=1.0, high=100.0)
    assert scale.at(0, 100) == (0, 0) and scale.at(10, 1) == (WIDTH, HEIGHT)
    assert scale.at(5, 10) == pytest.approx((WIDTH / 2, HEIGHT / 2))
    assert scale.up() == [1, 2, 5, 10, 20, 50, 100]
    assert scale.across() == list(range(11))
    assert Scale(0.06, 0.3, 3.0).across() == pytest.approx([0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06])
    assert Scale(0.06, 0.3, 3.0).up() == pytest.approx([0.5, 1, 2])


def test_a_curve_is_drawn_where_its_points_are():
    curves = {"textbook": [(1, 100.0), (10, 100.0)], "dcgan": [(1, 100.0), (10, 1.0)]}
    chart = draw(curves, {"floor": 0.5}, "minutes", "FD")
    scale = Scale(10 * 1.01, 0.5 / 1.25, 100 * 1.25)
    for (_, curve), colour in zip(curves.items(), COLOURS, strict=False):
        x, y = scale.at(*curve[-1])
        expected = tuple(int(colour[k : k + 2], 16) for k in (1, 3, 5))
        assert chart.getpixel((LEFT + round(x), TOP + round(y))) == expected


@pytest.mark.slow
def test_the_whole_benchmark_in_miniature(tmp_path, monkeypatch):
    monkeypatch.setattr(quality, "TURNS", 2)
    report = quality.measure(minutes=0.02, best=("simple_gan",), plot=tmp_path / "quality.png")
    assert [row["trained"] for row in report.rows] == ["textbook", "dcgan", "simple_gan"] * 2
    assert report.figures["dcgan_fd_100"] > 10 * report.rows[0]["floor"] > 0
    assert (tmp_path / "quality.png").stat().st_size > 5000
    report.show()
    report.write(tmp_path / "report.json")
