"""Vectors that were made elsewhere, as sources of a representation: arrays, and weighted terms by document or passage.

A source is checked as a whole when it is opened; `SOURCES` says which one reads what.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..._errors import InputError, ModelError
from ...encode.protocols import SparseVectors, unit
from ...encode.vector_files import SparseFile, read_ciff, read_dense, read_term_weights
from ..settings import EncoderInfo
from .kinds.base import Payload
from .kinds.dense import MULTIPLE
from .kinds.sparse import KIND, TermWeights

__all__ = ["ArraySource", "Source", "TermsSource", "source_of"]

TERMS = {".ciff": 6, ".jsonl": 2, ".json": 2}
"""Files of weighted terms by their ending, with the bytes of memory that each byte of the file takes."""
ROWS = "make one for each line of `bookwheel export --passages`, in its order (or of `bookwheel export`)"


class Source(Protocol):
    """Vectors in an array or a file."""

    kind: str
    name: str
    """What an error calls it."""
    nbytes: int
    """Bytes of memory that reading it takes."""

    def info(self) -> EncoderInfo:
        """What takes the place of an encoder's description where no encoder is named; called after `read`."""

    def read(self, names: Sequence[str], counts: NDArray[np.int64], encoder: Any) -> NDArray[np.int64]:
        """Read and check it; the row of each passage, int64.

        ``names`` and ``counts`` are the ids of the documents and their numbers of passages, in the
        library's order. Raises `InputError` where rows and passages do not correspond, `ModelError`
        where ``encoder`` (None: unknown) makes vectors of another size.
        """

    def take(self, rows: NDArray[np.int64]) -> Payload:
        """Rows as the payload of a part."""

    def cosines(self, rows: NDArray[np.int64], encoder: Any, texts: Sequence[str]) -> NDArray[np.float64]:
        """Of each row with what ``encoder`` makes of the text beside it."""


def source_of(vectors: NDArray[Any] | str | Path) -> Source:
    """The source that reads ``vectors``; raises `InputError` where there is no such file."""
    if isinstance(vectors, np.ndarray):
        return ArraySource(vectors)
    path = Path(vectors).expanduser()
    if not path.is_file():
        raise InputError(f"there is no file {path}; give a .npy file of vectors, or .jsonl or .ciff of weighted terms")
    return TermsSource(path) if path.suffix in TERMS else ArraySource(path)


class ArraySource:
    """An array (n, d) or a ``.npy`` file of one, a row for each passage or for each document. Memory-mapped from a file."""

    kind = "dense"
    nbytes = 0

    def __init__(self, array: NDArray[Any] | Path) -> None:
        self._array: NDArray[Any] = np.empty((0, 0))
        self._given = array
        self.name = str(array) if isinstance(array, Path) else "the array"

    def info(self) -> EncoderInfo:
        """By the bytes of the file or the array."""
        given, dimension = self._given, int(self._array.shape[1])
        if isinstance(given, Path):
            return EncoderInfo(given.name, "1", dimension, _file_sha256(given))
        return EncoderInfo("an array", "1", dimension, _sha256(given))

    def read(self, names: Sequence[str], counts: NDArray[np.int64], encoder: Any) -> NDArray[np.int64]:
        """Rows stand for passages or for documents, depending on their number."""
        array = read_dense(self._given) if isinstance(self._given, Path) else _numbers(self._given)
        if array.shape[1] < 1:
            raise InputError(f"{self.name} has vectors of no dimensions; make it again")
        if encoder is not None and array.shape[1] != encoder.dimension:
            raise ModelError(
                f"{self.name} has vectors of {array.shape[1]} dimensions where {encoder.name} makes {encoder.dimension}; name "
                "the model that made them"
            )
        self._array = array
        passages = int(counts.sum())
        if len(array) == passages:
            return np.arange(passages)
        if len(array) == len(names):
            return np.repeat(np.arange(len(names)), counts)
        raise InputError(
            f"{self.name} has {len(array):,} vectors where the library has {passages:,} passages of {len(names):,} documents; "
            f"{ROWS}"
        )

    def take(self, rows: NDArray[np.int64]) -> _Rows:
        """Rows, read and scaled to unit length when a part is written."""
        return _Rows(self._array, rows)

    def cosines(self, rows: NDArray[np.int64], encoder: Any, texts: Sequence[str]) -> NDArray[np.float64]:
        """Dot products of unit vectors."""
        own = unit(np.asarray(encoder.encode(list(texts)), np.float32))
        return np.asarray((unit(self._array[rows]) * own).sum(1), np.float64)


