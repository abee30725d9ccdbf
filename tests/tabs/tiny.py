"""A model small enough to build in every test, with a critic and, if asked, class names."""

import torch
from torch import nn

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
