"""A representation that is being filled, bound to one query: what is there decides, the rest is stood in for."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...hits import Hits
from ..passage_texts import passage_texts
from ..settings import Representation
from ..snapshot import Masks, Snapshot
from ..vectors.cache import SideCache
from ..vectors.kinds import kind_of
from ..vectors.stand_in import Line, fit_line, on_line

__all__ = ["FilledRetriever", "LateEncoder", "cache_key"]

COMPARED = 100
"""Of the base's best, how many the line between the scores is fitted on."""
WISHES = 50
"""Candidates of a query that are noted as worth encoding first."""


class Retriever(Protocol):
    """As `bookwheel.rank.runner.Retriever`, which lies a floor above."""

    @property
    def floor(self) -> float: ...

    def retrieve(self, depth: int) -> Hits: ...

    def score(self, ids: NDArray[np.int64]) -> NDArray[np.float32]: ...


def cache_key(representation: Representation) -> str:
    """What its encoded passages are kept under: never those of another model."""
    return f"{representation.key}:{representation.info.sha256[:16]}"


class LateEncoder:
    """Encodes candidates while a query waits, up to a time limit, and keeps what it made.

    How long a passage takes is learned as it goes, so that the limit is kept but for the first passage ever.
    """

    def __init__(self, cache: SideCache, encoder: Any, representation: Representation) -> None:
        self.cache = cache
        self.encoder = encoder
        self.representation = representation
        self.kind = kind_of(representation.kind)
        self.seconds = 0.0
        """Per passage, by exponential average; 0 while nothing is known."""

    def kept(self, ids: NDArray[np.int64]) -> dict[int, bytes]:
        """What was encoded earlier."""
        return self.cache.get(cache_key(self.representation), ids.tolist())

    def encode(self, snapshot: Snapshot, ids: NDArray[np.int64], limit: float) -> dict[int, bytes]:
        """As many of ``ids``, best first, as ``limit`` seconds allow, packed as the cache keeps them."""
        made: dict[int, bytes] = {}
        started = time.perf_counter()
        while len(made) < len(ids):
            left = limit - (time.perf_counter() - started)
            count = int(left / self.seconds) if self.seconds else 1
            if left <= 0 or count < 1:
                break
            some = ids[len(made) : len(made) + min(count, 64)].tolist()
            before = time.perf_counter()
            texts = passage_texts(snapshot.store, some)
            packed = self.kind.pack(self.kind.encode(self.encoder, texts))
            each = (time.perf_counter() - before) / len(some)
            self.seconds = each if not self.seconds else 0.7 * self.seconds + 0.3 * each
            made.update(zip(some, packed, strict=True))
        if made:
            self.cache.put(cache_key(self.representation), made)
        return made


class FilledRetriever:
    """Scores by a representation that holds some of the passages.

    First stage: the best of what it holds, and the best of ``base``, which holds all. Their scores: its own where a vector is
    there, was encoded for an earlier query, or can be encoded within ``limit`` seconds; else a line over the base's scores
    (`standing`). ``late`` None encodes nothing.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        representation: Representation,
        query: Any,
        masks: Masks,
        base: Callable[[], Retriever],
        late: LateEncoder | None,
        limit: float,
    ) -> None:
        self.snapshot = snapshot
        self.representation = representation
        self.kind = kind_of(representation.kind)
        self.query = query
        self.masks = masks
        self._make_base = base
        self.late = late
        self.left = limit
        self.floor = self.kind.floor
        self.line: Line | None = None
        self._best: Hits | None = None
        self._made: dict[int, float] = {}
        self.complete = snapshot.complete(representation.key)

    @cached_property
    def base(self) -> Retriever:
        """What stands in where nothing is filled yet; made, and its query encoded, only where that happens."""
        return self._make_base()

    def retrieve(self, depth: int) -> Hits:
        """The best ``depth`` passages."""
        own = self._search(depth)
        if self.complete:
            return own
        others = self.base.retrieve(max(depth, COMPARED))
        self._best = self._best if self._best is not None else others.top(COMPARED)
        others = others.top(depth)
        ids = np.union1d(own.ids, others.ids)
        return Hits.ranked(ids, self.score(ids), depth)

    def score(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Scores of any passages."""
        scores, known = self.stored(ids)
        if known.all():
            return scores
        base = self.base.score(ids)
        self._encoded(ids, base, scores, known)
        if self.line is None:
            self.line = self._fit() or (1.0, 0.0, 0.0)
        missing = ~known
        scores[missing] = on_line(self.line, base[missing])
        return scores

    def _fit(self) -> Line | None:
        """The line over the base's best, as far as they have scores of both."""
        if self._best is None:
            self._best = self.base.retrieve(COMPARED)
        own, known = self.stored(self._best.ids)
        for place, number in enumerate(self._best.ids.tolist()):
            if number in self._made:
                own[place], known[place] = self._made[number], True
        return fit_line(self._best.scores[known], own[known], self.representation.line)

    def _search(self, depth: int) -> Hits:
        parts = []
        for segment, mask in zip(self.snapshot.segments, self.masks, strict=True):
            for part in segment.parts_of(self.representation.key):
                hits = self.kind.search(part.index, self.query, depth, part.mask(mask, len(segment.ids)))
                parts.append(Hits(segment.numbers(part.positions[hits.ids]), hits.scores))
        return Hits.merged(parts, depth)

    def stored(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Scores of those that a part holds, and which these are."""
        scores, known = np.zeros(len(ids), np.float32), np.zeros(len(ids), np.bool_)
        for segment in self.snapshot.segments:
            here, local = segment.locate(ids)
            for part in segment.parts_of(self.representation.key) if len(here) else ():
                at, rows = part.locate(local)
                if len(at):
                    scores[here[at]] = self.kind.score(part.index, self.query, rows)
                    known[here[at]] = True
        return scores, known

    def _encoded(
        self, ids: NDArray[np.int64], base: NDArray[np.float32], scores: NDArray[np.float32], known: NDArray[np.bool_]
    ) -> None:
        """Fill in the scores of what the side cache has, and of the most promising that can be encoded in time."""
        if self.late is None:
            return
        missing = np.flatnonzero(~known)
        missing = missing[np.argsort(-base[missing], kind="stable")]
        self.late.cache.want(ids[missing[:WISHES]].tolist(), 1.0)
        packed = self.late.kept(ids[missing])
        unmade = np.array([at for at in missing.tolist() if int(ids[at]) not in packed], np.int64)
        if len(unmade) and self.left > 0:
            started = time.perf_counter()
            packed |= self.late.encode(self.snapshot, ids[unmade], self.left)
            self.left -= time.perf_counter() - started
        at = np.array([place for place in missing.tolist() if int(ids[place]) in packed], np.int64)
        if not len(at):
            return
        try:
            payload = self.kind.unpack([packed[int(ids[place])] for place in at], self.representation)
        except ValueError:  # the cache was altered: it is only a cache
            return
        scores[at] = self.kind.score_payload(self.query, payload)
        known[at] = True
        self._made.update(zip(ids[at].tolist(), scores[at].tolist(), strict=True))
