"""Is one ranking better than another, and on which queries."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import UsageError
from .measures import Scores
from .significance import holm, paired_randomisation, paired_t

__all__ = ["SIGNIFICANT", "Change", "Comparison", "changed", "compare", "paired_differences"]

SIGNIFICANT = 0.05
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measure of one ranking, ``name``, against the ``baseline``, over the same queries."""

    measure: str
    baseline: str
    name: str
    before: float
    """The baseline's mean."""
    after: float
    difference: float
    """``after - before``."""
    wins: int
    """Queries on which ``name`` is better."""
    ties: int
    losses: int
    t: float
    p_t: float
    """Two-sided, of the paired t-test."""
    p_randomisation: float
    """Two-sided, of the paired randomisation test."""
    p_t_holm: float
    """``p_t`` after Holm's correction for all comparisons made together."""
    p_randomisation_holm: float

    @property
    def significant(self) -> bool:
        """Whether the corrected t-test finds a difference at the 5 % level."""
        return self.p_t_holm < SIGNIFICANT

    def to_dict(self) -> dict[str, Any]:
        """For JSON; None for a value that is not defined, or an infinite t."""
        values = {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in asdict(self).items()}
        return {**values, "significant": self.significant}


@dataclass(frozen=True, slots=True)
class Change:
    """A query on which two rankings differ."""

    query: str
    text: str
    before: float
    after: float

    @property
    def difference(self) -> float:
        """``after - before``."""
        return self.after - self.before


def compare(scores: Mapping[str, Scores], baseline: str | None = None, seed: int = 0) -> list[Comparison]:
    """Compare every other ranking with ``baseline`` (the first where None) on every measure.

    All ``scores`` must be of the same queries and measures. ``seed`` is that of the randomisation
    test. Holm's correction is over all comparisons made here. A query for which a measure is not
    defined is left out of that comparison. Raises `UsageError`.
    """
    comparisons: list[Comparison] = []
    for base, name in _pairs(scores, baseline):
        comparisons += _against(scores[base], scores[name], base, name, seed)
    t = holm([comparison.p_t for comparison in comparisons])
    randomisation = holm([comparison.p_randomisation for comparison in comparisons])
    return [
        replace(comparison, p_t_holm=t[at], p_randomisation_holm=randomisation[at]) for at, comparison in enumerate(comparisons)
    ]


def paired_differences(
    scores: Mapping[str, Scores], baseline: str | None = None
) -> Iterator[tuple[str, str, str, NDArray[np.float64]]]:
    """What `compare` compares: baseline, name, measure, and the differences of the queries for which it is defined.

    Raises `UsageError` as `compare`.
    """
    for base, name in _pairs(scores, baseline):
        differences = scores[name].values - scores[base].values
        for row, measure in enumerate(scores[base].measures):
            yield base, name, measure, differences[row][~np.isnan(differences[row])]


def _pairs(scores: Mapping[str, Scores], baseline: str | None) -> list[tuple[str, str]]:
    """The baseline with each of the others, which must be of the same queries and measures."""
    if not scores:
        return []
    baseline = next(iter(scores)) if baseline is None else baseline
    if baseline not in scores:
        raise UsageError(f"there is no {baseline!r} to compare with; there is {', '.join(map(repr, scores))}")
    base = scores[baseline]
    others = [name for name in scores if name != baseline]
    for name in others:
        if scores[name].queries != base.queries or scores[name].measures != base.measures:
            raise UsageError(f"{name!r} and {baseline!r} were measured on different queries or by different measures")
    return [(baseline, name) for name in others]


def _against(base: Scores, other: Scores, baseline: str, name: str, seed: int) -> list[Comparison]:
    differences = other.values - base.values
    p_randomisation = paired_randomisation(np.nan_to_num(differences), seed)
    found = []
    for row, measure in enumerate(base.measures):
        difference = differences[row][~np.isnan(differences[row])]
        wins, losses = int((difference > _SAME).sum()), int((difference < -_SAME).sum())
        t, p = paired_t(difference)
        found.append(
            Comparison(
                measure=measure,
                baseline=baseline,
                name=name,
                before=base.means[measure],
                after=other.means[measure],
                difference=other.means[measure] - base.means[measure],
                wins=wins,
                ties=len(difference) - wins - losses,
                losses=losses,
                t=t,
                p_t=p,
                p_randomisation=float(p_randomisation[row]),
                p_t_holm=p,
                p_randomisation_holm=float(p_randomisation[row]),
            )
        )
    return found


def changed(before: Scores, after: Scores, measure: str, texts: Mapping[str, str], n: int = 5) -> Sequence[Change]:
    """The ``n`` queries on which ``measure`` changed most either way, largest change first; equal
    ones by query id.
    """
    old, new = before.of(measure), after.of(measure)
    changes = [Change(query, texts.get(query, ""), old[query], new[query]) for query in old if query in new]
    moved = [change for change in changes if abs(change.difference) > _SAME]
    return sorted(moved, key=lambda change: (-abs(change.difference), change.query))[:n]
