"""What the words of a query are as terms of BM25, and how much each weighs.

In a library of one language a term weighs its count in the query times its idf. In a library of several, the documents of each
language are ranked as if they were alone: by idf within that language. Two things make the languages comparable:

- The idf of all words of the query together are scaled, in each language, to what they are in the whole library; so a language
  of few documents, where idf is small, or a word that is rare in one language only, does not decide.
- A language counts as much as the query is written in it: the mean over its words of how frequent each is there, against the
  language where it is most frequent, on a logarithmic scale. A function word counts as being in every passage.

Measured on XQuAD's English, German, Spanish and Chinese paragraphs in one library: without the two, questions lose up to 0.09
nDCG@10 against a library of their language alone, mostly to paragraphs of other languages that hold a word such as *die*
or *war*; with them 0.001 or less, Chinese 0.006: lengths are still compared
with the mean of the whole library.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...analysis.library_analyzer import bare
from ...analysis.scripts import lone
from ...kernels.bm25 import idf
from ..snapshot import Snapshot

__all__ = ["all_present_terms", "expanded", "greatest_score", "present_terms", "query_weights"]

DECADES = 3.0
"""A word that is 10 to this rarer in a language than in another is no sign of it."""
SMOOTHING = 1.0
"""Passages of the whole library that are added to each language when frequencies are compared."""

WORDS = 16_384
"""Words of queries that are remembered, divided by the number of languages: about 200 bytes each, for a language."""

Form = dict[str | None, str]


def query_weights(snapshot: Snapshot, text: str) -> dict[str, float]:
    """The terms of a query's ``text`` with their weights, idf included."""
    analyzer = snapshot.analyzer
    if analyzer.only is not None:
        counts = Counter(analyzer(text))
        if not any(map(_is_lone, counts)):
            found = np.asarray(list(counts.values())) * snapshot.idf(list(counts)) if counts else np.empty(0)
            return dict(zip(counts, found.tolist(), strict=True))
        weights: dict[str, float] = {}
        for term, count in counts.items():
            terms = expanded(snapshot, term)
            frequency = min(int(snapshot.document_frequencies(terms).sum()), snapshot.passages)
            for one in terms:
                weights[one] = weights.get(one, 0.0) + count * float(idf(frequency, snapshot.passages))
        return weights
    return _weights(snapshot, text)[0]


def expanded(snapshot: Snapshot, term: str) -> list[str]:
    """The terms that ``term`` stands for: itself, or, of a single character of a script without spaces, all that it begins."""
    if not _is_lone(term):
        return [term]
    found = {one for segment in snapshot.segments for one in segment.sparse.beginning_with(term)}
    return sorted(found) or [term]


def _is_lone(term: str) -> bool:
    return not term.isascii() and lone(bare(term))


def greatest_score(snapshot: Snapshot, text: str) -> float:
    """The sum of the weights of a query's distinct words: more than any passage scores by it once."""
    analyzer = snapshot.analyzer
    if analyzer.only is not None:
        terms = list(dict.fromkeys(analyzer(text)))
        return float(snapshot.idf(terms).sum()) if terms else 0.0
    return _weights(snapshot, text)[1]


def present_terms(snapshot: Snapshot, word: str) -> tuple[str, ...]:
    """The terms of one raw word that occur in the library; where none of a part's forms does, the one in the main language."""
    analyzer = snapshot.analyzer
    if analyzer.only is not None:
        return analyzer.terms(word)
    return _present(snapshot, analyzer.forms(word))


def all_present_terms(snapshot: Snapshot, words: Sequence[str]) -> list[tuple[str, ...]]:
    """`present_terms` of each of many words, whose terms are looked up together; repeated terms of a word once."""
    analyzer = snapshot.analyzer
    if analyzer.only is not None:
        return [tuple(dict.fromkeys(analyzer.terms(word))) for word in words]
    every = [list(analyzer.forms(word)) for word in words]
    snapshot.document_frequencies([term for forms in every for form in forms for term in form.values() if term])
    return [tuple(dict.fromkeys(_present(snapshot, forms))) for forms in every]


