import pytest
import torch
from torch import nn

from gan_core import create
from gan_core.layers import blueprint
from gan_core.recipe import Inputs
from pages.diagram import Stage, count, diagram, networks, stages
from tests.families import NOISE, TRANSLATION


def test_stages_are_runs_of_layers_of_one_shape():
    shared = nn.Linear(4, 4)
    layers = nn.Flatten(), nn.Linear(12, 4), nn.ReLU(), shared, nn.ReLU(), shared, nn.Linear(4, 1), nn.Flatten(0)
    net = nn.Sequential(*layers)
    x = torch.empty(1, 3, 2, 2)
    found = stages(net, x, lambda: net(x))
    assert [stage.shape for stage in found] == [(3, 2, 2), (12,), (4,), (1,)]
    assert found[2].layers == {"Linear": 3, "ReLU": 2}
    assert found[2].parameters == (12 * 4 + 4) + (4 * 4 + 4)  # the shared layer weighs once
    assert not any(module._forward_hooks for module in net.modules())


@pytest.mark.parametrize("recipe", NOISE)
def test_a_diagram_weighs_what_its_network_weighs(recipe):
    made = create(recipe).resolve(32, 1, 10)
    nets = networks(made)
    with blueprint():
        assert list(nets) == list(made.build())
    for size, found in nets.values():
        assert sum(stage.parameters for stage in found) == size > 0
    assert nets["G"][1][-1].shape == (1, 32, 32)


@pytest.mark.parametrize("recipe", TRANSLATION)
def test_a_diagram_of_networks_that_translate(recipe):
    pairs = create(recipe).pairs
    made = create(recipe).resolve(64, 3, inputs=Inputs(1 if pairs else 3, pairs))
    channels, side, nets = made.config.channels_in, 64 // made.factor, networks(made)
    for name, (size, found) in nets.items():
        assert sum(stage.parameters for stage in found) == size > 0
        assert found[0].shape == ((channels, side, side) if name in made.generators else (3, 64, 64))
        assert found[-1].shape == (3, 64, 64) if name in made.generators else found[-1].shape[0] == 1


def test_html_is_escaped_and_shows_shapes():
    html = diagram([Stage((3, 8, 8)), Stage((5,), parameters=1500)], "<G>")
    assert "&lt;G&gt;" in html and "<G>" not in html
    assert "3×8×8" in html and "1.5 k parameters" in html


def test_counts_are_for_people():
    assert [count(n) for n in (870, 12_340, 3_400_000, 2_000_000_000)] == ["870", "12.3 k", "3.4 M", "2.0 G"]
