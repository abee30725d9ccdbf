"""The extractors in the box, by name: read strictly from weights/features-NAME, loaded once per process."""

from __future__ import annotations

import hashlib
import json
import pickle
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from gan_core.data import Images
from gan_core.data.cache import cache_folder
from gan_core.errors import UsageError
from gan_core.layers import blueprint
from gan_core.library import project_folder
from gan_core.metrics.extractor import EXTRACTOR, Extractor, FeatureNet
from gan_core.model_folder import WEIGHTS, fill
from gan_core.recipe import nearest

Name = Literal["digits", "color", "inception"]
FORMAT = 1
LIKE_DIGITS = ("digits", "mnist", "stacked_digits")  # data sets that the digits net knows
INCEPTION_FILE = "weights-inception-2015-12-05-6726825d.pth"


def extractor_for(data: Images) -> Name:
    """The extractor that knows a data set best: "digits" for handwritten digits, "color" for everything else."""
    return "digits" if data.name in LIKE_DIGITS else "color"


@lru_cache(maxsize=len(get_args(Name)))
def load_extractor(name: str) -> Extractor:
    """An extractor by its name.

    Args:
        name: "digits" or "color", which come with the playground, or "inception", the standard one of FID, which
            torch-fidelity downloads once.

    Raises:
        UsageError: There is none of this name; its folder is missing or damaged; it cannot be downloaded.
    """
    if name == "inception":
        return _inception()
    if name not in get_args(Name):
        raise UsageError(f"There is no extractor {name!r}{nearest(name, get_args(Name))}.")
    return read_extractor(project_folder() / "weights" / f"features-{name}")


def digests() -> set[str]:
    """SHA-256 of the weights of the extractors in the box: a number from any other is out of date."""
    files = (project_folder() / "weights").glob(f"features-*/{EXTRACTOR}")
    return {json.loads(file.read_text(encoding="utf-8"))["sha256"] for file in files}


def read_extractor(folder: Path) -> Extractor:
    """Reads the folder of an extractor, strictly.

    Raises:
        UsageError: A file is missing; extractor.json is damaged, newer or does not fit; the weights do not have the
            stated digest, or are not those of the stated network.
    """
    path = folder / EXTRACTOR
    if not folder.is_dir():
        raise UsageError(
            f"The extractor {folder} is missing: restore it from the playground's repository, "
            f"or train it with python scripts/train_features.py {folder.name.removeprefix('features-')}."
        )
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
        if described["format"] > FORMAT:
            raise UsageError(f"{path} has format {described['format']}, this reads {FORMAT}: update the playground.")
        heads = {question: tuple(head["names"]) for question, head in described["heads"].items()}
        with blueprint():
            net = FeatureNet(**described["network"], heads={question: len(names) for question, names in heads.items()})
        return extractor_of(net, folder, described, heads)
    except FileNotFoundError:
        raise UsageError(f"{folder} is no extractor: it has no {EXTRACTOR}.") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        raise UsageError(f"{path} does not describe an extractor ({error!r}).") from error


def extractor_of(
    net: FeatureNet, folder: Path, described: dict[str, Any], heads: dict[str, tuple[str, ...]]
) -> Extractor:
    """The extractor that `described`, the content of extractor.json, makes of a network without values."""
    fill(net, folder / WEIGHTS, described["sha256"], stated_in=EXTRACTOR)
    only = next(iter(heads)) if len(heads) == 1 else None  # several questions give no classes
    head = None if only is None else net.heads[only]
    assert head is None or isinstance(head, nn.Linear)
    return Extractor(
        net,
        head,
        name=described["name"],
        sha256=described["sha256"],
        trained_on=described["trained_on"],
        accuracy=described["accuracy"],
        classes=None if only is None else heads[only],
        image_size=described["network"]["image_size"],
        channels=described["network"]["channels"],
    )


class Inception(nn.Module):
    """torch-fidelity's port of the standard Inception; it resizes by itself, as the original did."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.net(images)[0]
        return features  # [N, 2048]


def _inception() -> Extractor:
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3, FeatureExtractorInceptionV3
    except ImportError:
        raise UsageError("The inception extractor needs torch-fidelity: pip install torch-fidelity.") from None
    from torch.hub import download_url_to_file

    path = cache_folder() / INCEPTION_FILE
    try:
        if not path.exists():
            download_url_to_file(URL_INCEPTION_V3, str(path), hash_prefix="6726825d", progress=False)
        torch.load(path, map_location="meta", weights_only=True)  # torch-fidelity unpickles it: nothing but tensors?
        net = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], feature_extractor_weights_path=str(path))
    except (OSError, RuntimeError, pickle.UnpicklingError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(
            f"The standard Inception could not be downloaded ({reason}). Without a network, --features digits and "
            "--features color work; their numbers are no FID."
        ) from error
    return Extractor(
        Inception(net),
        name="Inception",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        trained_on="ImageNet, 2015 (torch-fidelity's port)",
        image_size=None,
        channels=3,
        chunk=32,
    )
