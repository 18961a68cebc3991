"""A sentence asked without one of its names or numbers, as a query of a document that says it in other words."""

from __future__ import annotations

from collections.abc import Iterator

from ...analysis.scripts import UNSPACED
from ...analysis.words import spans_of
from .drawn import Drawn
from .query import Draft, Taken
from .sentences import sentences_of
from .wording import one_line

__all__ = ["Cloze"]

ROUNDS = 4
"""Sentences of one document."""
MOST = 12
"""Words of a query: those nearest to what is asked for."""
FEWEST = 4
"""Words of a sentence that are no function words, at least."""
MISMATCH = 0.75
"""The share of the query's words that its sentence loses. People's words are missing from about every second document that answers
them (Zhao and Callan); the sentence's are here less often at other places of the document than a topic's words are.
"""

Span = tuple[int, int]


class Cloze:
    """The question that a name or a number of a sentence answers: the words around it.

    The sentence stays, without some of the words that the query has: where people ask, some of their words are in what answers
    them and some are not. With all of them there any recipe finds it, and without the sentence words count for too little.
    """

    name = "cloze"
    summary = "the words around a name or number of a sentence; its document, whose sentence has lost most of them"
    source = (
        "Lewis, Denoyer and Riedel, Unsupervised Question Answering by Cloze Translation (ACL 2019), with the mismatch of words "
        "that Zhao and Callan, Term Necessity Prediction (CIKM 2010), measure"
    )
    needs = ""

    def drafts(self, drawn: Drawn) -> Iterator[Draft]:
        """See `Way.drafts`. One sentence of each document in turn; none of scripts without spaces between words."""
        for turn in range(ROUNDS):
            found = False
            for document in drawn.documents():
                sentences = sentences_of(document, drawn)[::-1]  # others than those that are taken out whole
                if turn >= len(sentences):
                    continue
                found = True
                start, end = sentences[turn]
                asked = asked_of(document.text[start:end], drawn, (document.number, start))
                if asked is not None:
                    query, lost = asked
                    taken = Taken(spans=tuple((start + a, start + b) for a, b in lost))
                    yield Draft(query, {document.number: 1}, {document.number: taken}, f"{document.id} {start}-{end}")
            if not found:
                return


def asked_of(sentence: str, drawn: Drawn, seed: tuple[int, int]) -> tuple[str, list[Span]] | None:
    """The query of ``sentence``, and the places of its words that the sentence loses; None of one that cannot be asked."""
    if UNSPACED.search(sentence):
        return None
    words = [(start, end) for _, start, end in spans_of(sentence)]
    telling = {(start, end): weight for start, end, weight in drawn.words(sentence)}
    if len(telling) < FEWEST:
        return None
    answers = _names(sentence, words) or [max(telling, key=lambda span: telling[span])]
    first, last = answers[int(drawn.chance(*seed, "answer") * len(answers))]
    around = [(start, end) for start, end in words if end <= first or start >= last]
    around = sorted(sorted(around, key=lambda span: min(abs(span[0] - last), abs(span[1] - first)))[:MOST])
    query = one_line(" ".join(sentence[start:end] for start, end in around))
    asked = {sentence[start:end].casefold() for start, end in around}
    lost = [
        (start, end)
        for start, end in telling
        if (word := sentence[start:end].casefold()) in asked and drawn.chance(*seed, word) < MISMATCH
    ]
    return query, lost


def _names(sentence: str, words: list[Span]) -> list[Span]:
    """Runs of words that begin with a capital letter, but for the first of the sentence, and numbers."""
    found: list[Span] = []
    for start, end in words:
        if not (sentence[start].isdigit() or (start > 0 and sentence[start].isupper())):
            continue
        if found and not sentence[found[-1][1] : start].strip():
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found