class _Rows:
    """Rows of an array at unit length, padded with zeros as a part needs them; read some at a time."""

    def __init__(self, array: NDArray[Any], rows: NDArray[np.int64]) -> None:
        self.array, self.rows = array, rows

    def __getitem__(self, at: NDArray[np.int64]) -> NDArray[np.float32]:
        taken = unit(np.asarray(self.array[self.rows[at]], np.float32))
        short = -self.array.shape[1] % MULTIPLE
        return np.pad(taken, ((0, 0), (0, short))) if short else taken


class TermsSource:
    """Weighted terms of documents (``ID``) or passages (``ID#N``): ``.jsonl`` or ``.ciff``."""

    kind = "sparse"

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.nbytes = TERMS[path.suffix] * path.stat().st_size
        self._path = path
        self._payload: TermWeights | None = None

    def info(self) -> EncoderInfo:
        """By the bytes of the file."""
        return EncoderInfo(self._path.name, "1", 0, _file_sha256(self._path))

    def read(self, names: Sequence[str], counts: NDArray[np.int64], encoder: Any) -> NDArray[np.int64]:
        """Rows are identified by the names of documents and passages."""
        found = read_ciff(self._path) if self._path.suffix == ".ciff" else read_term_weights(self._path)
        rows = _by_name(self.name, found, names, counts)
        self._payload = TermWeights(found.vectors, found.vocabulary)
        return rows

    def take(self, rows: NDArray[np.int64]) -> TermWeights:
        """Rows."""
        assert self._payload is not None
        return KIND.take(self._payload, rows)

    def cosines(self, rows: NDArray[np.int64], encoder: Any, texts: Sequence[str]) -> NDArray[np.float64]:
        """Over the terms of both."""
        assert self._payload is not None
        made: SparseVectors = encoder.encode(list(texts))
        vocabulary = self._payload.vocabulary
        return np.array(
            [
                _cosine(_weights(self._payload.vectors, row, vocabulary), _weights(made, place, encoder.vocabulary))
                for place, row in enumerate(rows.tolist())
            ]
        )


def _weights(vectors: SparseVectors, row: int, vocabulary: Sequence[str]) -> dict[str, float]:
    terms, weights = vectors.row(row)
    return {vocabulary[term]: weight for term, weight in zip(terms.tolist(), weights.tolist(), strict=True)}


def _cosine(one: dict[str, float], other: dict[str, float]) -> float:
    product = sum(weight * one.get(term, 0.0) for term, weight in other.items())
    lengths = sum(w * w for w in one.values()) * sum(w * w for w in other.values())
    return product / lengths**0.5 if lengths > 0 else 0.0


def _numbers(array: NDArray[Any]) -> NDArray[Any]:
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise InputError(f"an array of shape {array.shape} and type {array.dtype}; expected (texts, dimension) of numbers")
    if not np.isfinite(array).all():
        bad = int(np.flatnonzero(~np.isfinite(array).all(1))[0])
        raise InputError(f"the array has a vector that is not finite in row {bad + 1}; make it again")
    return array


def _by_name(path: str, found: SparseFile, names: Sequence[str], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The row of each passage; raises `InputError` where one has none, or a row has no passage."""
    rows = {name: row for row, name in enumerate(found.ids)}
    if len(rows) < len(found.ids):
        double = next(name for row, name in enumerate(found.ids) if rows[name] != row)
        raise InputError(f"{path} has two rows for {double!r}; leave one out")
    out, used = [], set()
    for name, count in zip(names, counts.tolist(), strict=True):
        whole = rows.get(name)
        for number in range(1, count + 1):
            row = rows.get(f"{name}#{number}", whole)
            if row is None:
                raise InputError(
                    f"{path} has no row for passage {number} of document {name[:100]!r}; each passage needs one, named as in "
                    "`bookwheel export --passages` (or its document, as in `bookwheel export`)"
                )
            out.append(row)
            used.add(row)
    if len(used) < len(rows):
        other = next(name for row, name in enumerate(found.ids) if row not in used)
        raise InputError(
            f"{path} has {len(rows) - len(used):,} rows of documents that are not in the library, {other[:100]!r} first; leave "
            "them out, or index those documents first"
        )
    return np.array(out, np.int64)


def _sha256(array: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
