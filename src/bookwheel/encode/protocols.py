"""The protocols of encoders, one for each kind of representation, and the arrays they give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError

__all__ = [
    "DenseEncoder",
    "SparseEncoder",
    "SparseVectors",
    "TokenEncoder",
    "TokenVectors",
    "check_vectors",
    "encode_queries",
    "max_tokens",
    "nbytes",
    "unit",
]


@dataclass(frozen=True)
class SparseVectors:
    """Sparse vectors of n texts: text i has the terms ``terms[indptr[i]:indptr[i + 1]]``, ascending, each once.

    ``indptr`` int64 (n + 1,), ``terms`` int32 (positions in the encoder's vocabulary), ``weights`` float32, all positive.
    """

    indptr: NDArray[np.int64]
    terms: NDArray[np.int32]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def row(self, number: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Terms and weights of one text."""
        part = slice(int(self.indptr[number]), int(self.indptr[number + 1]))
        return self.terms[part], self.weights[part]


@dataclass(frozen=True)
class TokenVectors:
    """Unit vectors of the tokens of n texts: those of text i are ``vectors[indptr[i]:indptr[i + 1]]``.

    ``indptr`` int64 (n + 1,), ``vectors`` float32 (total, dimension), ``spans`` int32 (total, 2): start and
    end of each token in its text, in characters; (0, 0) for a token without text (special tokens, query augmentation).
    """

    indptr: NDArray[np.int64]
    vectors: NDArray[np.float32]
    spans: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def row(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Vectors and spans of one text."""
        part = slice(int(self.indptr[number]), int(self.indptr[number + 1]))
        return self.vectors[part], self.spans[part]


@runtime_checkable
class DenseEncoder(Protocol):
    """Turns texts into unit vectors.

    Optional members, which the functions of this module look for: ``encode_queries(texts)`` where queries are
    encoded differently from passages, ``max_tokens``, ``nbytes``, ``encode_words(indptr, ids, table)``, which
    gives the same vectors from the words of a `bookwheel.analysis.words.WordTable`, and ``forget()``, which is called
    after each segment, to let go of what is remembered of words.
    """

    name: str
    """Its name in messages."""
    revision: str
    """Differs whenever the vectors differ."""
    dimension: int
    sha256: str
    """Hash of the weights, the vocabulary and the settings: vectors of encoders that differ in it must not be mixed."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension); zeros for a text without any known token."""


@runtime_checkable
class SparseEncoder(Protocol):
    """Turns texts into weighted terms of a fixed vocabulary."""

    name: str
    revision: str
    sha256: str
    vocabulary: Sequence[str]
    """The term of each number."""

    def encode(self, texts: Sequence[str]) -> SparseVectors:
        """The terms of passages."""

    def encode_queries(self, texts: Sequence[str]) -> SparseVectors:
        """The terms of queries."""


@runtime_checkable
class TokenEncoder(Protocol):
    """Turns texts into one unit vector a token, for late interaction."""

    name: str
    revision: str
    sha256: str
    dimension: int

    def encode(self, texts: Sequence[str]) -> TokenVectors:
        """The token vectors of passages."""

    def encode_queries(self, texts: Sequence[str]) -> TokenVectors:
        """The token vectors of queries."""


def encode_queries(encoder: DenseEncoder, texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors (n, dimension) of queries: with the query prefix or instruction of an encoder that has one."""
    method: Any = getattr(encoder, "encode_queries", encoder.encode)
    vectors: NDArray[np.float32] = method(texts)
    return vectors


def max_tokens(encoder: object) -> int | None:
    """The most tokens of a text that are encoded; None for no limit, or an unknown one."""
    number: int | None = getattr(encoder, "max_tokens", None)
    return number


def nbytes(encoder: object) -> int:
    """Bytes of memory in use while encoding, batches included; 0 if unknown."""
    return int(getattr(encoder, "nbytes", 0))


def check_vectors(vectors: NDArray[np.float32], name: str, texts: int, dimension: int) -> NDArray[np.float32]:
    """Returns ``vectors``; raises `ModelError` unless they are ``texts`` finite rows of ``dimension`` values."""
    if vectors.shape != (texts, dimension):
        raise ModelError(
            f"{name} gave vectors of shape {vectors.shape} for {texts} texts of dimension {dimension}; "
            "check that it is the model this library was made with"
        )
    # One pass without a temporary array: the sum of unit vectors is finite if and only if every value is.
    if not np.isfinite(vectors.sum(dtype=np.float64)):
        row = int(np.flatnonzero(~np.isfinite(vectors).all(1))[0])
        raise ModelError(
            f"{name} gave a vector that is not finite for text {row + 1} of {texts}; try it at precision fp32, "
            "or take another model"
        )
    return vectors


def unit(vectors: NDArray[Any]) -> NDArray[np.float32]:
    """``vectors`` (n, d) scaled to length one, float32; zeros stay zeros."""
    rows = np.asarray(vectors, np.float32)
    lengths: NDArray[np.float32] = np.linalg.norm(rows, axis=1, keepdims=True).astype(np.float32)
    lengths[lengths == 0] = 1
    scaled: NDArray[np.float32] = rows / lengths
    return scaled
