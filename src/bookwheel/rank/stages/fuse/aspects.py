"""``aspects(hybrid, weight=0.5)``: searches the clauses of a question beside the whole, found by
rules, without a model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ....hits import Hits
from ...query import Query
from ...recipe import Recipe
from ..base import ExplainedHits, Run, Search
from ..context import Context
from ..parameters import check_number

__all__ = ["Aspects", "clauses"]

DEPTH = 100
"""Hits of each ranking that are fused."""
MOST = 8
"""Clauses that are searched."""
_ENDS = re.compile(
    r"[.?!;:\n]+(?=\s|$)|\s[-–—]\s|,\s(?:(?:and|or|but)\s)?|\s(?:and|or|but|versus|vs\.?|as well as|und|oder|et|ou|y|o)\s",
    re.IGNORECASE,
)


def clauses(text: str, least: int = 2) -> list[str]:
    """Up to eight clauses of ``text`` with ``least`` words or more; none if it has only one.

    A clause ends at a full stop, a comma, a dash or a joining word. A part with fewer words belongs
    to the one after it.
    """
    found: list[str] = []
    carried = ""
    for part in _ENDS.split(text):
        whole = f"{carried} {part}".strip()
        if len(whole.split()) < least:
            carried = whole
            continue
        found.append(whole)
        carried = ""
    if carried and found:
        found[-1] += f" {carried}"
    return found[:MOST] if len(found) > 1 else []


@dataclass(frozen=True, slots=True)
class Aspects(Search):
    """Searches the clauses of a question as well as the whole, and adds the normalised scores.

    All clauses together get ``weight`` of the score, the whole question the rest.
    """

    name = "aspects"
    summary = "searches each clause of a question as well as the whole, and fuses the rankings"
    source = "sub-query fusion (CombSUM: Fox and Shaw, TREC-2, 1994), clauses found by rules"
    cost = "one search per clause; nothing for a query of one clause"
    floor = 0.0

    recipe: Recipe
    weight: float = 0.5

    def check_parameters(self) -> None:
        """Check ``weight``."""
        check_number("weight", self.weight, 0, 1)

    def search(self, context: Context, query: Query, want: int, run: Run) -> Hits:
        """The best ``want`` passages."""
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
