import pytest
import torch


@pytest.mark.parametrize("projection", [False, True])
def test_cgan_both_networks_listen_to_the_class(tiny, projection):
    recipe, nets, batch = tiny("cgan", projection=projection)
    nets.eval()
    z = torch.randn(1, 8)
    zero, one = (recipe.decode(nets, z, torch.tensor([label])) for label in (0, 1))
    assert not torch.equal(zero, one)
    scores = [recipe.score(nets, batch.images, torch.full((8,), label)) for label in (0, 1)]
    assert not torch.equal(*scores)


def test_cgan_projection_is_the_product_of_class_and_features(tiny):
    recipe, nets, batch = tiny("cgan", projection=True)
    critic = nets.eval()["D"]
    maps = critic.blocks(critic.from_image(batch.images))
    expected = critic.to_logit(maps) + (critic.label(batch.labels) * maps.sum((2, 3))).sum(1)
    assert torch.allclose(recipe.score(nets, batch.images, batch.labels), expected, atol=1e-5)


def test_cgan_judges_fakes_with_the_labels_they_were_made_for(tiny):
    recipe, nets, batch = tiny("cgan")
    made, judged = [], []
    nets["G"].register_forward_pre_hook(lambda module, inputs: made.append(inputs[1]))
    nets["D"].register_forward_pre_hook(lambda module, inputs: judged.append(inputs[1].flatten()))
    recipe.losses("d", nets, batch, 0)
    recipe.losses("g", nets, batch, 0)
    assert len(made) == 2 and len(judged) == 3  # d: real and fake; g: fake
    assert all(torch.equal(labels, batch.labels) for labels in made + judged)


def test_cgan_packs_keep_the_label_of_each_picture(tiny):
    recipe, nets, batch = tiny("cgan", pack=2)
    scores = recipe.score(nets.eval(), batch.images, batch.labels)
    swapped = batch.labels.clone()
    swapped[1] = (swapped[1] + 1) % 3
    changed = recipe.score(nets, batch.images, swapped) != scores
    assert changed.tolist() == [True, False, False, False]
