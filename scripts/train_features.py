"""Trains the extractors in the box: `python scripts/train_features.py digits` (or color) makes weights/features-digits.

A small classifier, taught two things at once by its few features: to answer questions about the picture (which digit;
which hair, hat, mouth ...), and to redraw the picture, small, by a linear map. The second keeps what a class name
forgets, slant and stroke, without which all good sevens would look the same to the metrics. Each picture is moved by
up to two pixels; nothing else is changed. The seed is fixed; another processor or torch version may round differently
and end at another digest.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import trange

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from gan_core.atomic import replacing_folder
from gan_core.data import load_data
from gan_core.data.images import Split
from gan_core.extractors import FORMAT
from gan_core.layers import memory_format
from gan_core.metrics.extractor import EXTRACTOR, FeatureNet
from gan_core.model_folder import CARD, WEIGHTS
from gan_core.version import __version__

SEED, BATCH, RATE, SHIFT = 0, 100, 4e-3, 2
REDRAW, SIDE = 0.3, 16  # weight of the redrawn thumbnail against the answers; its side
UNKNOWN = -100  # the answer of a picture that a question was not asked about: cross_entropy leaves it out
WEIGHTS_OF = Path(__file__).resolve().parents[1] / "weights"


@dataclass(frozen=True)
class Task:
    """What one extractor is made of: its network, and the data sets it learns from, each so many times an epoch."""

    name: str
    network: dict[str, Any]
    sets: dict[str, int]
    epochs: int


TASKS = {
    "digits": Task(
        "digits net",
        {"channels": 1, "image_size": 32, "widths": [32, 64, 64], "features": 64},
        {"digits": 1},
        epochs=20,
    ),
    "color": Task(
        "color net",
        {"channels": 3, "image_size": 64, "widths": [32, 48, 64, 64], "features": 64},
        {"openmoji": 3, "faces": 1},
        epochs=8,
    ),
}


@dataclass(frozen=True)
class Question:
    """What the pictures of one set are asked.

    Attributes:
        names: Of the answers.
        answers: [N] of all pictures together; `UNKNOWN` for those of other sets.
        weight: In the loss: the questions of a set share 1.
    """

    names: tuple[str, ...]
    answers: Tensor
    weight: float


@dataclass(frozen=True)
class Lessons:
    """Pictures of all sets together, [N, C, H, W] uint8, how many are of each, and what is asked about them."""

    images: Tensor
    lengths: tuple[int, ...]
    questions: dict[str, Question]


def lessons(task: Task, split: Split) -> Lessons:
    """The data sets joined; a set's classes are one question, each attribute is another."""
    network = task.network
    loaded = [load_data(name, network["image_size"], network["channels"], split) for name in task.sets]
    lengths = tuple(len(data) for data in loaded)
    start, questions = 0, {}
    for data in loaded:
        asked = {name: (attribute.names, attribute.values) for name, attribute in data.attributes.items()}
        if data.classes is not None:
            asked[data.name] = (data.classes, data.labels)
        for name, (names, values) in asked.items():
            answers = torch.full((sum(lengths),), UNKNOWN)
            answers[start : start + len(data)] = values
            questions[name] = Question(names, answers, 1 / len(asked))
        start += len(data)
    return Lessons(torch.cat([data.images for data in loaded]), lengths, questions)


def epoch(task: Task, lengths: tuple[int, ...]) -> Tensor:
    """Indices of the pictures in a random order, those of a set as often as the task says."""
    parts, start = [], 0
    for times, length in zip(task.sets.values(), lengths, strict=True):
        parts.append(torch.arange(start, start + length).repeat(times))
        start += length
    rows = torch.cat(parts)
    return rows[torch.randperm(len(rows))]


def moved(images: Tensor) -> Tensor:
    """Each picture shifted by up to `SHIFT` pixels, its border repeated."""
    n, _, size, _ = images.shape
    padded = F.pad(images.float(), (SHIFT,) * 4, mode="replicate").to(torch.uint8)
    rows, columns = (torch.randint(0, 2 * SHIFT + 1, (n, 1)) + torch.arange(size) for _ in range(2))
    picked = padded[torch.arange(n)[:, None, None], :, rows[:, :, None], columns[:, None, :]]
    return picked.permute(0, 3, 1, 2)


