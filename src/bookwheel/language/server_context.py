"""How many tokens a server's model takes: asked of the server, each kind in its own way.

llama.cpp's server tells the context of a slot (``/props``), vLLM the longest sequence and many hosted ones the model's context
(``/v1/models``), LM Studio the context that is loaded (``/api/v0/models``), Ollama that of a loaded model (``/api/ps``) or the
``num_ctx`` of its Modelfile (``/api/show``). What Ollama's models were trained on is not taken: it cuts prompts to its own setting.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from .._http import Client

__all__ = ["context_of"]

WAIT = 2.0
"""Seconds for all questions together."""
LEAST, MOST = 256, 1 << 24
"""What a context is believed between."""
_FIELDS = ("loaded_context_length", "max_model_len", "context_length", "context_window", "max_context_length")
"""What servers call it in a list of models."""


def context_of(client: Client, model: str) -> int | None:
    """The tokens of prompt and answer that ``model`` takes there; None where the server does not say.

    Raises `ModelError` where it does not answer in time, or may not be asked.
    """
    for found in _answers(client, model, time.monotonic() + WAIT):
        if isinstance(found, int) and not isinstance(found, bool) and LEAST <= found <= MOST:
            return found
    return None


def _answers(client: Client, model: str, until: float) -> Iterator[Any]:
    """What the server says, the most exact first."""

    def asked(path: str) -> Any:
        return client.get(path, deadline=until)

    listed = asked("models")
    known = _entry(listed, "data", "id", model)
    if not client.base.endswith("/v1"):
        yield from map(known.get, _FIELDS)
        return
    if "meta" in known or not any(known.get(name) for name in _FIELDS):
        settings = _mapping(asked("../props")).get("default_generation_settings")
        yield _mapping(settings).get("n_ctx")
    yield from map(known.get, _FIELDS)
    yield from map(_entry(asked("../api/v0/models"), "data", "id", model).get, _FIELDS)
    running = asked("../api/ps")
    if isinstance(_mapping(running).get("models"), list):  # Ollama
        yield _entry(running, "models", "name", model).get("context_length")
        shown = _mapping(client.post("../api/show", {"model": model}, deadline=until))
        if (told := re.search(r"(?m)^\s*num_ctx\s+(\d{1,9})\s*$", str(shown.get("parameters", "")))) is not None:
            yield int(told[1])


def _entry(listed: Any, field: str, key: str, model: str) -> Mapping[str, Any]:
    """The entry of ``model`` in a list of models, or the only one there is."""
    given = _mapping(listed).get(field)
    entries: list[Mapping[str, Any]] = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    same = [one for one in entries if one.get(key) in (model, f"{model}:latest")]
    return (same or (entries if len(entries) == 1 else [{}]))[0]


def _mapping(value: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = value if isinstance(value, dict) else {}
    return found
