"""The loop: exact resume, several processes, failures that lose nothing."""

import os

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn

import gan_core
from gan_core.callbacks import every
from gan_core.checkpoint import load_checkpoint, save_checkpoint
from gan_core.data import ImageData
from gan_core.distributed import Processes, from_main, weights_agree
from gan_core.errors import UsageError
from gan_core.noise import NoiseConfig, NoiseRecipe
from gan_core.recipe import RECIPES, Batch, Phase
from gan_core.train_options import TrainOptions
from gan_core.trainer import Trainer
from tests.families import own_options


def assert_equal(a, b, path="state"):
    """Every tensor and number equal to the last bit."""
    if isinstance(a, dict):
        assert a.keys() == b.keys(), path
        for key in a:
            assert_equal(a[key], b[key], f"{path}.{key}")
    elif isinstance(a, list | tuple):
        assert len(a) == len(b), path
        for k, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_equal(x, y, f"{path}[{k}]")
    elif isinstance(a, torch.Tensor):
        assert torch.equal(a, b), path
    elif not path.endswith(".seconds"):
        assert a == b, path


def make(name, noise_data, precision="fp32", batch_size=8, **changes):
    recipe = RECIPES[name](RECIPES[name].Config.tiny(), own_options(name, batch_size, **changes))
    return Trainer(recipe, noise_data(recipe), precision=precision)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", gan_core.list_recipes())
def test_an_interrupted_run_continues_bit_for_bit(name, precision, noise_data, tmp_path):
    whole, first, second = (make(name, noise_data, precision, batch_size=14) for _ in range(3))
    whole.run(4)
    first.run(2)  # 28 of 40 images seen, before the end of an epoch and in the middle of a fade
    save_checkpoint(tmp_path / "checkpoint.pt", first.state_dict())

    torch.manual_seed(12345)  # nothing may hang on the state of the process
    second.load_state_dict(load_checkpoint(tmp_path / "checkpoint.pt"))
    second.run(4)
    assert second.images_seen == 4 * 14 * second.recipe.batches_per_step
    assert_equal(whole.state_dict(), second.state_dict())


def test_looking_at_samples_does_not_change_the_training(noise_data):
    quiet, watched = make("dcgan", noise_data), make("dcgan", noise_data)
    watched.callbacks = [lambda trainer: trainer.model().sample(4, seed=trainer.step)]
    quiet.run(5)
    watched.run(5)
    assert_equal(quiet.state_dict(), watched.state_dict())


def test_callbacks_run_in_order_and_every_nth_step(noise_data):
    trainer, calls = make("gan", noise_data), []
    trainer.callbacks = [lambda t: calls.append(t.step), every(3, lambda t: calls.append(f"third {t.step}"))]
    trainer.run(6)
    assert calls == [1, 2, 3, "third 3", 4, 5, 6, "third 6"]


def test_stop_ends_after_the_current_step(noise_data):
    trainer = make("gan", noise_data)
    trainer.callbacks = [every(2, lambda t: t.stop())]
    trainer.run(10)
    assert trainer.step == 2


class Counting(NoiseRecipe):
    """Two phases with repeats and every, on one weight each; notes what it is asked."""

    Config = NoiseConfig
    phases = (Phase("d", ("D",), repeats=3), Phase("lazy", ("D",), every=2), Phase("g", ("G",)))

    def build(self):
        return nn.ModuleDict({"D": nn.Linear(1, 1), "G": nn.Linear(1, 1)})

    def losses(self, phase, nets, batch, images_seen):
        self.asked.append((phase, images_seen, batch.images[0, 0, 0, 0].item()))
        return {"loss": nets["G" if phase == "g" else "D"].weight.sum()}


def test_repeats_see_fresh_images_and_lazy_phases_skip_steps():
    images = torch.arange(40, dtype=torch.uint8).reshape(40, 1, 1, 1)
    recipe = Counting(NoiseConfig(image_size=1, channels=1), TrainOptions(batch_size=4))
    recipe.asked = []
    trainer = Trainer(recipe, ImageData("counted", images))
    assert len(trainer.optimizers) == 2  # phases of the same networks share one
    trainer.run(2)
    assert [phase for phase, _, _ in recipe.asked] == ["d", "d", "d", "lazy", "g", "d", "d", "d", "g"]
    assert [seen for _, seen, _ in recipe.asked] == [4, 8, 12, 12, 12, 16, 20, 24, 24]
    first_images = [pixel for phase, _, pixel in recipe.asked if phase == "d"]
    assert len(set(first_images)) == 6
    assert recipe.asked[3][2] == recipe.asked[4][2] == first_images[2]


