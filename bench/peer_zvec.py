"""zvec in its own environment: a graph or lists over RaBitQ codes, or a graph of byte vectors."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import zvec

from peer import serve

BATCH = 1024


class Zvec:
    """``kind``: hnsw-rabitq, ivf-rabitq or hnsw-int8; ``reach`` is the search's ef or nprobe; ``refine`` scores again exactly."""

    def build(self, data: str, folder: str, kind: str = "ivf-rabitq", limit_mb: int | None = None) -> dict[str, Any]:
        zvec.init(memory_limit_mb=limit_mb, optimize_threads=1)
        vectors = np.load(data, mmap_mode="r")
        metric = zvec.MetricType.IP
        param: Any = {
            "hnsw-rabitq": lambda: zvec.HnswRabitqIndexParam(metric, m=32, ef_construction=100),
            "ivf-rabitq": lambda: zvec.IvfRabitqIndexParam(metric, nlist=1024),
            "hnsw-int8": lambda: zvec.HnswIndexParam(metric, m=32, ef_construction=100, quantize_type=zvec.QuantizeType.INT8),
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

    def open(self, folder: str, reach: int = 64, refine: bool = True) -> dict[str, Any]:
        zvec.init(query_threads=1)
        kind = (Path(folder) / "kind").read_text()
        make: Any = {
            "hnsw-rabitq": lambda: zvec.HnswRabitqQueryParam(ef=reach, is_using_refiner=refine),
            "ivf-rabitq": lambda: zvec.IvfRabitqQueryParam(nprobe=reach, is_using_refiner=refine),
            "hnsw-int8": lambda: zvec.HnswQueryParam(ef=reach, is_using_refiner=refine),
        }[kind]
        self.collection = zvec.open(str(Path(folder) / "zvec"), zvec.CollectionOption(read_only=True))
        self.param = make()
        return {"version": version("zvec")}

    def search(self, query: Any, k: int) -> Any:
        asked = zvec.Query(field_name="v", vector=query, param=self.param)
        return [int(doc.id) for doc in self.collection.query(asked, topk=k, output_fields=[])]


if __name__ == "__main__":
    serve(Zvec)
