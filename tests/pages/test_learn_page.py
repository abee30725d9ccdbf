import math
import re
from urllib.parse import parse_qsl

import pytest
import torch

from gan_core import losses
from gan_core.recipe import create
from pages import saturation
from pages.dirac import Point, play, slope_of_discriminator, slope_of_generator
from pages.run_form import linked
from tests.families import NOISE


def of_dirac(game, theta, psi, gamma):
    """Losses of the Dirac-GAN by the functions that recipes use, at tensors."""
    real, fake = psi * torch.zeros(1, dtype=torch.float64), (psi * theta)[None]
    penalty = gamma / 2 * losses.zero_centered_penalty(lambda x: psi * x.double().flatten(), torch.zeros(1, 1, 1, 1))
    if game == "Wasserstein":
        return losses.wasserstein(real, fake) + penalty, -fake.mean()
    critic = losses.discriminator_real(real) + losses.discriminator_fake(fake) + penalty
    generator = {"minimax": losses.generator_saturating, "non-saturating": losses.generator_nonsaturating}[game]
    return critic, generator(fake)


@pytest.mark.parametrize("game", ["minimax", "non-saturating", "Wasserstein"])
def test_the_small_game_is_the_recipes_game(game):
    for at in (Point(1.0, 0.3), Point(-0.4, 2.0), Point(0.7, -1.1)):
        theta, psi = (torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in at)
        critic, generator = of_dirac(game, theta, psi, gamma=0.7)
        assert slope_of_discriminator(game, at, 0.7) == pytest.approx(torch.autograd.grad(critic, psi)[0].item())
        _, generator = of_dirac(game, theta, psi, gamma=0.7)
        assert slope_of_generator(game, at) == pytest.approx(torch.autograd.grad(generator, theta)[0].item())


def radius(way):
    return math.hypot(*way[-1])


def test_what_the_text_says_of_the_plain_game_is_so():
    assert radius(play("minimax", "simultaneous", 0.1, 0.0)) > 1.5
    assert max(math.hypot(*at) for at in play("minimax", "alternating", 0.1, 0.0, 5000)) < 1.1
    assert radius(play("minimax", "alternating", 0.1, 0.0, 5000)) > 0.9
    rings = [radius(play("non-saturating", "simultaneous", lr, 0.0, 10_000)) for lr in (0.1, 0.3)]
    assert 0.3 < rings[0] < rings[1] < 1
    assert radius(play("non-saturating", "alternating", 0.1, 0.0, 10_000)) < 0.1


@pytest.mark.parametrize(("game", "enough"), [("minimax", 1 / 4), ("non-saturating", 1 / 4), ("Wasserstein", 1)])
def test_r1_converges_where_it_outweighs_the_learning_rate(game, enough):
    near = Point(1e-3, 0.0)
    for factor, converges in ((0.9, False), (1.1, True)):
        way = [near]
        for _ in range(2000):  # the linear part decides, so from near by
            theta, psi = way[-1]
            psi_next = psi - 0.4 * slope_of_discriminator(game, way[-1], factor * enough * 0.4)
            way.append(Point(theta - 0.4 * slope_of_generator(game, way[-1]), psi_next))
        assert (radius(way) < 1e-3) == converges


def test_a_gamma_of_one_stops_the_turning():
    turns = [sum(a.theta * b.theta < 0 for a, b in zip(way, way[1:], strict=False)) for way in (
        play("minimax", "simultaneous", 0.05, gamma, 3000) for gamma in (0.5, 1.5)
    )]  # fmt: skip
    assert turns[0] > 3 and turns[1] == 0


def test_pulls_are_the_derivatives_that_the_text_names():
    table = saturation.by_probability()
    for form, wanted in zip(saturation.FORMS, (table["D"], 1 - table["D"]), strict=True):
        rows = table["form"] == form
        assert (table["pull"][rows] - wanted[rows]).abs().max() < 1e-9
    groups = [set(names.split(", ")) for names in saturation.by_recipe()["recipes"].unique()]
    assert {"lsgan"} in groups
    assert any({"wgan", "wgan_gp", "progan", "biggan"} <= group for group in groups)
    assert any({"gan", "dcgan", "stylegan"} <= group for group in groups)
    assert set().union(*groups) == set(NOISE) - {"r3gan"}


def test_the_page_opens_and_every_link_of_it_leads_to_an_experiment(open_page):
    at = open_page("learn.py")
    text = "\n".join(markdown.value for markdown in at.markdown)
    assert [header.proto.anchor for header in at.header] == re.findall(r"\(#([\w-]+)\)", text)
    assert len(at.get("vega_lite_chart") + at.get("arrow_vega_lite_chart")) >= 5
    queries = {}
    for link in at.get("page_link"):
        queries.setdefault(link.proto.page, []).append(dict(parse_qsl(link.proto.query_string)))
    assert {"models", "train", "evaluate"} <= set(queries)
    for query in queries["train"]:
        recipe, _, given = linked(query)
        create(recipe.name, **{name: value for name, value in given.items() if name != "steps"})
    assert all(query["show"] in ("Recipes", "Differences") for query in queries["models"])
    assert all(f"**{name}**" in text for name in NOISE)
    assert text.count("$$") % 2 == 0
