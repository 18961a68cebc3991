"""Reads vectors that other tools made: ``.npy`` for dense ones, JSONL of term weights or CIFF for sparse ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import InputError
from .._system import PARSING
from .protocols import SparseVectors
from .transformer.protobuf import messages, read_fields, signed

__all__ = ["SparseFile", "read_ciff", "read_dense", "read_term_weights"]

LARGEST = 1 << 31
"""Bytes of one record of a CIFF file: protobuf's own limit."""
ROWS = 65_536


@dataclass(frozen=True)
class SparseFile:
    """Sparse vectors of named documents; ``vectors`` has a row for each of ``ids``."""

    ids: list[str]
    vocabulary: list[str]
    vectors: SparseVectors


def read_dense(path: str | Path) -> NDArray[Any]:
    """The array of a ``.npy`` file, memory-mapped: (rows, dimension) of float32 or float16.

    Raises `InputError` for any other array, and for a value that is not finite.
    """
    path = Path(path)
    try:
        with PARSING:
            array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # numpy's reader lets out what Python's tokenizer and its own types raise
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path} is not readable as a .npy array ({reason}); write it with numpy.save") from error
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path} holds several arrays; write one with numpy.save")
    if array.ndim != 2 or array.dtype.kind != "f":
        raise InputError(
            f"{path} has an array of shape {array.shape} and type {array.dtype}; expected (texts, dimension) of floats"
        )
    for at in range(0, len(array), ROWS):
        bad = np.flatnonzero(~np.isfinite(array[at : at + ROWS]).all(1))
        if len(bad):
            raise InputError(f"{path} has a vector that is not finite in row {at + int(bad[0]) + 1}; make it again")
    return array


LARGEST_WEIGHT = float(np.finfo(np.float32).max)
"""As Python's own number, which integers of any size can be compared with."""


def read_term_weights(path: str | Path) -> SparseFile:
    """A JSONL file of ``{"id": …, "vector": {term: weight}}`` (Anserini's and Seismic's layout), or with ``"weights"``.

    The id may also be ``_id`` or ``docno``. Weights of zero and below are left out. Raises `InputError` with the line.
    """
    path = Path(path)
    ids: list[str] = []
    numbers: dict[str, int] = {}
    lengths: list[int] = []
    terms: list[int] = []
    weights: list[float] = []
    try:
        with path.open(encoding="utf-8") as file:
            for line, text in enumerate(file, 1):
                if text.strip():
                    name, vector = _record(path, line, text)
                    ids.append(name)
                    row = sorted((numbers.setdefault(t, len(numbers)), float(w)) for t, w in vector.items() if w > 0)
                    lengths.append(len(row))
                    terms += [term for term, _ in row]
                    weights += [weight for _, weight in row]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error})") from error
    indptr = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
    return SparseFile(ids, list(numbers), SparseVectors(indptr, np.array(terms, np.int32), np.array(weights, np.float32)))


def _record(path: Path, line: int, text: str) -> tuple[str, dict[str, float]]:
    try:
        record = json.loads(text)
        name = next(str(record[key]) for key in ("id", "_id", "docno") if key in record)
        vector = next(record[key] for key in ("vector", "weights") if key in record)
        finite = isinstance(vector, dict) and all(
            isinstance(w, int | float) and not isinstance(w, bool) and abs(w) <= LARGEST_WEIGHT for w in vector.values()
        )
    except (ValueError, TypeError, StopIteration, RecursionError):
        finite = False
    if not finite:
        raise InputError(
            f'{path} line {line} is not {{"id": …, "vector": {{term: weight}}}} with numbers for weights; correct that line'
        )
    return name, vector


def read_ciff(path: str | Path) -> SparseFile:
    """A CIFF file (Common Index File Format): postings of terms with whole-number weights, as other engines export them.

    Source: osirrc/ciff, ``CommonIndexFileFormat.proto``: a Header, PostingsList and DocRecord messages, each preceded by its
    length; a posting's document number is the difference to the previous one. Raises `InputError`.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            return _ciff(messages(file, LARGEST))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error})") from error
    except (ValueError, TypeError, UnicodeDecodeError, MemoryError) as error:
        raise InputError(f"{path} is truncated or no CIFF file ({error}); export it again") from error


def _ciff(records: Iterator[bytes]) -> SparseFile:
    header = {number: value for number, value in read_fields(next(records, b"")) if isinstance(value, int)}
    lists, listed = header.get(2, 0), header.get(3, 0)
    vocabulary: list[str] = []
    documents: list[NDArray[np.int64]] = []
    weights: list[NDArray[np.float32]] = []
    for _ in range(lists):
        record = next(records, None)
        if record is None:
            raise ValueError(f"it has {len(vocabulary)} of {lists} terms")
        term, ids, values = _postings(record)
        vocabulary.append(term)
        documents.append(ids)
        weights.append(values)
    names: dict[int, str] = {}
    for _ in range(listed):
        record = next(records, None)
        if record is None:
            raise ValueError(f"it has {len(names)} of {listed} documents")
        fields = dict(read_fields(record))
        names[int(fields.get(1, 0))] = bytes(fields.get(2, b"")).decode()
    if sorted(names) != list(range(len(names))):
        raise ValueError("its documents are not numbered from 0 on")
    return SparseFile([names[n] for n in range(len(names))], vocabulary, _transposed(documents, weights, len(names)))


def _postings(record: bytes) -> tuple[str, NDArray[np.int64], NDArray[np.float32]]:
    term, gaps, values = "", [], []
    for number, value in read_fields(record):
        if number == 1 and not isinstance(value, int):
            term = bytes(value).decode()
        elif number == 4 and not isinstance(value, int):
            posting = {field: int(v) for field, v in read_fields(value) if isinstance(v, int)}
            gaps.append(signed(posting.get(1, 0)))
            values.append(signed(posting.get(2, 0)))
    return term, np.cumsum(np.array(gaps, np.int64)), np.array(values, np.float32)


def _transposed(documents: list[NDArray[np.int64]], weights: list[NDArray[np.float32]], count: int) -> SparseVectors:
    """Postings by term, turned into rows by document."""
    rows = np.concatenate([np.empty(0, np.int64), *documents])
    if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < count:
        raise ValueError(f"it has a posting of document {int(rows.max())} among {count}")
    terms = np.repeat(np.arange(len(documents), dtype=np.int32), [len(d) for d in documents])
    every = np.concatenate([np.empty(0, np.float32), *weights])
    # Terms come in ascending order: a stable sort by document keeps them so.
    order = np.argsort(rows, kind="stable")
    order = order[every[order] > 0]
    indptr = np.searchsorted(rows[order], np.arange(count + 1)).astype(np.int64)
    return SparseVectors(indptr, terms[order], every[order])