def train(task: Task, known: Lessons) -> FeatureNet:
    """The network after its epochs: AdamW, one cycle of the learning rate."""
    torch.manual_seed(SEED)
    net = FeatureNet(**task.network, heads={name: len(asked.names) for name, asked in known.questions.items()})
    net.to(memory_format=memory_format(net))
    redraw = nn.Linear(task.network["features"], known.images.shape[1] * SIDE * SIDE)
    optimizer = torch.optim.AdamW([*net.parameters(), *redraw.parameters()], lr=RATE, weight_decay=0.01)
    batches = sum(times * length for times, length in zip(task.sets.values(), known.lengths, strict=True)) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=task.epochs * batches)
    for _ in trange(task.epochs, unit=" epochs"):
        for rows in epoch(task, known.lengths).split(BATCH)[:batches]:
            images = moved(known.images[rows])
            features = net(images)
            small = F.adaptive_avg_pool2d(images.float() / 127.5 - 1, SIDE).flatten(1)
            loss = REDRAW * F.mse_loss(redraw(features), small)
            for name, asked in known.questions.items():
                answers = asked.answers[rows]
                if (answers != UNKNOWN).any():
                    loss = loss + asked.weight * F.cross_entropy(net.heads[name](features), answers)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return net.eval()


@torch.no_grad()
def settle(net: FeatureNet, images: Tensor) -> None:
    """Gives the last normalisation the statistics of the training pictures as they are, not of moved batches."""
    raw: list[Tensor] = []
    hook = net.project.register_forward_hook(lambda module, given, result: raw.append(result))
    for part in images.split(BATCH):
        net(part)
    hook.remove()
    rows = torch.cat(raw).double()
    net.norm.running_mean.copy_(rows.mean(0))
    net.norm.running_var.copy_(rows.var(0))


@torch.no_grad()
def accuracies(net: FeatureNet, test: Lessons) -> dict[str, float]:
    """Share of right answers to each question on held-out pictures."""
    features = torch.cat([net(part) for part in test.images.split(BATCH)])
    shares = {}
    for name, asked in test.questions.items():
        told = asked.answers != UNKNOWN
        right = net.heads[name](features[told]).argmax(1) == asked.answers[told]
        shares[name] = round(right.double().mean().item(), 4)
    return shares


def card(name: str, described: dict, counts: tuple[int, int], minutes: float) -> str:
    """README.md of an extractor."""
    rows = "\n".join(
        f"| {question} | {len(head['names'])} | {head['accuracy']:.1%} |"
        for question, head in described["heads"].items()
    )
    network = described["network"]
    return f"""# features-{name}: the {described["name"]}

A frozen network through which GAN Playground compares pictures: Frechet distance, precision and recall, nearest
training pictures and the rest look at its {network["features"]} features. It draws nothing. A number from it says
"FD, {described["name"]} {described["sha256"][:8]}"; it is no FID, and compares only with numbers of the same digest.

| question | answers | right on held-out pictures |
| --- | --- | --- |
{rows}

Trained on {described["trained_on"]}, judged on {counts[1]:,} held-out ones, in {minutes:.0f} minutes, with pictures
moved by up to {SHIFT} pixels. Its features were also made to redraw each picture at {SIDE}x{SIDE}, so that they keep
more than its class. Over the training pictures each feature has mean 0 and variance 1. Made by

```sh
{described["command"]}
```
"""


def main() -> None:
    """Trains the extractor named on the command line and writes its folder."""
    if len(sys.argv) != 2 or sys.argv[1] not in TASKS:
        raise SystemExit(f"python scripts/train_features.py {'|'.join(TASKS)}")
    name, task, started = sys.argv[1], TASKS[sys.argv[1]], time.monotonic()
    train_set, test_set = lessons(task, "train"), lessons(task, "test")
    net = train(task, train_set)
    settle(net, train_set.images)
    right = accuracies(net, test_set)
    weights = save({key: tensor.contiguous() for key, tensor in net.state_dict().items()})
    described = {
        "format": FORMAT,
        "gan_core": __version__,
        "name": task.name,
        "sha256": sha256(weights).hexdigest(),
        "trained_on": f"the {len(train_set.images):,} training pictures of {' and '.join(task.sets)}",
        "accuracy": round(sum(right.values()) / len(right), 4),
        "heads": {name: {"names": asked.names, "accuracy": right[name]} for name, asked in train_set.questions.items()},
        "network": task.network,
        "command": f"python scripts/train_features.py {name}",
    }
    counts, minutes = (len(train_set.images), len(test_set.images)), (time.monotonic() - started) / 60
    with replacing_folder(WEIGHTS_OF / f"features-{name}") as folder:
        (folder / WEIGHTS).write_bytes(weights)
        (folder / EXTRACTOR).write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
        (folder / CARD).write_text(card(name, described, counts, minutes), encoding="utf-8")
    print("\n".join(f"{question}: {share:.1%} right" for question, share in right.items()))


if __name__ == "__main__":
    main()
