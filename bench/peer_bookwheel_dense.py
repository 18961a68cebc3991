"""bookwheel's dense index alone, without library or store: rows of a matrix in, one segment out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import bookwheel
from bookwheel.index.dense import DenseBuilder, open_dense
from peer import serve

BATCH = 8192
MEMORY = 128 << 20


class Dense:
    """``bits`` and ``lists`` are the builder's; ``recall`` and ``candidates`` the search's (None: as measured on the segment)."""

    def build(self, data: str, folder: str, bits: int = 1, lists: bool = False) -> dict[str, Any]:
        vectors = np.load(data, mmap_mode="r")
        place = Path(folder) / "dense"
        with DenseBuilder(place, vectors.shape[1], seed=0, bits=bits, ivf=lists, memory=MEMORY) as builder:
            for low in range(0, len(vectors), BATCH):
                builder.append(vectors[low : low + BATCH])
        return {"version": bookwheel.__version__}

    def open(self, folder: str, recall: float | None = None, candidates: int | None = None) -> dict[str, Any]:
        self.index, self.recall, self.candidates = open_dense(Path(folder) / "dense"), recall, candidates
        reach = {str(k): str(self.index.search_depth(k, recall)) for k in (10, 1000)}
        return {
            "version": bookwheel.__version__, "hot_bytes": self.index.hot_bytes, "reach": reach,
            "float32_bytes": 4 * self.index.rows * self.index.dimension,
        }  # fmt: skip

    def search(self, query: Any, k: int) -> Any:
        return self.index.search(query, k, recall=self.recall, candidates=self.candidates).ids


if __name__ == "__main__":
    serve(Dense)
