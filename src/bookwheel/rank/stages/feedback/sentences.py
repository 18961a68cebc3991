"""``sentences(docs=10, count=3, weight=0.3)``: expansion by sentences of the first passages.

Source: Lei, Cao, Zhou, Shen and Yates, "Corpus-Steered Query Expansion with Large Language Models"
(EACL 2024), where a model picks the sentences; here they are those with the largest share of the
query's idf.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ....documents.document import Document
from ....documents.sentences import cuts
from ....hits import Hits
from ...query import Query
from ...term_weights import idf, normalised, query_terms, weighted_sum
from ...vector_means import weighted_mean
from ..base import Feedback
from ..context import Context
from ..parameters import check_number, check_whole

__all__ = ["Sentences", "best_sentences", "sentences_of"]

LONGEST = 100
"""Sentences of more terms are lists and tables, and are left out."""


def sentences_of(text: str) -> list[str]:
    """The sentences of a text."""
    starts, _ = cuts(Document(id="", text=text))
    return [piece for a, b in zip(starts, [*starts[1:], len(text)], strict=True) if (piece := text[a:b].strip())]


def best_sentences(context: Context, texts: Sequence[str], wanted: Sequence[str], count: int) -> list[str]:
    """The ``count`` best sentences of ``texts`` for the terms ``wanted``; those without any of them
    are left out.

    A sentence's score is the idf of the wanted terms in it, divided by the square root of its
    length plus 4.
    """
    terms = list(dict.fromkeys(wanted))
    weights = dict(zip(terms, idf(context, terms).tolist(), strict=True))
    scored: list[tuple[float, int, str]] = []
    for sentence in dict.fromkeys(piece for text in texts for piece in sentences_of(text)):
        found = context.analyze(sentence)
        if 0 < len(found) <= LONGEST:
            score = sum(weights[term] for term in set(found) if term in weights) / (4 + len(found)) ** 0.5
            if score > 0:
                scored.append((-score, len(scored), sentence))
    return [sentence for _, _, sentence in sorted(scored)[:count]]


@dataclass(frozen=True, slots=True)
class Sentences(Feedback):
    """Adds to the query, with ``weight``, the ``count`` sentences of the first passages that cover
    most of it.

    They are added to its terms and to its dense vectors.
    """

    name = "sentences"
    summary = "adds the sentences of the best passages that cover most of the query"
    source = "Lei et al., Corpus-Steered Query Expansion with Large Language Models, EACL 2024 (without the model)"
    needs = ("texts",)
    cost = "about 0.3 ms per passage read, and encoding the sentences"

    docs: int = 10
    count: int = 3
    weight: float = 0.3

    def check_parameters(self) -> None:
        """Check all of them."""
        check_whole("docs", self.docs, 1, 1000)
        check_whole("count", self.count, 1, 100)
        check_number("weight", self.weight, 0, 1)

    def depth(self) -> int:
        """The number of passages read."""
        return self.docs

    def feed(self, context: Context, query: Query, hits: Hits) -> Query:
        """The query with the sentences' terms and vectors added."""
        own = query_terms(context, query)
        found = best_sentences(context, context.texts(hits.ids[: self.docs]), list(own), self.count)
        if not found:
            return query
        context.note(f"sentences added: {found[0]:.80}")
        added = Counter(term for sentence in found for term in context.analyze(sentence))
        terms = weighted_sum([(1 - self.weight, normalised(own, 1)), (self.weight, normalised(added, 1))])
        result = query.with_terms("bm25", terms)
        for name, kind in context.representations.items():
            if kind == "dense":
                mine = query.vectors.get(name)
                vectors = context.encode(name, [query.text, *found])
                mine = vectors[0] if mine is None else mine
                result = result.with_vector(name, weighted_mean(mine, vectors[1:], 1 - self.weight, self.weight))
        return result
