"""Encoding candidates while a query waits, and keeping the result for the next query and for `Library.embed`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..passage_texts import texts_in_turn
from .cache import VectorCache, cache_key
from .kinds import kind_of

if TYPE_CHECKING:
    from ..settings import Representation
    from ..snapshot import Snapshot

__all__ = ["LIMIT", "OnDemand"]

LIMIT = 0.05
"""Seconds that a query may spend on encoding passages; ``docs/embedding.md`` has what that buys."""
BATCH = 64


class OnDemand:
    """Encodes passages of one representation up to a time limit, and caches them.

    The time a passage takes is learned from those before it, so that only the first one ever encoded
    can exceed the limit.
    """

    def __init__(self, cache: VectorCache, encoder: Any, representation: Representation) -> None:
        self.cache = cache
        self.encoder = encoder
        self.key = cache_key(representation)
        self.kind = kind_of(representation.kind)
        self.seconds = 0.0
        """Per passage, an exponential average; 0 while nothing is known."""

    def cached(self, ids: NDArray[np.int64]) -> dict[int, bytes]:
        """Those of ``ids`` that were encoded earlier."""
        return self.cache.get(self.key, ids.tolist())

    def encode(self, snapshot: Snapshot, ids: NDArray[np.int64], limit: float) -> dict[int, bytes]:
        """As many of ``ids``, from the first on, as ``limit`` seconds allow, packed as the cache keeps them."""
        made: dict[int, bytes] = {}
        started = time.perf_counter()
        while len(made) < len(ids):
            left = limit - (time.perf_counter() - started)
            count = int(left / self.seconds) if self.seconds else 1
            if left <= 0 or count < 1:
                break
            some = ids[len(made) : len(made) + min(count, BATCH)].tolist()
            before = time.perf_counter()
            packed: list[bytes] = []
            for _, texts in texts_in_turn(snapshot.store, some):
                packed += self.kind.pack(self.kind.encode(self.encoder, texts))
            each = (time.perf_counter() - before) / len(some)
            self.seconds = each if not self.seconds else 0.7 * self.seconds + 0.3 * each
            made.update(zip(some, packed, strict=True))
        if made:
            # What has a damaged text serves this search only.
            damaged = snapshot.store.damaged
            self.cache.put(self.key, {number: data for number, data in made.items() if number not in damaged})
        return made
