"""Representations of added encoders, bound to one query: exact scores where passages are embedded, fallback scores elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import RecipeError
from ...hits import Hits
from ...rank.query import Query
from ...rank.retriever import Retriever
from ..manifest import Manifest
from ..settings import Representation
from ..snapshot import Masks, Snapshot
from ..vectors.encoders import BUILT_IN, Encoders, named
from ..vectors.kinds import kind_of
from ..vectors.on_demand import OnDemand
from ..vectors.score_imputation import Line, fit_line, imputed
from . import bm25, dense

__all__ = ["EmbeddedRetriever", "names", "of", "retriever"]

COMPARED = 100
"""The fallback's best candidates on which the line between both scores is fitted."""
REQUESTED = 50
"""Candidates of a query that are noted as worth embedding first."""


def names(manifest: Manifest) -> Mapping[str, str]:
    """Of the encoders that were added."""
    return {representation.name: representation.kind for representation in manifest.representations}


def retriever(encoders: Encoders, snapshot: Snapshot, name: str, query: Query, masks: Masks, limit: float) -> EmbeddedRetriever:
    """By the query's own vector or weighted terms, or by its encoded text.

    Raises `RecipeError` for token vectors, which only rescore, and `ModelError` without an encoder.
    """
    representation = named(snapshot.manifest, name)
    if not kind_of(representation.kind).first_stage:
        raise RecipeError(
            f'{name!r} holds token vectors, which score the candidates of another retriever; write: bm25 >> late(by="{name}")'
        )
    given = query.vectors.get(name)
    return of(
        encoders,
        snapshot,
        representation,
        query.text,
        masks,
        given=query.sparse.get(name) if given is None else given,
        limit=limit,
    )


def of(
    encoders: Encoders,
    snapshot: Snapshot,
    representation: Representation,
    text: str,
    masks: Masks,
    *,
    given: Any = None,
    limit: float = 0.0,
) -> EmbeddedRetriever:
    """The retriever of ``representation`` itself; ``given`` takes the place of the encoded ``text``."""
    kind = kind_of(representation.kind)
    query = kind.query(encoders.encoder(representation), text) if given is None else kind.given(given, representation)

    def fallback() -> Retriever:
        return _fallback(encoders, snapshot, representation, text, masks, query)

    return EmbeddedRetriever(snapshot, representation, query, masks, fallback, encoders.on_demand(representation), limit)


def _fallback(
    encoders: Encoders, snapshot: Snapshot, representation: Representation, text: str, masks: Masks, query: Any
) -> Retriever:
    """What scores passages that are not embedded yet: what ``representation`` replaces, else the built-in vectors or BM25."""
    manifest = snapshot.manifest
    old = manifest.by_key(representation.replaces) if representation.replaces else None
    if old is not None:
        # Without an adapter yet, the old encoder encodes the query.
        adapter = snapshot.adapters.get(representation.adapter or "")
        return of(encoders, snapshot, old, text, masks, given=None if adapter is None else adapter.apply(query))
    if manifest.settings.encoder is not None:
        return dense.retriever(encoders, snapshot, BUILT_IN, Query(text), masks)
    return bm25.retriever(encoders, snapshot, bm25.NAME, Query(text), masks)


class EmbeddedRetriever:
    """Searches and scores by a representation that some or all passages have been embedded for.

    Its candidates are the best of the embedded passages and the best of ``fallback``, a retriever of
    all passages. A passage has the representation's own score where it is embedded, was encoded for an
    earlier query, or can be encoded within ``limit`` seconds; elsewhere its score is imputed from the
    fallback's (`bookwheel.library.vectors.score_imputation`). ``on_demand`` None encodes nothing.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        representation: Representation,
        query: Any,
        masks: Masks,
        fallback: Callable[[], Retriever],
        on_demand: OnDemand | None,
        limit: float,
    ) -> None:
        self.snapshot = snapshot
        self.representation = representation
        self.kind = kind_of(representation.kind)
        self.query = query
        self.masks = masks
        self._make_fallback = fallback
        self.on_demand = on_demand
        self.left = limit
        self.floor = self.kind.floor
        self.line: Line | None = None
        self._best: Hits | None = None
        self._made: dict[int, float] = {}
        self.complete = snapshot.complete(representation.key)

    @cached_property
    def fallback(self) -> Retriever:
        """Scores what is not embedded yet; made, and its query encoded, only where it is needed."""
        return self._make_fallback()

    def retrieve(self, depth: int) -> Hits:
        """The best ``depth`` passages."""
        own = self._search(depth)
        if self.complete:
            return own
        others = self.fallback.retrieve(max(depth, COMPARED))
        self._best = self._best if self._best is not None else others.top(COMPARED)
        others = others.top(depth)
        ids = np.union1d(own.ids, others.ids)
        return Hits.ranked(ids, self.score(ids), depth)

    def score(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Scores of any passages."""
        scores, known = self.stored(ids)
        if known.all():
            return scores
        base = self.fallback.score(ids)
        self._encoded(ids, base, scores, known)
        if self.line is None:
            self.line = self._fit() or (1.0, 0.0, 0.0)
        missing = ~known
        scores[missing] = imputed(self.line, base[missing])
        return scores

    def _fit(self) -> Line | None:
        """The line over the fallback's best candidates, as far as they have both scores."""
        if self._best is None:
            self._best = self.fallback.retrieve(COMPARED)
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
        """Scores of the passages that are embedded, and which these are."""
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
        """Add the scores of what the cache has, and of the best candidates that can be encoded in time."""
        if self.on_demand is None:
            return
        missing = np.flatnonzero(~known)
        missing = missing[np.argsort(-base[missing], kind="stable")]
        self.on_demand.cache.request(ids[missing[:REQUESTED]].tolist())
        packed = self.on_demand.cached(ids[missing])
        unmade = np.array([at for at in missing.tolist() if int(ids[at]) not in packed], np.int64)
        if len(unmade) and self.left > 0:
            started = time.perf_counter()
            packed |= self.on_demand.encode(self.snapshot, ids[unmade], self.left)
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
