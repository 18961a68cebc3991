"""``aspects(hybrid, weight=0.5)``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....hits import Hits
from ...queries.clauses import clauses
from ...query import Query
from ...recipe import Recipe
from ..base import Context, ExplainedHits, Run, Search, bounded

__all__ = ["Aspects"]

DEPTH = 100


@dataclass(frozen=True, slots=True)
class Aspects(Search):
    """Searches the clauses of a question beside the whole, and adds their normalised scores, which together get ``weight``."""

    name = "aspects"
    summary = "searches the parts of a question with several aspects, and fuses"
    source = "sub-query fusion (CombSUM: Fox and Shaw, TREC-2, 1994), clauses found by rules"
    cost = "one search a clause; nothing for a query of one clause"
    floor = 0.0

    recipe: Recipe
    weight: float = 0.5

    def __post_init__(self) -> None:
        bounded("weight", self.weight, 0, 1)

    def search(self, context: Context, query: Query, want: int, run: Run) -> Hits:
        """The best ``want``."""
        parts = clauses(query.text)
        whole = run(self.recipe, query, max(DEPTH, want) if parts else want)
        if not parts:
            return whole
        context.note("aspects: " + " | ".join(parts))
        lists = [whole, *(run(self.recipe, query.with_text(part), max(DEPTH, want)) for part in parts)]
        weights = [1 - self.weight, *[self.weight / len(parts)] * len(parts)]
        ids = np.unique(np.concatenate([hits.ids for hits in lists]))
        shares = np.zeros((len(lists), len(ids)))
        for row, hits, weight in zip(shares, lists, weights, strict=True):
            if len(hits):
                low, high = min(0.0, float(hits.scores[-1])), float(hits.scores[0])
                row[np.searchsorted(ids, hits.ids)] = weight * ((hits.scores - low) / (high - low) if high > low else 1.0)
        total = shares.sum(axis=0).astype(np.float32)
        order = np.lexsort((ids, -total))
        named = {"whole": shares[0][order].astype(np.float32), "aspects": shares[1:].sum(axis=0)[order].astype(np.float32)}
        return ExplainedHits(ids[order], total[order], named, named).top(want)
