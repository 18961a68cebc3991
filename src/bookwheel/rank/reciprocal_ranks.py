"""Fusion by reciprocal ranks (Cormack, Clarke and Büttcher, SIGIR 2009)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..hits import Hits

__all__ = ["reciprocal"]


def reciprocal(lists: Sequence[Hits], k: float = 60.0) -> tuple[Hits, list[NDArray[np.float32]]]:
    """All passages of ``lists`` by the sum of 1 / (k + rank), and what each list contributes to
    each score.

    Ranks count from 1. The contributions are one float32 array of shape (n,) per list, aligned with
    the hits.
    """
    ids = np.unique(np.concatenate([hits.ids for hits in lists])) if lists else np.empty(0, np.int64)
    shares = np.zeros((len(lists), len(ids)))
    for row, hits in zip(shares, lists, strict=True):
        row[np.searchsorted(ids, hits.ids)] = 1.0 / (k + np.arange(1, len(hits) + 1))
    total = shares.sum(axis=0)
    order = np.lexsort((ids, -total.astype(np.float32)))
    return Hits(ids[order], total[order].astype(np.float32)), [row[order].astype(np.float32) for row in shares]
