"""The registry of encoders: every way a model can be loaded, by kind and by what its files look like.

To add a layout of static models, write a module in ``static/`` with ``recognises(folder)`` and
``load(folder)`` and name it in `STATIC`. To add a kind of representation, write a module here with
``load(folder, options, name)`` and name it in `KINDS`, and one in ``library/vectors/kinds/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, overload

from .._errors import ModelError, UsageError
from .find import DEFAULT, find_folder
from .options import Options
from .protocols import DenseEncoder, SparseEncoder, TokenEncoder

__all__ = ["KINDS", "load_encoder"]

KINDS: Mapping[str, str] = {"dense": "dense", "sparse": "sparse", "tokens": "tokens"}
"""The kinds of representation, and the module that reads a transformer's folder for each."""
STATIC: Mapping[str, tuple[str, ...]] = {"dense": ("built_in", "static_embedding", "model2vec", "wordllama")}
"""Modules of ``static/`` that read a static model's folder, by kind, in the order they are tried."""
REMOTE = frozenset({"dense"})
"""The kinds that a model behind an address can give."""


@overload
def load_encoder(name: object = None, /, kind: Literal["dense"] = "dense", **overrides: Any) -> DenseEncoder: ...


@overload
def load_encoder(name: object, /, kind: Literal["sparse"], **overrides: Any) -> SparseEncoder: ...


@overload
def load_encoder(name: object, /, kind: Literal["tokens"], **overrides: Any) -> TokenEncoder: ...


@overload
def load_encoder(name: object, /, kind: str, **overrides: Any) -> Any: ...


def load_encoder(name: object = None, /, kind: str = "dense", *, download: bool = True, **overrides: Any) -> Any:
    """The encoder called ``name``.

    ``name`` is None or ``"static"`` for the built-in model. Otherwise it is looked up in this order:
    a model's folder; an installed package that carries a model; a model on the Hugging Face hub
    (``"owner/model"`` or ``"owner/model@revision"``, the only case besides the next that uses the
    network); a remote model behind the OpenAI-compatible protocol (``"https://host/v1#model"``); or,
    in Python, a function from a list of texts to an array of vectors.

    ``download``: whether a name of the hub is enough to download the model; otherwise the hub's address must have been allowed
    (`bookwheel.allow`). ``overrides`` replace what the model's own files say, or set how it runs: see
    `bookwheel.encode.options.Options` for a model that runs here, and
    `bookwheel.encode.remote.RemoteEncoder` for a remote one.

    Raises `ModelError` where there is no such model or its files are missing, truncated or
    inconsistent, and `UsageError` for a setting that the model does not have.
    """
    if kind not in KINDS:
        raise ModelError(f"there is no kind of encoder {kind!r}; kinds are {', '.join(KINDS)}")
    if callable(name):
        from .function import FunctionEncoder

        return FunctionEncoder(name, **overrides)
    text = str(name or DEFAULT)
    if text.startswith(("http://", "https://")):
        from .remote import RemoteEncoder

        if kind not in REMOTE:
            raise ModelError(f"a remote model gives {', '.join(REMOTE)} vectors only; for {kind} take a model that runs here")
        return RemoteEncoder.named(text, **overrides)
    options = Options.of(overrides)
    folder = find_folder(text, options.revision, download=download)
    if (layout := _static(folder, kind)) is not None:
        if overrides:
            raise UsageError(f"{text} is a static model, which has no setting {next(iter(overrides))!r}; leave it out")
        return layout.load(folder)
    from .dense import recognises

    if not recognises(folder):
        raise ModelError(
            f"{folder} holds no encoder: expected config.json with vectors.npy (bookwheel), tokenizer.json with "
            "model.safetensors (transformers, sentence-transformers, model2vec), an ONNX file, or a .safetensors file "
            "with a *tokenizer_config.json (wordllama)"
        )
    module = import_module(f".{KINDS[kind]}", __package__)
    return module.load(folder, options, text if text != "." else folder.resolve().name)


def _static(folder: Path, kind: str) -> Any:
    """The module that reads ``folder`` as a static model of this kind; None where none does."""
    from .dense import recognises

    for layout in STATIC.get(kind, ()):
        module: Any = import_module(f".static.{layout}", __package__)
        if module.recognises(folder):
            return module
        if layout == "static_embedding" and recognises(folder):
            return None  # The remaining layouts differ from a transformer only in what is missing.
    return None
