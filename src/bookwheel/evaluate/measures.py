"""Effectiveness measures, through ir_measures (MacAvaney et al., "Streamlining Evaluation with ir-measures", ECIR 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import UsageError
from .judgments import Qrels
from .runs import Run

__all__ = ["DEFAULT_MEASURES", "Scores", "depth_of", "measure", "parse_measures"]

DEFAULT_MEASURES = ("nDCG@10", "R@100", "AP", "RR")
UNCUT_DEPTH = 1000
"""How deep to rank for a measure without a cutoff, as TREC does."""


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What one run reaches."""

    measures: tuple[str, ...]
    queries: tuple[str, ...]
    values: NDArray[np.float64]
    """Shape (measures, queries). NaN where a measure is not defined for a query."""
    means: dict[str, float]
    """Each measure over all queries: the mean, but for counts such as NumRet, which are summed."""

    def of(self, measure: str) -> dict[str, float]:
        """Query id to value."""
        return dict(zip(self.queries, self.values[self.measures.index(measure)].tolist(), strict=True))


def parse_measures(names: Sequence[str]) -> list[Any]:
    """Measure objects of ir_measures, doubles left out. Raises `UsageError` that lists all names it does not know."""
    import ir_measures

    parsed: dict[str, Any] = {}
    unknown: list[str] = []
    for name in names:
        try:
            found = ir_measures.parse_measure(name)
            parsed.setdefault(str(found), found)
        except (NameError, ValueError, TypeError, KeyError, AssertionError, SyntaxError, RecursionError):
            unknown.append(name)
    if unknown:
        many = ", ".join(repr(name) for name in unknown)
        raise UsageError(f"no measure is called {many}; write one as in nDCG@10, R@100, AP, RR, P@5, Success@1, P(rel=2)@10")
    if not parsed:
        raise UsageError(f"no measure is given; the usual ones are {' '.join(DEFAULT_MEASURES)}")
    return list(parsed.values())


def depth_of(names: Sequence[str]) -> int:
    """How many documents a query's ranking must have for these measures: the largest cutoff, 1000 where one has none."""
    return max(measure.params.get("cutoff") or UNCUT_DEPTH for measure in parse_measures(names))


def measure(run: Run, qrels: Qrels, measures: Sequence[str] = DEFAULT_MEASURES) -> Scores:
    """Measure ``run`` over every query of ``qrels`` that has a judgment; one that the run lacks counts as nothing found.

    Documents count in the order in which the run has them, whatever their scores; one that comes twice counts at its better
    rank. Raises `UsageError` for an unknown measure, or one that ir_measures cannot compute with what is installed.
    """
    import ir_measures

    parsed = parse_measures(measures)
    queries = tuple(query for query, grades in qrels.items() if grades)
    # Some of the tools behind ir_measures read ids as words or numbers, and all sort by score and break ties by id. Plain
    # ids, and scores that only say the rank, make them see the ranking as it is.
    documents: dict[str, str] = {}
    judged: dict[str, dict[str, int]] = {}
    ranked: dict[str, dict[str, float]] = {}
    for number, query in enumerate(queries, 1):
        judged[str(number)] = {_plain(documents, document): grade for document, grade in qrels[query].items()}
        found = dict.fromkeys(document for document, _ in run.get(query, ()))
        ranked[str(number)] = {_plain(documents, document): float(len(found) - at) for at, document in enumerate(found)}
    ranked = {query: ranking for query, ranking in ranked.items() if ranking}
    if not ranked:  # the tools differ on an empty run; a document that nobody judged is the same as none
        ranked = {"1": {"nothing": 1.0}}
    try:
        result: Any = ir_measures.evaluator(parsed, judged).calc(ranked)
    except Exception as error:  # whatever its providers raise: a program that is missing, an option that is not offered
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        names = ", ".join(map(str, parsed))
        raise UsageError(f"ir_measures could not compute {names}: {reason}") from error
    rows = {str(found): row for row, found in enumerate(parsed)}
    values = np.full((len(rows), len(queries)), np.nan)
    for metric in result.per_query:
        values[rows[str(metric.measure)], int(metric.query_id) - 1] = metric.value
    means = {str(found): float(result.aggregated[found]) for found in parsed}
    return Scores(tuple(rows), queries, values, means)


def _plain(known: dict[str, str], document: str) -> str:
    return known.setdefault(document, f"d{len(known)}")
