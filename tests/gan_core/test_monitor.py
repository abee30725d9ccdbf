"""The monitor: what it measures, that it disturbs nothing, when it speaks and when it is silent."""

import copy
import dataclasses
import json
import math
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from torch import nn

import gan_core
from gan_core import callbacks
from gan_core.checkpoint import load_checkpoint, save_checkpoint
from gan_core.cli import main
from gan_core.cli.training import planned
from gan_core.data import ImageData
from gan_core.extractors import load_extractor
from gan_core.layers import blueprint
from gan_core.metrics.extractor import Features
from gan_core.monitor import Monitor, diagnose
from gan_core.monitor.look import as_played, gradient_norms, win_rate
from gan_core.pictures import to_uint8
from gan_core.recipe import RECIPES
from gan_core.runs import Run
from gan_core.train_options import TrainOptions
from gan_core.trainer import Trainer
from tests.families import NOISE

from .test_trainer import assert_equal

RECORDED = Path(__file__).parents[1] / "recorded"
COLLAPSING = [
    "train",
    "gan",
    "--saturating",
    "--no_batch_norm",
    "--lr",
    "1e-3",
    "--steps",
    "1000",
    "--precision",
    "fp32",
]
GAN = {"saturating": False, "batch_norm": True, "lr": 2e-4}


def look(step, diversity=0.8, classes=10.0, recall=0.6, accuracy=0.97, norm=2.0, **more):
    return {
        "step": step,
        "metric/diversity": diversity,
        "metric/class_entropy": math.log(classes),
        "metric/class_entropy_real": math.log(10),
        "metric/monitor_recall": recall,
        "monitor/d_accuracy": accuracy,
        "monitor/grad_norm_g": norm,
        "d/p_real": 0.8,
        "d/p_fake": 0.2,
    } | more


def run_of(**series):
    """Rows every 250 steps from columns of equal length."""
    return [
        look(250 * k, **dict(zip(series, row, strict=True)))
        for k, row in enumerate(zip(*series.values(), strict=True), 1)
    ]


# ------------------------------------------------------------------------------------------------------------- rules


def test_diversity_that_fell_is_said_with_its_numbers():
    rows = run_of(diversity=[0.3, 0.7, 0.85, 0.9, 0.4, 0.31], accuracy=[0.97] * 5 + [0.99])
    assert diagnose(rows, GAN) == [
        "Collapse: diversity fell from 90 % to 31 % of real since step 1,000, D is right 99 % of the time. "
        "Try a new run with a lower --lr (it is 0.0002)."
    ]
    assert diagnose(rows[:-1], GAN) == []  # one low look may be chance
    assert diagnose([*rows, look(1750)], GAN) == []  # it holds no longer


def test_diversity_that_never_rose():
    rows = run_of(diversity=[0.02, 0.03, 0.02])
    assert "diversity is 2 % of real after 750 steps and does not rise" in diagnose(rows, GAN)[0]
    assert diagnose(rows[:2], GAN) == []  # so early it is normal
    assert diagnose(run_of(diversity=[0.02, 0.05, 0.12]), GAN) == []  # slow, but rising


def test_classes_that_were_lost():
    rows = run_of(classes=[9.0, 9.5, 4.0, 2.1])
    assert "the pictures fall into about 2.1 classes where real ones fall into 10" in diagnose(rows, GAN)[0]
    assert diagnose(run_of(classes=[5.0, 9.5, 8.0, 7.0]), GAN) == []


def test_recall_that_fell():
    assert "recall fell from 0.60 to 0.05 since step 500" in diagnose(run_of(recall=[0.3, 0.6, 0.1, 0.05]), GAN)[0]
    assert diagnose(run_of(recall=[0.0, 0.0, 0.0, 0.0]), GAN) == []  # some never reach any: no fall
    assert diagnose(run_of(recall=[0.004, 0.0, 0.0, 0.0]), GAN) == []  # one picture of 256


def certain(step, **more):
    return look(step, **({"norm": 3e-5, "d/p_real": 0.999, "d/p_fake": 0.001} | more))


