"""bookwheel's index of sparse vectors alone, without library or store: CSR rows in, one segment out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import bookwheel
from bookwheel.index.inverted.vectors import SparseVectorBuilder, SparseVectorIndex
from peer import read_queries, serve

BATCH = 8192
MEMORY = 128 << 20


class Vectors:
    """``bits`` and ``step`` are the builder's; ``approximate`` is the search's. Term i is called ``str(i)``."""

    def build(self, data: str, folder: str, bits: int = 12, step: float | None = None) -> dict[str, Any]:
        indptr, terms, weights = (
            np.load(Path(data) / f"{name}.npy", mmap_mode="r") for name in ("indptr", "indices", "values")
        )
        builder = SparseVectorBuilder(Path(folder) / "vectors", bits=bits, step=step, memory=MEMORY)
        most = 0
        for low in range(0, len(indptr) - 1, BATCH):
            rows = np.asarray(indptr[low : low + BATCH + 1])
            ids = np.asarray(terms[rows[0] : rows[-1]]).astype(np.int32)
            most = max(most, int(ids.max(initial=-1)) + 1)
            builder.add(rows - rows[0], ids, weights[rows[0] : rows[-1]])
        builder.close([str(i) for i in range(most)])
        return {"version": bookwheel.__version__}

    def open(self, folder: str, approximate: float = 1.0) -> dict[str, Any]:
        self.index, self.approximate = SparseVectorIndex(Path(folder) / "vectors"), approximate
        disk = sum(self.index.structure.sizes().values())
        return {
            "version": bookwheel.__version__, "postings": self.index.postings, "hot_bytes": self.index.hot_bytes,
            "bytes_a_posting": disk / max(self.index.postings, 1),
        }  # fmt: skip

    def queries(self, path: str) -> list[Any]:
        return [([str(i) for i in terms.tolist()], weights.astype(np.float64)) for terms, weights in read_queries(path)]

    def search(self, query: Any, k: int) -> Any:
        return self.index.search(*query, k, approximate=self.approximate).ids

    def throughput(self, queries: list[Any], k: int, threads: int) -> int:
        self.index.search_many(queries, k, approximate=self.approximate, threads=threads)
        return len(queries)


if __name__ == "__main__":
    serve(Vectors)
