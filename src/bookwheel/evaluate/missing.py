"""What documents without a judgment do to a measure: they count as irrelevant, though nobody has looked.

Three answers. How many of the documents that a measure looks at are judged at all (`coverage`). What the measure says on
condensed lists, with the unjudged documents left out (Sakai, "Alternatives to Bpref", SIGIR 2007), and Bpref, which counts judged
pairs only (Buckley and Voorhees, "Retrieval evaluation with incomplete information", SIGIR 2004). And how low or high it could
be, whatever the unjudged documents turned out to be (`bounds`; the residual of Moffat and Zobel, "Rank-Biased Precision for
Measurement of Retrieval Effectiveness", ACM TOIS 27(1), 2008, for any measure).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .agreement import kendall_tau
from .judgments import Qrels
from .measures import parse_measures
from .measures.base import JUDGED_ONLY, JudgedRanking, Measure
from .measures.bpref import bpref
from .measures.judged import judged
from .runs import AnyRun, ranked_documents

__all__ = ["UNCUT_HEAD", "Coverage", "Missing", "bounds", "coverage", "missing_judgments"]

UNCUT_HEAD = 100
"""How many documents of a ranking a measure without a cutoff is taken to look at."""
_RISING = {"P", "R", "RR", "Success"}
"""One more relevant document never lowers these."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what a measure looks at is judged."""

    measure: str
    cutoff: int
    """The first so many documents of each ranking."""
    judged: dict[str, float]
    """By ranking, the share of them that is judged, a mean over queries."""
    values: dict[str, float]
    """By ranking, the measure: unjudged documents count as irrelevant."""
    condensed: dict[str, float]
    """By ranking, the measure on condensed lists; empty where it has none, or where the rankings are too short for them."""
    relevant: int
    """Judgments with a grade above 0."""
    irrelevant: int
    """Judgments with grade 0. Without many of them a condensed list says little: all that is left on it is relevant."""

    @property
    def tau(self) -> float:
        """Kendall's tau of the order by ``values`` and that by ``condensed``; NaN where it is not defined."""
        if len(self.condensed) < 2:
            return math.nan
        return kendall_tau([*self.values.values()], [self.condensed[name] for name in self.values])

    def sentence(self) -> str:
        """What is to be told next to a table of ``measure``."""
        first = f"of the first {self.cutoff} documents of each query" if self.cutoff > 1 else "of the first documents"
        low, high = min(self.judged, key=self.judged.__getitem__), max(self.judged, key=self.judged.__getitem__)
        least, most = f"{100 * self.judged[low]:.0f} %", f"{100 * self.judged[high]:.0f} %"
        if least == most == "100 %":
            return f"{first} all are judged" if self.judged[low] == 1 else f"{first} nearly all are judged"
        share = f"{most}" if least == most else f"{least} ({low}) to {most} ({high})"
        told = f"{first} {share} are judged, and the others count as irrelevant"
        if self.irrelevant < self.relevant:
            few = f"only {self.irrelevant:,} irrelevant documents" if self.irrelevant else "no irrelevant documents"
            return (
                f"{told}; to leave them out would say little, since the judgments name {few} beside {self.relevant:,} relevant"
            )
        tau = self.tau
        if not math.isfinite(tau):
            return told
        if tau >= 1:
            return f"{told}; with these left out, the order by {self.measure} is the same"
        names = sorted(self.condensed, key=lambda name: -self.condensed[name])
        return (
            f"{told}; with these left out, the order by {self.measure} would be another (tau {tau:.2f}), "
            f"with {names[0]} first ({self.condensed[names[0]]:.4f})"
        )


@dataclass(frozen=True, slots=True)
class Missing:
    """One measure of one ranking, and what missing judgments may do to it. None for what does not apply to the measure."""

    name: str
    measure: str
    cutoff: int
    judged: float
    """The share of the first ``cutoff`` documents that is judged, a mean over queries."""
    value: float
    condensed: float | None
    """The measure with unjudged documents left out."""
    lowest: float | None
    """See `bounds`."""
    highest: float | None
    bpref: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: None if isinstance(v, float) and math.isnan(v) else v for name, v in asdict(self).items()}