def test_a_critic_that_is_never_in_doubt():
    rows = [look(250), certain(500), certain(750)]
    expected = (
        "D has won: since step 500 it is never in doubt about real or generated, and G's gradient is down to 3e-05."
    )
    assert diagnose(rows, GAN | {"saturating": True})[0] == (
        f"{expected} Try a new run without --saturating or with a lower --lr (it is 0.0002)."
    )
    assert diagnose([certain(250), certain(500)], GAN) == []  # every critic wins at first
    doubt = {"step": 600, "d/p_real": 0.9, "d/p_fake": 0.001}
    assert diagnose([look(250), certain(500), doubt, certain(750)], GAN) == []
    scores = [{k: v for k, v in row.items() if not k.startswith("d/p_")} for row in rows]
    assert diagnose(scores, GAN) == []  # a critic of scores, not of probabilities


def test_gradients_that_burst_or_are_no_numbers():
    assert diagnose(run_of(norm=[2.0, 3.0, 4.0, 900.0]), GAN) == [
        "The gradient of phase g is 900, usually 3. Try a new run with a lower --lr (it is 0.0002)."
    ]
    assert diagnose(run_of(norm=[2.0, 3.0, 4.0, 90.0]), GAN) == []
    assert "The gradient of phase g is not finite." in diagnose(run_of(norm=[2.0, None]), GAN)[0]


def test_fd_that_was_better_before():
    rows = [look(500 * k, **{"metric/fd": fd, "metric/fd_floor": 3.0}) for k, fd in enumerate([40, 12, 25, 30], 1)]
    assert diagnose(rows, GAN) == [
        "FD was 12.00 at step 1,000 and is 30.00 now. The model of that step is kept in best/. "
        "Try a new run with a lower --lr (it is 0.0002) or from step 1,000, the best so far (--init RUN/best)."
    ]
    assert diagnose(rows[:3], GAN) == []
    close = [look(500 * k, **{"metric/fd": fd, "metric/fd_floor": 3.0}) for k, fd in enumerate([9, 4, 6.5, 6.5], 1)]
    assert diagnose(close, GAN) == []  # within the noise that the floor shows


def test_only_options_that_the_recipe_has_are_advised():
    rows = run_of(diversity=[0.02, 0.02, 0.02])
    assert diagnose(rows)[0].endswith("Try a new run with other settings.")
    assert "--batch_norm" in diagnose(rows, {"batch_norm": False})[0]
    for name in NOISE:
        settings = settings_of(name)
        said = diagnose(rows, settings)[0]
        assert "--augment" in said and ("--batch_norm" in said) == (settings.get("batch_norm") is False)
        bounded = name in ("progan", "r3gan", "wgan", "wgan_gp")
        assert ("--d_lr" in said) == (not bounded) and ("--r1" in said) == (not bounded and settings["r1"] == 0), name
        taken = diagnose(rows, settings | {"r1": 1.0, "augment": "translation", "pack": 2})[0]
        assert not any(option in taken for option in ("--r1", "--augment", "--pack"))


def test_a_critic_that_is_to_be_sharp_is_not_slowed_down():
    won = [look(250), certain(500), certain(750)]
    assert "with a lower --d_lr (it is 0.0004) or" in diagnose(won, settings_of("dcgan"))[0]
    assert "with a lower --d_lr (it is 0.0006) or" in diagnose(won, settings_of("dcgan") | {"d_lr": 6e-4})[0]
    assert "--d_lr" not in diagnose(won, settings_of("wgan_gp"))[0]


def settings_of(name):
    return vars(RECIPES[name].Config()) | vars(RECIPES[name].train_options)


@pytest.mark.parametrize("name", NOISE)
def test_what_is_advised_can_be_typed(name):
    said = diagnose(run_of(diversity=[0.02, 0.02, 0.02]), settings_of(name))[0]
    words = " ".join(re.findall(r"\((--[^)]+)\)", said)).split()
    assert words[:2] == ["--pack", "2"] and words[-2:] == ["--augment", "color,translation,cutout"]
    recipe = planned([name, *words], "train")[0].recipe.resolve(32, 1, 10)
    assert (recipe.config.pack, recipe.config.augment) == (2, "color,translation,cutout")
    with blueprint():
        recipe.build()


