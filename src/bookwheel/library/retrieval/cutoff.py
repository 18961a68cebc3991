"""The probability that a passage fits a query at all, fitted on the library itself, so that a search can find nothing.

Scores that rank do not tell: the best of nothing is still the best. Two features are comparable
between queries: the share of the query's BM25 weight that a passage has (words the library lacks
weigh most), and the cosines of vectors that every passage has. A logistic model combines them. It is
fitted on queries made from the library: some words of one passage, part of them replaced by words from
elsewhere (that passage fits), and words from as many passages (nothing fits). Fitting takes a second
or two, once, and again when the library has grown by half or has other vectors.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...analysis.words import split_words
from ...rank.query import Query
from ..passage_texts import opening_texts
from ..snapshot import Snapshot
from ..vectors.encoders import BUILT_IN, Encoders
from ..vectors.kinds import kind_of
from .bm25 import NAME as BM25
from .query_terms import greatest_score
from .registry import retriever

__all__ = ["fitting_probabilities"]

QUERIES = 160
"""Queries that fit a passage, and as many that fit none, that the model is fitted on."""
FOREIGN = 0.6
"""The greatest share of words from elsewhere in a query that fits."""
LENGTHS = (3, 17)
"""Words of a query: from the first number up to below the second."""
TOP = 3
"""Hits of a query that fits nothing that are taken as examples."""
GROWN = 1.5
RIDGE = 1e-3


def fitting_probabilities(
    encoders: Encoders, snapshot: Snapshot, text: str, ids: Sequence[int] | NDArray[np.int64]
) -> NDArray[np.float32]:
    """The probability of each of ``ids`` that it fits the query ``text``, with even prior odds: float32 (n,)."""
    wanted = np.asarray(ids, np.int64)
    if not len(wanted):
        return np.zeros(0, np.float32)
    names = _vectors(encoders, snapshot)
    weights = _fitted(encoders, snapshot, names)
    if weights is None:
        return np.ones(len(wanted), np.float32)
    found = _features(encoders, snapshot, names, text, wanted) @ weights[1:] + weights[0]
    chances: NDArray[np.float32] = (1 / (1 + np.exp(-found))).astype(np.float32)
    return chances


def _vectors(encoders: Encoders, snapshot: Snapshot) -> list[str]:
    """The dense representations in which every passage is embedded and queries can be encoded."""
    names = [BUILT_IN] if encoders.built_in(snapshot.manifest) is not None else []
    for representation in snapshot.manifest.representations:
        known = kind_of(representation.kind).cosine and encoders.available(representation)
        if known and representation.name not in names and snapshot.complete(representation.key):
            names.append(representation.name)
    return names


def _features(
    encoders: Encoders, snapshot: Snapshot, names: Sequence[str], text: str, ids: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Share of the query's BM25 weight, logarithm of its length, and cosines: (n, 2 + names)."""
    words = retriever(encoders, snapshot, BM25, Query(text), snapshot.alive)
    most = greatest_score(snapshot, text)
    terms = {
        part for word in snapshot.analyzer.words(text) for part in snapshot.analyzer.terms_in(word, snapshot.analyzer.main)
    }
    # A long query is met by a smaller share of its weight.
    columns = [words.score(ids) / max(most, 1e-6), np.full(len(ids), np.log1p(len(terms)))]
    columns += [retriever(encoders, snapshot, name, Query(text), snapshot.alive, limit=0.0).score(ids) for name in names]
    return np.stack(columns, axis=1).astype(np.float64)


def _fitted(encoders: Encoders, snapshot: Snapshot, names: Sequence[str]) -> NDArray[np.float64] | None:
    """Intercept and weights; None for a library too small to fit anything on."""
    note = f"cutoff 3 {' '.join(names)}"
    try:
        known = json.loads(encoders.cache.note(note) or "")
        if known["passages"] / GROWN <= snapshot.passages <= known["passages"] * GROWN:
            weights = np.array(known["weights"], np.float64)
            if weights.shape == (3 + len(names),) and np.isfinite(weights).all():
                return weights
    except (ValueError, KeyError, TypeError):
        pass
    made = _fit(encoders, snapshot, names)
    if made is not None:
        encoders.cache.set_note(note, json.dumps({"passages": snapshot.passages, "weights": made.tolist()}))
    return made


def _fit(encoders: Encoders, snapshot: Snapshot, names: Sequence[str]) -> NDArray[np.float64] | None:
    rng = np.random.default_rng(snapshot.manifest.settings.seed)
    ids = np.concatenate([segment.ids for segment in snapshot.segments] or [np.empty(0, np.int64)])
    chosen = rng.permutation(ids)[: 4 * QUERIES]
    known = snapshot.store.documents_of(chosen.tolist())
    chosen = np.array([number for number in chosen.tolist() if number in known], np.int64)
    analyzer = snapshot.analyzer
    words = [
        [word for word in split_words(text) if analyzer.terms(word)] for text in opening_texts(snapshot.store, chosen.tolist())
    ]
    usable = [at for at, found in enumerate(words) if len(found) >= 8]
    if len(usable) < 8:
        return None
    rows, fits = [], []
    for number in range(QUERIES):
        at = usable[number % len(usable)]
        count = int(rng.integers(*LENGTHS))
        foreign = round(rng.uniform(0, FOREIGN) * count)
        own = [words[at][n] for n in rng.permutation(len(words[at]))[: count - foreign]]
        query = " ".join([*own, *_from_elsewhere(rng, words, usable, at, foreign)])
        rows.append(_features(encoders, snapshot, names, query, chosen[at : at + 1]))
        fits += [1.0]
        nothing = " ".join(_from_elsewhere(rng, words, usable, -1, int(rng.integers(*LENGTHS))))
        best = np.unique(
            np.concatenate(
                [
                    retriever(encoders, snapshot, name, Query(nothing), snapshot.alive, limit=0.0).retrieve(TOP).ids
                    for name in (BM25, *names)
                ]
            )
        )
        rows.append(_features(encoders, snapshot, names, nothing, best))
        fits += [0.0] * len(best)
    return _logistic(np.concatenate(rows), np.array(fits))


def _from_elsewhere(rng: np.random.Generator, words: list[list[str]], usable: list[int], but: int, count: int) -> list[str]:
    """``count`` words, each of another passage than ``but`` and, as far as chance has it, than the others."""
    found: list[str] = []
    while len(found) < count:
        at = usable[int(rng.integers(len(usable)))]
        if at != but or len(usable) == 1:
            found.append(words[at][int(rng.integers(len(words[at])))])
    return found


def _logistic(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intercept and weights of a logistic regression in which both outcomes count the same; by Newton's method."""
    full = np.concatenate([np.ones((len(x), 1)), x], axis=1)
    counts = np.where(y > 0, 0.5 / max(y.sum(), 1), 0.5 / max((1 - y).sum(), 1))
    weights = np.zeros(full.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(full @ weights, -30, 30)))
        gradient = full.T @ (counts * (chance - y)) + RIDGE * weights
        curvature = (full * (counts * chance * (1 - chance))[:, None]).T @ full + RIDGE * np.eye(len(weights))
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < 1e-9:
            break
    return weights
