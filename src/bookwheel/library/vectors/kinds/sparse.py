"""Weighted terms of a learned-sparse model, in the impact index that any sparse vectors can lie in."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...._errors import ModelError, UsageError
from ....encode.protocols import SparseVectors
from ....hits import Hits
from ....index.inverted.merge import SelectedPostings
from ....index.inverted.vector_builder import SparseVectorBuilder
from ....index.inverted.vectors import SparseVectorIndex
from ....index.storage import ArrayFolder

if TYPE_CHECKING:
    from ...settings import Representation

__all__ = ["KIND", "SparseKind", "TermWeights"]

_HEAD = struct.Struct("<I")
MEMORY = 32 << 20
"""Bytes of a part that are sorted at a time while it is written."""
_TERMS = 4096
"""Terms whose lists are read at a time where rows are gathered."""

Query = tuple[list[str], NDArray[np.float32]]
"""Terms, all different, and their weights, all above zero."""


@dataclass(frozen=True)
class TermWeights:
    """Weighted terms of n texts: ``vectors`` number the terms of ``vocabulary``."""

    vectors: SparseVectors
    vocabulary: Sequence[str]

    def __len__(self) -> int:
        return len(self.vectors)


class _Part(SparseVectorIndex):
    def __len__(self) -> int:
        return self.passages


class _Builder:
    """A `SparseVectorBuilder` whose vocabulary grows with what it is given."""

    def __init__(self, folder: Path) -> None:
        self._inner = SparseVectorBuilder(folder, memory=MEMORY)
        self._numbers: dict[str, int] = {}

    def append(self, payload: TermWeights) -> None:
        """Add passages."""
        found, numbers = payload.vectors, self._numbers
        used = np.unique(found.terms)
        own = np.zeros(int(used[-1]) + 1 if len(used) else 0, np.int32)
        own[used] = [numbers.setdefault(payload.vocabulary[term], len(numbers)) for term in used.tolist()]
        self._inner.add(found.indptr, own[found.terms], found.weights)

    def close(self) -> None:
        """Finish the folder."""
        self._inner.close(list(self._numbers))

    def abandon(self) -> None:
        """Delete the runs of an unfinished folder."""
        self._inner.abandon()


class SparseKind:
    """`TermWeights`, kept in 12 bits of each term's greatest weight; see `bookwheel.index.inverted.vectors`."""

    floor = 0.0
    first_stage = True
    cosine = False
    weighted_terms = True
    late_interaction = False
    piece = 8192
    commit_rows = 8192

    def checked_bits(self, bits: int | None) -> int:
        """None to choose."""
        if bits is not None:
            raise UsageError("bits are a choice of token vectors only, not of sparse representations; leave them out")
        return 0

    def dimension(self, encoder: Any) -> int:
        """None."""
        return 0

    def encode(self, encoder: Any, texts: Sequence[str]) -> TermWeights:
        """Terms of passages."""
        return TermWeights(_checked(encoder.encode(list(texts)), encoder, len(texts)), encoder.vocabulary)

    def query(self, encoder: Any, text: str) -> Query:
        """Terms of a query with their weights."""
        terms, weights = _checked(encoder.encode_queries([text]), encoder, 1).row(0)
        return [encoder.vocabulary[term] for term in terms.tolist()], weights

    def given(self, query: Any, representation: Representation) -> Query:
        """A mapping of terms to weights; those of zero are left out."""
        if not isinstance(query, Mapping):
            raise UsageError(
                f"{representation.name!r} takes weights of terms for a query, as in {{'cat': 1.2}}, not {query!r:.60}"
            )
        weights = np.array(list(query.values()), np.float32) if query else np.zeros(0, np.float32)
        if not np.isfinite(weights).all() or (weights < 0).any():
            raise UsageError(f"weights of terms for {representation.name!r} are finite numbers from 0 up; leave the others out")
        kept = np.flatnonzero(weights > 0)
        terms = [str(term) for term in query]
        return [terms[at] for at in kept.tolist()], weights[kept]

    def count(self, payload: TermWeights) -> int:
        """Passages."""
        return len(payload)

    def take(self, payload: TermWeights, rows: NDArray[np.int64]) -> TermWeights:
        """Some passages."""
        found = payload.vectors
        counts = found.indptr[rows + 1] - found.indptr[rows]
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        at = np.repeat(found.indptr[rows] - indptr[:-1], counts) + np.arange(indptr[-1])
        return TermWeights(SparseVectors(indptr, found.terms[at], found.weights[at]), payload.vocabulary)

    def join(self, payloads: Sequence[TermWeights]) -> TermWeights:
        """Several as one, with the terms of all."""
        numbers: dict[str, int] = {}
        terms = []
        for payload in payloads:
            own = np.array([numbers.setdefault(term, len(numbers)) for term in payload.vocabulary], np.int32)
            terms.append(own[payload.vectors.terms])
        counts = np.concatenate([np.diff(payload.vectors.indptr) for payload in payloads])
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        weights = np.concatenate([payload.vectors.weights for payload in payloads])
        return TermWeights(SparseVectors(indptr, np.concatenate(terms), weights), list(numbers))

    def pack(self, payload: TermWeights) -> list[bytes]:
        """Number of terms, float32 weights, and the terms themselves: no row needs a vocabulary that lies elsewhere."""
        packed = []
        for at in range(len(payload)):
            terms, weights = payload.vectors.row(at)
            names = json.dumps([payload.vocabulary[term] for term in terms.tolist()], separators=(",", ":"))
            packed.append(_HEAD.pack(len(terms)) + weights.astype(np.float32).tobytes() + names.encode())
        return packed

    def unpack(self, rows: Sequence[bytes], representation: Representation) -> TermWeights:
        """What `pack` took apart."""
        numbers: dict[str, int] = {}
        counts, terms, weights = [0], [], []
        for row in rows:
            if len(row) < _HEAD.size:
                raise ValueError("weighted terms cut short")
            (count,) = _HEAD.unpack_from(row)
            names = json.loads(row[_HEAD.size + 4 * count :])
            if not isinstance(names, list) or len(names) != count or len(set(map(str, names))) != count:
                raise ValueError("weighted terms of another number")
            terms.append(np.array([numbers.setdefault(str(name), len(numbers)) for name in names], np.int32))
            weights.append(np.frombuffer(row, np.float32, count, _HEAD.size))
            counts.append(count)
        every = np.concatenate([*weights, np.empty(0, np.float32)])
        if not np.isfinite(every).all() or (every < 0).any():
            raise ValueError("weights that are none")
        found = SparseVectors(np.cumsum(counts), np.concatenate([*terms, np.empty(0, np.int32)]), every)
        return TermWeights(found, list(numbers))

    def build(self, folder: Path, representation: Representation, seed: int, bits: int | None = None) -> _Builder:
        """A part."""
        return _Builder(folder)

    def open(self, folder: ArrayFolder) -> _Part:
        """A part."""
        return _Part(folder)

    def gather(self, index: SparseVectorIndex, rows: NDArray[np.int64]) -> TermWeights:
        """Rows with the weights as they are kept: every list is read once, and turned around.

        Written into another part a weight is rounded once more where its term's greatest weight is another one there: by half
        a step at most, 1/8160 of that.
        """
        order = np.argsort(rows, kind="stable")
        flags = np.zeros(-(-index.passages // 64) * 64, np.bool_)
        flags[rows] = True
        part = SelectedPostings(index, np.packbits(flags, bitorder="little").view(np.uint64))
        steps = index.arrays["steps"]
        names: list[str] = []
        found: list[tuple[NDArray[np.uint32], NDArray[np.int32], NDArray[np.float32]]] = []
        for low in range(0, index.terms, _TERMS):
            text, records = index.read_terms(low, low + _TERMS)
            most = np.clip(records[:, 1], 0, part.count)
            begins = np.cumsum(most) - most
            cursors = begins.copy()
            passages, values = np.empty(int(most.sum()), np.uint32), np.zeros(int(most.sum()), np.uint32)
            part.append(records, (0, 1 << 40), cursors, passages, values)
            held = cursors - begins
            at = np.repeat(begins - (np.cumsum(held) - held), held) + np.arange(int(held.sum()))
            terms = np.repeat(np.arange(low, low + len(text), dtype=np.int32), held)
            found.append((passages[at], terms, values[at] * steps[terms]))
            names += [name.decode("utf-8", "surrogatepass") for name in text]
        passages = np.concatenate([np.empty(0, np.uint32), *(one[0] for one in found)])
        terms = np.concatenate([np.empty(0, np.int32), *(one[1] for one in found)])
        weights = np.concatenate([np.empty(0, np.float32), *(one[2] for one in found)])
        turned = np.argsort(passages, kind="stable")
        indptr = np.searchsorted(passages[turned], np.arange(len(rows) + 1)).astype(np.int64)
        rising = TermWeights(SparseVectors(indptr, terms[turned], weights[turned].astype(np.float32)), names)
        back = np.empty(len(rows), np.int64)
        back[order] = np.arange(len(rows))
        return self.take(rising, back)

    def search(self, index: SparseVectorIndex, query: Query, depth: int, mask: NDArray[np.uint64] | None) -> Hits:
        """By dot product, exactly; only what has one of the terms."""
        return index.search(*query, depth, mask=mask)

    def score(self, index: SparseVectorIndex, query: Query, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Dot products."""
        return index.score(*query, rows)

    def score_payload(self, query: Query, payload: TermWeights) -> NDArray[np.float32]:
        """Dot products with weights that are not rounded yet."""
        known = dict(zip(query[0], query[1].tolist(), strict=True))
        table = np.array([known.get(term, 0.0) for term in payload.vocabulary], np.float32)
        products = payload.vectors.weights * table[payload.vectors.terms]
        sums = np.concatenate([[0.0], np.cumsum(products, dtype=np.float64)])
        scores: NDArray[np.float32] = (sums[payload.vectors.indptr[1:]] - sums[payload.vectors.indptr[:-1]]).astype(np.float32)
        return scores

    def folders(self, folder: Path) -> list[Path]:
        """The part's one folder."""
        return [folder]

    def hot_bytes(self, index: SparseVectorIndex) -> int:
        """Directory and block maxima."""
        return index.hot_bytes


def _checked(found: SparseVectors, encoder: Any, texts: int) -> SparseVectors:
    weights, terms = np.asarray(found.weights, np.float32), np.asarray(found.terms, np.int32)
    size = len(encoder.vocabulary)
    if len(found) != texts or len(weights) != len(terms) or int(found.indptr[-1]) != len(terms):
        raise ModelError(
            f"{encoder.name} gave weights for {len(found)} texts where {texts} were expected; none of them was kept"
        )
    if len(terms) and not 0 <= int(terms.min()) <= int(terms.max()) < size:
        raise ModelError(f"{encoder.name} gave a term {int(terms.max())} of a vocabulary of {size}; none of them was kept")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ModelError(f"{encoder.name} gave a weight that is not finite or below zero; none of them was kept")
    return SparseVectors(np.asarray(found.indptr, np.int64), terms, weights)


KIND = SparseKind()
