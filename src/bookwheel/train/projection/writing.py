"""A model with a linear map after it: a Dense step behind a transformer's, a mapped table in the place of a static model's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import UsageError
from ...encode.dense import TransformerEncoder
from ...encode.safetensors import Tensors, write_tensors
from ...encode.static.built_in import StaticEncoder, write
from ...encode.static.lookup import LookupEncoder
from ...encode.transformer.layout import POOLING, read_json
from ..static.vocabulary import base_vocabulary

__all__ = ["check_mappable", "write_mapped"]

COPIED = frozenset({".json", ".txt", ".model", ".safetensors", ".onnx"})
"""What a model folder is copied of: weights and settings; nothing that could be run."""
LEFT = frozenset({"training.json"})
TABLES = ("embedding.weight", "embeddings")
"""What the table of a static model of another tool is called."""
TYPES = "sentence_transformers.models."
IDENTITY = "torch.nn.modules.linear.Identity"


def check_mappable(name: str, encoder: Any) -> None:
    """Raise `UsageError` unless vectors of ``encoder`` can be mapped by a model folder."""
    if not isinstance(encoder, TransformerEncoder | StaticEncoder | LookupEncoder):
        raise UsageError(f"{name} is no model whose files are here, so none can be written of it; name another encoder")
    if getattr(encoder, "queries", None) is not None:
        raise UsageError(
            f"{name} has a query tower, so that its queries and passages go through different steps; map the whole model, then "
            "train a tower for that"
        )


def write_mapped(part: Path, folder: Path, encoder: Any, weights: NDArray[np.float32], name: str, source: str) -> None:
    """Fill ``part`` with a model that gives ``weights`` (out, d) times the vectors of ``encoder``, which was read from ``folder``.

    ``name`` and ``source`` go into the description of a static model. A static model's vector is a sum of rows of its table, so
    that the map of the table is the map of its vectors. Raises `ModelError`.
    """
    if isinstance(encoder, StaticEncoder):
        base = base_vocabulary(encoder)
        licence = str(encoder.description.get("licence", "")) or "unknown"
        casing = encoder.description.get("casing", "uncased")
        write(
            part, base.vectors @ weights.T, base.pieces, name=name, revision="1", licence=licence, source=source, casing=casing
        )
        return
    _copy(folder, part)
    if isinstance(encoder, LookupEncoder):
        for path in part.rglob("*.safetensors"):
            _map_table(path, weights)
    else:
        _add_dense(part, weights, encoder)


def _copy(folder: Path, part: Path) -> None:
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        if path.suffix in COPIED and path.is_file() and not inner.parts[0].startswith(".") and inner.name not in LEFT:
            (part / inner).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, part / inner)


def _map_table(path: Path, weights: NDArray[np.float32]) -> None:
    tensors = Tensors(path)
    name = next((one for one in TABLES if one in tensors), None)
    if name is not None:
        arrays = {one: tensors.stored(one) for one in tensors}
        arrays[name] = tensors[name] @ weights.T
        del tensors
        path.unlink()
        write_tensors(path, arrays)


def _add_dense(part: Path, weights: NDArray[np.float32], encoder: TransformerEncoder) -> None:
    """Before the first Normalize step, or at the end: the direction of a vector, which alone counts, is the same either way."""
    listed = part / "modules.json"
    steps: list[dict[str, Any]] = read_json(listed) if listed.is_file() else _plain(part, encoder)
    kinds = [str(step["type"]).rsplit(".", 1)[-1] for step in steps]
    at = kinds.index("Normalize") if "Normalize" in kinds else len(steps)
    width = encoder.width
    full = np.zeros((len(weights), width), np.float32)
    full[:, : weights.shape[1]] = weights  # of a model whose vectors are cut, the others count nothing
    path = f"{at}_Dense"
    while (part / path).exists():
        path += "_map"
    (part / path).mkdir()
    about = {"in_features": width, "out_features": len(full), "bias": False, "activation_function": IDENTITY}
    (part / path / "config.json").write_text(json.dumps(about))
    write_tensors(part / path / "model.safetensors", {"linear.weight": full})
    steps.insert(at, {"type": f"{TYPES}Dense", "path": path})
    for number, step in enumerate(steps):
        step |= {"idx": number, "name": str(number)}
    listed.write_text(json.dumps(steps, indent=1))


def _plain(part: Path, encoder: TransformerEncoder) -> list[dict[str, Any]]:
    """The steps of a folder that lists none: a transformer, and the pooling that it is read with."""
    (part / "1_Pooling").mkdir()
    mode = next(setting for setting, pooling in POOLING.items() if pooling == encoder.pooling)
    about = {"word_embedding_dimension": encoder.width, mode: True}
    (part / "1_Pooling" / "config.json").write_text(json.dumps(about))
    return [{"type": f"{TYPES}Transformer", "path": ""}, {"type": f"{TYPES}Pooling", "path": "1_Pooling"}]
