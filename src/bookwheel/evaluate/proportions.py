"""Intervals of shares, and of the difference of two shares, that hold for few questions too."""

from __future__ import annotations

import math

__all__ = ["Z95", "newcombe", "wilson"]

Z95 = 1.959963984540054
"""The normal quantile of a two-sided interval of 95 %."""


def wilson(right: float, count: int, z: float = Z95) -> tuple[float, float]:
    """The interval of a share of ``right`` among ``count`` (Wilson, "Probable Inference", 1927); (0, 1) for none."""
    if count <= 0:
        return 0.0, 1.0
    share, square = right / count, z * z
    centre = (share + square / (2 * count)) / (1 + square / count)
    half = z / (1 + square / count) * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    return max(0.0, centre - half), min(1.0, centre + half)


def newcombe(right: float, count: int, other_right: float, other_count: int, z: float = Z95) -> tuple[float, float]:
    """The interval of the first share less the other, of independent questions.

    Source: Newcombe, "Interval Estimation for the Difference Between Independent Proportions", 1998, method 10.
    """
    if count <= 0 or other_count <= 0:
        return -1.0, 1.0
    first, other = right / count, other_right / other_count
    low, high = wilson(right, count, z)
    other_low, other_high = wilson(other_right, other_count, z)
    below = math.sqrt((first - low) ** 2 + (other_high - other) ** 2)
    above = math.sqrt((high - first) ** 2 + (other - other_low) ** 2)
    return first - other - below, first - other + above
