"""faiss in its own environment: graphs and lists of whole vectors, and compressed codes re-scored from vectors on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np

from peer import Rescorer, at, serve

BATCH = 65536
TRAINED = 200_000


class Faiss:
    """``kind`` is a factory string, or ``binary``: signs of the centred vectors, compared by Hamming distance.

    ``rescore``: so many candidates at k=10 are scored again with the vectors in the file (0: the index's own ranking).
    """

    def build(
        self, data: str, folder: str, kind: str = "HNSW32", ef: int = 40, trained: int = TRAINED, batch: int = BATCH
    ) -> dict[str, Any]:
        vectors = np.load(data, mmap_mode="r")
        dimension = vectors.shape[1]
        sample = np.sort(np.random.default_rng(0).choice(len(vectors), min(trained, len(vectors)), replace=False))
        path = str(Path(folder) / "index")
        (Path(folder) / "data").write_text(data)
        if kind == "binary":
            centre = np.asarray(vectors[sample]).mean(axis=0)
            np.save(Path(folder) / "centre.npy", centre)
            index = faiss.IndexBinaryFlat(dimension)
            for low in range(0, len(vectors), batch):
                index.add(np.packbits(vectors[low : low + batch] > centre, axis=1))
            faiss.write_index_binary(index, path)
            return {"version": faiss.__version__}
        index = faiss.index_factory(dimension, kind, faiss.METRIC_INNER_PRODUCT)
        inner = faiss.downcast_index(index.index) if isinstance(index, faiss.IndexPreTransform) else index
        if hasattr(inner, "hnsw"):
            inner.hnsw.efConstruction = ef
        index.train(np.ascontiguousarray(vectors[sample]))
        for low in range(0, len(vectors), batch):
            index.add(np.ascontiguousarray(vectors[low : low + batch]))
        faiss.write_index(index, path)
        return {"version": faiss.__version__}

    def open(
        self, folder: str, ef: Any = 0, nprobe: Any = 0, rescore: int = 0, query_bits: int = 0, mmap: bool = False
    ) -> dict[str, Any]:
        path = str(Path(folder) / "index")
        self.centre = None
        if (Path(folder) / "centre.npy").is_file():
            self.centre = np.load(Path(folder) / "centre.npy")
            self.index = faiss.read_index_binary(path)
        else:
            self.index = faiss.read_index(path, faiss.IO_FLAG_MMAP if mmap else 0)
            if query_bits:
                faiss.downcast_index(self.index.index).qb = query_bits
        self.options = {"efSearch": ef, "nprobe": nprobe}
        self.set_for = 0
        self.rescore = rescore
        self.exact = Rescorer((Path(folder) / "data").read_text()) if rescore else None
        faiss.omp_set_num_threads(1)
        return {"version": faiss.__version__, "options": faiss.get_compile_options()}

    def search(self, query: Any, k: int) -> Any:
        if k != self.set_for:
            self.set_for = k
            for name, value in self.options.items():
                if value:
                    faiss.ParameterSpace().set_index_parameter(self.index, name, at(value, k))
        want = Rescorer.wanted(self.rescore, k)
        asked = query[None] if self.centre is None else np.packbits(query[None] > self.centre, axis=1)
        ids = self.index.search(asked, want)[1][0]
        return ids if self.exact is None else self.exact.best(query, ids, k)


if __name__ == "__main__":
    serve(Faiss)
