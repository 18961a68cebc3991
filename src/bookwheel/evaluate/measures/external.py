"""Every other measure, through ir-measures where it is installed (the extra ``evaluate``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import UsageError

__all__ = ["ExternalMeasure", "external_measure", "external_scores", "is_installed"]


@dataclass(frozen=True, slots=True)
class ExternalMeasure:
    """A measure that ir-measures computes."""

    measure: Any
    """The measure object of ir-measures."""

    @property
    def cutoff(self) -> int | None:
        """How many documents of a ranking count; None where all do."""
        cutoff = self.measure.params.get("cutoff")
        return cutoff if isinstance(cutoff, int) else None

    def __str__(self) -> str:
        return str(self.measure)


def is_installed() -> bool:
    """Whether ir-measures can be imported."""
    try:
        import ir_measures  # noqa: F401
    except ImportError:
        return False
    return True


def external_measure(text: str) -> ExternalMeasure | None:
    """The measure that ir-measures reads from ``text``; None where it knows none. Needs
    ir-measures.
    """
    import ir_measures

    try:
        found: Any = ir_measures.parse_measure(text)
        found.validate_params()
    except (NameError, ValueError, TypeError, KeyError, AssertionError, SyntaxError, RecursionError):
        return None
    return ExternalMeasure(found)


def external_scores(
    rankings: Sequence[Sequence[str]], judgments: Sequence[Mapping[str, int]], measures: Sequence[ExternalMeasure]
) -> tuple[NDArray[np.float64], list[float]]:
    """Each measure for each query, shape (measures, queries) with NaN where it is not defined, and
    over all queries.

    Over all queries a measure is its mean, except counts such as NumRet, which are summed. Raises
    `UsageError` where ir-measures cannot compute one, for lack of another tool say.
    """
    import ir_measures

    # The tools behind ir-measures sort by score and break ties by id, and some read ids as words or
    # numbers. Plain ids, and scores that only give the rank, make all of them see the ranking as it
    # is.
    plain: dict[str, str] = {}

    def name(document: str) -> str:
        return plain.setdefault(document, f"d{len(plain)}")

    qrels = {str(number): {name(d): grade for d, grade in grades.items()} for number, grades in enumerate(judgments)}
    run = {
        str(number): {name(document): float(len(ranking) - at) for at, document in enumerate(ranking)}
        for number, ranking in enumerate(rankings)
        if ranking
    }
    if not run:  # the tools differ on an empty run; one document without a judgment scores the same in all of them
        run = {"0": {"nothing": 1.0}}
    parsed = [measure.measure for measure in measures]
    try:
        result: Any = ir_measures.evaluator(parsed, qrels).calc(run)
    except Exception as error:  # whatever the tools raise: a program that is missing, an option that is not offered
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise UsageError(f"ir-measures could not compute {', '.join(map(str, measures))}: {reason}") from error
    rows = {str(measure): row for row, measure in enumerate(measures)}
    values = np.full((len(rows), len(judgments)), np.nan)
    for metric in result.per_query:
        values[rows[str(metric.measure)], int(metric.query_id)] = metric.value
    return values, [float(result.aggregated[measure]) for measure in parsed]
