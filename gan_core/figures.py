"""Numbers as people read them; whatever a stranger's file holds in their place."""

from __future__ import annotations

import math
import re
from typing import Any

LONGEST, LARGEST = 60, 1e12  # a stranger's text in characters, a stranger's number


def number(value: Any) -> str:
    """Three figures, without exponents: 12.1, .00123 as 0.00123; "?" for what is no number."""
    return f"{value:,.{_decimals(value)}f}" if is_number(value) else "?"


def spread(value: Any, deviation: Any) -> str:
    """ "12.1 ± 0.3", "13.64 ± 0.05": to the same place, which the deviation reaches; without one only the value."""
    if is_number(value) and is_number(deviation):
        decimals = max(_decimals(value), _decimals(deviation) - 2)
        return f"{value:,.{decimals}f} ± {deviation:,.{decimals}f}"
    return number(value)


def is_number(value: Any) -> bool:
    """Whether it is a number that people can read: finite, and not a stranger's 10 to the 400."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST  # NaN is not


def _decimals(value: float) -> int:
    """Decimals that give three figures; six at most."""
    return 0 if value == 0 else min(6, max(0, 2 - math.floor(math.log10(abs(value)))))


def percent(share: Any) -> str:
    """ "12.3%"; "?" for what is no number."""
    return f"{share:.1%}" if is_number(share) else "?"


def count(value: Any) -> str:
    """ "5,000"; "?" for what is no whole number."""
    return f"{value:,}" if isinstance(value, int) and is_number(value) else "?"


def text(value: Any) -> str:
    """A text cut short, its letters, digits and a few marks: no picture, tag or table cell comes of it."""
    return re.sub(r"[^\w .,/+-]", "", str(value))[:LONGEST]
