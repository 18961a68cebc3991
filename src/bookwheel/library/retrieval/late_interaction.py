"""Late interaction over a snapshot: scores of candidates, and the match of each word of the query."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...encode.protocols import TokenVectors
from ..passage_texts import passage_texts
from ..settings import Representation
from ..snapshot import Snapshot
from ..vectors.kinds.tokens import KIND
from .partial import LateEncoder

__all__ = ["TokenMatch", "TokenScorer", "token_vectors"]


@dataclass(frozen=True, slots=True)
class TokenMatch:
    """What in a passage matches a token of the query best."""

    term: str
    """The query's token."""
    start: int
    """Where its match stands in the passage's text as encoders get it (title, line end, text), in characters."""
    end: int
    text: str
    """What stands there."""
    score: float


class TokenScorer:
    """One query's late interaction by a representation of token vectors.

    Passages that it does not hold yet are encoded while ``limit`` seconds allow, the first ids first; those that remain score as the
    mean of the others, and `known` tells which they are. ``late`` None encodes nothing.
    """

    floor = 0.0

    def __init__(
        self,
        snapshot: Snapshot,
        representation: Representation,
        encoder: Any,
        text: str,
        vectors: NDArray[np.float32] | None,
        late: LateEncoder | None,
        limit: float,
    ) -> None:
        self.snapshot = snapshot
        self.representation = representation
        self.text = text
        self.late = late
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
        texts = passage_texts(self.snapshot.store, ids.tolist())
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
        if len(missing) and self.late is not None:
            self._late(ids, missing, best, starts, ends)
        return best, starts, ends

    def _late(
        self,
        ids: NDArray[np.int64],
        missing: NDArray[np.int64],
        best: NDArray[np.float32],
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
    ) -> None:
        assert self.late is not None
        self.late.cache.want(ids[missing[:50]].tolist())
        packed = self.late.kept(ids[missing])
        unmade = np.array([at for at in missing.tolist() if int(ids[at]) not in packed], np.int64)
        if len(unmade) and self.left > 0:
            began = time.perf_counter()
            packed |= self.late.encode(self.snapshot, ids[unmade], self.left)
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


def token_vectors(
    snapshot: Snapshot, representation: Representation, ids: NDArray[np.int64], kept: dict[int, bytes]
) -> list[NDArray[np.float32]]:
    """Stored token vectors (tokens, d) of passages; ``kept`` are those of the side cache."""
    width = -(-representation.info.dimension // 8) * 8
    found: list[NDArray[np.float32]] = [np.zeros((0, width), np.float32) for _ in ids]
    for segment in snapshot.segments:
        here, local = segment.locate(ids)
        for part in segment.parts_of(representation.key) if len(here) else ():
            at, rows = part.locate(local)
            for place, vectors in zip(here[at].tolist(), part.index.vectors(rows) if len(rows) else [], strict=True):
                found[place] = vectors
    for place, number in enumerate(ids.tolist()):
        if number in kept and not len(found[place]):
            found[place] = KIND.unpack([kept[number]], representation).vectors
    return found
