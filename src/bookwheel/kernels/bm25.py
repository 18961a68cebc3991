"""BM25, the one place of its formula: parameters, inverse document frequency, length norm and saturation.

A passage scores the sum over query terms of ``count * idf(df, n) * saturation(tf, norm(length, k1, b, average))``: Lucene's
form (Robertson's idf kept above 0, without the constant factor k1 + 1), after Robertson & Zaragoza, "The Probabilistic
Relevance Framework: BM25 and Beyond" (2009).

`norm` and `saturation` are plain arithmetic on numbers or arrays; `kernels.sparse.formula` compiles these same functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Bm25", "idf", "norm", "saturation"]

Number = TypeVar("Number", float, NDArray[np.float64])


@dataclass(frozen=True, slots=True)
class Bm25:
    """BM25's parameters: ``k1`` ≥ 0, term-frequency saturation; ``b`` from 0 to 1, length normalisation.

    Raises `ValueError` for values outside these ranges.
    """

    k1: float = 1.2
    b: float = 0.75

    def __post_init__(self) -> None:
        if not (0.0 <= self.k1 < 1e6 and 0.0 <= self.b <= 1.0):
            raise ValueError(f"BM25 needs k1 of at least 0 and b from 0 to 1, not k1={self.k1}, b={self.b}")

    def parameters(self, average_length: float) -> NDArray[np.float64]:
        """What the kernels take: k1, b and the average length, float64 (3,); a length of 0 (no passages) counts as 1."""
        return np.array([self.k1, self.b, average_length if average_length > 0 else 1.0], np.float64)


def idf(document_frequencies: ArrayLike, passages: int) -> NDArray[np.float64]:
    """Inverse document frequencies ln(1 + (n - df + 0.5) / (df + 0.5)) of terms found in ``df`` of ``n`` passages: float64."""
    df = np.asarray(document_frequencies, np.float64)
    return np.asarray(np.log1p((passages - df + 0.5) / (df + 0.5)), np.float64)


def norm(length: Number, k1: float, b: float, average_length: float) -> Number:
    """The length norm k1 (1 - b + b length / average length) of passages of ``length`` terms."""
    return k1 * (1.0 - b + b * (length / average_length))


def saturation(frequency: Any, norm: Any) -> Any:
    """The saturated term frequency tf / (tf + norm), from 0 to 1."""
    return frequency / (frequency + norm)
