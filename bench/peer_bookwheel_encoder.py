"""bookwheel's encoders, beside those of `peer_encoders.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from peer import serve


class Encoder:
    """``build`` encodes a file of texts, ``search`` one query."""

    def open(self, folder: str, **options: Any) -> dict[str, Any]:
        import onnxruntime

        from bookwheel.encode import load_encoder

        self.encoder: Any = load_encoder(folder, **options)
        return {"version": f"onnxruntime {onnxruntime.__version__}", "threads": getattr(self.encoder, "workers", None)}

    def build(self, data: str, folder: str, queries: bool = False) -> dict[str, Any]:
        texts = json.loads(Path(data).read_text(encoding="utf-8"))
        encode = getattr(self.encoder, "encode_queries", self.encoder.encode) if queries else self.encoder.encode
        vectors = np.asarray(encode(texts), np.float32)
        np.save(Path(folder) / "vectors.npy", vectors)
        return {"texts": len(texts), "dimension": vectors.shape[1]}

    def search(self, query: str, k: int) -> Any:
        return getattr(self.encoder, "encode_queries", self.encoder.encode)([query])


if __name__ == "__main__":
    serve(Encoder)
