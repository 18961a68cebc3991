"""Seismic in its own environment: approximate search of learned sparse vectors, everything in memory."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import seismic

from peer import read_queries, serve

BATCH = 65536


class Seismic:
    """Build options are Seismic's own defaults unless given; components are the terms' numbers as text."""

    def build(self, data: str, folder: str, **options: Any) -> dict[str, Any]:
        indptr, terms, weights = (
            np.load(Path(data) / f"{name}.npy", mmap_mode="r") for name in ("indptr", "indices", "values")
        )
        dataset = seismic.SeismicDataset(dim=int(terms.max()) + 1)
        for low in range(0, len(indptr) - 1, BATCH):
            rows = np.asarray(indptr[low : low + BATCH + 1], np.int64)
            begin, end = int(rows[0]), int(rows[-1])
            components, values = np.asarray(terms[begin:end], np.int64), np.asarray(weights[begin:end], np.float32)
            # Components must rise within a row.
            owner = np.repeat(np.arange(len(rows) - 1), np.diff(rows))
            order = np.lexsort((components, owner))
            names = [str(low + i) for i in range(len(rows) - 1)]
            dataset.add_documents_by_id(names, components[order], values[order], rows - begin)
        index = seismic.SeismicIndex.build_from_dataset(dataset, num_threads=2, **options)
        index.save(str(Path(folder) / "seismic"))
        return {"version": version("pyseismic-lsr")}

    def open(self, folder: str, query_cut: int = 10, heap_factor: float = 0.8) -> dict[str, Any]:
        (path,) = Path(folder).iterdir()
        self.index = seismic.SeismicIndex.load(str(path))
        self.options = {"query_cut": query_cut, "heap_factor": heap_factor}
        return {"version": version("pyseismic-lsr")}

    def queries(self, path: str) -> list[Any]:
        text = seismic.get_seismic_string()
        return [(terms.astype(text), weights.astype(np.float32)) for terms, weights in read_queries(path)]

    def search(self, query: Any, k: int) -> Any:
        found = self.index.search("0", query[0], query[1], k=k, **self.options)
        return [int(name) for _, _, name in found]


if __name__ == "__main__":
    serve(Seismic)
