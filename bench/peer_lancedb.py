"""LanceDB in its own environment: lists of RaBitQ or product-quantised codes, re-scored from the table on disk."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import IvfPq, IvfRq

from peer import Rescorer, at, serve

BATCH = 65536


class LanceDb:
    """``kind``: rq or pq (a byte for 4 dimensions); ``partitions`` None is its own choice; ``probes`` and ``rescore`` are the search's."""

    def build(
        self, data: str, folder: str, kind: str = "rq", partitions: int | None = None, batch: int = BATCH
    ) -> dict[str, Any]:
        vectors = np.load(data, mmap_mode="r")
        dimension = vectors.shape[1]
        schema = pa.schema([("id", pa.int64()), ("vector", pa.list_(pa.float32(), dimension))])

        def batches() -> Any:
            for low in range(0, len(vectors), batch):
                rows = np.ascontiguousarray(vectors[low : low + batch])
                flat = pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), dimension)
                yield pa.RecordBatch.from_arrays([pa.array(np.arange(low, low + len(rows))), flat], schema=schema)

        table = lancedb.connect(folder).create_table("vectors", batches(), schema=schema)
        if kind == "rq":
            config: Any = IvfRq(distance_type="dot", num_partitions=partitions)
        else:
            config = IvfPq(distance_type="dot", num_partitions=partitions, num_sub_vectors=dimension // 4)
        table.create_index("vector", config=config)
        return {"version": version("lancedb")}

    def open(self, folder: str, probes: Any = 20, rescore: int = 300) -> dict[str, Any]:
        self.table = lancedb.connect(folder).open_table("vectors")
        self.probes, self.rescore = probes, rescore
        return {"version": version("lancedb")}

    def search(self, query: Any, k: int) -> Any:
        refine = -(-Rescorer.wanted(self.rescore, k) // k)
        asked = self.table.search(query, vector_column_name="vector").distance_type("dot")
        found = asked.nprobes(at(self.probes, k)).refine_factor(refine).select(["id", "_distance"]).limit(k).to_arrow()
        return found["id"].to_numpy()


if __name__ == "__main__":
    serve(LanceDb)
