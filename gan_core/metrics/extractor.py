"""Frozen networks that pictures are compared through: uint8 pictures to features and class probabilities.

Distances between pictures mean little pixel by pixel, so metrics look at features: here those of a small convolutional
classifier. A number depends on the network as much as on the pictures; every report therefore carries its digest.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gan_core.data.resize import resize
from gan_core.errors import UsageError

EXTRACTOR = "extractor.json"  # describes the folder of an extractor, as config.json does that of a model
CHUNK = 256  # pictures that pass the network at once


class FeatureNet(nn.Module):
    """The side halved by convolution and pooling, then `features` numbers, then a linear head for each question.

    Few features, because a Frechet distance of m pictures starts at a floor that grows with their number. The last
    normalisation has no scale of its own, and its statistics are those of the training pictures: there each feature
    has mean 0 and variance 1, so that a squared distance reads in units of the data's own variance. No ReLU after it:
    a Frechet distance compares Gaussians.

    Args:
        channels: 1 or 3.
        image_size: Side of the pictures it takes: a multiple of 2 to the number of widths.
        widths: Channels after each halving.
        features: How many.
        heads: What it was taught to tell apart: the number of answers of each question.
    """

    def __init__(
        self, channels: int, image_size: int, widths: Sequence[int], features: int, heads: Mapping[str, int]
    ) -> None:
        super().__init__()
        self.blocks = nn.Sequential()
        for c_in, c_out in zip((channels, *widths), widths, strict=False):
            convolution = nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)
            self.blocks.append(
                nn.Sequential(convolution, nn.BatchNorm2d(c_out), nn.ReLU(inplace=True), nn.MaxPool2d(2))
            )
        side = image_size >> len(widths)
        self.project = nn.Linear(widths[-1] * side * side, features, bias=False)
        self.norm = nn.BatchNorm1d(features, affine=False)
        self.heads = nn.ModuleDict({name: nn.Linear(features, answers) for name, answers in heads.items()})

    def forward(self, images: Tensor) -> Tensor:
        x = images.float() / 127.5 - 1  # [N, C, S, S] uint8
        x = self.blocks(x).flatten(1)  # -> [N, widths[-1] * side * side]
        features: Tensor = self.norm(self.project(x))  # -> [N, D]
        return features


@dataclass(frozen=True)
class Features:
    """What an extractor says of pictures.

    Attributes:
        features: [N, D], float32 on the CPU.
        probabilities: [N, K] of the extractor's classes, or None where it knows none.
    """

    features: Tensor
    probabilities: Tensor | None


class Extractor:
    """A frozen network and where it comes from.

    Args:
        net: uint8 pictures to features; a head, if it has one, is applied to those.
        head: Features to logits of `classes`, or None.
        name: For people: "digits net".
        sha256: Of its weights file.
        trained_on: Which pictures.
        accuracy: Share of held-out pictures that it gets right, averaged over its heads; None if not known.
        classes: Names that `probabilities` stand for, or None.
        image_size: Side of the pictures the network takes, others are resized; None leaves that to the network.
        channels: Channels it takes. A colour net sees grey pictures as colour. A grey net sees each channel of a
            colour picture by itself: features side by side, class 100 r + 10 g + b (for ten classes).
        chunk: Pictures that pass the network at once.
    """

    def __init__(
        self,
        net: nn.Module,
        head: nn.Linear | None = None,
        *,
        name: str,
        sha256: str,
        trained_on: str,
        accuracy: float | None = None,
        classes: tuple[str, ...] | None = None,
        image_size: int | None,
        channels: int,
        chunk: int = CHUNK,
    ) -> None:
        self.net, self.head = net.eval().requires_grad_(False), head
        self.name, self.sha256, self.trained_on, self.accuracy = name, sha256, trained_on, accuracy
        self.classes, self.image_size, self.channels = classes, image_size, channels
        self.chunk = chunk

    @property
    def label(self) -> str:
        """Name and digest, as they stand beside every number: "digits net 3f9a1b2c"."""
        return f"{self.name} {self.sha256[:8]}"

    @property
    def device(self) -> torch.device:
        """Where the network lives."""
        return next((p.device for p in self.net.parameters()), torch.device("cpu"))

    def classes_of(self, channels: int) -> tuple[str, ...] | None:
        """Names that `probabilities` of pictures with that many channels stand for, or None."""
        if self.classes is None or self.channels == channels or self.channels == 3:
            return self.classes
        return tuple("".join(names) for names in itertools.product(self.classes, repeat=channels))

    @torch.no_grad()
    def __call__(self, images: Tensor, progress: Callable[[float], None] | None = None) -> Features:
        """Features and class probabilities of pictures.

        Args:
            images: [N, C, H, W] uint8, C = 1 or 3; no augmentation, nothing stretched.
            progress: Told the share done, in [0, 1].

        Raises:
            UsageError: There are no pictures, or they are not uint8 of 1 or 3 channels.
        """
        if images.ndim != 4 or images.dtype != torch.uint8 or images.shape[1] not in (1, 3) or not len(images):
            raise UsageError(
                f"Pictures of {images.dtype} and shape {tuple(images.shape)} were given; "
                "an extractor takes uint8 [n, 1 or 3, height, width]."
            )
        features, probabilities = [], []
        for start in range(0, len(images), self.chunk):
            found = self._chunk(images[start : start + self.chunk])
            features.append(found.features)
            if found.probabilities is not None:
                probabilities.append(found.probabilities)
            if progress is not None:
                progress(min(1.0, (start + self.chunk) / len(images)))
        return Features(torch.cat(features), torch.cat(probabilities) if probabilities else None)

    def _chunk(self, images: Tensor) -> Features:
        if self.image_size is not None:
            images = resize(images, self.image_size)
        n, channels = images.shape[:2]
        if self.channels > channels:
            images = images.expand(-1, self.channels, -1, -1)
        elif self.channels < channels:
            images = images.flatten(0, 1).unsqueeze(1)  # [3N, 1, S, S]: each channel a picture
        features = self.net(images.to(self.device))
        probabilities = None
        if self.head is not None:
            shares = self.head(features).float().softmax(1).view(n, -1, self.head.out_features)
            probabilities = shares[:, 0]
            for k in range(1, shares.shape[1]):  # the joint of independent answers: [N, K], [N, K^2], [N, K^3]
                probabilities = torch.einsum("ni,nj->nij", probabilities, shares[:, k]).flatten(1)
            probabilities = probabilities.cpu()
        return Features(features.float().view(n, -1).cpu(), probabilities)
