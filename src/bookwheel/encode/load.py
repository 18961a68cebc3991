"""Every way an encoder can be loaded, by kind and by what its files look like."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from .._errors import ModelError, UsageError
from .options import Options
from .protocols import DEFAULT, Kind

__all__ = ["load"]

STATIC = ("built_in", "static_embedding", "model2vec", "wordllama")
"""Modules of this package that read a static model's folder: each has ``recognises(folder)`` and ``load(folder)``."""
KINDS: Mapping[str, str] = {"dense": "dense", "sparse": "sparse", "tokens": "tokens"}
"""The module that reads a transformer's folder for each kind: ``load(folder, options, name)``."""


def load(name: object, kind: Kind, overrides: Mapping[str, Any]) -> Any:
    """What `bookwheel.encode.protocols.load_encoder` promises."""
    if kind not in KINDS:
        raise ModelError(f"there is no kind of encoder {kind!r}; there are {', '.join(KINDS)}")
    if callable(name):
        from .function import FunctionEncoder

        return FunctionEncoder(name, **overrides)
    text = str(name or DEFAULT)
    if text.startswith(("http://", "https://")):
        from .remote import RemoteEncoder

        if kind != "dense":
            raise ModelError(f"a remote model gives dense vectors only; for {kind} take a model that runs here")
        return RemoteEncoder.named(text, **overrides)
    from .find import find_folder

    options = Options.of(overrides)
    folder = find_folder(text, options.revision)
    if kind == "dense" and (layout := _static(folder)) is not None:
        if overrides:
            raise UsageError(f"{text} is a static model, which has no setting {next(iter(overrides))!r}; leave it out")
        return layout.load(folder)
    from .dense import recognises

    if not recognises(folder):
        raise ModelError(
            f"{folder} holds no encoder: expected config.json with vectors.npy (bookwheel), tokenizer.json with model.safetensors "
            "(transformers, sentence-transformers, model2vec), an ONNX file, or a .safetensors file with a "
            "*tokenizer_config.json (wordllama)"
        )
    return import_module(f".{KINDS[kind]}", __package__).load(folder, options, text if text != "." else folder.resolve().name)


def _static(folder: Path) -> Any:
    """The module that reads ``folder`` as a static model; None where it is none."""
    from .dense import recognises

    for layout in STATIC:
        module: Any = import_module(f".static.{layout}", __package__)
        if module.recognises(folder):
            return module
        if layout == "static_embedding" and recognises(folder):
            return None  # what follows is told from a transformer by what is missing only
    return None
