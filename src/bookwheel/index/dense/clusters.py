"""Clusters of roughly equal size: two levels of k-means on a sample, and a vector's nearest cluster through both levels.

Two levels cost the square root of one: with ten thousand clusters, a vector is compared with a few hundred centres. A sample of
a few dozen rows per cluster is enough, so that only the sample has to fit into memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Clusters", "cluster", "nearest"]

_ROUNDS = 8
_PIECE = 8192
_BEAM = 3
"""The number of upper clusters searched for the nearest lower one."""
_UNEVEN = 2.0
"""Clusters with more than this many times the mean number of rows are split."""


def nearest(vectors: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.int64]:
    """The nearest of ``centres`` (k, d) by Euclidean distance for each row of ``vectors`` (n, d)."""
    half = (centres * centres).sum(axis=1) / 2
    found = np.empty(len(vectors), dtype=np.int64)
    for start in range(0, len(vectors), _PIECE):
        rows = vectors[start : start + _PIECE]
        found[start : start + len(rows)] = np.argmax(rows @ centres.T - half, axis=1)
    return found


def _k_means(vectors: NDArray[np.float16], count: int, generator: np.random.Generator) -> NDArray[np.float32]:
    """Centres (count, d) of ``vectors`` (Lloyd 1982); a centre without rows moves to a row of the largest cluster."""
    from ...kernels.dense.cluster import add_members

    count = min(count, len(vectors))
    centres = vectors[generator.choice(len(vectors), count, replace=False)].astype(np.float32)
    for _ in range(_ROUNDS if count > 1 else 1):
        sums, counts = np.zeros(centres.shape), np.zeros(count, dtype=np.int64)
        members = np.empty(len(vectors), dtype=np.int64)
        for start in range(0, len(vectors), _PIECE):
            rows = vectors[start : start + _PIECE].astype(np.float32)
            members[start : start + len(rows)] = here = nearest(rows, centres)
            add_members(rows, here, sums, counts)
        centres = (sums / np.maximum(counts, 1)[:, None]).astype(np.float32)
        for empty in np.flatnonzero(counts == 0):
            fullest = np.flatnonzero(members == np.argmax(counts))
            centres[empty] = vectors[generator.choice(fullest)].astype(np.float32)
    return np.ascontiguousarray(centres)


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """Centres (k, d) of the clusters, grouped by upper cluster: ``starts`` (u + 1,) for the upper centres ``upper`` (u, d)."""

    centres: NDArray[np.float32]
    upper: NDArray[np.float32]
    starts: NDArray[np.int64]

    def assign(self, vectors: NDArray[np.float32]) -> NDArray[np.int64]:
        """The nearest cluster of each row (n, d), among those of the nearest few upper clusters."""
        half = (self.upper * self.upper).sum(axis=1) / 2
        lower = (self.centres * self.centres).sum(axis=1) / 2
        beam = min(_BEAM, len(self.upper))
        closeness = vectors @ self.upper.T - half
        chosen = np.argpartition(-closeness, beam - 1, axis=1)[:, :beam]
        best = np.full(len(vectors), -np.inf, dtype=np.float32)
        found = np.zeros(len(vectors), dtype=np.int64)
        # the rows of each upper cluster, by one stable sort
        order = np.argsort(chosen.reshape(-1), kind="stable")
        ends = np.searchsorted(chosen.reshape(-1)[order], np.arange(len(self.upper) + 1))
        for number, (first, last) in enumerate(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)):
            if first == last:
                continue
            rows = order[first:last] // beam
            part = slice(int(self.starts[number]), int(self.starts[number + 1]))
            scores = vectors[rows] @ self.centres[part].T - lower[part]
            at = np.argmax(scores, axis=1)
            score = scores[np.arange(len(rows)), at]
            better = score > best[rows]
            best[rows[better]] = score[better]
            found[rows[better]] = at[better] + part.start
        return found


def cluster(sample: NDArray[np.float16], count: int, seed: int) -> Clusters:
    """About ``count`` clusters of the rows of ``sample`` (m, d), none of them much larger than the others."""
    generator = np.random.default_rng(seed)
    upper = _k_means(sample, max(1, round(count**0.5)), generator)
    members = np.concatenate([nearest(sample[s : s + _PIECE].astype(np.float32), upper) for s in range(0, len(sample), _PIECE)])
    size = max(1.0, len(sample) / count)
    kept, centres, starts = [], [], [0]
    for number in range(len(upper)):
        rows = sample[members == number]
        if not len(rows):
            continue
        own = _split(rows, size, generator)
        kept.append(upper[number])
        centres.append(own)
        starts.append(starts[-1] + len(own))
    return Clusters(np.concatenate(centres), np.stack(kept), np.array(starts, dtype=np.int64))


def _split(rows: NDArray[np.float16], size: float, generator: np.random.Generator) -> NDArray[np.float32]:
    """Centres of clusters of ``rows`` with about ``size`` rows each; much larger ones are split again."""
    count = max(1, round(len(rows) / size))
    centres = _k_means(rows, count, generator)
    if len(centres) == 1:
        return centres
    members = np.concatenate([nearest(rows[s : s + _PIECE].astype(np.float32), centres) for s in range(0, len(rows), _PIECE)])
    held = np.bincount(members, minlength=len(centres))
    parts = [centres[held <= _UNEVEN * size]]
    for number in np.flatnonzero(held > _UNEVEN * size):
        # equal rows cannot be split
        parts.append(_split(rows[members == number], size, generator) if held[number] < len(rows) else centres[[number]])
    return np.concatenate(parts)
