"""Which models are in the box, and the commands that make them."""

from __future__ import annotations

import dataclasses
import shlex
from dataclasses import dataclass
from typing import Any

import gan_core.recipes  # noqa: F401  registers every recipe
from gan_core.cli.training import planned
from gan_core.plan import INTERVALS, OPTIONAL_INTERVALS, Plan, usual


@dataclass(frozen=True)
class Recorded:
    """How a model is made.

    Attributes:
        words: Of `python train.py`.
        minutes: What that takes on two laptop cores, about; in the box is what it took.
        threads: A run repeats to the bit with as many only.
    """

    words: str
    minutes: int
    threads: int = 1

    def plan(self) -> Plan:
        """What the model is trained by."""
        return planned(shlex.split(self.words), "train")[0]


BUNDLED = {
    "simple_gan-digits": Recorded(
        "simple_gan --steps 60000 --precision fp32 --lr 4e-4 --betas 0.5 0.999 --augment translation", 15
    ),
    "gan-digits": Recorded("gan --steps 24000 --precision fp32", 15, threads=2),
    "dcgan-digits": Recorded("dcgan --steps 6000 --precision bf16", 18),
    "cgan-digits": Recorded("cgan --steps 8000 --precision bf16", 20),
    "lsgan-digits": Recorded("lsgan --steps 8000 --precision bf16", 25),
    "wgan-digits": Recorded("wgan --steps 4000 --precision bf16", 30),
    "wgan_gp-digits": Recorded("wgan_gp --steps 6000 --precision bf16", 40),
    "progan-digits": Recorded("progan --steps 5000 --stage_images 25000 --precision bf16", 50),
    "stylegan-digits": Recorded("stylegan --steps 5000 --precision bf16", 65),
    "biggan-digits": Recorded("biggan --steps 2500 --precision bf16", 35),
    "r3gan-digits": Recorded("r3gan --steps 7500 --batch_size 32 --lr_horizon 240000 --precision bf16", 60),
    "progan-faces": Recorded(
        "progan --dataset faces --steps 6000 --batch_size 32 --max_width 192 --stage_images 12000 "
        "--lr_schedule cosine --lr_horizon 192000 --lr_final 0.02 --precision bf16",
        100,
    ),
    "stylegan-faces": Recorded(
        "stylegan --dataset faces --steps 8000 --batch_size 32 --max_width 128 "
        "--lr_schedule cosine --lr_horizon 256000 --lr_final 0.02 --precision bf16",
        65,
    ),
    "r3gan-faces": Recorded(
        "r3gan --dataset faces --steps 6000 --batch_size 32 --lr 1e-3 --width 8 --growth 2 --precision bf16", 45
    ),
    "biggan-openmoji": Recorded(
        "biggan --dataset openmoji --steps 2500 --augment color,translation,cutout "
        "--lr_schedule cosine --lr_horizon 320000 --lr_final 0.02 --precision bf16",
        90,
    ),
    "gen_1-batik": Recorded("gen_1 --steps 3000 --lr_schedule cosine --lr_horizon 48000 --precision bf16", 15),
    "gen_2-batik": Recorded(
        "gen_2 --steps 3000 --lr_schedule cosine --lr_horizon 48000 --precision bf16", 10, threads=2
    ),
    "gen_3-batik": Recorded("gen_3 --steps 3000 --lr_schedule cosine --lr_horizon 48000 --precision bf16", 15),
    "gen_4-batik": Recorded(
        "gen_4 --steps 6000 --lr_schedule cosine --lr_horizon 96000 --precision bf16", 20, threads=2
    ),
    "gen_5-batik": Recorded("gen_5 --steps 4000 --lr_horizon 64000 --precision bf16", 20),
    "pix2pix-batik": Recorded(
        "pix2pix --width 16 --critic_layers 1 --upsample nearest --steps 10000 "
        "--lr_schedule cosine --lr_horizon 160000 --precision bf16",
        20,
    ),
    "pix2pix-openmoji_outline": Recorded(
        "pix2pix --dataset openmoji_outline --width 16 --critic_layers 1 --upsample nearest --steps 10000 "
        "--lr_schedule cosine --lr_horizon 160000 --precision bf16",
        20,
    ),
    "cyclegan-faces_masked": Recorded(
        "cyclegan --composite --cycle 3 --identity 0 --upsample nearest --steps 5000 "
        "--lr_schedule cosine --lr_horizon 20000 --precision bf16",
        20,
    ),
    "cyclegan-batik_palettes": Recorded(
        "cyclegan --dataset batik_palettes --steps 4000 --lr_schedule cosine --lr_horizon 16000 --precision bf16", 32
    ),
    "srgan-photos": Recorded("srgan --steps 6000 --lr_schedule cosine --lr_horizon 96000 --precision bf16", 15),
}


def plainly(plan: Plan) -> Plan:
    """The plan as far as the weights follow from it: how often a run was looked at leaves them as they are."""
    default = usual(type(plan.recipe))
    intervals = {name: getattr(default, name) for name in (*INTERVALS, *OPTIONAL_INTERVALS)}
    return dataclasses.replace(plan, run=dataclasses.replace(plan.run, **intervals))


def settings(plan: Plan) -> dict[str, Any]:
    """Everything that the weights follow from, by name."""
    stored = plainly(plan).as_dict()
    return {"recipe": stored["recipe"], **stored["config"], **stored["options"], **stored["run"]}
