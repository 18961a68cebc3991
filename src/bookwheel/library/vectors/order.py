"""Which passages are embedded first: the candidates of queries asked, then those of likely queries."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ...documents.noise import without_noise
from ...hits import Hits
from ..snapshot import Snapshot
from .cache import VectorCache

__all__ = ["likely_queries", "next_passages"]

DEPTH = 10
"""Candidates of a likely query."""
WORDS = 12
"""The first words of a text without a title that make a likely query."""


def likely_queries(snapshot: Snapshot, seed: int) -> Iterator[str]:
    """Titles of documents, or the first words of those without one, in an order drawn with ``seed``."""
    numbers = list(snapshot.store.numbers(snapshot.generation))
    random.Random(seed).shuffle(numbers)
    for number in numbers:
        rows = snapshot.store.execute(
            "SELECT d.title, substr(t.text, 1, 200) FROM documents d JOIN texts t ON t.document = d.id WHERE d.id = ?",
            (number,),
        )
        for title, start in rows:
            if text := (title or " ".join(without_noise(start).split()[:WORDS])).strip():
                yield text


def next_passages(
    snapshot: Snapshot,
    key: str,
    cache: VectorCache,
    cached: set[int],
    count: int,
    ask: Callable[[str], Hits],
    queries: Iterator[str],
) -> NDArray[np.int64]:
    """The next ``count`` passages to embed for the representation ``key``: ids, the most useful first.

    First the candidates of queries asked, most often first; then those that ``ask`` finds for
    ``queries``; then the others in their order. ``cached`` passages are encoded already.
    """
    absent = [segment.ids[at] for segment, at in zip(snapshot.segments, snapshot.missing(key), strict=True)]
    missing = np.concatenate([*absent, np.empty(0, np.int64)])
    if cached:
        missing = missing[~np.isin(missing, np.fromiter(cached, np.int64, len(cached)))]
    if len(missing) <= count:
        return missing
    requested = np.array(cache.requested(), np.int64)
    requested = requested[np.isin(requested, missing)][:count]
    chosen = dict.fromkeys(requested.tolist())
    open_ = set(missing.tolist()) if len(chosen) < count else set()
    for query in queries:
        if len(chosen) >= count:
            break
        hits = ask(query)
        for number in hits.ids[:DEPTH].tolist():
            if number in open_ and len(chosen) < count:
                chosen.setdefault(number)
    if len(chosen) < count:
        rest = missing[~np.isin(missing, np.fromiter(chosen, np.int64, len(chosen)))]
        chosen.update(dict.fromkeys(rest[: count - len(chosen)].tolist()))
    return np.fromiter(chosen, np.int64, len(chosen))
