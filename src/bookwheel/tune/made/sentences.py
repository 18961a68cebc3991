"""A sentence taken out of its document, as a query that what stood around it answers."""

from __future__ import annotations

from collections.abc import Iterator

from ...analysis.scripts import UNSPACED
from ...library.results import StoredDocument
from ...read.sentences import is_heading, spans
from .drawn import Drawn
from .query import Draft, Taken
from .wording import one_line

__all__ = ["Sentences", "sentences_of"]

ROUNDS = 2
"""Sentences of one document."""
LEAST, MOST = 5, 40
"""Words of a sentence."""
KEPT = 6
"""Words of the sentence that the query has, the rarest ones: as many as people type."""
FEWEST = 3
"""Sentences of a document, at least."""


class Sentences:
    """The whole sentence is taken out, and wherever else the document repeats it; the query is its rarest words."""

    name = "sentences"
    summary = "the rarest words of a sentence; its document, without the sentence"
    source = (
        "Lee, Chang and Toutanova, Latent Retrieval for Weakly Supervised Open Domain Question Answering (ACL 2019), with the "
        "words drawn as by Azzopardi, de Rijke and Balog, Building Simulated Queries for Known-Item Topics (SIGIR 2007)"
    )
    needs = ""

    def drafts(self, drawn: Drawn) -> Iterator[Draft]:
        """See `Way.drafts`."""
        for turn in range(ROUNDS):
            for document in drawn.documents():
                sentences = sentences_of(document, drawn)
                if turn < len(sentences):
                    start, end = sentences[turn]
                    sentence = document.text[start:end]
                    query = condensed(sentence, drawn)
                    taken = Taken(spans=((start, end),), phrases=(sentence,))
                    yield Draft(query, {document.number: 1}, {document.number: taken}, f"{document.id} {start}-{end}")


LOOKED_AT = 100_000
"""Characters of a document whose sentences are looked at."""


def sentences_of(document: StoredDocument, drawn: Drawn) -> list[tuple[int, int]]:
    """Start and end of those that can be queries, in an order drawn with the seed."""
    every = list(spans(document.text[:LOOKED_AT]))
    if len(every) < FEWEST:
        return []
    hidden = document.layout.hidden
    found = [
        (start, end)
        for start, end in every
        if _is_sentence(text := document.text[start:end])
        and not is_heading(text)
        and drawn.wording.usable(one_line(text))
        and not any(start < one.end and one.start < end for one in hidden)
    ]
    return sorted(found, key=lambda one: drawn.chance(document.number, one[0]))


def _is_sentence(text: str) -> bool:
    if UNSPACED.search(text):
        return 12 <= len(text) <= 120
    return LEAST <= len(text.split()) <= MOST and "\n\n" not in text


def condensed(sentence: str, drawn: Drawn) -> str:
    """The `KEPT` rarest words of ``sentence`` in their order; of a text without spaces its rarest clause."""
    words = drawn.words(sentence)
    if UNSPACED.search(sentence):
        return one_line(sentence)
    words = list({sentence[start:end].casefold(): (start, end, weight) for start, end, weight in reversed(words)}.values())
    best = sorted(sorted(words, key=lambda one: (-one[2], one[0]))[:KEPT])
    return one_line(" ".join(sentence[start:end] for start, end, _ in best))
