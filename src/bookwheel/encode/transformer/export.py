"""ONNX files of models whose architecture bookwheel does not build itself: exported by torch, made int8 by onnxruntime; both once.

Needs the extra ``export`` (torch, transformers, onnx), like nothing else in bookwheel.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, BinaryIO

from ..._errors import ModelError
from ..model_cache import Kept, fingerprint, keep
from .causal import CAUSAL
from .layout import Layout

__all__ = ["EXTRA", "export", "quantise", "write_int8"]

EXTRA = "pip install 'bookwheel[export]'"
OPSET = 17


def quantise(kept: Kept) -> Kept:
    """The int8 form of an ONNX model, made once and kept. Raises `ModelError`."""
    return keep(fingerprint([kept.model], "int8"), lambda file: write_int8(kept.model, file), lambda: dict(kept.about))


def write_int8(source: Path, file: BinaryIO) -> None:
    """Write to ``file`` the int8 form of the ONNX model ``source``: weights by column, activations while it runs. Raises `ModelError`."""
    try:
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError as error:
        raise ModelError(f"making {source} int8 needs another package; type: {EXTRA}, or take it at precision fp32") from error
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "model.onnx"
        try:
            quantize_dynamic(
                source, out, weight_type=QuantType.QInt8, per_channel=True, extra_options={"MatMulConstBOnly": True}
            )
        except Exception as error:  # onnx raises what protobuf and its checker raise
            problem = " ".join(str(error).split())[:200]
            raise ModelError(f"{source} cannot be made int8 ({problem}); take it at precision fp32") from error
        file.write(out.read_bytes())


def export(layout: Layout, out: Path, head: str = "states") -> Path:
    """Write ``out``, the ONNX form of a transformers model, with torch; raises `ModelError`.

    ``head`` is ``states``, ``terms`` (a masked-LM's logits) or ``scores`` (a classifier's).
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise ModelError(f"exporting a model needs torch; type: {EXTRA}") from error
    if head == "scores" and layout.config.get("model_type") in CAUSAL:
        raise ModelError(
            f"{layout.folder} holds a causal language model, which is run by torch as it is; nothing need be exported"
        )
    classes = {
        "states": transformers.AutoModel,
        "terms": transformers.AutoModelForMaskedLM,
        "scores": transformers.AutoModelForSequenceClassification,
    }
    try:
        model: Any = classes[head].from_pretrained(str(layout.folder), local_files_only=True, attn_implementation="eager")
    except Exception as error:  # transformers raises a dozen kinds for a folder it cannot read
        problem = " ".join(str(error).split())[:200]
        raise ModelError(
            f"{layout.folder} cannot be loaded by transformers ({problem}); get the model's files again"
        ) from error
    model.eval()
    name = "last_hidden_state" if head == "states" else "logits"

    # Pairs of texts are told apart by their tokens' types, by a model that knows more than one.
    inputs = ["input_ids", "attention_mask"]
    if head == "scores" and getattr(model.config, "type_vocab_size", 1) > 1:
        inputs.append("token_type_ids")

    class Wrapped(torch.nn.Module):  # type: ignore[misc, unused-ignore]  # torch is untyped where it is not installed
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *given: Any) -> Any:
            return getattr(self.model(**dict(zip(inputs, given, strict=True))), name)

    ids = torch.ones((2, 8), dtype=torch.int64)
    axes = {0: "batch", 1: "tokens"}
    out.parent.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        torch.onnx.export(
            Wrapped(),
            tuple(torch.ones_like(ids) for _ in inputs),
            str(out),
            input_names=inputs,
            output_names=[name],
            dynamic_axes={**dict.fromkeys(inputs, axes), name: {0: "batch"} if head == "scores" else axes},
            opset_version=OPSET,
            dynamo=False,
        )
    return out