def test_pairs_are_not_advised_where_a_batch_has_an_odd_number():
    rows = run_of(diversity=[0.02, 0.02, 0.02])
    assert "--pack 2" in diagnose(rows, settings_of("dcgan"))[0]
    assert "--pack" not in diagnose(rows, settings_of("dcgan") | {"batch_size": 33})[0]


def test_rows_without_looks_say_nothing():
    assert diagnose([]) == []
    assert diagnose([{"step": step, "d/p_real": 1.0, "d/p_fake": 0.0} for step in range(10, 3000, 10)]) == []


# ----------------------------------------------------------------------------------------------------------- recorded


def recorded(name):
    return [json.loads(line) for line in (RECORDED / f"{name}.jsonl").read_text().splitlines()]


def spoken(rows, settings=GAN):
    """(step, warnings) wherever the run's own looks would have found something."""
    looks = [k for k, row in enumerate(rows) if "monitor/d_accuracy" in row]
    found = [(rows[k]["step"], diagnose(rows[: k + 1], settings)) for k in looks]
    return [(step, sentences) for step, sentences in found if sentences]


def test_a_run_made_to_collapse_is_flagged_within_1000_steps():
    step, sentences = spoken(recorded("gan-collapsed"))[0]
    assert step <= 1000 and sentences[0].startswith("Collapse: ")


def test_a_run_whose_critic_has_won_is_flagged_within_1000_steps():
    step, sentences = spoken(recorded("gan-saturated"), GAN | {"saturating": True})[0]
    assert step <= 1000 and any(
        "D has won" in sentence and "without --saturating" in sentence for sentence in sentences
    )


def test_a_healthy_run_is_left_in_peace():
    rows = recorded("dcgan-healthy")
    assert rows[-1]["step"] >= 2000 and sum("metric/diversity" in row for row in rows) >= 8
    assert spoken(rows) == []


@pytest.mark.slow
def test_a_live_run_made_to_collapse_is_flagged_within_1000_steps(tmp_path):
    main([*COLLAPSING, "--out", str(tmp_path / "bad")])
    run = Run(tmp_path / "bad")
    assert any("Collapse" in warning for warning in run.state()["warnings"])
    flagged = [row for row in run.metrics()[0] if "warnings" in row]
    assert flagged[0]["step"] <= 1000
    for row in flagged:  # said once, when it appears
        assert all(run.log_file.read_text().count(f"step {row['step']}: {said}") == 1 for said in row["warnings"])


# ---------------------------------------------------------------------------------------------------------- measuring


class Pixels:
    """An extractor of this test: the picture itself, and whether it is bright."""

    def __call__(self, images, progress=None):
        rows = images.flatten(1).float()
        bright = (rows.mean(1) > 127).float()
        return Features(rows, torch.stack([1 - bright, bright], 1))


def small(name, noise_data, **changes):
    recipe = RECIPES[name](RECIPES[name].Config.tiny(), TrainOptions(batch_size=8, **changes))
    return Trainer(recipe, noise_data(recipe))


@pytest.mark.parametrize("name", NOISE)
def test_looking_changes_nothing_of_the_training(name, noise_data):
    quiet, watched = small(name, noise_data), small(name, noise_data)
    monitor, drawn = Monitor(watched.data, Pixels()), []

    def looking(trainer):
        random = torch.random.get_rng_state()
        modes = [module.training for module in trainer.nets.modules()]
        gradients = copy.deepcopy([p.grad for p in trainer.nets.parameters()])
        drawn.append(monitor(trainer))
        assert torch.equal(random, torch.random.get_rng_state())
        assert modes == [module.training for module in trainer.nets.modules()]
        assert_equal(gradients, [p.grad for p in trainer.nets.parameters()])

    watched.callbacks = [looking]
    quiet.run(3)
    watched.run(3)
    assert_equal(quiet.state_dict(), watched.state_dict())
    measured = {"metric/diversity", "monitor/d_accuracy", "monitor/grad_norm_d"}
    assert (
        drawn[1].keys() == drawn[-1].keys() >= measured
    )  # in the first step, a lazy R1 may be the critic's last phase
    assert monitor(watched) == drawn[-1]  # the same weights give the same numbers


