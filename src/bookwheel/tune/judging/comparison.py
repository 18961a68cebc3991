"""Judges beside each other: agreement on grades, the order of recipes under each, and what a judge is inclined to.

What to look at is that of Rahmani et al., "Judging the Judges: A Collection of LLM-Generated Relevance Judgements" (2025), which
compares 42 sets of judgments made by language models: agreement on labels, agreement on the order of systems, and bias.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...evaluate.agreement import Agreement, agreement
from ...evaluate.judgments import Qrels
from .journal import Pooled
from .order import MEASURE, Order, parse_measure, pool_of
from .session import same_order

__all__ = ["Bias", "Compared", "bias_of", "compare_judges"]

Length = Callable[[str], int]
"""The length of a document, in words; negative where it is not known."""


@dataclass(frozen=True, slots=True)
class Bias:
    """What a judge is inclined to, beside a reference where there is one. NaN where there is nothing to say."""

    relevant: float
    """The share of pairs it calls relevant."""
    reference: float
    """The share that the reference calls relevant."""
    length: float
    """Correlation (Spearman) of its grade with the document's length, less that of the reference's grade."""
    first: float
    """By how much the first recipe gains on the mean of the others, in `MEASURE`, over what it has under the reference."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: _number(getattr(self, name)) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Compared:
    """Two judges."""

    first: str
    second: str
    agreement: Agreement
    tau: float
    """Of the order of the recipes; NaN where fewer than two were pooled."""
    recipes: int
    bias: Bias
    """Of the second, with the first as reference."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        told = {"first": self.first, "second": self.second, **self.agreement.to_dict()}
        return {**told, "tau": _number(self.tau), "recipes": self.recipes, "bias": self.bias.to_dict()}


def compare_judges(
    judges: Mapping[str, tuple[Qrels, Pooled | None]], pooled: Pooled | None = None, length: Length | None = None
) -> list[Compared]:
    """Every two of ``judges`` (name to grades and what was pooled); the recipes are those of ``pooled``, or of the first that has any.

    Raises `UsageError` where two have nothing in common.
    """
    pooled = pooled or next((one for _, one in judges.values() if one is not None), None)
    names = list(judges)
    found = []
    for at, first in enumerate(names):
        for second in names[at + 1 :]:
            one, other = judges[first][0], judges[second][0]
            found.append(
                Compared(
                    first,
                    second,
                    agreement(one, other),
                    math.nan if pooled is None else same_order(pooled, *_common(one, other)),
                    0 if pooled is None else len(pooled.runs),
                    bias_of(other, one, pooled, length),
                )
            )
    return found


def bias_of(judged: Qrels, reference: Qrels, pooled: Pooled | None = None, length: Length | None = None) -> Bias:
    """What ``judged`` is inclined to beside ``reference``, on the pairs that both have."""
    mine, theirs = _common(judged, reference)
    pairs = [(query, document) for query, row in mine.items() for document in row]
    if not pairs:
        return Bias(math.nan, math.nan, math.nan, math.nan)
    grades = np.array([mine[query][document] for query, document in pairs], np.float64)
    other = np.array([theirs[query][document] for query, document in pairs], np.float64)
    longer = math.nan
    if length is not None:
        lengths = np.array([length(document) for _, document in pairs], np.float64)
        known = lengths >= 0
        longer = _spearman(grades[known], lengths[known]) - _spearman(other[known], lengths[known])
    first = math.nan
    if pooled is not None and len(pooled.runs) > 1:
        pool = pool_of(pooled)
        measure = parse_measure(MEASURE if pooled.depth >= 10 else f"DCG@{pooled.depth}")
        ahead = []
        for one in (mine, theirs):
            values = Order(pool, measure, pool.grades(one)).lower
            level = float(values.mean())
            ahead.append((float(values[0]) - float(values[1:].mean())) / level if level else math.nan)
        first = ahead[0] - ahead[1]
    return Bias(float((grades > 0).mean()), float((other > 0).mean()), longer, first)


def _common(one: Qrels, other: Qrels) -> tuple[Qrels, Qrels]:
    """Both, of the pairs that both have: what only one has judged must not look like a difference."""
    shared = {query: [document for document in row if document in other[query]] for query, row in one.items() if query in other}
    return (
        {query: {document: one[query][document] for document in row} for query, row in shared.items() if row},
        {query: {document: other[query][document] for document in row} for query, row in shared.items() if row},
    )


def _spearman(a: Sequence[float] | Any, b: Sequence[float] | Any) -> float:
    """Correlation of ranks, equal values sharing theirs; NaN where one does not vary."""
    if len(a) < 2:
        return math.nan
    x, y = _ranks(a), _ranks(b)
    x, y = x - x.mean(), y - y.mean()
    below = math.sqrt(float(x @ x) * float(y @ y))
    return float(x @ y) / below if below else math.nan


def _ranks(values: Any) -> Any:
    _, places, counts = np.unique(np.asarray(values, np.float64), return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[places]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
