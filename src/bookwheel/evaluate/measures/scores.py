"""Measures a run against judgments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..judgments import Qrels
from ..runs import AnyRun, ranked_documents
from .base import JudgedRanking, Measure
from .external import ExternalMeasure, external_scores
from .parse import DEFAULT_MEASURES, parse_measures

__all__ = ["Scores", "measure"]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What one run reaches."""

    measures: tuple[str, ...]
    queries: tuple[str, ...]
    values: NDArray[np.float64]
    """Shape (measures, queries). NaN where a measure is not defined for a query."""
    means: dict[str, float]
    """Each measure over all queries: the mean, except counts such as NumRet, which are summed."""

    def of(self, measure: str) -> dict[str, float]:
        """Query id to value."""
        return dict(zip(self.queries, self.values[self.measures.index(measure)].tolist(), strict=True))


def measure(run: AnyRun, qrels: Qrels, measures: Sequence[object] = DEFAULT_MEASURES) -> Scores:
    """Measure ``run`` over every query of ``qrels`` that has a judgment; a query that the run lacks
    counts as 0.

    A list of (document, score) pairs is a ranking in that order, whatever its scores; a document
    that comes twice counts at its better rank. A mapping from document to score has no order of its
    own, and is sorted as trec_eval does: by falling score, equal scores by falling document id.
    Raises `UsageError` for an unknown measure, or for one that ir-measures cannot compute with what
    is installed.
    """
    parsed = parse_measures(measures)
    queries = tuple(query for query, grades in qrels.items() if grades)
    rankings = [ranked_documents(run.get(query, ())) for query in queries]
    values = np.full((len(parsed), len(queries)), np.nan)
    own = [(row, found) for row, found in enumerate(parsed) if isinstance(found, Measure)]
    for column, (query, ranking) in enumerate(zip(queries, rankings, strict=True)):
        judged = JudgedRanking.of(ranking, qrels[query])
        for row, found in own:
            values[row, column] = found.of(judged)
    means = values.mean(axis=1).tolist() if queries else [float("nan")] * len(parsed)
    other = [(row, found) for row, found in enumerate(parsed) if isinstance(found, ExternalMeasure)]
    if other and queries:
        rows = [row for row, _ in other]
        values[rows], overall = external_scores(rankings, [qrels[query] for query in queries], [found for _, found in other])
        for row, mean in zip(rows, overall, strict=True):
            means[row] = mean
    names = tuple(map(str, parsed))
    return Scores(names, queries, values, dict(zip(names, means, strict=True)))
