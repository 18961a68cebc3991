"""How likely a passage fits a query at all, fitted on the library itself: so that a search can say that it has nothing.

Scores that rank say nothing of that: the best of nothing is still the best. Two things are absolute: the share of the query's BM25
weight that a passage has (words that the library lacks weigh most), and the cosines of vectors that hold all passages. A logistic
model weighs them. It is fitted on queries made of the library: some words of one passage, a part of them replaced by words from
elsewhere (it fits that passage), and words that come from as many passages (nothing fits, whatever is found). Fitting takes a
second or two, once; it is done again when the library has grown by half, or has other vectors.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..passage_texts import passage_texts
from ..snapshot import Snapshot
from ..vectors.encoders import BUILT_IN, Represented
from .retrievers import bm25_weights

__all__ = ["fitting_probabilities"]

QUERIES = 160
"""Of each kind that the model is fitted on."""
FOREIGN = 0.6
"""The greatest share of words from elsewhere in a query that fits."""
LENGTHS = (3, 17)
"""Words of a query, from … to less than."""
TOP = 3
"""Hits of a query that fits nothing which count."""
GROWN = 1.5
RIDGE = 1e-3


def fitting_probabilities(
    represented: Represented, snapshot: Snapshot, text: str, ids: Sequence[int] | NDArray[np.int64]
) -> NDArray[np.float32]:
    """For each of ``ids`` the probability that it fits the query ``text``, as likely as not before it was looked at: (n,)."""
    wanted = np.asarray(ids, np.int64)
    if not len(wanted):
        return np.zeros(0, np.float32)
    names = _vectors(represented, snapshot)
    weights = _fitted(represented, snapshot, names)
    if weights is None:
        return np.ones(len(wanted), np.float32)
    found = _features(represented, snapshot, names, text, wanted) @ weights[1:] + weights[0]
    chances: NDArray[np.float32] = (1 / (1 + np.exp(-found))).astype(np.float32)
    return chances


def _vectors(represented: Represented, snapshot: Snapshot) -> list[str]:
    """The dense representations that hold every passage and whose queries can be encoded here."""
    names = [BUILT_IN] if represented.built_in(snapshot.manifest) is not None else []
    for representation in snapshot.manifest.representations:
        known = representation.kind == "dense" and represented.can_encode(representation)
        if known and representation.name not in names and snapshot.complete(representation.key):
            names.append(representation.name)
    return names


def _features(
    represented: Represented, snapshot: Snapshot, names: Sequence[str], text: str, ids: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Share of the query's BM25 weight, logarithm of its length, and cosines: (n, 2 + names)."""
    analyzer = snapshot.manifest.settings.analyzer
    assert analyzer is not None
    words = represented.retriever(snapshot, "bm25", text, snapshot.alive)
    terms = list(dict.fromkeys(analyzer(text)))
    most = float(bm25_weights(snapshot, terms, [1.0] * len(terms)).sum()) if terms else 0.0
    # A long query is met by a smaller share of its weight.
    columns = [words.score(ids) / max(most, 1e-6), np.full(len(ids), np.log1p(len(terms)))]
    columns += [represented.retriever(snapshot, name, text, snapshot.alive, limit=0.0).score(ids) for name in names]
    return np.stack(columns, axis=1).astype(np.float64)


def _fitted(represented: Represented, snapshot: Snapshot, names: Sequence[str]) -> NDArray[np.float64] | None:
    """Intercept and weights; None for a library too small to fit anything on."""
    note = f"cutoff 2 {' '.join(names)}"
    try:
        known = json.loads(represented.cache.note(note) or "")
        if known["passages"] / GROWN <= snapshot.passages <= known["passages"] * GROWN:
            weights = np.array(known["weights"], np.float64)
            if weights.shape == (3 + len(names),) and np.isfinite(weights).all():
                return weights
    except (ValueError, KeyError, TypeError):
        pass
    made = _fit(represented, snapshot, names)
    if made is not None:
        represented.cache.keep_note(note, json.dumps({"passages": snapshot.passages, "weights": made.tolist()}))
    return made


def _fit(represented: Represented, snapshot: Snapshot, names: Sequence[str]) -> NDArray[np.float64] | None:
    rng = np.random.default_rng(snapshot.manifest.settings.seed)
    ids = np.concatenate([segment.ids for segment in snapshot.segments] or [np.empty(0, np.int64)])
    chosen = rng.permutation(ids)[: 4 * QUERIES]
    known = snapshot.store.documents_of(chosen.tolist())
    chosen = np.array([number for number in chosen.tolist() if number in known], np.int64)
    analyzer = snapshot.manifest.settings.analyzer
    assert analyzer is not None
    words = [
        [word for word in analyzer.words(text) if analyzer.terms(word)]
        for text in passage_texts(snapshot.store, chosen.tolist())
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
        rows.append(_features(represented, snapshot, names, query, chosen[at : at + 1]))
        fits += [1.0]
        nothing = " ".join(_from_elsewhere(rng, words, usable, -1, int(rng.integers(*LENGTHS))))
        best = np.unique(
            np.concatenate(
                [
                    represented.retriever(snapshot, name, nothing, snapshot.alive, limit=0.0).retrieve(TOP).ids
                    for name in ("bm25", *names)
                ]
            )
        )
        rows.append(_features(represented, snapshot, names, nothing, best))
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
