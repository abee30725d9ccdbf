"""Cartoon faces drawn by python-avatars; what each was drawn from is known."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from gan_core.data.cache import cached_arrays
from gan_core.data.channels import with_channels
from gan_core.data.images import Attribute, ImageData, Split
from gan_core.data.vector import rasterise_all

DEFAULT_SIZE = 64
SEEDS = {"train": range(8_000), "test": range(1_000_000, 1_001_000)}
VERSION = 1  # of what is kept in the cache: one more for every change of the words below or of `choose`
NONE = "none"

# The package's own words, written out: its lists may grow, and a seed should go on meaning the same face. Left out is
# what cannot be told apart at 64 pixels, has a colour of its own, or leaves no room for glasses or a beard.
HAIR = (
    "bald", "big_hair", "bob", "bun", "caesar", "curly", "curvy", "dreads", "frida", "frizzle", "fro", "fro_band",
    "long_not_too_long", "mia_wallace", "shaggy", "shaggy_mullet", "short_curly", "short_dreads_1", "short_dreads_2",
    "short_flat", "short_round", "short_waved", "sides", "straight_1", "straight_strand", "braids", "buzzcut",
    "cornrows", "dreadlocks", "einstein_hair", "elvis", "evil_spike", "half_shaved", "mohawk", "mowgli", "pixie",
    "pompadour", "quiff", "twist_long_hair", "twist_long_hair_2", "wick", "wild",
)  # fmt: skip
HATS = ("hat", "hijab", "turban", "winter_hat_1", "winter_hat_2", "winter_hat_3", "winter_hat_4")
GLASSES = ("eyepatch", "kurt", "prescription_1", "prescription_2", "round", "sunglasses", "wayfarers")
DARK = ("kurt", "sunglasses", "wayfarers")  # behind these, eyes are hardly seen: they are always the same
BEARDS = (
    "beard_light", "beard_magestic", "beard_medium", "moustache_fancy", "moustache_magnum", "einstein_moustache",
    "wick_beard",
)  # fmt: skip
EYES = ("closed", "cry", "default", "eye_roll", "happy", "side", "squint", "surprised", "wink", "wink_wacky")
BROWS = (
    "angry", "angry_natural", "default", "default_natural", "flat_natural", "frown_natural", "raised_excited",
    "raised_excited_natural", "sad_concerned", "sad_concerned_natural", "unibrow_natural", "up_down", "up_down_natural",
)  # fmt: skip
NOSES = ("default", "small", "wide")
MOUTHS = (
    "big_smile", "concerned", "default", "disbelief", "grimace", "sad", "scream_open", "serious", "smile", "tongue",
    "twinkle",
)  # fmt: skip
SKINS = ("pale", "light", "yellow", "tanned", "brown", "dark_brown", "black")
HAIR_COLOURS = (
    "auburn", "black", "blonde", "blonde_golden", "brown", "brown_dark", "pastel_pink", "platinum", "red",
    "silver_gray",
)  # fmt: skip
CLOTH_COLOURS = (
    "black", "blue_01", "blue_02", "blue_03", "gray_01", "gray_02", "heather", "pastel_blue", "pastel_green",
    "pastel_orange", "pastel_yellow", "pink", "red", "white",
)  # fmt: skip
BACKGROUNDS = {
    "sky": "#65C9FF", "mint": "#A7E0C7", "sand": "#F3D9B1", "lilac": "#D7C6F0", "rose": "#F2B8B5", "mist": "#C9D6DF",
    "lemon": "#FFF2B3", "sage": "#9FB8AD",
}  # fmt: skip

# What a person can see in a face, and every word for it. A hat hides the hair; both may be missing.
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "hair": (NONE, *HAIR),
    "hair colour": (NONE, *HAIR_COLOURS),
    "hat": (NONE, *HATS),
    "hat colour": (NONE, *CLOTH_COLOURS),
    "glasses": (NONE, *GLASSES),
    "beard": (NONE, *BEARDS),
    "beard colour": (NONE, *HAIR_COLOURS),
    "skin": SKINS,
    "brows": BROWS,
    "eyes": ("hidden", *EYES),
    "nose": NOSES,
    "mouth": MOUTHS,
    "clothes colour": CLOTH_COLOURS,
    "background": tuple(BACKGROUNDS),
}
HAT_SHARE, GLASSES_SHARE, BEARD_SHARE = 0.1, 0.3, 0.25
HEAD = "34 8 196 196"  # the square around the head in the package's drawing: left, top, width, height

Face = dict[str, str]


def faces(split: Split = "train", image_size: int | None = None, channels: int | None = None) -> ImageData:
    """9,000 faces; the splits come from different seeds.

    Args:
        split: "train" (8,000) or "test" (1,000).
        image_size: 64 if None; drawn at that size, nothing is resampled.
        channels: 3 if None.

    Returns:
        Images without classes, with `ATTRIBUTES`.
    """
    seeds, size = SEEDS[split], image_size or DEFAULT_SIZE

    def make() -> dict[str, np.ndarray]:
        chosen = [choose(seed) for seed in seeds]
        words = [[known.index(face[name]) for name, known in ATTRIBUTES.items()] for face in chosen]
        images = rasterise_all(map(drawing, chosen), len(chosen), size, f"drawing {split} faces")
        return {"images": images, "words": np.array(words)}

    made = cached_arrays(f"faces-{VERSION}-{seeds.start}-{seeds.stop}-{size}", make)
    images, words = torch.from_numpy(made["images"]), torch.from_numpy(made["words"])
    attributes = {name: Attribute(known, words[:, k]) for k, (name, known) in enumerate(ATTRIBUTES.items())}
    return ImageData("faces", with_channels(images, channels), attributes=attributes)


def few_faces(count: int) -> ImageData:
    """Some of the faces, drawn in no time."""
    drawings = (drawing(choose(seed)) for seed in range(count))
    return ImageData("faces", torch.from_numpy(rasterise_all(drawings, count, DEFAULT_SIZE, "drawing")))


def choose(seed: int) -> Face:
    """What the face of a seed is drawn from: a word for each of `ATTRIBUTES`, the same on every machine."""
    stream = np.random.RandomState(seed)  # the generator whose numbers numpy promises never to change

    def one(words: tuple[str, ...]) -> str:
        return words[stream.randint(len(words))]

    # Everything is drawn for every face, and what is hidden then dropped: one choice does not move the others.
    face = {
        name: one(tuple(word for word in words if word not in (NONE, "hidden"))) for name, words in ATTRIBUTES.items()
    }
    has_hat, has_glasses, has_beard = stream.random_sample(3) < (HAT_SHARE, GLASSES_SHARE, BEARD_SHARE)
    if has_hat:
        face["hair"] = NONE
    else:
        face["hat"] = face["hat colour"] = NONE
    if not has_glasses:
        face["glasses"] = NONE
    if not has_beard or face["hat"] == "hijab":
        face["beard"] = face["beard colour"] = NONE
    if face["hair"] in (NONE, "bald"):
        face["hair colour"] = NONE
    if face["glasses"] in DARK:
        face["eyes"] = "hidden"
    return face


def drawing(face: Face, worn: str = "") -> str:
    """A face as SVG: its head, on its background, with what it wears over everything else."""
    with random_left_alone():
        import python_avatars as pa

    def part(kind: Any, word: str) -> Any:
        return kind[{"bald": "NONE", "hidden": "DEFAULT"}.get(word, word.upper())]

    avatar = pa.Avatar(
        style=pa.AvatarStyle.TRANSPARENT,
        top=part(pa.HairType, face["hair"]) if face["hat"] == NONE else part(pa.HatType, face["hat"]),
        hat_color=pa.ClothingColor.BLACK if face["hat"] == NONE else part(pa.ClothingColor, face["hat colour"]),
        eyebrows=part(pa.EyebrowType, face["brows"]),
        eyes=part(pa.EyeType, face["eyes"]),
        nose=part(pa.NoseType, face["nose"]),
        mouth=part(pa.MouthType, face["mouth"]),
        facial_hair=part(pa.FacialHairType, face["beard"]),
        skin_color=part(pa.SkinColor, face["skin"]),
        hair_color=pa.HairColor.BLACK if face["hair colour"] == NONE else part(pa.HairColor, face["hair colour"]),
        facial_hair_color=(
            pa.HairColor.BLACK if face["beard colour"] == NONE else part(pa.HairColor, face["beard colour"])
        ),
        accessory=part(pa.AccessoryType, face["glasses"]),
        clothing=pa.ClothingType.HOODIE,
        clothing_color=part(pa.ClothingColor, face["clothes colour"]),
    )
    background = f'<rect width="264" height="280" fill="{BACKGROUNDS[face["background"]]}"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{HEAD}">{background}{avatar.render()}{worn}</svg>'


@contextmanager
def random_left_alone() -> Iterator[None]:
    """Python's global random numbers go on as if nothing had happened; the package draws one while it is imported."""
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)
