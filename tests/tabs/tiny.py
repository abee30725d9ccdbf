"""A model small enough to build in every test, with a critic and, if asked, class names."""

import torch
from torch import nn

from gan_core.examples import Examples
from gan_core.model import Model
from gan_core.recipe import recipe_class

TRAINING = {"command": "python train.py", "dataset": "digits", "images_seen": 0, "steps": 0, "seconds": 0.0}


def tiny_model(recipe="dcgan", classes=None):
    cls = recipe_class(recipe)
    recipe = cls(cls.Config.tiny())
    torch.manual_seed(0)
    nets = recipe.build().eval()
    generator, critic = nn.ModuleDict({"G": nets["G"]}), nn.ModuleDict({"D": nets["D"]})
    return Model(recipe, generator, critic, classes=classes, training=TRAINING)


def tiny_translator(recipe="gen_1", dataset="batik"):
    """One that translates, with eight inputs as examples: black specks on white where they are grey, else noise."""
    cls = recipe_class(recipe)
    recipe = cls(cls.Config.tiny())
    torch.manual_seed(0)
    nets = recipe.build().eval()
    generators = nn.ModuleDict({name: nets[name] for name in recipe.generators})
    critics = nn.ModuleDict({name: net for name, net in nets.items() if name not in recipe.generators})
    side = recipe.config.image_size // recipe.factor
    inputs = torch.randint(0, 256, (8, recipe.config.input_channels, side, side), dtype=torch.uint8)
    if recipe.config.input_channels == 1:
        inputs = torch.where(inputs < 50, 0, 255).byte()
    examples = Examples(inputs, None, recipe.factor)
    return Model(recipe, generators, critics, examples=examples, training=TRAINING | {"dataset": dataset})
