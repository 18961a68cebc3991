"""``sentences(docs=10, count=3, weight=0.3)``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ....hits import Hits
from ...feedback.sentences import best_sentences
from ...feedback.terms import combined, query_terms, scaled
from ...feedback.vectors import weighted_mean
from ...query import Query
from ..base import Context, Feedback, bounded, whole

__all__ = ["Sentences"]


@dataclass(frozen=True, slots=True)
class Sentences(Feedback):
    """Adds to the query the sentences of the first passages that answer most of it, with ``weight``; to its vectors as well."""

    name = "sentences"
    summary = "adds the sentences of the best passages that hold most of the query"
    source = "Lei et al., Corpus-Steered Query Expansion with Large Language Models, EACL 2024 (without the model)"
    needs = ("texts",)
    cost = "about 0.3 ms a passage read, and encoding the sentences"

    docs: int = 10
    count: int = 3
    weight: float = 0.3

    def __post_init__(self) -> None:
        whole("docs", self.docs, 1, 1000)
        whole("count", self.count, 1, 100)
        bounded("weight", self.weight, 0, 1)

    def depth(self) -> int:
        """The passages read."""
        return self.docs

    def feed(self, context: Context, query: Query, hits: Hits) -> Query:
        """The query with weighted terms and turned vectors."""
        own = query_terms(context, query)
        found = best_sentences(context, context.texts(hits.ids[: self.docs]), list(own), self.count)
        if not found:
            return query
        context.note(f"sentences added: {found[0]:.80}")
        added = Counter(term for sentence in found for term in context.analyze(sentence))
        terms = combined([(1 - self.weight, scaled(own, 1)), (self.weight, scaled(added, 1))])
        result = query.with_terms("bm25", terms)
        for name, kind in context.representations.items():
            if kind == "dense":
                mine = query.vectors.get(name)
                vectors = context.encode(name, [query.text, *found])
                mine = vectors[0] if mine is None else mine
                result = result.with_vector(name, weighted_mean(mine, vectors[1:], 1 - self.weight, self.weight))
        return result
