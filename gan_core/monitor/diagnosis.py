"""What the rows of a run mean: plain language, with the numbers and what to try."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

Row = Mapping[str, Any]
SETTLED = 500  # steps: before, every generator makes one blurred thing, and every critic wins
ALIKE, FALLEN = 0.15, 0.6  # of real: never more than that is collapse; of its own best: less than that is a fall
CHANCE = 0.05  # between two looks at a few hundred pictures: a fall is deeper
CERTAIN = 0.01  # critic's mean probability of the wrong answer
BURST = 100.0  # times the usual gradient
WORSE = 1.5  # times the lowest FD


def diagnose(rows: Sequence[Row], settings: Mapping[str, Any] | None = None) -> list[str]:
    """What is going wrong, each in a sentence with its numbers and one on what to try; nothing for a healthy run.

    Args:
        rows: Of metrics.jsonl, in order.
        settings: The recipe's config and options by name: only what it has is advised.
    """
    return list(findings(rows, settings or {}).values())


def findings(rows: Sequence[Row], settings: Mapping[str, Any]) -> dict[str, str]:
    """The sentences of `diagnose` by kind: collapse, saturated, gradient, worse."""
    looks = [row for row in rows if any(name.startswith("monitor/") for name in row)]
    best = min(series(rows, "metric/fd"), key=lambda point: point[1], default=None)
    start = None if best is None or best[0] == rows[-1]["step"] else best[0]
    found = {}
    won = saturated(rows, looks)
    if facts := collapse(looks):
        found["collapse"] = f"Collapse: {', '.join(facts)}."
        if not won:  # the cause is named next, with what helps against it
            found["collapse"] += f" {advice('collapse', settings, start)}"
    if won:
        found["saturated"] = f"{won}. {advice('saturated', settings, start)}"
    if facts := bursts(looks):
        found["gradient"] = f"{', '.join(facts)}. {advice('gradient', settings, start)}"
    if fact := worse(rows):
        found["worse"] = f"{fact}. The model of that step is kept in best/. {advice('worse', settings, start)}"
    return found


def collapse(looks: Sequence[Row]) -> list[str]:
    """The signs that the pictures have become alike, each over two looks."""
    facts = []
    diversity = series(looks, "metric/diversity")
    if fell := fall(diversity, below=0.5):
        facts.append(
            f"diversity fell from {percent(fell.before)} to {percent(fell.now)} of real since step {fell.step:,}"
        )
    elif stuck(diversity):
        step, now = diversity[-1]
        facts.append(f"diversity is {percent(now)} of real after {step:,} steps and does not rise")
    spread = [
        (row["step"], math.exp(row["metric/class_entropy"] - row["metric/class_entropy_real"]))
        for row in looks
        if row.get("metric/class_entropy") is not None
    ]  # classes that are evenly used, as a share of those that real pictures use
    if fall(spread, below=0.5) or stuck(spread):
        used, real = (math.exp(looks[-1][f"metric/class_entropy{which}"]) for which in ("", "_real"))
        facts.append(f"the pictures fall into about {used:.1f} classes where real ones fall into {real:.0f}")
    if fell := fall(series(looks, "metric/monitor_recall"), below=0.2):
        facts.append(f"recall fell from {fell.before:.2f} to {fell.now:.2f} since step {fell.step:,}")
    if facts and (accuracy := looks[-1].get("monitor/d_accuracy")) is not None:
        facts.append(f"D is right {percent(accuracy)} of the time")
    return facts


def saturated(rows: Sequence[Row], looks: Sequence[Row]) -> str | None:
    """Whether the critic has been certain of everything for the last two looks."""
    if len(looks) < 2 or looks[-2]["step"] < SETTLED:
        return None
    certain = list(itertools.takewhile(is_certain, reversed(rows)))
    if not certain or certain[-1]["step"] > looks[-2]["step"]:
        return None
    norm = looks[-1].get("monitor/grad_norm_g")
    rest = "" if norm is None else f", and G's gradient is down to {norm:.2g}"
    return f"D has won: since step {certain[-1]['step']:,} it is never in doubt about real or generated{rest}"


def is_certain(row: Row) -> bool:
    """Whether the critic was, on the batch of this row; never where a recipe's critic gives no probability."""
    return bool(row.get("d/p_real", 0) > 1 - CERTAIN and row.get("d/p_fake", 1) < CERTAIN)


def bursts(looks: Sequence[Row]) -> list[str]:
    """Gradients that are no numbers, or far beyond what they were."""
    facts = []
    for name in [name for name in (looks[-1] if looks else {}) if name.startswith("monitor/grad_norm_")]:
        phase, now = name.removeprefix("monitor/grad_norm_"), looks[-1][name]
        before = [norm for _, norm in series(looks[:-1], name)]
        if now is None:
            facts.append(f"The gradient of phase {phase} is not finite")
        elif len(before) >= 3 and now > BURST * (usual := statistics.median(before)):
            facts.append(f"The gradient of phase {phase} is {now:.3g}, usually {usual:.2g}")
    return facts


