"""``guard(rm3(), above=0.1, measure="spread")``."""

from __future__ import annotations

from dataclasses import dataclass

from ....hits import Hits
from ...feedback.predictors import clarity, spread
from ...query import Query
from ..base import Context, Feedback, bounded, chosen

__all__ = ["Guard"]

HITS = 100
READ = 10


@dataclass(frozen=True, slots=True)
class Guard(Feedback):
    """Applies a feedback stage only to queries whose first ranking looks sure: a predictor ``above`` a bound.

    On four judged collections neither predictor told which queries gain (correlation with the gain -0.13 to 0.09,
    ``bench/predictors.py``): it makes feedback rarer, not better.
    """

    name = "guard"
    summary = "applies feedback only where the first ranking looks sure"
    source = "Cronen-Townsend, Zhou and Croft 2002 (clarity); Shtok et al. 2012 (spread of scores)"
    cost = "about 0.01 ms for spread, 1 ms for clarity"

    stage: Feedback
    above: float = 0.1
    measure: str = "spread"

    def __post_init__(self) -> None:
        bounded("above", self.above, -1000, 1000)
        chosen("measure", self.measure, ("spread", "clarity"))

    def depth(self) -> int:
        """The stage's own, and what the predictor looks at."""
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
        # Passages have about two different terms for every three that they have.
        pairs = context.passages * context.average_length * 2 / 3
        return clarity(documents, hits.scores[:READ].tolist(), frequencies, pairs)
