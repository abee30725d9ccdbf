"""Counting modes on point sets whose answers are known, and every objective on points."""

import math

import pytest
import torch

from benchmarks import coverage, modes, objectives
from benchmarks.scatter import GENERATED, MISSED, PANEL, Panel, picture
from gan_core import Trainer, UsageError
from gan_core.data.digits import digits
from gan_core.data.points import grid, ring
from gan_core.noise import NoiseRecipe
from gan_core.recipe import RECIPES, Phase

CENTRES = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
OBJECTIVES = sorted(objectives.objectives())


def points(*xy):
    return torch.tensor(xy, dtype=torch.float32)


def test_a_mode_is_hit_by_one_point_within_three_deviations():
    found = modes.of_points(points((0.029, 0.0), (0.97, 0.97), (0.0, 0.96)), CENTRES, std=0.01)
    assert found.hit.tolist() == [True, False, False, False]  # the others are 4.2 and 4 deviations away
    assert found.high_quality == pytest.approx(1 / 3)
    assert (found.modes, found.of, found.samples) == (1, 4, 3)
    assert modes.of_points(points((0.021, 0.021)), CENTRES, std=0.01).modes == 1  # 2.97 deviations
    assert modes.of_points(points((0.022, 0.022)), CENTRES, std=0.01).modes == 0  # 3.11


def test_kl_counts_every_point_for_its_nearest_mode():
    on_centres = CENTRES.repeat_interleave(torch.tensor([4, 2, 1, 1]), dim=0)
    expected = 0.5 * math.log(2) + 0.25 * math.log(1) + 2 * 0.125 * math.log(0.5)
    for shift in (0.0, 0.3):  # far from the centres, but still nearest to the same
        found = modes.of_points(on_centres + shift, CENTRES, std=0.01)
        assert found.kl == pytest.approx(expected, rel=1e-9)
    assert found.modes == 0 and found.high_quality == 0


def test_even_shares_and_a_single_mode_are_the_ends_of_the_scale():
    even, single = (
        modes.of_points(rows, CENTRES, std=0.01) for rows in (CENTRES.repeat(5, 1), CENTRES[:1].repeat(7, 1))
    )
    assert (even.modes, even.high_quality, even.kl) == (4, 1.0, 0.0)
    assert single.modes == 1 and single.kl == pytest.approx(math.log(4))


@pytest.mark.parametrize(("load", "of"), [(ring, 8), (grid, 25)])
def test_the_floor_is_what_perfect_samples_get_on_average(load, of):
    data, generator = load("test"), torch.Generator().manual_seed(0)
    found = [
        modes.of_points(data.images[rows].flatten(1), data.centres, data.std)
        for rows in torch.randint(len(data), (100, 500), generator=generator)
    ]
    assert {one.modes for one in found} == {of}
    assert sum(one.high_quality for one in found) / 100 == pytest.approx(1 - math.exp(-4.5), abs=0.003)
    assert found[0].floor == (of - 1) / 1000
    assert sum(one.kl for one in found) / 100 == pytest.approx(found[0].floor, rel=0.15)