def worse(rows: Sequence[Row]) -> str | None:
    """Whether FD has been far above its lowest for two evaluations, by more than the floor's size."""
    measured = series(rows, "metric/fd")
    if len(measured) < 3:
        return None
    (step, best), floor = min(measured, key=lambda point: point[1]), series(rows, "metric/fd_floor")[-1][1]
    if all(now > WORSE * best and now > best + floor for _, now in measured[-2:]):
        return f"FD was {best:.2f} at step {step:,} and is {measured[-1][1]:.2f} now"
    return None


def percent(share: float) -> str:
    """.312 as "31 %"."""
    return f"{100 * share:.0f} %"


class Fall(NamedTuple):
    """From the best, and when that was, to now."""

    step: int
    before: float
    now: float


def series(rows: Iterable[Row], name: str) -> list[tuple[int, float]]:
    """(step, value) wherever there is one."""
    return [(row["step"], row[name]) for row in rows if row.get(name) is not None]


def fall(points: Sequence[tuple[int, float]], below: float) -> Fall | None:
    """The fall from the highest point, if the last two lie far under it and the last one `below`."""
    if len(points) < 3 or points[-1][0] < SETTLED:
        return None
    step, highest = max(points, key=lambda point: point[1])
    *_, before, now = (value for _, value in points)
    if now < min(below, highest - CHANCE) and max(before, now) < FALLEN * highest:
        return Fall(step, highest, now)
    return None


def stuck(points: Sequence[tuple[int, float]]) -> bool:
    """Whether the last two points, of settled steps, are next to nothing and not rising."""
    if len(points) < 2 or points[-2][0] < SETTLED:
        return False
    (_, before), (_, now) = points[-2:]
    return max(before, now) < ALIKE and now < 1.5 * before + 0.01


KINDS = ("collapse", "saturated", "gradient", "worse")


class Remedy(NamedTuple):
    """What may be tried, where the recipe has the option and it stands so that it can help.

    Attributes:
        option: Its name.
        helps: Whether it can, by the settings.
        words: With {value} for how it stands.
        against: Kinds of findings.
        instead_of: Options of other recipes that, unless they are 0, do the same already.
    """

    option: str
    helps: Callable[[Mapping[str, Any]], bool]
    words: str
    against: tuple[str, ...]
    instead_of: tuple[str, ...] = ()

    def fits(self, kind: str, settings: Mapping[str, Any]) -> bool:
        """Whether to advise it."""
        if kind not in self.against or self.option not in settings or any(map(settings.get, self.instead_of)):
            return False
        return self.helps(settings)

    def said(self, settings: Mapping[str, Any]) -> str:
        """The words; a rate of the discriminator that is not set is that of all."""
        value = settings[self.option]
        return self.words.format(value=settings.get("lr") if value is None else value)


BOUNDED = ("gamma", "penalty_weight", "clip")  # r3gan, wgan_gp and progan, wgan: critics that may not be too sharp
REMEDIES = (
    Remedy("saturating", lambda of: of["saturating"], "without --saturating", ("collapse", "saturated")),
    Remedy("batch_norm", lambda of: not of["batch_norm"], "with --batch_norm", ("collapse", "saturated")),
    Remedy(
        "pack", lambda of: of["pack"] == 1 and of.get("batch_size", 2) % 2 == 0, "with pairs to judge (--pack 2)",
        ("collapse",),
    ),
    Remedy(
        "r1", lambda of: of["r1"] == 0 and of.get("critic_norm") != "batch", "with R1 (--r1 1)",
        ("collapse", "saturated", "worse"), BOUNDED,
    ),
    Remedy(
        "critic_norm", lambda of: of["r1"] == 0 and of["critic_norm"] == "batch",
        "with R1 and no batch normalisation in the critic (--r1 1 --critic_norm layer)",
        ("collapse", "saturated", "worse"), BOUNDED,
    ),
    Remedy(
        "augment", lambda of: of["augment"] == "none", "with DiffAugment (--augment color,translation,cutout)",
        ("collapse", "saturated", "worse"),
    ),
    Remedy("real_label", lambda of: of["real_label"] == 1, "with --real_label 0.9", ("saturated",)),
    Remedy("d_lr", lambda of: True, "with a lower --d_lr (it is {value:g})", ("collapse", "saturated"), BOUNDED),
    Remedy("lr", lambda of: True, "with a lower --lr (it is {value:g})", KINDS),
)  # fmt: skip


def advice(kind: str, settings: Mapping[str, Any], start: int | None = None) -> str:
    """What to try against a finding: a resumed run keeps its settings and would repeat itself, so it is a new run.

    Args:
        kind: A key of `findings`.
        settings: See `diagnose`.
        start: The best step so far, if it is kept.
    """
    ways = [remedy.said(settings) for remedy in REMEDIES if remedy.fits(kind, settings)]
    if start is not None:
        ways.append(f"from step {start:,}, the best so far (--init RUN/best)")
    *most, last = ways or ["with other settings"]
    return f"Try a new run {', '.join(most)}{' or ' if most else ''}{last}."
