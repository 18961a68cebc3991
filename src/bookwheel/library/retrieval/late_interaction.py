"""Late interaction over a snapshot: scores of candidates, and the match of each word of the query."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import RecipeError
from ...encode.protocols import TokenVectors
from ...rank.query import Query
from ..passage_texts import opening_texts
from ..settings import Representation
from ..snapshot import Snapshot
from ..vectors.encoders import Encoders, named
from ..vectors.kinds import kind_of
from ..vectors.kinds.tokens import KIND
from ..vectors.on_demand import LIMIT, OnDemand

__all__ = ["TokenMatch", "TokenScorer", "token_scorer"]


REQUESTED = 50
"""Candidates without vectors that are noted as worth embedding first."""


@dataclass(frozen=True, slots=True)
class TokenMatch:
    """The best match in a passage of one token of the query."""

    term: str
    """The query's token."""
    start: int
    """Where the match starts in the passage's text as encoders get it (title, line end, text), in characters."""
    end: int
    text: str
    """The matching text."""
    score: float


class TokenScorer:
    """Late interaction of one query with a representation of token vectors.

    Passages that are not embedded yet are encoded while ``limit`` seconds allow, in the order of their
    ids; the others score as the mean of those with vectors, and `scored` tells which these are.
    ``on_demand`` None encodes nothing.
    """

    floor = 0.0

    def __init__(
        self,
        snapshot: Snapshot,
        representation: Representation,
        encoder: Any,
        text: str,
        vectors: NDArray[np.float32] | None,
        on_demand: OnDemand | None,
        limit: float,
    ) -> None:
        self.snapshot = snapshot
        self.representation = representation
        self.text = text
        self.on_demand = on_demand
        self.left = limit
        if vectors is not None:
            self.query = KIND.given(vectors, representation)
            self.terms = [f"token {number}" for number in range(1, len(self.query) + 1)]
            return
        found: TokenVectors = encoder.encode_queries([text])
        self.query = KIND.given(found.vectors, representation)
        self.terms = [text[start:end] for start, end in found.spans.tolist()]

    def score(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Mean over the query's tokens of the best match in each passage, float32 (n,)."""
        return self.scored(ids)[0]

    def scored(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Scores, and for which passages they are exact."""
        best, _, _ = self._best(np.asarray(ids, np.int64))
        known: NDArray[np.bool_] = np.ones(len(ids), np.bool_)
        if best.shape[1]:
            known = np.logical_not(np.isnan(best).any(axis=1)).astype(np.bool_)
        scores = np.zeros(len(ids), np.float32)
        scores[known] = best[known].sum(axis=1) / max(len(self.query), 1)
        if known.any():
            scores[~known] = scores[known].mean()
        return scores, known

    def matches(self, ids: NDArray[np.int64]) -> list[list[TokenMatch]]:
        """For each passage the best match of each token of the query that stands for a word; none for one without vectors."""
        ids = np.asarray(ids, np.int64)
        best, starts, ends = self._best(ids)
        texts = opening_texts(self.snapshot.store, ids.tolist())
        found = []
        for at, text in enumerate(texts):
            row = []
            for token, term in enumerate(self.terms):
                start, end = int(starts[at, token]), int(ends[at, token])
                if term and end > start and not np.isnan(best[at, token]):
                    row.append(TokenMatch(term, start, end, text[start:end], float(best[at, token])))
            found.append(row)
        return found

    def _best(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
        """Best scores (n, m), NaN for passages without vectors, and the spans of the tokens that have them."""
        shape = (len(ids), len(self.query))
        best = np.full(shape, np.nan, np.float32)
        starts, ends = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for segment in self.snapshot.segments:
            here, local = segment.locate(ids)
            for part in segment.parts_of(self.representation.key) if len(here) else ():
                at, rows = part.locate(local)
                if len(at):
                    scores, places = part.index.max_sim(self.query, rows)
                    self._place(here[at], scores, places, part.index.indptr[rows], part.index.spans, best, starts, ends)
        missing = np.flatnonzero(np.isnan(best).any(axis=1)) if shape[1] else np.empty(0, np.int64)
        if len(missing) and self.on_demand is not None:
            self._encoded(ids, missing, best, starts, ends)
        return best, starts, ends

    def _encoded(
        self,
        ids: NDArray[np.int64],
        missing: NDArray[np.int64],
        best: NDArray[np.float32],
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
    ) -> None:
        assert self.on_demand is not None
        self.on_demand.cache.request(ids[missing[:REQUESTED]].tolist())
        packed = self.on_demand.cached(ids[missing])
        unmade = np.array([at for at in missing.tolist() if int(ids[at]) not in packed], np.int64)
        if len(unmade) and self.left > 0:
            began = time.perf_counter()
            packed |= self.on_demand.encode(self.snapshot, ids[unmade], self.left)
            self.left -= time.perf_counter() - began
        places = [at for at in missing.tolist() if int(ids[at]) in packed]
        try:
            payload = KIND.unpack([packed[int(ids[at])] for at in places], self.representation)
        except ValueError:  # the cache was altered: it is only a cache
            return
        for number, at in enumerate(places):
            vectors, spans = payload.row(number)
            if not len(vectors):
                best[at] = 0
                continue
            scores = vectors @ self.query.T
            where = scores.argmax(axis=0)
            best[at] = scores.max(axis=0)
            starts[at], ends[at] = spans[where, 0], spans[where, 1]

    @staticmethod
    def _place(
        at: NDArray[np.int64],
        scores: NDArray[np.float32],
        places: NDArray[np.int32],
        firsts: NDArray[np.int64],
        spans: NDArray[np.uint16],
        best: NDArray[np.float32],
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
    ) -> None:
        best[at] = scores
        if len(spans):
            tokens = np.minimum(firsts[:, None] + np.maximum(places, 0), len(spans) - 1)
            there = places >= 0
            starts[at] = np.where(there, spans[tokens, 0], 0)
            ends[at] = np.where(there, spans[tokens, 1], 0)


def token_scorer(encoders: Encoders, snapshot: Snapshot, name: str, query: Query, *, limit: float = LIMIT) -> TokenScorer:
    """Late interaction of ``query`` with the token vectors ``name``: ``score(ids)`` and ``matches(ids)``.

    The query's own vectors (tokens, d) for ``name``, where it has any, take the place of its encoded
    text. Raises `RecipeError` for a name that has no token vectors, `ModelError` without an encoder.
    """
    representation = named(snapshot.manifest, name)
    if not kind_of(representation.kind).late_interaction:
        raise RecipeError(f"{name!r} is a {representation.kind} representation, which has no token vectors")
    encoder, on_demand = encoders.encoder(representation), encoders.on_demand(representation)
    return TokenScorer(snapshot, representation, encoder, query.text, query.vectors.get(name), on_demand, limit)
