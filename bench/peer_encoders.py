"""Text encoders in an environment of their own: sentence-transformers with torch, fastembed with onnxruntime, model2vec.

Each as its documentation shows, with its defaults: batches, threads and sorting are the tool's own affair.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from peer import serve


class Encoder:
    """``build`` encodes a file of texts, ``search`` one query."""

    def open(self, folder: str, tool: str, name: str = "minilm", file: str = "model.onnx") -> dict[str, Any]:
        from importlib.metadata import version

        load = {
            "sentence-transformers": self._sentence_transformers,
            "fastembed": self._fastembed,
            "model2vec": self._model2vec,
        }
        self.encode, threads = load[tool](folder, name, file)
        return {"version": version(tool), "threads": threads}

    @staticmethod
    def _sentence_transformers(folder: str, name: str, file: str) -> Any:
        import torch
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(folder, device="cpu")
        return (lambda texts: model.encode(texts)), torch.get_num_threads()

    @staticmethod
    def _fastembed(folder: str, name: str, file: str) -> Any:
        from fastembed import TextEmbedding
        from fastembed.common.model_description import ModelSource, PoolingType

        TextEmbedding.add_custom_model(
            model=name, pooling=PoolingType.MEAN, normalization=True, sources=ModelSource(hf=name), dim=384, model_file=file
        )
        model = TextEmbedding(name, specific_model_path=folder)
        return (lambda texts: np.stack(list(model.embed(texts)))), None

    @staticmethod
    def _model2vec(folder: str, name: str, file: str) -> Any:
        from model2vec import StaticModel

        model = StaticModel.from_pretrained(folder)
        return (lambda texts: model.encode(texts)), None

    def build(self, data: str, folder: str) -> dict[str, Any]:
        texts = json.loads(Path(data).read_text(encoding="utf-8"))
        vectors = np.asarray(self.encode(texts), np.float32)
        np.save(Path(folder) / "vectors.npy", vectors)
        return {"texts": len(texts), "dimension": vectors.shape[1]}

    def search(self, query: str, k: int) -> Any:
        return self.encode([query])


if __name__ == "__main__":
    serve(Encoder)