def _present(snapshot: Snapshot, forms: Iterable[Form]) -> tuple[str, ...]:
    found: list[str] = []
    for form in forms:
        terms = [term for term in dict.fromkeys(form.values()) if term]
        present = [term for term, df in zip(terms, snapshot.document_frequencies(terms).tolist(), strict=True) if df]
        found += present or terms[:1]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of a word, mostly all of it: what it is in each language, apart from the query that it stands in."""

    terms: tuple[tuple[int, str], ...]
    """Its terms that occur, each with the column of its language."""
    own: list[float]
    """Its idf within each language."""
    together: float
    """Its idf in the whole library."""
    signs: list[float] | None
    """How much it is a sign of each language; None where no passage has it."""


def _weights(snapshot: Snapshot, text: str) -> tuple[dict[str, float], float]:
    """The weights of the terms that occur, and the greatest sum of the weights of one language."""
    parts = _parts(snapshot, snapshot.analyzer.words(text))
    if not parts:
        return {}, 0.0
    own = np.array([part.own for part in parts], np.float64)
    scales = np.array([part.together for part in parts]).sum() / np.maximum(own.sum(axis=0), 1e-9)
    weights = own * scales * _written_in(parts, own.shape[1])
    found: dict[str, float] = {}
    for part, row in zip(parts, weights.tolist(), strict=True):
        for column, term in part.terms:
            found[term] = found.get(term, 0.0) + row[column]
    return found, float(weights.sum(axis=0).max())


def _written_in(parts: list[_Part], languages: int) -> NDArray[np.float64]:
    """How much the query is written in each language, 1 for that of most words: float64 (languages,)."""
    met = [part.signs for part in parts if part.signs is not None]
    if not met:
        return np.ones(languages)
    share: NDArray[np.float64] = np.array(met, np.float64).mean(axis=0)
    return np.asarray(share / share.max(), np.float64)


def _parts(snapshot: Snapshot, words: list[str]) -> list[_Part]:
    """The parts of the raw ``words`` of a query, in order. They are remembered with the snapshot."""
    known: dict[str, list[_Part]] = snapshot.words
    try:
        return [part for word in words for part in known[word]]
    except KeyError:
        pass
    missing = [word for word in dict.fromkeys(words) if word not in known]
    if len(known) + len(missing) > WORDS // len(snapshot.analyzer.languages):  # not cleared: another thread may be reading it
        known, missing = {}, list(dict.fromkeys(words))
        snapshot.words = known
    forms = [(word, form) for word in missing for form in snapshot.analyzer.forms(word)]
    found: dict[str, list[_Part]] = {word: [] for word in missing}
    if forms:
        for (word, _), part in zip(forms, _examined(snapshot, forms), strict=True):
            found[word].append(part)
    known.update(found)
    return [part for word in words for part in known[word]]


def _examined(snapshot: Snapshot, forms: list[tuple[str, Form]]) -> list[_Part]:
    """Each of ``forms``, which are parts of the words before them, with its frequencies looked up."""
    analyzer = snapshot.analyzer
    languages = [language for language in analyzer.languages if analyzer.passages.get(language)]
    sizes = np.array([analyzer.passages[language] for language in languages], np.float64)
    every = list(dict.fromkeys(term for _, form in forms for term in form.values() if term))
    frequencies = dict(zip(every, snapshot.document_frequencies(every).tolist(), strict=True))
    stands_for = {term: expanded(snapshot, term) for term in every if _is_lone(term)}
    frequencies |= {term: int(snapshot.document_frequencies(terms).sum()) for term, terms in stands_for.items()}
    counts = np.zeros((len(forms), len(languages)))
    for row, (word, form) in enumerate(forms):
        for column, language in enumerate(languages):
            term = form[language]
            counts[row, column] = frequencies[term] if term else sizes[column] * analyzer.is_stop_word(word, language)
    counts = np.minimum(counts, sizes)
    total = float(snapshot.passages)
    together = np.minimum(counts.sum(axis=1), total)
    own = np.stack([idf(counts[:, column], int(size)) for column, size in enumerate(sizes)], axis=1)
    chances = (counts + SMOOTHING * (together / total)[:, None]) / (sizes + SMOOTHING)
    with np.errstate(divide="ignore", invalid="ignore"):  # of a part that no passage has
        signs = np.clip(1.0 + np.log10(chances / chances.max(axis=1, keepdims=True)) / DECADES, 0.0, 1.0)
    parts = []
    rows = zip(
        forms, own.tolist(), idf(together, int(total)).tolist(), signs.tolist(), (counts.sum(axis=1) > 0).tolist(), strict=True
    )
    for (_, form), of_each, of_all, sign, met in rows:
        terms = [(column, form[language]) for column, language in enumerate(languages) if frequencies.get(form[language])]
        listed = tuple((column, one) for column, term in terms for one in stands_for.get(term, (term,)))
        parts.append(_Part(listed, of_each, of_all, sign if met else None))
    return parts