def test_diversity_is_1_for_the_data_and_0_for_one_picture(noise_data, monkeypatch):
    trainer = small("gan", noise_data)
    trainer.run(1)
    monitor = Monitor(trainer.data, Pixels())
    real = monitor.data.pictures(monitor.rows).float() / 127.5 - 1

    def seen(pictures):
        monkeypatch.setattr("gan_core.model.Model.decode", lambda self, z, labels=None: pictures)
        return monitor.features(trainer)

    assert seen(real)["metric/diversity"] == pytest.approx(1)
    assert seen(real)["metric/monitor_recall"] == 1
    assert seen(real)["metric/class_entropy"] == seen(real)["metric/class_entropy_real"] > 0
    one = seen(real[:1].expand_as(real))
    assert (one["metric/diversity"], one["metric/class_entropy"]) == (pytest.approx(0, abs=1e-6), 0)
    assert one["metric/monitor_recall"] < 0.1


def test_the_critics_accuracy_is_the_share_of_pairs_it_gets_right():
    assert win_rate(torch.tensor([3.0, 4.0]), torch.tensor([1.0, 2.0])) == 1
    assert win_rate(torch.tensor([1.0]), torch.tensor([1.0])) == 0.5
    assert win_rate(torch.tensor([0.0, 5.0]), torch.tensor([1.0, 2.0, 3.0])) == 0.5


def test_whole_packs_are_judged_whatever_the_data_know_of_classes(noise_data, monkeypatch):
    monkeypatch.setattr("gan_core.monitor.look.COUNT", 16)
    config = dataclasses.replace(RECIPES["dcgan"].Config.tiny(), pack=3)
    recipe = RECIPES["dcgan"](config, TrainOptions(batch_size=18))
    trainer = Trainer(recipe, dataclasses.replace(noise_data(recipe), labels=torch.arange(40) % 2, classes=("a", "b")))
    trainer.run(1)
    seen = []
    monkeypatch.setattr("gan_core.monitor.look.win_rate", lambda real, fake: seen.append((real, fake)) or 0.5)
    Monitor(trainer.data, None)(trainer)
    assert [scores.shape for scores in seen[0]] == [(5,), (5,)]  # of 16 pictures, packs of 3


def test_a_critic_that_grows_is_asked_at_the_side_it_has_reached(noise_data, monkeypatch):
    trainer = small("progan", noise_data)
    trainer.run(1)
    sides, score = [], type(trainer.recipe).score
    monkeypatch.setattr(
        type(trainer.recipe),
        "score",
        lambda self, nets, x, **more: sides.append(x.shape[2]) or score(self, nets, x, **more),
    )
    Monitor(trainer.data, None)(trainer)
    assert sides == [4, 4]


def test_a_conditional_generator_draws_the_classes_of_the_real_pictures(noise_data, monkeypatch):
    trainer = small("cgan", noise_data)
    monitor, told = Monitor(trainer.data, Pixels()), []
    decode = type(trainer.recipe).decode
    monkeypatch.setattr(
        "gan_core.model.Model.decode",
        lambda self, z, labels=None: told.append(labels) or decode(self.recipe, self.generators, z, labels).detach(),
    )
    monitor.features(trainer)
    assert torch.equal(torch.cat(told), trainer.data.labels[monitor.rows])


def test_a_critic_with_batch_norm_answers_as_in_training():
    nets = nn.ModuleDict({"D": nn.Sequential(nn.BatchNorm1d(1), nn.Dropout(0.5))})
    before = nets["D"][0].running_mean.clone()
    x = torch.tensor([[10.0], [12.0]])
    assert torch.allclose(as_played(nets)["D"](x), torch.tensor([[-1.0], [1.0]]), atol=1e-4)  # its own batch, no noise
    assert torch.equal(nets["D"][0].running_mean, before)


