"""Extractive summaries: the sentences that most of the others are like, each an exact span of stored text.

Centrality is that of LexRank (Erkan and Radev, 2004): the stationary distribution of a walk between similar sentences. Similarity
is the mean of the cosines of weighted terms and of vectors, where there are any. The walk restarts at sentences by their position
(the beginning of a text says most) or, with a query, by their likeness to it (Otterbacher, Erkan and Radev, 2009). Sentences
are then chosen by maximal marginal relevance (Carbonell and Goldstein, 1998), so that none repeats another.

A book has more sentences than can be compared with each other: it is taken block by block, and the best of all blocks are
compared at the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..analysis.scripts import UNSPACED
from ..documents.sentences import PARAGRAPH, SECTION
from .sentence_cuts import ENDED, sentence_cuts

__all__ = ["BLOCK", "Sentence", "SummaryOptions", "central", "chosen", "sentences_of", "summarised"]

BLOCK = 800
"""Sentences that are compared with each other: 2.5 MB."""
SHORTEST, LONGEST = 4, 80
"""Words of a sentence that may be chosen."""
DAMPING = 0.85
LEAST = 0.1
"""Smaller similarities are nothing (LexRank's threshold)."""
FIRST, OPENING = 3.0, 1.0
"""How much more the first sentence of a text, and the first of a paragraph, count for where they stand."""
POSITION = 0.5
"""How much the restart of the walk falls off from the first sentence of a text to those after it."""
LAMBDA = 0.6
"""Of maximal marginal relevance: 1 is centrality alone."""
_WORD = re.compile(r"\w+")
_CLOSED = frozenset(f"{ENDED}\"'”’»)」』）")
_HANGING = re.compile(
    r"^(?:it|its|he|she|they|them|this|that|these|those|his|her|their|such|however|but|and|or|so|also|then|thus|therefore|moreover|"
    r"furthermore|instead|here|there|er|sie|es|dies|diese|dieser|aber|und|auch|il|elle|ils|elles|ce|cette|mais|et|él|ella|ellos|"
    r"esto|este|esta|pero|y)\b",
    re.IGNORECASE,
)
HANGING = 0.75
"""A sentence that begins with a word for something said before counts so much."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that may be chosen."""

    document: int
    """Number of its document in the library."""
    start: int
    """Code points into the document's text."""
    end: int
    text: str
    position: int
    """Which sentence of its document it is, from 0."""
    words: int
    opens: bool = False
    """Whether a paragraph begins with it."""


@dataclass(frozen=True, slots=True)
class SummaryOptions:
    """How long, and about what."""

    sentences: int = 5
    words: int | None = None
    """The most words; None: no bound."""
    query: str = ""


Terms = Callable[[str], Sequence[str]]
"""The terms of a sentence, without stop words."""
Idf = Callable[[Sequence[str]], Mapping[str, float]]
Encode = Callable[[Sequence[str]], NDArray[np.float32]]


def sentences_of(document: int, text: str, offset: int, position: int) -> Iterator[Sentence]:
    """The sentences of ``text``, which begins at ``offset`` of the document, that may stand in a summary."""
    starts, kinds = sentence_cuts(text)
    for start, end, kind in zip(starts, [*starts[1:], len(text)], kinds, strict=True):
        piece = text[start:end]
        stripped = piece.strip()
        words = _length(stripped)
        # A heading, a list's item or a row of a table is no sentence; nor is what has more lines than a sentence takes. One
        # empty line may be the end of a page.
        if SHORTEST <= words <= LONGEST and stripped[-1] in _CLOSED and stripped.count("\n\n") < 2 and "\t" not in stripped:
            start += len(piece) - len(piece.lstrip())
            yield Sentence(
                document,
                offset + start,
                offset + start + len(stripped),
                stripped,
                position,
                words,
                kind in (SECTION, PARAGRAPH),
            )
        position += 1


def _length(text: str) -> int:
    """Words of ``text``; of a script without spaces two characters are one."""
    without = len(UNSPACED.findall(text))
    return len(_WORD.findall(UNSPACED.sub(" ", text))) + (without + 1) // 2


def summarised(
    sentences: Iterable[Sentence], options: SummaryOptions, terms: Terms, idf: Idf, encode: Encode | None = None
) -> list[Sentence]:
    """The sentences of the summary, in the order of the text. Holds one block of them at a time."""
    kept: list[Sentence] = []
    block: list[Sentence] = []
    most = max(options.sentences, 1)
    whole = 0
    for sentence in sentences:
        block.append(sentence)
        if len(block) == BLOCK:
            whole += 1
            kept = _of_blocks(kept, block, most, options, terms, idf, encode)
            block = []
    if whole:
        block = [*kept, *block]
    return chosen(block[:], options, terms, idf, encode) if block else []


def _of_blocks(
    kept: list[Sentence],
    block: Sequence[Sentence],
    most: int,
    options: SummaryOptions,
    terms: Terms,
    idf: Idf,
    encode: Encode | None,
) -> list[Sentence]:
    """What is kept of all blocks so far: the best of each, and where they grow too many, the best of those."""
    wide = SummaryOptions(max(4 * most, 20), None, options.query)
    kept = [*kept, *chosen(block, wide, terms, idf, encode)]
    return chosen(kept, SummaryOptions(BLOCK // 4, None, options.query), terms, idf, encode) if len(kept) > BLOCK // 2 else kept


def chosen(
    sentences: Sequence[Sentence], options: SummaryOptions, terms: Terms, idf: Idf, encode: Encode | None = None
) -> list[Sentence]:
    """The best of ``sentences`` that say different things, in the order of the text."""
    alike, asked = _similarities(sentences, options.query, terms, idf, encode)
    score = central(alike, _restart(sentences, asked))
    if asked is None:
        score *= [1.0 + FIRST / (1.0 + one.position) + OPENING * one.opens for one in sentences]
    score *= [HANGING if _HANGING.match(sentence.text) else 1.0 for sentence in sentences]
    score /= max(float(score.max()), 1e-12)
    picked: list[int] = []
    nearest = np.zeros(len(sentences))
    words = 0
    open_ = np.ones(len(sentences), np.bool_)
    while len(picked) < options.sentences and open_.any():
        gain = np.where(open_, LAMBDA * score - (1 - LAMBDA) * nearest, -np.inf)
        best = int(gain.argmax())
        open_[best] = False
        if options.words is not None and words + sentences[best].words > options.words:
            continue
        if nearest[best] > 0.9:  # the same again
            continue
        picked.append(best)
        words += sentences[best].words
        nearest = np.maximum(nearest, alike[best])
    return sorted((sentences[at] for at in picked), key=lambda one: (one.document, one.start))


def central(alike: NDArray[np.float64], restart: NDArray[np.float64]) -> NDArray[np.float64]:
    """The stationary distribution of the walk over similarities (n, n), restarting by ``restart`` (n,): float64 (n,)."""
    weights = np.where(alike >= LEAST, alike, 0.0)
    totals = weights.sum(axis=1, keepdims=True)
    step = np.divide(weights, totals, out=np.zeros_like(weights), where=totals > 0)
    lost = (totals[:, 0] == 0).astype(np.float64)
    score = restart.copy()
    for _ in range(100):
        new = DAMPING * (step.T @ score + restart * float(score @ lost)) + (1 - DAMPING) * restart
        if float(np.abs(new - score).sum()) < 1e-7:
            return np.asarray(new)
        score = new
    return score


def _restart(sentences: Sequence[Sentence], asked: NDArray[np.float64] | None) -> NDArray[np.float64]:
    weights = np.array([1.0 + POSITION / (1.0 + one.position) * 4 for one in sentences])
    if asked is not None and asked.max() > 0:
        weights = weights * (0.02 + asked)
    return np.asarray(weights / weights.sum())


def _similarities(
    sentences: Sequence[Sentence], query: str, terms: Terms, idf: Idf, encode: Encode | None
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Cosines of the sentences with each other, without the diagonal (n, n), and with the query (n,), if there is one."""
    texts = [one.text for one in sentences] + ([query] if query else [])
    alike = _by_terms([terms(text) for text in texts], idf)
    if encode is not None:
        vectors = np.asarray(encode(texts), np.float64)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        vectors -= vectors.mean(axis=0)  # what all have in common says nothing
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        alike = (alike + np.maximum(vectors @ vectors.T, 0.0)) / 2
    np.fill_diagonal(alike, 0.0)
    return (alike[:-1, :-1], alike[-1, :-1]) if query else (alike, None)


def _by_terms(found: Sequence[Sequence[str]], idf: Idf) -> NDArray[np.float64]:
    """Cosines of tf-idf vectors: float64 (n, n)."""
    counts: dict[str, int] = {}
    for terms in found:
        for term in set(terms):
            counts[term] = counts.get(term, 0) + 1
    weights = idf(list(counts)) if counts else {}
    columns = {term: at for at, term in enumerate(term for term, count in counts.items() if count > 1)}
    table = np.zeros((len(found), max(len(columns), 1)), np.float32)
    norms = np.zeros(len(found))
    for row, terms in enumerate(found):
        own: dict[str, float] = {}
        for term in terms:
            own[term] = own.get(term, 0.0) + weights[term]
        norms[row] = sum(value * value for value in own.values()) ** 0.5
        for term, value in own.items():
            if (column := columns.get(term)) is not None:
                table[row, column] = value
    table /= np.maximum(norms, 1e-9)[:, None].astype(np.float32)
    return np.asarray(table @ table.T, np.float64)
