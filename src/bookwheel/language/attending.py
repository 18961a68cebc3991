"""Which language models show what they attend to: causal ones of transformers in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .._errors import ModelError
from .registry import SMOLLM2, model_kind

__all__ = ["check_attends"]

INSTEAD = f"name a causal one that runs in this process, such as {SMOLLM2}"


def check_attends(model: Any) -> None:
    """Raise `ModelError` for a ``model``, a name or an object, that shows no attention over passages.

    Of a name it is told without loading a model or asking a server, as far as it can be: a model to download is checked as an object.
    """
    if isinstance(model, str):
        kind = model_kind(model)
        server, two_parts = kind == "remote", kind == "folder" and _says_encoder_decoder(Path(model).expanduser())
        shows = True
        name = model
    else:
        from .encoder_decoder import EncoderDecoderModel

        shows = hasattr(model, "attention") and hasattr(model, "blocks")
        name = getattr(model, "name", type(model).__name__)
        server, two_parts = "://" in name, isinstance(model, EncoderDecoderModel)
    if two_parts:
        raise ModelError(
            f"{name} is an encoder-decoder model, which writes and gives likelihoods, but shows no attention over passages; {INSTEAD}"
        )
    if server:
        raise ModelError(f"{name} is on a server, which shows no attention; {INSTEAD}")
    if not shows:
        raise ModelError(f"{name} shows no attention over passages; {INSTEAD}")


def _says_encoder_decoder(folder: Path) -> bool:
    """Whether the config.json in ``folder`` says so; what cannot be read is told by loading it."""
    try:
        told = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(told, dict) and told.get("is_encoder_decoder") is True