def test_gradient_norms_are_those_of_the_step(noise_data):
    trainer = small("gan", noise_data)
    trainer.run(3)
    norms = gradient_norms(trainer)
    expected = math.sqrt(sum(p.grad.square().sum().item() for p in trainer.nets["G"].parameters()))
    assert norms["monitor/grad_norm_g"] == pytest.approx(expected) and expected > 0
    assert norms.keys() == {"monitor/grad_norm_d", "monitor/grad_norm_g"}


def test_without_an_extractor_the_critic_and_the_gradients_are_left(noise_data):
    trainer = small("gan", noise_data)
    trainer.run(1)
    seen = Monitor(trainer.data, None)(trainer)
    assert seen.keys() == {"monitor/d_accuracy", "monitor/grad_norm_d", "monitor/grad_norm_g"}


def test_pictures_that_are_all_the_same_have_no_diversity_to_compare_with(noise_data):
    trainer = small("gan", noise_data)
    trainer.data = ImageData("same", torch.zeros_like(trainer.data.images))
    trainer.run(1)
    assert "metric/diversity" not in Monitor(trainer.data, Pixels())(trainer)


# --------------------------------------------------------------------------------------------------------- in a run

TINY = ["train", "gan", "--hidden", "8", "--maxout_units", "4", "--batch_size", "8", "--precision", "fp32"]
WATCHED = [*TINY, "--monitor_every", "3", "--log_every", "2"]


def start(out, *flags):
    main([*flags, "--out", str(out)])
    return Run(out)


def fake_report(fd):
    return SimpleNamespace(fd=SimpleNamespace(value=fd, floor=3.0), precision=0.5, recall=0.4, coverage=0.3)


def test_a_look_and_the_losses_share_a_row(tmp_path, capsys):
    rows = start(tmp_path / "a", *WATCHED, "--steps", "6").metrics()[0]
    assert [row["step"] for row in rows] == [2, 3, 4, 6]
    assert [row["step"] for row in rows if "monitor/d_accuracy" in row] == [3, 6]
    assert all("d/real" in row for row in rows)