def test_classes_are_modes_by_what_the_classifier_says():
    probabilities = torch.tensor([[0.6, 0.3, 0.1], [0.4, 0.35, 0.25], [0.1, 0.8, 0.1], [0.9, 0.0, 0.1]])
    found = modes.of_classes(probabilities)
    assert found.hit.tolist() == [True, True, False] and found.high_quality is None
    assert found.kl == pytest.approx(0.75 * math.log(0.75 * 3) + 0.25 * math.log(0.25 * 3))
    assert found.floor == 2 / 8


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_trains_the_same_networks_with_options_of_its_own(name):
    recipe = objectives.objectives()[name].on_points()
    original = RECIPES[objectives.objectives()[name].recipe]
    assert isinstance(recipe, original) and recipe.phases[: len(original.phases)] == original.phases
    assert recipe.options.lr == original.train_options.lr and recipe.options.batch_size == objectives.BATCH
    trainer = Trainer(recipe, ring("test"))
    trainer.run(2)
    assert all(value.isfinite() for value in trainer.logs.values())
    assert recipe.score(trainer.nets, ring("test").images[:4]).shape == (4 // recipe.config.pack,)
    assert {net: type(trainer.nets[net]).__module__ for net in trainer.nets} == dict.fromkeys(
        "GD", "benchmarks.objectives"
    )
    assert trainer.model().sample(5).shape == (5, 2, 1, 1)


def test_every_objective_has_the_same_number_of_updates():
    recipe = objectives.objectives()["gan"].on_points()
    assert objectives.steps_of(recipe, 12_000) == 6_000
    recipe.phases = (Phase("d", nets=("D",), repeats=5), Phase("r1", nets=("D",), every=16), Phase("g", nets=("G",)))
    assert objectives.steps_of(recipe, 970) == 160  # 5 + 1/16 + 1 updates a step


def test_all_noise_recipes_run_but_those_left_out():
    noise = {name for name, recipe in RECIPES.items() if issubclass(recipe, NoiseRecipe)}
    assert noise - objectives.LEFT_OUT.keys() == set(OBJECTIVES) - objectives.VARIANTS.keys()
    made = {name: objectives.objectives()[name].on_points() for name in objectives.VARIANTS}
    assert made["gan_saturating"].config.saturating and made["dcgan_packed"].config.pack == 2
    assert [phase.name for phase in made["dcgan_r1"].phases] == ["d", "g", "r1"]
    assert RECIPES["gan"].build.__module__ == "gan_core.recipes.gan"  # the registry is untouched


def test_a_name_that_is_left_out_or_unknown_is_one_sentence():
    assert objectives.chosen([]) == OBJECTIVES and objectives.chosen(["gan"]) == ["gan"]
    for name, reason in objectives.LEFT_OUT.items():
        with pytest.raises(UsageError, match=f"{name} is left out of this benchmark: {reason}"):
            objectives.chosen([name])
    with pytest.raises(UsageError, match="There is no objective 'dcgam'.*'dcgan'"):
        coverage.measure(only=["dcgam"])


def test_the_critic_sees_the_plane_enlarged():
    critic, seen = objectives.Critic(pack=1), []
    critic.layers[1].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    critic(points((0.5, -0.25))[:, :, None, None])
    assert seen[0].tolist() == [[0.5 * objectives.SCALE, -0.25 * objectives.SCALE]]


def test_a_training_that_diverges_is_judged_where_it_ended(monkeypatch):
    class Diverging(RECIPES["gan"]):
        def losses(self, phase, nets, batch, images_seen):
            losses = super().losses(phase, nets, batch, images_seen)
            return losses if images_seen <= 3 * objectives.BATCH else losses | {"broken": torch.tensor(torch.inf)}

    monkeypatch.setitem(RECIPES, "gan", Diverging)
    result = coverage.on_points("gan", "ring", seed=0, updates=20)
    assert result.steps == 3 and result.coverage.samples == coverage.SAMPLES


def test_rows_figures_and_sheet_of_tiny_trainings(tmp_path):
    results = [result for result in coverage.references(coverage.POINTS) if result.seed == 0]
    results += [coverage.on_points(name, data, 0, updates=4) for name in ("dcgan", "gan") for data in ("ring", "grid")]
    rows = [result.row() for result in results]
    assert [(row["objective"], row["data"], row["of"], row["steps"]) for row in rows] == [
        (coverage.HELD_OUT, "ring", 8, 0), (coverage.HELD_OUT, "grid", 25, 0),
        (coverage.NOISE, "ring", 8, 0), (coverage.NOISE, "grid", 25, 0),
        ("dcgan", "ring", 8, 2), ("dcgan", "grid", 25, 2), ("gan", "ring", 8, 2), ("gan", "grid", 25, 2),
    ]  # fmt: skip
    assert rows[0]["modes"] == 8 and rows[1]["modes"] == 25
    means = coverage.figures(rows)
    assert means["held_out_data_grid_modes"] == 25 and means["gan_ring_kl"] == rows[6]["kl"]
    area = 25 * math.pi * (modes.HIGH_QUALITY * 0.02) ** 2 / 4  # of the discs, as a share of the square
    assert rows[3]["modes"] == 25 and rows[3]["high_quality"] == pytest.approx(area, rel=0.25)
    sheet = coverage.sheet(results)
    assert sheet.width > 6 * PANEL and 2 * PANEL < sheet.height < 3 * PANEL  # three blocks abreast


def test_figures_are_means_over_seeds():
    def result(seed, kl):
        return coverage.Result("gan", "ring", seed, modes.Coverage(torch.tensor([True, seed > 0]), 0.5, kl, 10))

    assert coverage.figures([result(seed, kl).row() for seed, kl in ((0, 0.1), (1, 0.3))]) == {
        "gan_ring_modes": 1.5, "gan_ring_high_quality": 0.5, "gan_ring_kl": 0.2,
    }  # fmt: skip


def test_parts_are_merged_into_one_report(tmp_path):
    def row(objective, data, seed, modes):
        return {"objective": objective, "data": data, "seed": seed, "modes": modes, "high_quality": None, "kl": 0.0}

    parts = {
        "pictures": coverage.report([row("gan", "stacked_digits", 0, 900)], ["Pictures."]),
        "points": coverage.report([row("gan", "ring", 1, 8), row(coverage.HELD_OUT, "ring", 0, 8)], ["Points."]),
        "again": coverage.report([row("gan", "ring", 1, 1), row("gan", "ring", 0, 6)], ["Points."]),
    }
    for name, part in parts.items():
        part.write(tmp_path / f"{name}.json")
    whole = coverage.merged([tmp_path / f"{name}.json" for name in parts])
    assert [(row["objective"], row["data"], row["modes"]) for row in whole.rows] == [
        (coverage.HELD_OUT, "ring", 8), ("gan", "ring", 6), ("gan", "ring", 8), ("gan", "stacked_digits", 900),
    ]  # fmt: skip
    assert whole.figures["gan_ring_modes"] == 7 and whole.figures["gan_stacked_digits_modes"] == 900
    assert whole.note == "Pictures.\nPoints." and whole.machine == parts["points"].machine


def test_nothing_to_train_or_to_plot_is_one_sentence(tmp_path):
    with pytest.raises(UsageError, match="Nothing is left to train: stacked_digits is for dcgan, dcgan_packed, r3gan"):
        coverage.measure(only=["gan"], on=["stacked_digits"])
    with pytest.raises(UsageError, match="--plot shows points of the plane; it takes --on ring or grid"):
        coverage.measure(only=["dcgan"], on=["stacked_digits"], plot=tmp_path / "modes.png")


def test_stacked_digits_are_trained_on_by_whole_recipes():
    pictures = digits(channels=3)
    made = {name: objectives.objectives()[name].on_pictures(pictures) for name in coverage.STACKED}
    assert {(recipe.config.image_size, recipe.config.channels) for recipe in made.values()} == {(32, 3)}
    assert made["dcgan_packed"].config.pack == 2 and made["wgan_gp"].name == "wgan_gp"


def test_a_panel_shows_points_where_they_are_and_rings_what_is_missing():
    panel = Panel(torch.empty(0, 2), points((0.525, 0.525)), points((-0.525, -0.525)), "")
    drawn = picture(panel)
    right, top = int(0.75 * PANEL), int(0.25 * PANEL)
    assert is_like(drawn.getpixel((right, top)), GENERATED)
    radius = 0.075 / 1.05 * PANEL / 2
    assert is_like(drawn.getpixel((int(0.25 * PANEL - radius + 1), int(0.75 * PANEL))), MISSED)


def is_like(pixel, colour):
    return all(abs(int(colour[1 + 2 * k : 3 + 2 * k], 16) - pixel[k]) < 60 for k in range(3))


@pytest.mark.slow
def test_the_whole_benchmark_in_miniature(tmp_path, monkeypatch):
    monkeypatch.setattr(coverage, "STACKED_SAMPLES", 300)
    report = coverage.measure(only=["dcgan"], plot=tmp_path / "modes.png", minutes=0.01, updates=40)
    assert {(row["objective"], row["data"]) for row in report.rows} == {
        (name, data) for name in (coverage.HELD_OUT, "dcgan") for data in ("ring", "grid", "stacked_digits")
    } | {(coverage.NOISE, "ring"), (coverage.NOISE, "grid")}
    assert len(report.rows) == 2 * (3 + 3 + 1) + 6
    stacked = next(row for row in report.rows if row["data"] == "stacked_digits")
    assert stacked["of"] == 1000 and stacked["modes"] > 200 and stacked["kl"] >= 0
    assert "digits net" in report.note and "26,000" not in report.note
    assert (tmp_path / "modes.png").stat().st_size > 5000
    report.show()
    report.write(tmp_path / "report.json")
