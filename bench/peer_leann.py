"""LEANN in its own environment, its graph with the vectors kept: without them it asks an embedding model for every vector it meets."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from leann_backend_hnsw import faiss
from leann_backend_hnsw.hnsw_backend import HNSWBuilder

from peer import at, serve


class Leann:
    """The graph alone, as its builder writes it and as its searcher reads it."""

    def build(self, data: str, folder: str, ef: int = 200) -> dict[str, Any]:
        vectors = np.ascontiguousarray(np.load(data))
        builder = HNSWBuilder(dimensions=vectors.shape[1], is_compact=False, is_recompute=False, efConstruction=ef)
        builder.build(vectors, [str(i) for i in range(len(vectors))], str(Path(folder) / "vectors"))
        return {"version": version("leann")}

    def open(self, folder: str, ef: Any = 64) -> dict[str, Any]:
        self.index = faiss.read_index(str(next(Path(folder).glob("*.index"))))
        self.ef = ef
        return {"version": version("leann")}

    def search(self, query: Any, k: int) -> Any:
        self.index.hnsw.efSearch = at(self.ef, k)
        labels, distances = np.empty((1, k), np.int64), np.empty((1, k), np.float32)
        self.index.search(1, faiss.swig_ptr(query), k, faiss.swig_ptr(distances), faiss.swig_ptr(labels))
        return labels[0]


if __name__ == "__main__":
    serve(Leann)
