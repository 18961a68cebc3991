"""The index of sparse vectors: term → weight, from any source (SPLADE, inference-free encoders, doc2query).

    builder = SparseVectorBuilder(folder, vocabulary)        # vocabulary[i] is the text of term i
    builder.add(indptr, term_ids, weights)                   # CSR rows, one per passage; any number of calls
    builder.close()
    SparseVectorIndex(folder).search(["cat", "##nip"], [1.2, 0.7], k=10)

The postings lists are those of the BM25 index. A weight is stored as an integer of ``bits`` bits times a step, by default each
term's own: its greatest weight / (255 · 2^(bits - 8)). The error is at most half a step, which with 12 bits is 1/8160 of the
term's greatest weight (float16 has 11 bits: as precise at the greatest weight, more precise below it). The upper 8 bits, rounded
up, are the impacts that select candidates; the remaining bits are in the postings, so the ranking is exactly that of the stored
weights. With ``bits=8`` there are no remaining bits: the index is smallest and fastest, and the error 1/510 of the greatest
weight.

That one learned weight a term, quantised, is all that an inverted index needs: Lin and Ma, "A Few Brief Notes on DeepImpact, COIL,
and a Conceptual Framework for Information Retrieval Techniques" (2021), for uniCOIL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import LibraryDamaged
from ...hits import Hits
from ..storage import REMEDY, ArrayFolder, opened
from .base import InvertedIndex, WeightedTerms
from .merge import SelectedPostings, merge_postings
from .vector_builder import SparseVectorBuilder, VectorWriter

__all__ = ["SparseVectorBuilder", "SparseVectorIndex", "merge"]

WALKED = 4096
"""Terms whose lists `SparseVectorIndex.top_terms` searches at a time."""


class SparseVectorIndex(InvertedIndex):
    """A finished index of sparse vectors, as `SparseVectorBuilder` or `merge` write it. Safe to use from several threads.

    Passages have local ids 0 … ``passages`` - 1. A score is the sum of query weight * stored weight over the common terms, in
    float64 in the order of the query's terms, rounded to float32.
    """

    def __init__(self, folder: Path | ArrayFolder) -> None:
        files = opened(folder)
        folder = files.folder
        super().__init__(files, files, {"steps": np.float32})
        try:
            self.bits = int(files.attributes["bits"]) - 8
        except (KeyError, ValueError) as error:
            raise LibraryDamaged(f"{folder} is not an index of sparse vectors ({error}); {REMEDY}") from error
        if not 0 <= self.bits <= 8:
            raise LibraryDamaged(f"{folder} claims weights of {self.bits + 8} bits; {REMEDY}")
        self._check_sizes({"steps": self.terms}, files)

    def search(
        self,
        terms: Sequence[str],
        weights: Sequence[float] | NDArray[np.floating[Any]],
        k: int,
        *,
        mask: NDArray[np.uint64] | None = None,
        threshold: float = 0.0,
        approximate: float = 1.0,
    ) -> Hits:
        """The ``k`` passages with the greatest dot products, exactly; fewer if fewer contain any of the terms.

        Terms must differ; unknown terms and terms of weight 0 are ignored; negative weights raise `ValueError`. ``mask``,
        ``threshold`` and ``approximate`` are those of `Bm25Index.search`.
        """
        return self._run([self._weighed(terms, weights)], k, _parameters(threshold, approximate), mask)[0]

    def search_many(
        self,
        queries: Sequence[WeightedTerms],
        k: int,
        *,
        mask: NDArray[np.uint64] | None = None,
        approximate: float = 1.0,
        threads: int = 1,
    ) -> list[Hits]:
        """The result of `search` for each of ``queries``, in one compiled call per thread."""
        return self._run([self._weighed(*query) for query in queries], k, _parameters(0.0, approximate), mask, threads)

    def score(
        self, terms: Sequence[str], weights: Sequence[float] | NDArray[np.floating[Any]], ids: NDArray[np.integer[Any]]
    ) -> NDArray[np.float32]:
        """The exact scores of the passages ``ids`` (in any order), as `search` computes them; 0 for passages without any term."""
        return self._scores(self._weighed(terms, weights), ids, _parameters(0.0, 1.0))

    def top_terms(self, local_id: int, n: int = 10) -> list[tuple[str, float]]:
        """The ``n`` terms of greatest weight in a passage, with the weights, greatest first.

        There is no forward index: every list is searched, which takes about 0.1 µs per term if its pages are in memory.
        """
        from ...kernels.sparse import score as sparse_score

        ids = self._rising(np.array([local_id]))
        kernel: Any = sparse_score.weights_of
        found: list[tuple[float, bytes]] = []
        for low in range(0, self.terms, WALKED):
            names, records = self.read_terms(low, low + WALKED)
            codes = np.zeros(len(names), np.int64)
            kernel(ids, records, self.bits, self.passages, *self._directory, self.arrays["impacts"], codes)
            values = codes * self.arrays["steps"][low : low + len(names)].astype(np.float64)
            best = np.lexsort((np.arange(len(values)), -values))[:n]
            found += [(float(values[i]), names[i]) for i in best.tolist() if codes[i] > 0]
        found.sort(key=lambda pair: (-pair[0], pair[1]))
        return [(name.decode("utf-8", "surrogatepass"), weight) for weight, name in found[:n]]

    def _weighed(
        self, terms: Sequence[str], weights: Sequence[float] | NDArray[np.floating[Any]]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Records of the terms that count, and the factors of their stored integers."""
        records, known = self._query(terms, weights)
        return records, known * self.arrays["steps"][records[:, 0]].astype(np.float64)


