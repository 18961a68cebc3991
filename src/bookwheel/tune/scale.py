"""Numbers for the scale of a picture."""

from __future__ import annotations

import math

__all__ = ["ticks"]


def ticks(low: float, high: float) -> list[float]:
    """The numbers 1, 2 and 5 times a power of ten whose decimal logarithms are from ``low`` to ``high``."""
    decades = range(math.floor(low), math.ceil(high) + 1)
    every = [one * 10.0**decade for decade in decades for one in (1, 2, 5)]
    return [tick for tick in every if low <= math.log10(tick) <= high]
