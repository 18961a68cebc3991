"""From a model's folder to something that runs: which file is taken, and what is made of it once and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from ..._errors import ModelError
from ..model_cache import Kept, fingerprint, keep
from ..options import Options
from ..safetensors import Tensors
from ..static.lookup import read_tokenizer
from .architectures import architecture
from .causal import CAUSAL, open_causal
from .graph import BUILDER, Head, build
from .layout import Layout, read_layout
from .runner import OnnxModel, OnnxSession

__all__ = ["open_model", "open_scorer"]

OUTPUTS: dict[Head, tuple[str, ...]] = {
    "states": ("states", "last_hidden_state", "token_embeddings", "output_0"),
    "terms": ("terms", "logits", "output_0"),
    "summed_terms": ("summed_terms", "logits", "output_0"),
    "scores": ("scores", "logits", "output_0"),
}
"""What the wanted output may be called, in exports of bookwheel, transformers, optimum and sentence-transformers."""
DEFAULT_TOKENS = 512


def open_scorer(folder: Path, options: Options | None = None) -> tuple[OnnxModel, Layout]:
    """A cross-encoder: `OnnxModel.each` over tokenised pairs gives the logits, float32 (labels,). Raises `ModelError`."""
    layout = read_layout(folder)
    if layout.config.get("model_type") in CAUSAL and layout.weights is not None:
        return open_causal(layout, options or Options()), layout
    model, _ = open_model(layout, "scores", options or Options(), types=True)
    return model, layout


def open_model(
    layout: Layout, head: Head, options: Options, *, types: bool = False, attended: bool = False
) -> tuple[OnnxModel, str]:
    """The model of a folder with that output, and the sha256 of its weights and tokenizer.

    From safetensors bookwheel builds the graph itself where it knows the architecture (see `architectures`), which
    runs faster than an export; else an ONNX file of the folder is run as it is, made int8 first where the ``export`` extra is
    installed. What is made is kept. Raises `ModelError`.
    """
    tokenizer_file = _tokenizer_file(layout, options)
    tokenizer = read_tokenizer(tokenizer_file)
    kind = architecture(layout.config, layout.folder / "config.json") if layout.config else None
    limit = layout.max_tokens or DEFAULT_TOKENS
    if layout.weights is not None and kind is not None:
        if tokenizer.get_vocab_size() > kind.vocabulary:
            raise ModelError(
                f"the model in {layout.folder} does not fit together: its tokenizer has {tokenizer.get_vocab_size()} tokens "
                f"and its config.json says {kind.vocabulary}; get its files again"
            )
        tensors = Tensors(layout.weights)

        def write(file: BinaryIO) -> None:
            build(tensors, kind, options.precision, head, types=types, attended=attended).write(file)

        name = fingerprint(
            tensors.files, BUILDER, options.precision, head, types, attended, sorted(map(repr, layout.config.items()))
        )
        entry = keep(name, write, lambda: {"sha256": digest(tensors.files), "model": str(layout.whole), "head": head})
        limit = min(limit, kind.positions)
    elif layout.onnx:
        entry = _exported(layout, options)
    else:
        raise ModelError(_nothing_runs(layout))
    session = OnnxSession(entry.model)
    output = next((name for name in OUTPUTS[head] if name in session.outputs), None)
    if output is None:
        raise ModelError(
            f"{entry.model} gives {', '.join(session.outputs)} where {OUTPUTS[head][1]} was expected: it is of another kind; "
            "take another model"
        )
    model = OnnxModel(session, tokenizer, output, min(options.max_tokens or limit, limit), options)
    return model, hashlib.sha256(f"{entry.about['sha256']} {digest([tokenizer_file])}".encode()).hexdigest()


def _tokenizer_file(layout: Layout, options: Options) -> Path:
    if options.tokenizer is not None:
        from ..find import find_folder

        return find_folder(options.tokenizer) / "tokenizer.json"
    for folder in (layout.folder, layout.whole):
        if (folder / "tokenizer.json").is_file():
            return folder / "tokenizer.json"
    raise ModelError(
        f"{layout.folder} has no tokenizer.json; get it, or name a model that has the same one with tokenizer=NAME"
    )


def _exported(layout: Layout, options: Options) -> Kept:
    """An ONNX file of the folder: a quantised one for int8, the plain one for fp32."""
    files = layout.onnx
    small = [path for path in files if any(word in path.stem for word in ("quantized", "int8", "qint8"))]
    plain = [path for path in files if path not in small]
    path = (small or plain or files)[0] if options.precision == "int8" else (plain or files)[0]
    kept = Kept(path.parent, {"sha256": digest([path])})
    kept.model = path
    if options.precision == "int8" and not small:
        from .export import quantise

        return quantise(kept)
    return kept


def _nothing_runs(layout: Layout) -> str:
    kind = layout.config.get("model_type")
    if layout.weights is not None:
        return (
            f"{layout.folder} holds a model of type {kind!r}, which has to be exported once; "
            f"type: pip install 'bookwheel[export]' && bookwheel models --export {layout.whole}"
        )
    return f"{layout.folder} has neither model.safetensors nor an ONNX file; get the model's files again"


def digest(files: Sequence[Path]) -> str:
    """The sha256 of files, one after the other; of one file it is what its publisher states."""
    total: Any = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                total.update(block)
    return str(total.hexdigest())
