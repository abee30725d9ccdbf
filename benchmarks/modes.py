"""How much of a distribution with known modes a set of samples covers."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gan_core.metrics.classes import class_histogram, kl_to_uniform

HIGH_QUALITY = 3  # standard deviations; of a perfect generator's points 1 - exp(-9/2) = 98.9 % lie so near


@dataclass(frozen=True)
class Coverage:
    r"""What was found among N samples.

    Attributes:
        hit: [M] bool. A mode is hit if at least one sample is its own: of points, one within 3 standard deviations of
            its centre; of pictures, one that the classifier calls by its name (Srivastava 2017, arXiv:1705.07761; Lin
            2018, arXiv:1712.04086). That is lenient: read it beside the other two.
        high_quality: Share of the points that lie within 3 standard deviations of any centre; None for pictures.
        kl: $\sum_k p_k \log(M p_k)$ in nats, of the shares p of samples nearest to each centre, however far, or of
            each class: 0 for even shares, $\log M$ for a single mode.
        samples: N.
    """

    hit: Tensor
    high_quality: float | None
    kl: float
    samples: int

    @property
    def modes(self) -> int:
        """How many are hit."""
        return int(self.hit.sum())

    @property
    def of(self) -> int:
        """How many there are: M."""
        return len(self.hit)

    @property
    def floor(self) -> float:
        """What the KL of N perfect samples would be, on average: (M - 1) / 2N."""
        return (self.of - 1) / (2 * self.samples)


def of_points(points: Tensor, centres: Tensor, std: float) -> Coverage:
    """Points [N, 2] against Gaussians of one deviation around centres [M, 2], all equally likely."""
    distance, nearest = torch.cdist(points.double(), centres.double()).min(dim=1)
    good = distance <= HIGH_QUALITY * std
    shares = nearest.bincount(minlength=len(centres)).double() / len(points)
    hit = nearest[good].bincount(minlength=len(centres)) > 0
    return Coverage(hit, float(good.double().mean()), kl_to_uniform(shares), len(points))


def of_classes(probabilities: Tensor) -> Coverage:
    """What a classifier says of pictures, [N, M], against M equally likely classes."""
    shares = class_histogram(probabilities)
    return Coverage(shares > 0, None, kl_to_uniform(shares), len(probabilities))
