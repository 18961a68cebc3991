"""BMP (block-max pruning) in its own environment: learned sparse vectors of whole numbers, everything in memory."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import bmp
import numpy as np

from peer import read_queries, serve


class Bmp:
    """``bsize`` passages a block; ``alpha`` and ``beta`` below 1 are its approximations. Weights must be whole, up to 255."""

    def build(self, data: str, folder: str, bsize: int = 32, compress_range: bool = False) -> dict[str, Any]:
        indptr, terms, weights = (
            np.load(Path(data) / f"{name}.npy", mmap_mode="r") for name in ("indptr", "indices", "values")
        )
        indexer = bmp.Indexer(str(Path(folder) / "bmp"), bsize=bsize, compress_range=compress_range)
        names = [str(i) for i in range(int(terms.max()) + 1)]
        bounds = indptr.tolist()
        for row in range(len(bounds) - 1):
            part = slice(bounds[row], bounds[row + 1])
            listed = zip(terms[part].tolist(), weights[part].tolist(), strict=True)
            indexer.add_document(str(row), {names[term]: int(weight) for term, weight in listed})
        indexer.finish()
        return {"version": version("bmp")}

    def open(self, folder: str, alpha: float = 1.0, beta: float = 1.0) -> dict[str, Any]:
        self.searcher = bmp.Searcher(str(Path(folder) / "bmp"))
        self.options = {"alpha": alpha, "beta": beta}
        return {"version": version("bmp")}

    def queries(self, path: str) -> list[Any]:
        return [
            {str(term): float(weight) for term, weight in zip(terms.tolist(), weights.tolist(), strict=True)}
            for terms, weights in read_queries(path)
        ]

    def search(self, query: Any, k: int) -> Any:
        names, _ = self.searcher.search(query, k=k, **self.options)
        return [int(name) for name in names]


if __name__ == "__main__":
    serve(Bmp)
