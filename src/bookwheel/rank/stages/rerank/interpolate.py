"""``interpolate(dense, weight=0.5, stop=True)``: re-scores candidates by another retriever, without
searching with it.

Sources: Leonhardt et al., "Efficient Neural Ranking using Forward Indexes" (2022), and Leonhardt,
Müller, Rudra, Khosla, Anand and Anand, "Efficient Neural Ranking using Forward Indexes and
Lightweight Encoders" (ACM TOIS 2023). Its early stopping bounds the second scores to
come by the best one seen so far. Here both scores are normalised first (``tmm``: the lowest
possible score is 0, the best candidate's 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...._errors import RecipeError
from ....hits import Hits
from ...query import Query
from ...recipe import Recipe, Retrieve
from ...retriever import Retriever
from ..base import ExplainedHits, Rerank
from ..context import Context, LateScorer
from ..parameters import check_number

__all__ = ["Interpolate", "Interpolated", "interpolated"]

BATCH = 128
"""Candidates scored at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Interpolated:
    """Candidates in their new order; float32 arrays (n,) aligned with ``ids``."""

    ids: NDArray[np.int64]
    scores: NDArray[np.float32]
    first: NDArray[np.float32]
    """What the first score contributes."""
    second: NDArray[np.float32]
    """What the second score contributes."""
    raw_first: NDArray[np.float32]
    raw_second: NDArray[np.float32]


def interpolated(hits: Hits, retriever: Retriever | LateScorer, weight: float, want: int | None = None) -> Interpolated:
    """(1 - weight) times the normalised score of ``hits`` plus ``weight`` times that of
    ``retriever``.

    With ``want``, candidates are scored best first, and scoring stops where no later one can be
    among the best ``want``, unless its second score is higher than all before; only those scored
    are returned. With None, all are.
    """
    n = len(hits)
    low, high = min(0.0, float(hits.scores[-1])), float(hits.scores[0])
    span = high - low
    first = (1 - weight) * ((hits.scores.astype(np.float64) - low) / span if span > 0 else np.ones(n))
    raw = np.empty(n, np.float32)
    top = -np.inf
    done = 0
    while done < n:
        end = n if want is None else min(n, max(done + BATCH, want))
        raw[done:end] = retriever.score(hits.ids[done:end])
        top = max(top, float(raw[done:end].max()))
        done = end
        if want is not None and done >= want and done < n:
            scores = first[:done] + weight * _normalised(raw[:done], retriever.floor, top)
            worst = float(np.partition(scores, done - want)[done - want])
            if float(first[done]) + weight <= worst:
                break
    second = weight * _normalised(raw[:done], retriever.floor, top)
    # Equal scores are ordered by ascending passage id, as in all hits.
    order = np.lexsort((hits.ids[:done], -(first[:done] + second).astype(np.float32)))
    return Interpolated(
        hits.ids[order],
        (first[order] + second[order]).astype(np.float32),
        first[order].astype(np.float32),
        second[order].astype(np.float32),
        hits.scores[order],
        raw[order],
    )


def _normalised(raw: NDArray[np.float32], floor: float, top: float) -> NDArray[np.float64]:
    span = top - floor
    return (raw.astype(np.float64) - floor) / span if span > 0 else np.ones(len(raw))


@dataclass(frozen=True, slots=True)
class Interpolate(Rerank):
    """Re-scores candidates by the retriever ``by``, such as stored vectors, which gets ``weight``
    of the score.

    ``stop``: stop where no later candidate can be among the best.
    """

    name = "interpolate"
    summary = "re-scores candidates by another retriever, without searching with it"
    source = "Leonhardt et al., Efficient Neural Ranking using Forward Indexes and Lightweight Encoders, 2023 (Fast-Forward)"
    needs = ("the other retriever's index",)
    cost = "about 0.2 ms for 1000 candidates in memory"
    floor = 0.0
    scores_only = True

    by: Recipe
    weight: float = 0.5
    stop: bool = True

    def check_parameters(self) -> None:
        """Check the weight, and that ``by`` is one retriever."""
        check_number("weight", self.weight, 0, 1)
        if not isinstance(self.by, Retrieve):
            raise RecipeError(f"interpolate scores by one retriever, as in interpolate(dense), not by {self.by}")

    def rerank(self, context: Context, query: Query, hits: Hits, want: int) -> Hits:
        """The hits in the order of the sum of both normalised scores."""
        assert isinstance(self.by, Retrieve)
        if not len(hits):
            return hits
        name = self.by.name
        tokens = context.representations.get(name) == "tokens"
        retriever = context.token_scorer(name, query) if tokens else context.retriever(name, query)
        found = interpolated(hits, retriever, self.weight, want if self.stop else None)
        return ExplainedHits(
            found.ids,
            found.scores,
            {"first": found.first, self.by.name: found.second},
            {"first": found.raw_first, self.by.name: found.raw_second},
        )
