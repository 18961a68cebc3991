"""A trained model as ONNX beside its weights, float32 and int8, for programs that have no torch.

bookwheel itself builds its graph from the weights where it knows the architecture, and runs these files where it does not.
"""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

from ...encode.transformer.export import export, write_int8
from ...encode.transformer.layout import read_layout

__all__ = ["FP32", "INT8", "write_onnx"]

FP32, INT8 = "model.onnx", "model_quantized.onnx"
"""Inside ``onnx/``, where the hub's programs look for them. Both take ``input_ids`` and ``attention_mask``, int64 (texts, tokens), and
give ``last_hidden_state``, float32 (texts, tokens, hidden); pooling is the reader's. Of a cross-encoder they take ``token_type_ids``
too and give ``logits``, float32 (pairs, labels).
"""


def write_onnx(folder: Path, head: str = "states") -> None:
    """Write both into the model's folder; ``head`` as for `export`. Raises `ModelError`."""
    layout = read_layout(folder)
    place = layout.folder / "onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        export(layout, place / FP32, head)
        logging.disable(logging.WARNING)  # advice to preprocess, of onnxruntime to the root logger
        try:
            with (place / INT8).open("wb") as file:
                write_int8(place / FP32, file)
        finally:
            logging.disable(logging.NOTSET)
