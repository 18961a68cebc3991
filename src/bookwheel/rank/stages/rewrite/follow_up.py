"""``follow_up(terms=10)``: completes a follow-up question with words of the earlier ones, without a
model.

Source: Lin, Yang, Nogueira, Tsai, Wang and Lin, "Multi-stage conversational passage retrieval: an
approach to fusing term importance estimation and neural query rewriting" (ACM TOIS 2021):
historical query expansion. Words of earlier questions that are rare enough to name the topic are
always added. Other content words are added only from the last few questions, and only to a question
that is unclear by itself: it has a pronoun, or hardly a rare word. The paper's thresholds are BM25
scores on one collection; here they are shares of the largest possible idf. They were not fitted: no
judged conversations were available. Of each word of the earlier questions it is decided whether it
is added, which Voskarides et al. train a classifier for, "Query Resolution for Conversational
Search with Limited Supervision" (2020); in part: rules take its place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....kernels.bm25 import idf
from ...query import Query
from ..base import Rewrite
from ..context import Context
from ..parameters import check_whole

__all__ = ["FollowUp", "completed"]

TOPIC = 0.6
"""A word names the topic if its idf is at least this share of the largest possible."""
RECENT = 3
"""An unclear question takes other content words from this many questions back."""
CLEAR = 1.0
"""A question is unclear if the idf of its words adds up to less than this many times the largest
possible.
"""
_PRONOUNS = frozenset("it its he him his she her they them their that this these those one ones there".split())  # noqa: SIM905
_ASKING = frozenset(
    """what how why when where which who whom whose do does did is are was were can could should would will may might tell me
    give explain describe compare show list find about many much some any more also please you i we my our have has had be been
    it its he him his she her they them their that this these those one ones there""".split()  # noqa: SIM905
)
"""English words that ask and say nothing about the topic. Other languages rely on the analyzer's
stop words.
"""


def completed(context: Context, query: Query, most: int) -> Query:
    """The query with up to ``most`` words of ``query.history`` that it lacks, those of the newest
    questions first.
    """
    if not query.history:
        return query
    largest = float(idf(0, context.passages))
    own = set(context.analyze(query.text))
    said = {word.lower() for word in context.split(query.text)}
    unclear = not said.isdisjoint(_PRONOUNS) or sum(_idf(context, sorted(own)).values()) < CLEAR * largest
    added: list[str] = []
    seen = set(own)
    for back, earlier in enumerate(reversed(query.history), 1):
        words = [
            (word, terms) for word in context.split(earlier) if word.lower() not in _ASKING and (terms := context.analyze(word))
        ]
        weights = _idf(context, sorted({term for _, terms in words for term in terms}))
        for word, terms in words:
            if seen.issuperset(terms):
                continue
            share = max(weights[term] for term in terms) / largest
            if share > 0 and (share >= TOPIC or (unclear and back <= RECENT)):
                added.append(word)
                seen.update(terms)
    added = added[:most]
    if not added:
        return query
    context.note("from earlier questions: " + " ".join(added))
    return query.with_text(f"{query.text} {' '.join(added)}")


def _idf(context: Context, terms: list[str]) -> dict[str, float]:
    # A word that is not in the collection says nothing about it.
    frequencies = context.document_frequencies(terms)
    values = np.where(frequencies > 0, idf(frequencies, context.passages), 0.0)
    return dict(zip(terms, values.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class FollowUp(Rewrite):
    """Adds to a follow-up question up to ``terms`` distinctive words of the earlier ones
    (`Query.history`).
    """

    name = "follow_up"
    summary = "adds distinctive words of earlier questions to a follow-up question"
    source = "Lin et al., Multi-stage conversational passage retrieval, 2021 (historical query expansion)"
    cost = "about 0.1 ms"

    terms: int = 10

    def check_parameters(self) -> None:
        """Check ``terms``."""
        check_whole("terms", self.terms, 1, 1000)

    def rewrite(self, context: Context, query: Query) -> Query:
        """The query with the words that it leaves unsaid."""
        return completed(context, query, self.terms)
