"""Normalisations: they bring the scores of different retrievers to one scale before the scores are
added.

Each is an affine map fitted to the exact scores that one retriever gives the candidates of one
query, including candidates that only other retrievers selected. Bruch, Gai and Ingber, "An Analysis
of Fusion Functions for Hybrid Retrieval" (ACM TOIS 2023), compare them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._errors import UsageError

__all__ = ["DEFAULT_NORMALISATION", "NORMALISATIONS", "Affine", "minmax", "normalisation", "tmm", "zscore"]


class Affine(NamedTuple):
    """``(score - shift) * scale + offset``."""

    shift: float
    scale: float
    offset: float

    def __call__(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mapped scores, of any shape."""
        return (scores - self.shift) * self.scale + self.offset


Normalisation = Callable[[NDArray[np.float64], float], Affine]
"""Makes the map from scores (n,), n > 0, and the lowest score that the retriever can give."""


def minmax(scores: NDArray[np.float64], floor: float) -> Affine:
    """Maps the worst candidate to 0 and the best to 1 (Lee, "Analyses of multiple evidence
    combination", SIGIR 1997).

    This is CombSUM's usual scaling. It depends on the number of candidates.
    """
    return _between(float(scores.min()), float(scores.max()))


def tmm(scores: NDArray[np.float64], floor: float) -> Affine:
    """Maps the lowest possible score to 0 and the best candidate to 1: theoretical min-max (Bruch,
    Gai, Ingber 2023, TM2C2).

    The ``floor`` is 0 for BM25 and -1 for a cosine. It does not depend on the number of candidates,
    and small differences between good candidates stay small.
    """
    return _between(floor, float(scores.max()))


def zscore(scores: NDArray[np.float64], floor: float) -> Affine:
    """Mean 0 and standard deviation 1 over the candidates (Montague and Aslam, "Relevance score
    normalization", CIKM 2001).
    """
    mean, deviation = float(scores.mean()), float(scores.std())
    # The deviation of equal numbers may come out as rounding noise.
    return Affine(mean, 1 / deviation, 0.0) if deviation > 1e-9 * max(1.0, abs(mean)) else Affine(mean, 0.0, 0.0)


def _between(low: float, high: float) -> Affine:
    return Affine(low, 1 / (high - low), 0.0) if high > low else Affine(low, 0.0, 1.0)


NORMALISATIONS: dict[str, Normalisation] = {"minmax": minmax, "tmm": tmm, "zscore": zscore}

DEFAULT_NORMALISATION = "tmm"


def normalisation(name: str) -> Normalisation:
    """The normalisation called ``name``. Raises `UsageError` that lists the names there are."""
    try:
        return NORMALISATIONS[name]
    except KeyError:
        raise UsageError(f"there is no normalisation {name!r}; available: {', '.join(NORMALISATIONS)}") from None
