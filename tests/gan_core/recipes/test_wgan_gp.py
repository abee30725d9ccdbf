import pytest
import torch
from torch import nn

import gan_core
from gan_core.layers import parameter_count
from gan_core.losses import gradient_penalty


def test_wgan_gp_adds_ten_times_the_penalty_of_its_own_critic(tiny):
    recipe, nets, batch = tiny("wgan_gp")
    torch.manual_seed(1)
    terms = recipe.losses("d", nets, batch, 0)
    torch.manual_seed(1)
    with torch.no_grad():
        fakes = nets["G"](recipe.latents(batch))
    assert terms["penalty"].item() == pytest.approx(10 * gradient_penalty(nets["D"], batch.images, fakes).item())
    assert terms["penalty"].item() > 1 and recipe.batches_per_step == 5


def test_wgan_gp_penalty_brings_the_slope_to_one(tiny):
    recipe, nets, batch = tiny("wgan_gp", width=8)
    adam = torch.optim.Adam(nets["D"].parameters(), lr=3e-3)
    for _ in range(60):
        penalty = recipe.penalty(lambda x: recipe.score(nets, x), batch.images, -batch.images, 0)["penalty"]
        adam.zero_grad()
        penalty.backward()
        adam.step()
    images = batch.images.clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(recipe.score(nets, images).sum(), images)
    assert slope.flatten(1).norm(dim=1).mean().item() == pytest.approx(1.0, abs=0.25)


@pytest.mark.parametrize(("norm", "layer"), [("none", None), ("layer", nn.GroupNorm)])
def test_wgan_gp_critic_judges_each_image_by_itself(tiny, norm, layer):
    recipe, nets, batch = tiny("wgan_gp", critic_norm=norm)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in nets["D"].modules())
    assert layer is None or any(isinstance(m, layer) for m in nets["D"].modules())
    together = recipe.score(nets, batch.images)
    alone = torch.cat([recipe.score(nets, image[None]) for image in batch.images])
    assert torch.allclose(together, alone, atol=1e-6)


def test_wgan_gp_refuses_batch_normalisation_in_its_critic():
    with pytest.raises(gan_core.UsageError, match="critic_norm is batch; .* takes layer or none"):
        gan_core.create("wgan_gp", critic_norm="batch")


def test_wgan_gp_has_the_generator_of_dcgan():
    sizes = [parameter_count(gan_core.create(name).resolve(32, 1).build()["G"]) for name in ("dcgan", "wgan_gp")]
    assert sizes[0] == sizes[1]
