"""Does the order of the rankings hold with fewer labels? It is looked up in the labels that there are.

Of each query's relevant documents some are drawn, the others count as not judged, and the rankings are put in order again: the
tau of that order and the one with all labels rises with the labels (Rassin et al., "Evaluating D-MERIT of Partial-annotation on
Information Retrieval" (2024)). Where it is far below 1 with as many labels as there are on the average, so may be what the
missing ones would make of the order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .._errors import UsageError
from .agreement import kendall_tau
from .judgments import Qrels
from .measures import parse_measures
from .measures.base import JudgedRanking, Measure
from .runs import AnyRun, ranked_documents

__all__ = ["LabelStep", "order_with_fewer_labels"]

STEPS = (1, 2, 3, 5, 10, 20)
ROUNDS = 20


@dataclass(frozen=True, slots=True)
class LabelStep:
    """The order of the rankings with ``labels`` relevant documents a query."""

    labels: int
    used: float
    """Labels that a query really has, on the average: some have fewer."""
    tau: float
    """Of the order and the one with all labels; the mean of all draws."""
    low: float
    """19 of 20 draws are not below this, and as many not above ``high``."""
    high: float
    another_first: float
    """The share of draws in which another ranking is first than with all labels."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON; None for a value that is not defined."""
        return {name: None if isinstance(v, float) and math.isnan(v) else v for name, v in asdict(self).items()}


def order_with_fewer_labels(
    runs: Mapping[str, AnyRun],
    qrels: Qrels,
    measure: object,
    *,
    steps: Sequence[int] = STEPS,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> list[LabelStep]:
    """What becomes of the order of ``runs`` by ``measure`` with so many labels a query as ``steps`` says, and with all.

    Queries without a relevant document are left out. Empty where fewer than two rankings are given, or all are equally good.
    Raises `UsageError` for a measure that is not built in.
    """
    (found,) = parse_measures([measure])
    if not isinstance(found, Measure):
        raise UsageError(f"{found} is measured by ir-measures; the order with fewer labels needs a built-in measure")
    rel = int(found.arguments.get("rel", 1))
    queries = [query for query, grades in qrels.items() if any(grade >= rel for grade in grades.values())]
    cases = [_Case(qrels[query], [ranked_documents(run.get(query, ())) for run in runs.values()], rel) for query in queries]
    most = max((len(case.relevant) for case in cases), default=0)
    generator = np.random.default_rng(seed)
    full = _values(cases, found, most, generator)
    if len(runs) < 2 or not cases or not np.ptp(full):
        return []
    every = []
    for labels in [*(step for step in sorted(set(steps)) if 0 < step < most), most]:
        draws = 1 if labels == most else rounds
        drawn = [full if labels == most else _values(cases, found, labels, generator) for _ in range(draws)]
        taus = np.array([kendall_tau(values, full) for values in drawn])
        taus = taus[~np.isnan(taus)]
        low, high = np.quantile(taus, [0.05, 0.95]).tolist() if len(taus) else (math.nan, math.nan)
        every.append(
            LabelStep(
                labels=labels,
                used=float(np.mean([min(labels, len(case.relevant)) for case in cases])),
                tau=float(taus.mean()) if len(taus) else math.nan,
                low=low,
                high=high,
                another_first=float(np.mean([full[values.argmax()] < full.max() for values in drawn])),
            )
        )
    return every


class _Case:
    """One query: its judgments, and for each ranking the judgment that each document has."""

    def __init__(self, judgments: Mapping[str, int], rankings: Sequence[Sequence[str]], rel: int) -> None:
        number = {document: at for at, document in enumerate(judgments)}
        self.grades = np.array([*judgments.values(), np.nan], np.float64)
        self.relevant = np.flatnonzero(self.grades >= rel)
        self.rankings = []
        for ranking in rankings:
            places = np.array([number.get(document, -1) for document in ranking], np.int64)
            last = np.flatnonzero(places >= 0)
            self.rankings.append(places[: last[-1] + 1] if len(last) else places[:0])  # what follows has no judgment

    def with_labels(self, labels: int, generator: np.random.Generator) -> Any:
        """The grades when only ``labels`` of the relevant documents are labelled; NaN for the others, and last for "none"."""
        grades = self.grades.copy()
        if labels < len(self.relevant):
            grades[generator.permutation(self.relevant)[labels:]] = np.nan
        return grades


def _values(cases: Sequence[_Case], measure: Measure, labels: int, generator: np.random.Generator) -> Any:
    """The mean of ``measure`` of each ranking, shape (rankings,)."""
    total = np.zeros(len(cases[0].rankings) if cases else 0)
    for case in cases:
        grades = case.with_labels(labels, generator)
        judgments = grades[~np.isnan(grades)]
        total += [measure.of(JudgedRanking(grades[places], judgments)) for places in case.rankings]
    return total / max(1, len(cases))
