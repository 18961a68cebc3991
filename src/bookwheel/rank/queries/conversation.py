"""Follow-up questions resolved by terms of the earlier ones, without a model.

Source: Lin, Yang, Nogueira, Tsai, Wang and Lin, "Multi-stage conversational passage retrieval: an approach to fusing term
importance estimation and neural query rewriting" (ACM TOIS 2021): historical query expansion. Words of earlier questions that
are rare enough to tell the topic are always carried on; all other content words of the last few questions only where the
question by itself is unclear: it has a pronoun, or hardly a telling word. The thresholds there are BM25 scores on one
collection; here they are shares of the largest idf possible. They were not fitted to anything: no judged conversations could
be had.
"""

from __future__ import annotations

import numpy as np

from ...kernels.bm25 import idf
from ..query import Query
from ..stages.base import Context

__all__ = ["resolved"]

TOPIC = 0.6
"""Share of the largest idf from which on a word tells the topic."""
RECENT = 3
"""Questions back that an unclear question takes all its words from."""
CLEAR = 1.0
"""A question whose words' idf add up to less than this many times the largest idf is unclear."""
_PRONOUNS = frozenset("it its he him his she her they them their that this these those one ones there".split())  # noqa: SIM905
_ASKING = frozenset(
    """what how why when where which who whom whose do does did is are was were can could should would will may might tell me
    give explain describe compare show list find about many much some any more also please you i we my our have has had be been
    it its he him his she her they them their that this these those one ones there""".split()  # noqa: SIM905
)
"""English words that ask, and say nothing of the topic. In other languages the analyzer's stop words have to do."""


def resolved(context: Context, query: Query, most: int) -> Query:
    """The query with up to ``most`` words of ``query.history`` that it lacks, the newest questions' first."""
    if not query.history:
        return query
    largest = float(idf(0, context.passages))
    own = set(context.analyze(query.text))
    weights = _idf(context, sorted(own))
    said = {word.lower() for word in context.split(query.text)}
    unclear = not said.isdisjoint(_PRONOUNS) or sum(weights.values()) < CLEAR * largest
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
    frequencies = context.document_frequencies(terms)
    # A word that the collection does not have tells nothing about it.
    values = np.where(frequencies > 0, idf(frequencies, context.passages), 0.0)
    return dict(zip(terms, values.tolist(), strict=True))