def coverage(runs: Mapping[str, AnyRun], qrels: Qrels, measure: object, depth: int | None = None) -> Coverage | None:
    """How far judgments cover the ``runs``, as ``measure`` sees them; None for a measure that is not built in.

    ``depth`` is how long the rankings were asked to be: condensed lists of rankings that are no longer than the measure's
    cutoff would be too short to say anything.
    """
    (found,) = parse_measures([measure])
    if not isinstance(found, Measure) or not qrels:
        return None
    head = found.cutoff or UNCUT_HEAD
    short = found.cutoff is not None and depth is not None and depth < min(10 * found.cutoff, UNCUT_HEAD)
    condensed = None if short else _condensed(found)
    shares, values, left = {}, {}, {}
    for name, run in runs.items():
        rankings = list(_rankings(run, qrels))
        shares[name] = _mean([judged(one, head) for one in rankings])
        values[name] = _mean([found.of(one) for one in rankings])
        if condensed is not None:
            left[name] = _mean([condensed.of(one) for one in rankings])
    grades = [grade for of_query in qrels.values() for grade in of_query.values()]
    counts = sum(grade > 0 for grade in grades), sum(grade == 0 for grade in grades)
    return Coverage(str(found), head, shares, values, left, *counts)


def missing_judgments(runs: Mapping[str, AnyRun], qrels: Qrels, measures: tuple[str, ...]) -> list[Missing]:
    """What missing judgments may do to each of ``measures`` of each of ``runs``; measures that are not built in are left out.

    The unjudged documents in question are those that a ranking itself has among the first documents that the measure looks at.
    """
    parsed = [one for one in parse_measures(measures) if isinstance(one, Measure)]
    grade = max((grade for grades in qrels.values() for grade in grades.values()), default=1)
    found = []
    for name, run in runs.items():
        rankings = list(_rankings(run, qrels))
        preferences = _mean([bpref(one) for one in rankings])
        for measure in parsed:
            head = measure.cutoff or UNCUT_HEAD
            condensed = _condensed(measure)
            low, high = None, None
            if condensed is not None or measure.kind.name == "Rprec":
                pairs = [bounds(measure, one, max(grade, 1)) for one in rankings]
                low, high = _mean([pair[0] for pair in pairs]), _mean([pair[1] for pair in pairs])
            found.append(
                Missing(
                    name=name,
                    measure=str(measure),
                    cutoff=head,
                    judged=_mean([judged(one, head) for one in rankings]),
                    value=_mean([measure.of(one) for one in rankings]),
                    condensed=None if condensed is None else _mean([condensed.of(one) for one in rankings]),
                    lowest=low,
                    highest=high,
                    bpref=preferences,
                )
            )
    return found


def bounds(measure: Measure, ranking: JudgedRanking, grade: int) -> tuple[float, float]:
    """The lowest and highest value of ``measure`` that labels for the ranking's unjudged documents can give.

    Each of those among the first ``cutoff`` documents (`UNCUT_HEAD` without a cutoff) may be irrelevant or of ``grade``; the
    bounds are exact, since of so and so many relevant ones the highest (lowest) value has them at the first (last) ranks. A
    relevant document that comes late can lower a measure, since the ideal ranking would have it early.
    """
    places = np.flatnonzero(np.isnan(ranking.grades[: measure.cutoff or UNCUT_HEAD]))
    counts = [0, len(places)] if measure.kind.name in _RISING else range(len(places) + 1)
    low, high = math.inf, -math.inf
    for count in counts:
        high = max(high, measure.of(_labelled(ranking, places, places[:count], grade)))
        low = min(low, measure.of(_labelled(ranking, places, places[len(places) - count :], grade)))
    return low, high


def _labelled(ranking: JudgedRanking, places: Any, relevant: Any, grade: int) -> JudgedRanking:
    grades = ranking.grades.copy()
    grades[places] = 0.0
    grades[relevant] = grade
    judgments = np.concatenate([ranking.judgments, np.full(len(relevant), float(grade))])
    return JudgedRanking(grades, judgments)


def _condensed(measure: Measure) -> Measure | None:
    """The same measure of condensed lists; None where it has no such parameter."""
    if JUDGED_ONLY not in measure.kind.parameters:
        return None
    return Measure(measure.kind, {**measure.arguments, JUDGED_ONLY.name: True})


def _rankings(run: AnyRun, qrels: Qrels) -> Iterator[JudgedRanking]:
    for query, grades in qrels.items():
        if grades:
            yield JudgedRanking.of(ranked_documents(run.get(query, ())), grades)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan
