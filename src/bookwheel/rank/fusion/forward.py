"""Re-scoring candidates from a forward index, best candidate first, until no later one can come among the best.

Source: Leonhardt, Müller, Rudra, Khosla, Anand and Anand, "Efficient Neural Ranking using Forward Indexes and Lightweight
Encoders" (ACM TOIS 2023), whose early stopping takes the best second score seen so far as the bound of those to come.
Here both scores are normalised first (``tmm``: the least possible score is 0, the best candidate's 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...hits import Hits
from ..retriever import Retriever
from ..stages.base import LateScorer

__all__ = ["Interpolated", "interpolated"]

BATCH = 128
"""Candidates scored at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Interpolated:
    """Candidates in their new order; float32 arrays (n,) aligned with ``ids``."""

    ids: NDArray[np.int64]
    scores: NDArray[np.float32]
    first: NDArray[np.float32]
    """What the first score contributes."""
    second: NDArray[np.float32]
    raw_first: NDArray[np.float32]
    raw_second: NDArray[np.float32]
    scored: int
    """How many candidates the second retriever scored; the others cannot come among the best ``want``."""


def interpolated(hits: Hits, retriever: Retriever | LateScorer, weight: float, want: int | None = None) -> Interpolated:
    """(1 - weight) times the normalised score of ``hits`` plus ``weight`` times that of ``retriever``.

    With ``want``, scoring stops where no later candidate can come among the best ``want``, unless one scores higher in the
    second than all before; only those scored are returned then. All are scored where ``want`` is None.
    """
    n = len(hits)
    low, high = min(0.0, float(hits.scores[-1])), float(hits.scores[0])
    span = high - low
    first = (1 - weight) * ((hits.scores.astype(np.float64) - low) / span if span > 0 else np.ones(n))
    raw = np.empty(n, np.float32)
    top = -np.inf
    done = 0
    while done < n:
        end = n if want is None else min(n, max(done + BATCH, want))
        raw[done:end] = retriever.score(hits.ids[done:end])
        top = max(top, float(raw[done:end].max()))
        done = end
        if want is not None and done >= want and done < n:
            scores = first[:done] + weight * _normal(raw[:done], retriever.floor, top)
            worst = float(np.partition(scores, done - want)[done - want])
            if float(first[done]) + weight <= worst:
                break
    second = weight * _normal(raw[:done], retriever.floor, top)
    # Equal scores stay in rising order of passage id, as in all hits.
    order = np.lexsort((hits.ids[:done], -(first[:done] + second).astype(np.float32)))
    return Interpolated(
        hits.ids[order],
        (first[order] + second[order]).astype(np.float32),
        first[order].astype(np.float32),
        second[order].astype(np.float32),
        hits.scores[order],
        raw[order],
        done,
    )


def _normal(raw: NDArray[np.float32], floor: float, top: float) -> NDArray[np.float64]:
    span = top - floor
    return (raw.astype(np.float64) - floor) / span if span > 0 else np.ones(len(raw))
