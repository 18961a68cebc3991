"""The language model that a writer of queries is trained from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ..._errors import UsageError
from ...encode.find import find_folder
from ...encode.transformer.layout import read_layout
from ...language.load import folder_of
from ...language.registry import SMOLLM2

__all__ = ["WriterBase"]

WRITES = "ForCausalLM"


@dataclass(frozen=True)
class WriterBase:
    """A model's folder."""

    folder: Path
    name: str
    sha256: str

    @classmethod
    def of(cls, named: str | Path) -> WriterBase:
        """The model ``named``; of ``smollm2`` or a .gguf file, which is converted once, the folder that comes of it.

        Raises `UsageError` where it cannot write, `ModelError`.
        """
        text = str(named)
        converted = text == SMOLLM2 or text.lower().endswith(".gguf")
        folder = folder_of(text) if converted else find_folder(text)
        layout = read_layout(folder)
        instead = f"take the folder of a causal language model with model.safetensors, or {SMOLLM2}"
        if layout.weights is None or not layout.config or not (folder / "tokenizer.json").is_file():
            raise UsageError(f"{named} has no transformer's weights, config.json and tokenizer.json; {instead}")
        classes = " ".join(map(str, layout.config.get("architectures") or ()))
        if WRITES not in classes:
            raise UsageError(f"{named} is a {classes or 'model of no known kind':.60}, which writes no text; {instead}")
        with layout.weights.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(folder, Path(text).stem if converted else folder.resolve().name, digest)
