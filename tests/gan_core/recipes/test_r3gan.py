import pytest
import torch
from torch import nn

import gan_core
from gan_core import losses
from gan_core.train_options import TrainOptions


def test_r3gan_blocks_are_the_identity_at_first_and_nothing_is_normalised(tiny):
    _, nets, _ = tiny("r3gan")
    from gan_core.recipes.r3gan import Block

    blocks = [m for m in nets.modules() if isinstance(m, Block)]
    assert len(blocks) == 6  # one a side in each network
    for block in blocks:
        x = torch.randn(2, block.layers[0].in_channels, 4, 4)
        assert torch.equal(block(x), x)
    assert not any("Norm" in type(m).__name__ for m in nets.modules())


def test_r3gan_first_layers_keep_the_size_of_what_they_see_but_for_fixup():
    nets = gan_core.create("r3gan", image_size=32, channels=1, width=64, max_width=64).build()
    from gan_core.recipes.r3gan import GAIN, Block

    for block in (m for m in nets.modules() if isinstance(m, Block)):
        for layer in (block.layers[0], block.layers[2]):
            expected = GAIN * 4 ** (-1 / 4) / layer.weight[0].numel() ** 0.5  # four blocks in a network
            assert layer.weight.std().item() == pytest.approx(expected, rel=0.1)


def test_r3gan_pairs_reals_with_fakes_in_both_phases(tiny):
    recipe, nets, batch = tiny("r3gan")
    for phase in ("d", "g"):
        torch.manual_seed(1)
        terms = recipe.losses(phase, nets, batch, 0)
        torch.manual_seed(1)
        fakes = nets["G"](recipe.latents(batch))
        real, fake = nets["D"](batch.images), nets["D"](fakes)
        pair = (real, fake) if phase == "d" else (fake, real)
        assert terms["relativistic"].item() == pytest.approx(losses.relativistic(*pair).item(), rel=1e-5)
        assert set(terms) == ({"relativistic", "r1", "r2"} if phase == "d" else {"relativistic"})


def test_r3gan_penalises_both_ends_with_half_a_falling_gamma(tiny):
    recipe, nets, batch = tiny("r3gan", gamma=2.0, gamma_final=0.5)
    recipe.options = TrainOptions(lr_schedule="cosine", lr_horizon=1000, batch_size=8)
    with torch.no_grad():
        for parameter in nets.parameters():  # at first the critic is nearly linear: its slope is the same everywhere
            parameter.add_(0.3 * torch.randn_like(parameter))
    fakes = batch.images.flip(2) * 2
    for images_seen, gamma in ((0, 2.0), (500, 1.25), (1000, 0.5), (5000, 0.5)):
        terms = recipe.penalty(nets["D"], batch.images, fakes, images_seen)
        for name, images in (("r1", batch.images), ("r2", fakes)):
            expected = gamma / 2 * losses.zero_centered_penalty(nets["D"], images).item()
            assert terms[name].item() == pytest.approx(expected, rel=1e-4)


def test_r3gan_second_moment_remembers_longer_in_the_end(tiny):
    recipe = gan_core.create("r3gan")
    phase = recipe.phases[0]
    horizon, lr = recipe.options.lr_horizon, recipe.options.lr
    start, end = recipe.schedule(phase, 0), recipe.schedule(phase, horizon)
    assert start == {"lr": lr, "betas": (0.0, pytest.approx(0.9))}
    assert end == {"lr": pytest.approx(lr / 4), "betas": (0.0, pytest.approx(0.99))}


def test_r3gan_refuses_groups_that_do_not_fit():
    with pytest.raises(gan_core.UsageError, match="group_size is 16, but a block has 24 channels"):
        gan_core.create("r3gan", width=12)
    assert isinstance(gan_core.create("r3gan", image_size=8, channels=1).build(), nn.ModuleDict)
