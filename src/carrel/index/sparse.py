"""The sparse (BM25) index of one immutable segment: exact top-k over memory-mapped postings with 8-bit impacts."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._errors import LibraryDamaged
from ..rank.hits import Hits
from .files import REMEDY, ArrayFolder
from .sparse_writer import Bm25

__all__ = ["Bm25", "SparseIndex", "idf"]

REMEMBERED = 4096
"""Terms whose numbers an index remembers."""
STRUCTURE = {
    "first_blocks": np.uint32,
    "starts": np.uint32,
    "last": np.uint32,
    "offsets": np.uint32,
    "widths": np.uint8,
    "shapes": np.uint8,
    "postings": np.uint16,
    "lengths": np.uint32,
}
"""The arrays that kernels take first, in this order."""
OTHERS = {"text": np.uint8, "text_offsets": np.uint32, "dense": np.uint32}
IMPACTS = {"impacts": np.uint8, "maxima": np.uint8, "ranges": np.uint8}
_LOW = np.uint64(0xFFFFFFFF)
_UNFILTERED = np.empty(0, np.uint64)


def idf(passages: int, frequencies: ArrayLike) -> NDArray[np.float64]:
    """Inverse document frequency ln(1 + (N - df + 0.5) / (df + 0.5)) (Robertson's, in Lucene's form that stays above 0)."""
    df = np.asarray(frequencies, np.float64)
    return np.asarray(np.log1p((passages - df + 0.5) / (df + 0.5)), np.float64)


class _Scratch(threading.local):
    """A thread's working arrays, the same for every index; about 350 KB."""

    arrays: tuple[NDArray[Any], ...] = ()

    def get(self) -> tuple[NDArray[Any], ...]:
        if not self.arrays:
            from ..kernels.sparse_scan import FEW, WINDOW
            from ..kernels.sparse_search import BINS

            self.arrays = (
                np.zeros(WINDOW, np.uint32),
                np.zeros(WINDOW // 64, np.uint32),
                np.zeros(WINDOW // 64, np.uint64),
                np.zeros(3 * WINDOW, np.uint32),
                np.zeros(FEW + 128, np.uint32),
                np.zeros(BINS, np.uint32),
                np.zeros(WINDOW, np.uint8),
            )
        return self.arrays


_scratch = _Scratch()


class SparseIndex:
    """Searches what `SparseBuilder`, `merge` or `reweigh` wrote. Safe to use from several threads.

    Passages have local ids 0 … ``passages`` - 1. Collection statistics come from the caller, as weights (query term
    frequency times `idf`) and average length, so that the passages of several segments are scored alike.
    """

    def __init__(self, folder: Path, impacts_folder: Path) -> None:
        self.structure, self.impacts = ArrayFolder(folder), ArrayFolder(impacts_folder)
        arrays: dict[str, NDArray[Any]] = {}
        for source, names in ((self.structure, STRUCTURE | OTHERS), (self.impacts, IMPACTS)):
            for name, dtype in names.items():
                arrays[name] = source.array(name)
                if arrays[name].dtype != dtype or arrays[name].ndim != 1:
                    raise LibraryDamaged(f"{source.path(name)} is not an array of {np.dtype(dtype)}; {REMEDY}")
        try:
            attributes, impacts = self.structure.attributes, self.impacts.attributes
            self.passages, self.postings = int(attributes["passages"]), int(attributes["postings"])
            self.terms, self.tokens = int(attributes["terms"]), int(attributes["tokens"])
            self._extremes = np.array([int(attributes["shortest"]), int(attributes["longest"])], np.float64)
            self.bm25 = Bm25(float(impacts["k1"]), float(impacts["b"]))
            self.average_length = float(impacts["average_length"])
        except (KeyError, ValueError) as error:
            raise LibraryDamaged(f"{folder} or {impacts_folder} is not a sparse index ({error}); {REMEDY}") from error
        sizes = {name: len(array) for name, array in arrays.items()}
        blocks, dense = sizes["last"], sizes["dense"]
        right = {
            "first_blocks": self.terms + 1, "starts": self.terms + 1, "text_offsets": self.terms + 1,
            "offsets": blocks + 1, "widths": blocks, "shapes": blocks, "maxima": blocks,
            "lengths": self.passages, "impacts": self.postings, "ranges": dense * ((self.passages + 63) // 64),
        }  # fmt: skip
        wrong = [f"{name} has {sizes[name]} items instead of {size}" for name, size in right.items() if sizes[name] != size]
        if wrong:
            raise LibraryDamaged(f"{folder} and {impacts_folder} do not fit together: {', '.join(wrong)}; {REMEDY}")
        self.arrays = arrays
        self._structure = tuple(arrays[name] for name in STRUCTURE)
        self._searched = (arrays["impacts"], arrays["maxima"], arrays["ranges"], arrays["dense"])
        self._known: dict[str, int] = {}
        self._parameters = (self.bm25, self.average_length, self._factors(self.bm25, self.average_length))

    @property
    def lengths(self) -> NDArray[np.uint32]:
        """Number of terms of each passage."""
        return self.arrays["lengths"]

    @property
    def hot_bytes(self) -> int:
        """Bytes of the mapped arrays that every search looks at: these count for a memory budget."""
        names = ("last", "offsets", "widths", "shapes", "maxima", "ranges")
        return sum(self.arrays[name].nbytes for name in names)

    def lookup(self, terms: Sequence[str]) -> list[int]:
        """Numbers of ``terms`` in this segment's vocabulary, -1 for those it does not have."""
        known = self._known
        missing = [term for term in terms if term not in known]
        if missing:
            from ..kernels.sparse_search import lookup

            encoded = [term.encode("utf-8", "surrogatepass") for term in missing]
            offsets = np.zeros(len(encoded) + 1, np.int64)
            np.cumsum([len(term) for term in encoded], out=offsets[1:])
            numbers = np.empty(len(encoded), np.int64)
            text = np.frombuffer(b"".join(encoded), np.uint8)
            lookup(self.arrays["text"], self.arrays["text_offsets"], text, offsets, numbers)
            # Other threads may hold the old dictionary: it is replaced, never emptied.
            keep = known if len(known) + len(missing) <= REMEMBERED else {t: known[t] for t in terms if t in known}
            self._known = known = keep | dict(zip(missing, numbers.tolist(), strict=True))
        return [known[term] for term in terms]

    def document_frequencies(self, terms: Sequence[str], deleted: NDArray[np.integer[Any]] | None = None) -> NDArray[np.int64]:
        """Number of passages with each of ``terms``, less those of ``deleted``: rising local ids.

        Deleted passages are sought one by one (some 10 ns a term and passage), so that a caller with many of them should
        remember the result.
        """
        numbers = np.array(self.lookup(terms), np.int64)
        found = np.flatnonzero(numbers >= 0)
        counts = np.zeros(len(numbers), np.int64)
        starts = self.arrays["starts"]
        counts[found] = starts[numbers[found] + 1].astype(np.int64) - starts[numbers[found]]
        if deleted is not None and len(deleted) and len(found):
            from ..kernels.sparse_score import count_among

            ids = self._rising(deleted)
            first_blocks, starts, last, offsets, widths, _, packed, _ = self._structure
            gone = np.empty(len(found), np.int64)
            count_among(ids, numbers[found], first_blocks, starts, last, offsets, widths, packed, gone)
            counts[found] -= gone
        return counts

    def search(
        self,
        terms: Sequence[str],
        weights: Sequence[float] | NDArray[np.floating[Any]],
        k: int,
        *,
        bm25: Bm25 | None = None,
        average_length: float | None = None,
        mask: NDArray[np.uint64] | None = None,
        threshold: float = 0.0,
    ) -> Hits:
        """The ``k`` best passages by BM25, exactly; fewer where fewer have any of the terms.

        The score is the sum of weight * tf / (tf + k1 (1 - b + b length / average length)), in float64 in the order of
        ``terms``, rounded to float32. Terms must differ; unknown ones and those of weight 0 are ignored. ``bm25`` and
        ``average_length`` are those of the impacts where None; others are exact too, and a little slower. ``mask`` is a
        bitmap of the passages that may be found: bit i % 64 of word i // 64. Passages that score less than ``threshold``
        (the k-th best score of segments searched before, say) are left out.
        """
        numbers, known = self._known_terms(terms, weights)
        if not len(numbers) or k < 1:
            return Hits.empty()
        from ..kernels import sparse_search

        if mask is None:
            mask = _UNFILTERED
        elif mask.dtype != np.uint64 or len(mask) != (self.passages + 63) // 64:
            raise ValueError(f"a mask of {self.passages} passages is {(self.passages + 63) // 64} uint64, not {mask.shape}")
        parameters = self._factors_for(bm25, average_length)
        parameters[5] = threshold
        kernel: Any = sparse_search.search
        keys = kernel(numbers, known, k, parameters, *self._structure, *self._searched, mask, *_scratch.get())
        keys.sort()
        if len(keys) > k:
            keys = keys[:k]
        scores = (~(keys >> np.uint64(32))).astype(np.uint32).view(np.float32)
        if threshold > 0.0:
            enough = int(np.searchsorted(-scores, -np.float32(threshold), side="right"))
            keys, scores = keys[:enough], scores[:enough]
        return Hits((keys & _LOW).astype(np.int64), scores)

    def score(
        self,
        terms: Sequence[str],
        weights: Sequence[float] | NDArray[np.floating[Any]],
        ids: NDArray[np.integer[Any]],
        *,
        bm25: Bm25 | None = None,
        average_length: float | None = None,
    ) -> NDArray[np.float32]:
        """The exact scores that `search` would give to the passages ``ids`` (any order); 0 without any of the terms."""
        from ..kernels import sparse_score

        order = np.argsort(ids, kind="stable")
        rising = self._rising(np.asarray(ids)[order])
        numbers, known = self._known_terms(terms, weights)
        sums, scores = np.zeros(len(ids), np.float64), np.empty(len(ids), np.float32)
        if len(ids):
            kernel: Any = sparse_score.score
            kernel(rising, numbers, known, self._factors_for(bm25, average_length), *self._structure, sums)
        scores[order] = sums
        return scores

    def _rising(self, ids: NDArray[np.integer[Any]]) -> NDArray[np.uint32]:
        if len(ids) and (ids[0] < 0 or ids[-1] >= self.passages):
            raise ValueError(f"local ids must lie in 0 … {self.passages - 1}")
        return np.ascontiguousarray(ids, np.uint32)

    def _known_terms(
        self, terms: Sequence[str], weights: Sequence[float] | NDArray[np.floating[Any]]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        if len(terms) != len(weights):
            raise ValueError(f"{len(terms)} terms but {len(weights)} weights")
        pairs = [(i, w) for i, w in zip(self.lookup(terms), weights, strict=True) if i >= 0 and w != 0]
        if not all(0.0 < w < math.inf for _, w in pairs):
            raise ValueError("weights of terms must be finite and not negative")
        if len({i for i, _ in pairs}) < len(pairs):
            raise ValueError("the terms of a query must differ; add up the weights of equal ones")
        return np.array([i for i, _ in pairs], np.int64), np.array([w for _, w in pairs], np.float64)

    def _factors_for(self, bm25: Bm25 | None, average_length: float | None) -> NDArray[np.float64]:
        bm25 = self.bm25 if bm25 is None else bm25
        average_length = self.average_length if average_length is None else average_length
        if self._parameters[:2] != (bm25, average_length):
            self._parameters = (bm25, average_length, self._factors(bm25, average_length))
        return self._parameters[2].copy()

    def _factors(self, bm25: Bm25, average_length: float) -> NDArray[np.float64]:
        """k1, b, average length, and the least and greatest score of a posting by its score at the impacts' parameters.

        That factor, (tf + old norm) / (tf + new norm), is monotone in length and tends to 1 with growing tf, so that its
        extremes are at tf = 1 and the shortest or longest passage, or 1. The last item is for the threshold.
        """
        new = bm25.norm(average_length)
        old = self.bm25.norm(self.average_length)
        norms = [k1 * (1.0 - b + b * self._extremes / average) for k1, b, average in (old, new)]
        factors = (1.0 + norms[0]) / (1.0 + norms[1])
        low, high = min(1.0, float(factors.min())), max(1.0, float(factors.max()))
        if low != high:
            low, high = low * (1.0 - 1e-12), high * (1.0 + 1e-12)
        return np.array([*new, low, high, 0.0], np.float64)