def test_a_run_goes_on_without_an_extractor_and_says_so_once(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("gan_core.extractors.project_folder", lambda: tmp_path)
    load_extractor.cache_clear()
    run = start(tmp_path / "run", *WATCHED, "--steps", "6")
    assert run.log_file.read_text().count("the monitor watches losses and gradients only") == 1
    with pytest.raises(SystemExit) as end:
        main([*TINY, "--evaluate_every", "3", "--steps", "3", "--out", str(tmp_path / "other")])
    assert end.value.code == 2 and not (tmp_path / "other").exists()
    assert "error: --evaluate_every cannot measure here: The extractor" in capsys.readouterr().err


def test_data_without_held_out_pictures_are_refused_at_the_start(tmp_path, capsys):
    for k in range(30):
        path = tmp_path / "few" / f"{k}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("L", (16, 16), k * 8).save(path)
    with pytest.raises(SystemExit):
        main([*TINY, "--evaluate_every", "3", "--out", str(tmp_path / "x"), "--dataset", str(tmp_path / "few")])
    assert "--evaluate_every cannot measure here: " in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_the_best_is_kept_and_gone_on_from(tmp_path, capsys, monkeypatch):
    distances = iter([30.0, 10.0, 20.0, 8.0])
    monkeypatch.setattr("gan_core.callbacks.evaluate_pictures", lambda *_: fake_report(next(distances)))
    run = start(tmp_path / "run", *TINY, "--evaluate_every", "2", "--steps", "6", "--log_every", "1")
    assert [row["metric/fd"] for row in run.metrics()[0] if "metric/fd" in row] == [30, 10, 20]
    assert run.best_step() == 4 and load_checkpoint(run.best_file)["step"] == 4
    assert gan_core.load(run.best_folder).training["steps"] == 4

    main(["train", "--out", str(run.folder), "--resume", "--best", "--steps", "4"])
    assert run.state()["step"] == 4 and load_checkpoint(run.checkpoint_file)["step"] == 4
    assert [row["step"] for row in run.metrics()[0]] == [1, 2, 3, 4]

    main(["train", "--out", str(run.folder), "--resume", "--steps", "6"])  # 8 is lower than all before
    assert run.best_step() == 6
    whole = start(tmp_path / "whole", *TINY, "--steps", "6", "--monitor_every", "0")
    assert_equal(load_checkpoint(run.checkpoint_file), load_checkpoint(whole.checkpoint_file))


def test_an_evaluation_asks_for_classes_as_the_data_have_them(noise_data, tmp_path, monkeypatch):
    trainer, given = small("cgan", noise_data), []
    trainer.run(1)
    trainer.data = dataclasses.replace(trainer.data, labels=torch.ones(40, dtype=torch.long))
    monkeypatch.setattr("gan_core.callbacks.evaluate_pictures", lambda *args: given.extend(args) or fake_report(9.0))
    callbacks.evaluation(Run(tmp_path), {}, trainer.data, load_extractor("digits"))(trainer)
    drawn, *_, asked = given
    assert asked.as_data and asked.labels.tolist() == [1] * 40
    assert torch.equal(torch.cat(list(drawn)), to_uint8(trainer.model().sample(40, labels=1)))


def test_the_lowest_so_far_is_remembered_over_a_resume(tmp_path, capsys, monkeypatch):
    distances = iter([10.0, 20.0])
    monkeypatch.setattr("gan_core.callbacks.evaluate_pictures", lambda *_: fake_report(next(distances)))
    run = start(tmp_path / "run", *TINY, "--evaluate_every", "2", "--steps", "2")
    main(["train", "--out", str(run.folder), "--resume", "--steps", "4"])
    assert run.best_step() == 2


def test_going_back_to_a_best_that_was_never_kept(tmp_path, capsys):
    run = start(tmp_path / "run", *TINY, "--steps", "2")
    for words, sentence in (
        (["--resume", "--best"], "has no best.pt: --evaluate_every keeps one"),
        (["--best"], "--best goes with --resume"),
    ):
        with pytest.raises(SystemExit):
            main(["train", "--out", str(run.folder), *words])
        assert sentence in capsys.readouterr().err


def test_a_training_that_blows_up_warns(tmp_path, capsys):
    run = start(tmp_path / "wild", *TINY, "--steps", "2")
    state = load_checkpoint(run.checkpoint_file)
    state["nets"]["G.layers.0.weight"].fill_(float("nan"))
    save_checkpoint(run.checkpoint_file, state)
    with pytest.raises(SystemExit):
        main(["train", "--out", str(run.folder), "--resume", "--steps", "9"])
    assert "the loss is not finite" in run.state()["warnings"][0] and "lower --lr" in run.state()["warnings"][0]


def test_a_run_of_before_takes_the_defaults(tmp_path, capsys):
    run = start(tmp_path / "old", *TINY, "--steps", "2")
    stored = run.config()
    del stored["run"]["monitor_every"], stored["run"]["evaluate_every"]
    run.config_file.write_text(json.dumps(stored))
    main(["train", "--out", str(run.folder), "--resume", "--steps", "4", "--monitor_every", "2"])
    assert run.state()["step"] == 4 and "monitor/d_accuracy" in run.metrics()[0][-1]


@pytest.mark.slow
def test_a_real_evaluation_during_training(tmp_path, capsys):
    run = start(tmp_path / "run", *TINY, "--evaluate_every", "20", "--steps", "40")
    last = run.metrics()[0][-1]
    assert last["metric/fd"] > last["metric/fd_floor"] > 0
    assert 0 <= min(last[f"metric/{name}"] for name in ("precision", "recall", "coverage")) <= 1
    assert run.best_step() in (20, 40)