def _parameters(threshold: float, approximate: float) -> NDArray[np.float64]:
    return np.array([0.0, 0.0, 1.0, 1.0, 1.0, threshold, approximate], np.float64)


def merge(
    parts: Sequence[tuple[SparseVectorIndex, NDArray[np.uint64] | None]],
    folder: Path,
    advance: Callable[[int], None] = lambda postings: None,
) -> None:
    """Write one index of the passages of several, in order, renumbered from 0, in memory that does not grow with them.

    Each part comes with a bitmap of the passages to keep (None: all). A term's step becomes the greatest among the parts:
    weights stay as they are where the steps agree, and are rounded once more in parts with a smaller step. ``advance`` is
    called with numbers of postings done. Raises `ValueError` for parts whose weights differ in bits.
    """
    bits = {index.bits for index, _ in parts}
    if len(bits) != 1:
        raise ValueError("only indexes whose weights have the same number of bits can be merged")
    kept = [SelectedPostings(index, mask) for index, mask in parts]
    writer = VectorWriter(folder, sum(part.count for part in kept), bits.pop())
    merge_postings(writer, kept, _CommonSteps(writer, [index for index, _ in parts]), advance)
    writer.close()


class _CommonSteps:
    """Brings the weights of a term to the greatest step among the parts (a `merge.Conversion`)."""

    def __init__(self, writer: VectorWriter, indexes: Sequence[SparseVectorIndex]) -> None:
        self._writer = writer
        self._steps = [index.arrays["steps"] for index in indexes]

    def _of(self, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.stack(
            [
                np.where(row >= 0, steps[np.clip(row, 0, len(steps) - 1)] if len(steps) else 0, 0)
                for row, steps in zip(numbers, self._steps, strict=True)
            ]
        ).astype(np.float32)

    def convert(
        self,
        part: int,
        numbers: NDArray[np.int64],
        begins: NDArray[np.int64],
        ends: NDArray[np.int64],
        values: NDArray[np.uint32],
    ) -> None:
        """See `merge.Conversion`."""
        steps = self._of(numbers)
        common = steps.max(axis=0)
        for i in np.flatnonzero((steps[part] != common) & (ends > begins)).tolist():
            some = values[begins[i] : ends[i]]
            codes = np.rint(some * (float(steps[part, i]) / float(common[i])))
            some[:] = np.clip(codes, 1, 255 << self._writer.bits).astype(np.uint32)

    def written(self, numbers: NDArray[np.int64]) -> None:
        """See `merge.Conversion`."""
        self._writer.steps.append(self._of(numbers).max(axis=0))
