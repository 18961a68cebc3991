"""usearch in its own environment: a graph of whole, half or byte vectors."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from usearch.index import Index

from peer import at, serve

BATCH = 65536


class Usearch:
    """``kind``: what a number of a vector is kept as; ``expansion`` is that of the search, ``view`` leaves the file mapped."""

    def build(self, data: str, folder: str, kind: str = "f16") -> dict[str, Any]:
        vectors = np.load(data, mmap_mode="r")
        index = Index(ndim=vectors.shape[1], metric="ip", dtype=kind)
        for low in range(0, len(vectors), BATCH):
            rows = np.ascontiguousarray(vectors[low : low + BATCH])
            index.add(np.arange(low, low + len(rows)), rows, threads=1)
        index.save(str(Path(folder) / "index"))
        return {"version": version("usearch"), "hardware": index.hardware_acceleration}

    def open(self, folder: str, expansion: Any = 64, view: bool = False) -> dict[str, Any]:
        self.index = Index.restore(str(Path(folder) / "index"), view=view)
        self.expansion = expansion
        return {"version": version("usearch"), "hardware": self.index.hardware_acceleration}

    def search(self, query: Any, k: int) -> Any:
        self.index.expansion_search = at(self.expansion, k)
        return self.index.search(query, k, threads=1).keys


if __name__ == "__main__":
    serve(Usearch)
