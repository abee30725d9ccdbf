"""A look at a fixed batch, every few hundred steps of a training. The numbers go into the row of their step:

metric/diversity            mean distance of generated pictures in feature space, over that of real ones
metric/monitor_recall       share of the real pictures that the generated ones reach (Kynkaanniemi 2019)
metric/class_entropy        of the classes that generated pictures fall into, in nats (with ..._real)
monitor/d_accuracy          how often the critic finds the real one in a pair of a real and a generated picture
monitor/grad_norm_<phase>   length of the gradient that a phase's optimizer has just used
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from gan_core.data import Images
from gan_core.data.images import to_unit_range
from gan_core.latent import latents
from gan_core.metrics.classes import class_histogram, entropy
from gan_core.metrics.diversity import pairwise_distance
from gan_core.metrics.extractor import Extractor, Features
from gan_core.metrics.manifold import manifold_scores
from gan_core.model import Model
from gan_core.noise import NoiseRecipe
from gan_core.pictures import to_uint8
from gan_core.recipe import Batch
from gan_core.trainer import Trainer

COUNT = 256  # pictures in the fixed batch
LEAST = 16  # fewer real pictures than this have no statistics worth a look
SEED = 0
PART = 64  # pictures in memory at once


class Monitor:
    """Looks at a fixed batch: the same latents and the same real pictures all along a run.

    A look changes nothing of the training: it works on copies of the networks and gives the random state back.

    Args:
        data: What is trained on.
        extractor: Sees pictures as features; None leaves the critic and the gradients.
    """

    def __init__(self, data: Images, extractor: Extractor | None) -> None:
        count = min(COUNT, len(data))
        spread = torch.linspace(0, len(data) - 1, count).long()  # over data that may be sorted by class ...
        self.rows = spread[torch.randperm(count, generator=torch.Generator().manual_seed(SEED))]  # ... in any order
        self.data = data
        self.extractor = extractor if count >= LEAST else None
        self.real: Features | None = None

    def __call__(self, trainer: Trainer) -> dict[str, float]:
        """The numbers of the step that was just done."""
        cuda = [trainer.device] if trainer.device.type == "cuda" else []
        with torch.random.fork_rng(cuda), torch.no_grad():
            torch.manual_seed(SEED)
            return gradient_norms(trainer) | self.critic(trainer) | self.features(trainer)

    def critic(self, trainer: Trainer) -> dict[str, float]:
        """How well the critic tells one batch of the generator as it plays from real pictures.

        Accuracy is the share of pairs of a real and a generated picture in which the real one has the higher score: a
        critic's zero means nothing in some recipes (wgan), its order does in all.
        """
        recipe = trainer.recipe
        if not isinstance(recipe, NoiseRecipe):
            return {}
        packs = min(len(self.rows), recipe.options.batch_size) // recipe.config.pack
        rows = self.rows[: packs * recipe.config.pack]
        labels = None if self.data.labels is None else self.data.labels[rows]
        batch = Batch(to_unit_range(self.data.pictures(rows)), labels).to(trainer.device, trainer.memory_format)
        nets, batch = as_played(trainer.nets), recipe.prepared(batch, trainer.images_seen)
        score = recipe.critic(nets, batch, trainer.images_seen)
        real, fake = score(batch.images), score(recipe.generate(nets, batch, trainer.images_seen))
        return {"monitor/d_accuracy": win_rate(real, fake)}

    def features(self, trainer: Trainer) -> dict[str, float]:
        """How much of the real pictures' variety the averaged generator's have."""
        if self.extractor is None or not isinstance(trainer.recipe, NoiseRecipe):
            return {}
        if self.real is None:
            self.real = seen(self.extractor, (self.data.pictures(rows) for rows in torch.split(self.rows, PART)))
        model = trainer.model()
        real, fake = self.real, seen(self.extractor, self.drawn(model))
        measured = {"metric/monitor_recall": manifold_scores(real.features, fake.features).recall}
        if (distance := pairwise_distance(real.features)) > 0:
            measured["metric/diversity"] = pairwise_distance(fake.features) / distance
        if real.probabilities is not None and fake.probabilities is not None:
            measured["metric/class_entropy"] = entropy(class_histogram(fake.probabilities))
            measured["metric/class_entropy_real"] = entropy(class_histogram(real.probabilities))
        return measured

    def drawn(self, model: Model) -> Iterator[Tensor]:
        """As many pictures as there are real ones, of the same classes if the model is told any, in parts."""
        z = latents(SEED, len(self.rows), model.latent_dim)
        labels = None if model.classes is None or self.data.labels is None else self.data.labels[self.rows]
        for start in range(0, len(z), PART):
            part = slice(start, start + PART)
            yield to_uint8(model.decode(z[part], None if labels is None else labels[part]))


def seen(extractor: Extractor, parts: Iterable[Tensor]) -> Features:
    """What an extractor says of pictures that come in parts, since all of them could fill the memory."""
    found = [extractor(part) for part in parts]
    probabilities = [part.probabilities for part in found if part.probabilities is not None]
    return Features(torch.cat([part.features for part in found]), torch.cat(probabilities) if probabilities else None)


def as_played(nets: nn.ModuleDict) -> nn.ModuleDict:
    """A copy of the networks that answers as in a training step.

    Batch norm takes the statistics of the batch it is shown, as it did when the networks learned: real and generated
    pictures pass apart, and each looks different beside its like. Its running statistics, which eval mode would take,
    blend both kinds: a critic that has never played. Dropout, which only adds noise, is off.
    """
    copied = copy.deepcopy(nets)
    for module in copied.modules():  # a parent comes before its children
        module.train(isinstance(module, _BatchNorm))
    return copied


def win_rate(real: Tensor, fake: Tensor) -> float:
    """Share of pairs (real, fake) in which the real score is higher, ties counting half: the area under the ROC."""
    differences = real[:, None] - fake[None, :]
    return float(((differences > 0).double() + 0.5 * (differences == 0)).mean())


def gradient_norms(trainer: Trainer) -> dict[str, float]:
    """Euclidean length of the gradient that each phase of the last step has used; of phases that share networks, the
    last."""
    ran = {phase.nets: phase for phase in trainer.recipe.phases if (trainer.step - 1) % phase.every == 0}
    return {
        f"monitor/grad_norm_{phase.name}": float(
            nn.utils.get_total_norm(p.grad for p in trainer.parameters(phase) if p.grad is not None)
        )
        for phase in ran.values()
    }
