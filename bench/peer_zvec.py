"""zvec in its own environment: lists over RaBitQ codes, a graph over them, or all vectors as bytes."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import zvec

from peer import Rescorer, at, serve

BATCH = 1024


class Zvec:
    """``kind``: ivf-rabitq (7 bits a dimension, its default), hnsw-rabitq or flat-int8; ``reach`` is the search's nprobe or ef.

    ``rescore``: so many candidates at k=10 are scored again by its refiner (0: the codes' own ranking).
    """

    def build(self, data: str, folder: str, kind: str = "ivf-rabitq", limit_mb: int | None = None) -> dict[str, Any]:
        zvec.init(memory_limit_mb=limit_mb, optimize_threads=1)
        vectors = np.load(data, mmap_mode="r")
        metric = zvec.MetricType.IP
        param: Any = {
            "ivf-rabitq": lambda: zvec.IvfRabitqIndexParam(metric, nlist=1024),
            "hnsw-rabitq": lambda: zvec.HnswRabitqIndexParam(metric, m=32, ef_construction=100),
            "flat-int8": lambda: zvec.FlatIndexParam(metric, quantize_type=zvec.QuantizeType.INT8),
        }[kind]()
        field = zvec.VectorSchema("v", zvec.DataType.VECTOR_FP32, vectors.shape[1], index_param=param)
        schema = zvec.CollectionSchema(name="vectors", vectors=field)
        collection = zvec.create_and_open(path=str(Path(folder) / "zvec"), schema=schema)
        for low in range(0, len(vectors), BATCH):
            rows = np.ascontiguousarray(vectors[low : low + BATCH])
            done = collection.insert([zvec.Doc(id=str(low + i), vectors={"v": row}) for i, row in enumerate(rows)])
            assert all(one.ok() for one in done), done[0]
        collection.optimize(zvec.OptimizeOption(concurrency=1))
        collection.flush()
        (Path(folder) / "kind").write_text(kind)
        return {"version": version("zvec")}

    def open(self, folder: str, reach: Any = 64, rescore: int = 0) -> dict[str, Any]:
        zvec.init(query_threads=1)
        self.kind = (Path(folder) / "kind").read_text()
        self.reach, self.rescore = reach, rescore
        self.collection = zvec.open(str(Path(folder) / "zvec"), zvec.CollectionOption(read_only=True))
        return {"version": version("zvec")}

    def param(self, k: int) -> Any:
        refined = {"is_using_refiner": self.rescore > 0, "scale_factor": Rescorer.wanted(self.rescore, k) / k}
        if self.kind == "ivf-rabitq":
            return zvec.IvfRabitqQueryParam(nprobe=at(self.reach, k), **refined)
        return zvec.HnswRabitqQueryParam(ef=at(self.reach, k), **refined) if self.kind == "hnsw-rabitq" else None

    def search(self, query: Any, k: int) -> Any:
        asked = zvec.Query(field_name="v", vector=query, param=self.param(k))
        return [int(doc.id) for doc in self.collection.query(asked, topk=k, output_fields=[])]


if __name__ == "__main__":
    serve(Zvec)
