"""``guard(rm3(), above=0.1, measure="spread")``: feedback only for queries whose first ranking
looks reliable.

Sources: Cronen-Townsend, Zhou and Croft, "Predicting query performance" (SIGIR 2002): clarity;
Shtok, Kurland, Carmel, Raiber and Markovits, "Predicting query performance by query-drift
estimation" (ACM TOIS 2012): NQC.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....hits import Hits
from ...query import Query
from ..base import Feedback
from ..context import Context
from ..parameters import check_choice, check_number

__all__ = ["Guard", "clarity", "spread"]

HITS = 100
"""Hits whose scores `spread` looks at."""
READ = 10
"""Passages that `clarity` reads."""
TERMS = 100
"""Terms that `clarity` compares."""


def clarity(
    documents: Sequence[Mapping[str, int]], scores: Sequence[float], frequencies: Mapping[str, int], pairs: float
) -> float:
    """How far the language of the best passages is from the collection's, in bits, over their
    ``TERMS`` likeliest terms.

    ``documents``: term frequencies of the best passages; ``frequencies``: document frequencies of
    their terms. The collection's model is made from document frequencies, which every index has: a
    term's share of all ``pairs`` of a passage and a term.
    """
    model: dict[str, float] = {}
    total_score = sum(max(score, 0.0) for score in scores)
    for document, score in zip(documents, scores, strict=True):
        length = sum(document.values())
        for term, count in document.items():
            model[term] = model.get(term, 0.0) + count / length * max(score, 0.0) / (total_score or 1.0)
    best = sorted(model.items(), key=lambda item: (-item[1], item[0]))[:TERMS]
    mass = sum(value for _, value in best)
    if not best or mass <= 0:
        return 0.0
    bits = 0.0
    for term, value in best:
        share = value / mass
        if share > 0:
            bits += share * math.log2(share * pairs / max(frequencies.get(term, 0), 1))
    return bits


def spread(scores: NDArray[np.float32], whole: float) -> float:
    """The standard deviation of the scores divided by ``whole``, the score of the best: large where
    the best stand out.

    This is NQC, except that NQC divides by the collection's score, which an index of impacts does
    not have.
    """
    if len(scores) < 2 or whole <= 0:
        return 0.0
    return float(np.std(scores.astype(np.float64)) / whole)


@dataclass(frozen=True, slots=True)
class Guard(Feedback):
    """Applies a feedback stage only where a predictor of query performance (``measure``) is
    ``above`` a threshold.

    On four judged collections neither predictor told which queries gain (correlation with the gain
    -0.13 to 0.09, ``bench/predictors.py``): it makes feedback rarer, not better.
    """

    name = "guard"
    summary = "applies feedback only where the first ranking looks reliable"
    source = "Cronen-Townsend, Zhou and Croft 2002 (clarity); Shtok et al. 2012 (spread of scores)"
    cost = "about 0.01 ms for spread, 1 ms for clarity"

    stage: Feedback
    above: float = 0.1
    measure: str = "spread"

    def check_parameters(self) -> None:
        """Check the threshold and the measure."""
        check_number("above", self.above, -1000, 1000)
        check_choice("measure", self.measure, ("spread", "clarity"))

    def depth(self) -> int:
        """The hits that the stage and the predictor read."""
        return max(self.stage.depth(), HITS if self.measure == "spread" else READ)

    def feed(self, context: Context, query: Query, hits: Hits) -> Query:
        """The query that the stage makes, or the query as it was."""
        value = self.predict(context, hits)
        if value <= self.above:
            context.note(f"guard: {self.measure} {value:.3f} is not above {self.above:g}, no {self.stage.name}")
            return query
        context.note(f"guard: {self.measure} {value:.3f} is above {self.above:g}")
        return self.stage.feed(context, query, hits.top(self.stage.depth()))

    def predict(self, context: Context, hits: Hits) -> float:
        """The predictor's value for these hits."""
        if self.measure == "spread":
            return spread(hits.scores[:HITS], float(hits.scores[0]))
        documents = context.terms(hits.ids[:READ])
        names = list({term for document in documents for term in document})
        frequencies = dict(zip(names, context.document_frequencies(names).tolist(), strict=True))
        # A passage has about two different terms for every three terms in it.
        pairs = context.passages * context.average_length * 2 / 3
        return clarity(documents, hits.scores[:READ].tolist(), frequencies, pairs)
