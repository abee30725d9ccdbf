import pytest
import torch

from gan_core import list_recipes
from gan_core.cli import main
from gan_core.recipe import recipe_class
from gan_core.recipes.dcgan import Convolutional
from gan_core.traits import objective, traits, translator_traits
from tests.families import NOISE, TRANSLATION

# As the papers say: loss, what bounds the critic, norms of G and of D, n_critic
PAPERS = {
    "gan": ("cross-entropy", {"dropout"}, {"batch"}, set(), 1),  # batch: ours, said in its docstring
    "simple_gan": ("cross-entropy", set(), {"batch"}, set(), 1),
    "dcgan": ("cross-entropy", set(), {"batch"}, {"batch"}, 1),
    "cgan": ("cross-entropy", set(), {"batch"}, {"batch"}, 1),
    "lsgan": ("least squares", set(), {"batch"}, {"batch"}, 1),
    "wgan": ("Wasserstein", {"clipped weights"}, {"batch"}, {"batch"}, 5),
    "wgan_gp": ("Wasserstein", {"gradient penalty"}, {"batch"}, set(), 5),
    "progan": ("Wasserstein", {"gradient penalty", "drift", "minibatch deviation"}, {"pixel"}, set(), 1),
    "stylegan": ("cross-entropy", {"R1 every 4 steps", "minibatch deviation"}, {"instance by style"}, set(), 1),
    "biggan": ("hinge", set(), {"spectral", "batch by class", "batch"}, {"spectral"}, 2),
    "r3gan": ("relativistic", {"R1", "R2"}, set(), set(), 1),
}


@pytest.mark.parametrize("name", PAPERS)
def test_traits_are_those_of_the_papers(name):
    found = traits(recipe_class(name))
    sets = set(found.regularisers), set(found.generator_norms), set(found.critic_norms)
    assert (found.loss, *sets, found.n_critic) == PAPERS[name]
    assert len(found.regularisers) == len(sets[0])
    assert found.conditional == (name in ("cgan", "biggan"))


# As the documents and papers say: terms of G, what is judged, norms of G and of D, the side that a pixel is drawn from
TRANSLATORS = {
    "gen_1": ({"adversarial", "L1"}, "patches", {"batch"}, set(), 37),
    "gen_2": ({"adversarial", "L1"}, "patches", {"batch"}, {"batch"}, 37),
    "gen_3": ({"adversarial", "L1", "spread"}, "patches, beside the input", {"batch"}, {"batch"}, 181),
    "gen_4": ({"adversarial", "L1"}, "patches", {"batch"}, {"batch"}, 37),
    "gen_5": ({"adversarial", "L1"}, "patches at 2 scales", {"batch"}, {"batch"}, 181),
    "pix2pix": ({"adversarial", "L1"}, "patches, beside the input", {"instance"}, {"instance"}, None),
    "cyclegan": ({"adversarial", "cycle", "identity"}, "patches", {"instance"}, {"instance"}, 101),
    "srgan": ({"content", "adversarial"}, "the whole", {"batch"}, {"batch"}, 47),
}


@pytest.mark.parametrize("name", TRANSLATION)
def test_traits_of_translators_are_those_of_their_sources(name):
    found = translator_traits(recipe_class(name))
    sets = set(found.generator_norms), set(found.critic_norms)
    side = None if found.context is None else 2 * found.context + 1
    assert (set(found.terms), found.judged, *sets, side) == TRANSLATORS[name]
    others = {"cyclegan": "no pairs", "srgan": "pictures alone"}
    assert found.learns_from == others.get(name, "pairs")


def test_a_loss_is_known_by_its_values_and_an_own_one_by_its_terms():
    class Halved(Convolutional):
        def critic_loss(self, real, fake):
            return {"pull": 3 * (fake - real).mean(), "calm": real.square().mean()}

    class Own(Convolutional):
        def critic_loss(self, real, fake):
            return {"exponential": (torch.exp(fake) + torch.exp(-real)).mean()}

    assert objective(Halved) == ("Wasserstein", ["calm"])
    assert objective(Own) == ("exponential", [])


def test_list_shows_every_recipe_and_what_sets_it_apart(capsys):
    main(["list", "--markdown"])
    first, second, third = capsys.readouterr().out.strip().split("\n\n")
    for table, names in ((first, list_recipes()), (second, NOISE), (third, TRANSLATION)):
        rows = table.splitlines()
        assert len(rows) == len(names) + 2
        assert len({row.count("|") for row in rows}) == 1
    assert first.count("](https://arxiv.org/abs/") == len(list_recipes())
    assert "| r3gan | relativistic | R1, R2 | none | none | none | 1 |" in second
    assert "| pix2pix | pairs | adversarial, L1 | patches, beside the input | instance |" in third
    main(["list"])
    assert "](" not in capsys.readouterr().out