def test_an_infinite_loss_names_step_phase_and_terms(noise_data):
    trainer = make("gan", noise_data)
    trainer.run(2)
    with torch.no_grad():
        next(trainer.nets["G"].parameters()).fill_(float("nan"))
    with pytest.raises(FloatingPointError, match=r"step 2, phase d: the loss is not finite \(real = .*, fake = nan\)"):
        trainer.run(3)


# -------------------------------------------------------------------------------------------------------- processes


class Averaging(NoiseRecipe):
    """A network without batch norm whose loss is a plain mean over images."""

    Config = NoiseConfig
    phases = (Phase("d", ("D",)),)
    generators = ("D",)

    def build(self):
        return nn.ModuleDict({"D": nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(784, 1))})

    def losses(self, phase, nets, batch, images_seen):
        return {"loss": self.score(nets, batch.images).square().mean()}


def train_averaging(processes):
    images = torch.randint(0, 256, (64, 1, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    recipe = Averaging(NoiseConfig(image_size=16, channels=1), TrainOptions(batch_size=16 // processes.world))
    trainer = Trainer(recipe, ImageData("noise", images), processes=processes)
    trainer.run(1)
    return torch.cat([p.grad.flatten() for p in trainer.nets.parameters()])


def train_each(sets, processes):
    """All weights of every recipe, before and after two steps."""
    weights = {}
    for name, data in sets.items():
        recipe = RECIPES[name](RECIPES[name].Config.tiny(), own_options(name, 4))
        trainer = Trainer(recipe, data, processes=processes)
        before = torch.cat([p.detach().flatten() for p in trainer.nets.parameters()])
        trainer.run(2)
        weights[name] = torch.stack([before, torch.cat([p.detach().flatten() for p in trainer.nets.parameters()])])
    return weights


def rank_main(rank, port, folder, sets):
    torch.set_num_threads(1)
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    dist.init_process_group("gloo", rank=rank, world_size=2)
    torch.save(train_averaging(Processes(rank, 2)), folder / f"{rank}.pt")
    torch.save(train_each(sets, Processes(rank, 2)), folder / f"each-{rank}.pt")
    same, other = nn.Linear(1, 1), nn.Linear(1, 1)
    for parameter in same.parameters():
        nn.init.constant_(parameter, 1.0)
    for parameter in other.parameters():
        nn.init.constant_(parameter, float(rank))
    assert weights_agree(same, Processes(rank, 2)) and not weights_agree(other, Processes(rank, 2))
    assert from_main("bf16 / ä" if rank == 0 else "", Processes(rank, 2)) == "bf16 / ä"
    dist.barrier()
    dist.destroy_process_group()
    os._exit(0)  # a process this short can end while torch's threads still start, which Python 3.11 aborts


def test_two_processes_hold_equal_weights_and_their_gradients_are_those_of_the_joined_batch(
    tmp_path, free_port, noise_data
):
    sets = {name: noise_data(RECIPES[name](RECIPES[name].Config.tiny())) for name in gan_core.list_recipes()}
    mp.spawn(rank_main, args=(free_port(), tmp_path, sets), nprocs=2)
    one, two = (torch.load(tmp_path / f"each-{rank}.pt", weights_only=True) for rank in range(2))
    for name, (before, after) in one.items():
        assert torch.equal(after, two[name][1]) and not torch.equal(before, after), name
    ranks = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)]
    assert torch.equal(ranks[0], ranks[1])
    joined = train_averaging(Processes())
    assert torch.allclose(ranks[0], joined, rtol=0, atol=1e-6) and joined.abs().max() > 1e-3


def test_resuming_on_other_data_is_refused(noise_data):
    trainer = make("gan", noise_data)
    state = trainer.state_dict()
    trainer.data = ImageData("fewer", trainer.data.images[:30])
    with pytest.raises(UsageError, match="The data had 40 pictures and has 30 now"):
        trainer.load_state_dict(state)


# ------------------------------------------------------------------------------------------------------- checkpoints


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, full_disk):
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, {"step": 1})
    with full_disk(100_000), pytest.raises(UsageError, match="could not be written .* is intact"):
        save_checkpoint(path, {"step": 2, "big": torch.zeros(1_000_000)})
    assert load_checkpoint(path) == {"step": 1}
    assert not list(tmp_path.glob("*.partial"))


def test_a_checkpoint_with_objects_in_it_is_refused(tmp_path):
    torch.save({"step": 1, "batch": Batch(torch.zeros(1))}, tmp_path / "checkpoint.pt")
    with pytest.raises(UsageError, match="is no checkpoint of this project, or is damaged"):
        load_checkpoint(tmp_path / "checkpoint.pt")


def test_a_truncated_checkpoint_is_refused(tmp_path):
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, {"big": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UsageError, match="damaged"):
        load_checkpoint(path)
