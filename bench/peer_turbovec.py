"""turbovec in its own environment: codes of 2 or 4 bits a dimension, all scanned."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from turbovec import TurboQuantIndex

from peer import Rescorer, serve

BATCH = 65536
SAMPLE = 4096


class Turbovec:
    """``rescore``: so many candidates at k=10 are scored again with the vectors in the file."""

    def build(self, data: str, folder: str, bits: int = 4) -> dict[str, Any]:
        vectors = np.load(data, mmap_mode="r")
        (Path(folder) / "data").write_text(data)
        index = TurboQuantIndex(dim=vectors.shape[1], bit_width=bits)
        sample = np.sort(np.random.default_rng(0).choice(len(vectors), min(SAMPLE, len(vectors)), replace=False))
        index.calibrate(np.ascontiguousarray(vectors[sample]))
        for low in range(0, len(vectors), BATCH):
            index.add(np.ascontiguousarray(vectors[low : low + BATCH]))
        index.write(str(Path(folder) / "index.tv"))
        return {"version": version("turbovec")}

    def open(self, folder: str, rescore: int = 0) -> dict[str, Any]:
        self.index = TurboQuantIndex.load(str(Path(folder) / "index.tv"))
        self.index.prepare()
        self.rescore = rescore
        self.exact = Rescorer((Path(folder) / "data").read_text()) if rescore else None
        return {"version": version("turbovec")}

    def search(self, query: Any, k: int) -> Any:
        want = Rescorer.wanted(self.rescore, k)
        ids = self.index.search(query[None], want)[1][0]
        return ids if self.exact is None else self.exact.best(query, ids, k)


if __name__ == "__main__":
    serve(Turbovec)
