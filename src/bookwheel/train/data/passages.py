"""The passages of a library that training reads: drawn with a seed, in memory that does not grow with the library."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...library.passage_texts import HEAD
from ...library.snapshot import Snapshot

__all__ = ["Passages"]

AT_ONCE = 256
"""Passages read at a time."""
_STREAM = 1 << 16


@dataclass(frozen=True)
class Passages:
    """Drawn passages by rising id: ``ids`` and ``documents`` int64 (n,), the latter numbering documents in the library's order."""

    snapshot: Snapshot
    ids: NDArray[np.int64]
    documents: NDArray[np.int64]
    total: int
    """Of the library."""

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def drawn(cls, snapshot: Snapshot, most: int, seed: int) -> Passages:
        """At most ``most`` passages: those whose numbers have the smallest hashes, so that a library that grew gives mostly the same.

        Raises `LibraryDamaged`.
        """
        kept = np.empty((0, 2), np.int64)
        worst, total, document = np.uint64(2**64 - 1), 0, 0
        waiting: list[tuple[int, int, int]] = []

        def settle() -> None:
            nonlocal kept, worst
            if not waiting:
                return
            rows = np.array(waiting, np.int64)
            waiting.clear()
            counts = rows[:, 1]
            ends = np.cumsum(counts)
            ids = np.repeat(rows[:, 0] - (ends - counts), counts) + np.arange(ends[-1])
            some = np.stack([ids, np.repeat(rows[:, 2], counts)], 1)
            kept = np.concatenate([kept, some[_hashes(ids, seed) <= worst]])
            if len(kept) > most:
                order = np.argsort(_hashes(kept[:, 0], seed), kind="stable")[:most]
                kept = kept[order]
                worst = _hashes(kept[-1:, 0], seed)[0]

        held = 0
        for _, first, count in snapshot.store.spans(snapshot.generation):
            waiting.append((first, count, document))
            document, total, held = document + 1, total + count, held + count
            if held >= _STREAM:
                settle()
                held = 0
        settle()
        kept = kept[np.argsort(kept[:, 0], kind="stable")]
        return cls(snapshot, kept[:, 0].copy(), kept[:, 1].copy(), total)

    def texts(self) -> Iterator[tuple[int, str, str]]:
        """Position, title (empty where it is the text) and text of each, the first `HEAD` characters; damaged ones are left out."""
        for start in range(0, len(self.ids), AT_ONCE):
            some = self.ids[start : start + AT_ONCE].tolist()
            rows = self.snapshot.store.texts(some, HEAD)
            for at, number in enumerate(some, start):
                if number in rows:
                    title, text = rows[number]
                    yield at, "" if title == text else title, text


def _hashes(numbers: NDArray[np.int64], seed: int) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    x = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64((seed * 0xD1342543DE82EF95 + 1) % 2**64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
