"""Bringing the scores of different retrievers to one scale before they are added.

Every normalisation is an affine map fitted to the scores of one retriever over the candidates of one query, exact scores
filled in where the retriever had not selected a candidate itself. Which of them serves best is a matter of measurement:
Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval" (ACM TOIS 2023), compare them.
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
        """Map scores of any shape."""
        return (scores - self.shift) * self.scale + self.offset


Normalisation = Callable[[NDArray[np.float64], float], Affine]
"""Scores of shape (n,), n > 0, and the least score the retriever can give, to the map."""


def minmax(scores: NDArray[np.float64], floor: float) -> Affine:
    """Worst candidate 0, best 1 (Lee, "Analyses of multiple evidence combination", SIGIR 1997; CombSUM's usual scaling).

    Uses the whole range whatever the scores mean, so it depends on how deep the candidate lists go.
    """
    return _between(float(scores.min()), float(scores.max()))


def tmm(scores: NDArray[np.float64], floor: float) -> Affine:
    """Least possible score 0, best candidate 1: "theoretical min-max" (Bruch, Gai, Ingber 2023, the TM2C2 function).

    The floor is 0 for BM25 and -1 for a cosine. Does not depend on the depth of the lists, and keeps small differences
    between good candidates small.
    """
    return _between(floor, float(scores.max()))


def zscore(scores: NDArray[np.float64], floor: float) -> Affine:
    """Mean 0, standard deviation 1 over the candidates (Montague and Aslam, "Relevance score normalization", CIKM 2001)."""
    mean, deviation = float(scores.mean()), float(scores.std())
    # The deviation of equal numbers may come out as rounding noise.
    return Affine(mean, 1 / deviation, 0.0) if deviation > 1e-9 * max(1.0, abs(mean)) else Affine(mean, 0.0, 0.0)


def _between(low: float, high: float) -> Affine:
    return Affine(low, 1 / (high - low), 0.0) if high > low else Affine(low, 0.0, 1.0)


NORMALISATIONS: dict[str, Normalisation] = {"minmax": minmax, "tmm": tmm, "zscore": zscore}

DEFAULT_NORMALISATION = "tmm"


def normalisation(name: str) -> Normalisation:
    """The normalisation called ``name``. Raises ``UsageError`` with those there are."""
    try:
        return NORMALISATIONS[name]
    except KeyError:
        raise UsageError(f"there is no normalisation {name!r}; available: {', '.join(NORMALISATIONS)}") from None
