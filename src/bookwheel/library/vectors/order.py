"""Which passages a worker encodes first: those that people's queries brought up, then those that likely queries would."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ...hits import Hits
from ..snapshot import Snapshot
from .cache import SideCache

__all__ = ["likely_queries", "next_passages"]

DEPTH = 10
"""Passages that a likely query brings up."""
WORDS = 12
"""Of a text without a title: so many of its first words ask for it."""


def likely_queries(snapshot: Snapshot, seed: int) -> Iterator[str]:
    """What might be asked: titles of documents, or the first words of those without one, in an order drawn with ``seed``."""
    numbers = list(snapshot.store.numbers(snapshot.generation))
    random.Random(seed).shuffle(numbers)
    for number in numbers:
        rows = snapshot.store.execute(
            "SELECT d.title, substr(t.text, 1, 200) FROM documents d JOIN texts t ON t.document = d.id WHERE d.id = ?",
            (number,),
        )
        for title, start in rows:
            if text := (title or " ".join(start.split()[:WORDS])).strip():
                yield text


def next_passages(
    snapshot: Snapshot,
    key: str,
    cache: SideCache,
    kept: set[int],
    count: int,
    ask: Callable[[str], Hits],
    queries: Iterator[str],
) -> NDArray[np.int64]:
    """The next ``count`` living passages that representation ``key`` does not hold: ids, the most useful first.

    Those that queries brought up, most often first; then those that ``queries`` bring up by ``ask``, and then the others in their
    order. ``kept`` are encoded already.
    """
    missing = [segment.ids[at] for segment, at in zip(snapshot.segments, snapshot.unfilled(key), strict=True)]
    unfilled = np.concatenate([*missing, np.empty(0, np.int64)])
    if kept:
        unfilled = unfilled[~np.isin(unfilled, np.fromiter(kept, np.int64, len(kept)))]
    if len(unfilled) <= count:
        return unfilled
    wanted = np.array(cache.wanted(), np.int64)
    wanted = wanted[np.isin(wanted, unfilled)][:count]
    chosen = dict.fromkeys(wanted.tolist())
    open_ = set(unfilled.tolist()) if len(chosen) < count else set()
    for query in queries:
        if len(chosen) >= count:
            break
        hits = ask(query)
        for number in hits.ids[:DEPTH].tolist():
            if number in open_ and len(chosen) < count:
                chosen.setdefault(number)
    if len(chosen) < count:
        rest = unfilled[~np.isin(unfilled, np.fromiter(chosen, np.int64, len(chosen)))]
        chosen.update(dict.fromkeys(rest[: count - len(chosen)].tolist()))
    return np.fromiter(chosen, np.int64, len(chosen))
