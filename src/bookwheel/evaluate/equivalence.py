"""Is one ranking as good as another, to within a margin that does not matter?

A difference that is not significant is no proof that there is none. Equivalence is tested by two one-sided t-tests, of a mean
difference above ``-margin`` and below ``margin`` (Schuirmann, "A Comparison of the Two One-Sided Tests Procedure and the Power
Approach for Assessing the Equivalence of Average Bioavailability", 1987); the first of the two alone is the test of
non-inferiority: not worse by the margin or more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from .._errors import UsageError
from .compare import SIGNIFICANT, paired_differences
from .measures import Scores
from .significance import holm, mean_interval, one_sided_t

__all__ = ["Equivalence", "equivalence"]


@dataclass(frozen=True, slots=True)
class Equivalence:
    """One measure of one ranking, ``name``, against the ``baseline``, over the same queries."""

    measure: str
    baseline: str
    name: str
    margin: float
    difference: float
    """The mean of ``name`` less that of the baseline."""
    low: float
    """The 90 % interval of the difference: it lies within the margin where the (uncorrected) test finds equivalence."""
    high: float
    p_equivalent: float
    """Of both one-sided t-tests: the larger p."""
    p_not_worse: float
    """Of the hypothesis that ``name`` is worse by the margin or more."""
    p_equivalent_holm: float
    """After Holm's correction for all comparisons made together."""
    p_not_worse_holm: float

    @property
    def equivalent(self) -> bool:
        """Whether the difference is shown to be smaller than the margin, at the 5 % level after correction."""
        return self.p_equivalent_holm < SIGNIFICANT

    @property
    def not_worse(self) -> bool:
        """Whether ``name`` is shown to be not worse by the margin or more, at the 5 % level after correction."""
        return self.p_not_worse_holm < SIGNIFICANT

    @property
    def verdict(self) -> str:
        """``equivalent``, ``not worse``, or ``not shown``."""
        return "equivalent" if self.equivalent else "not worse" if self.not_worse else "not shown"

    def to_dict(self) -> dict[str, Any]:
        """For JSON; None for a value that is not defined."""
        values = {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in asdict(self).items()}
        return {**values, "equivalent": self.equivalent, "not_worse": self.not_worse}


def equivalence(scores: Mapping[str, Scores], margin: float, baseline: str | None = None) -> list[Equivalence]:
    """Test whether every other ranking is equivalent to ``baseline`` (the first where None), on every measure.

    ``margin`` is the smallest difference that matters, in the measure's own unit. What is compared, and Holm's correction over
    it, is as of `compare`. Raises `UsageError`.
    """
    if isinstance(margin, bool) or not isinstance(margin, int | float) or not 0 < margin < math.inf:
        raise UsageError(f"the margin of equivalence is {margin!r:.40}; it must be above 0, as in 0.01")
    found = []
    for base, name, measure, difference in paired_differences(scores, baseline):
        above, below = one_sided_t(difference, -margin), one_sided_t(-difference, -margin)
        low, high = mean_interval(difference, 0.9)
        mean = float(difference.mean()) if len(difference) else math.nan
        both = max(above, below)
        found.append(Equivalence(measure, base, name, float(margin), mean, low, high, both, above, both, above))
    equivalent = holm([one.p_equivalent for one in found])
    not_worse = holm([one.p_not_worse for one in found])
    return [replace(one, p_equivalent_holm=equivalent[at], p_not_worse_holm=not_worse[at]) for at, one in enumerate(found)]
