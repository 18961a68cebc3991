"""What a recipe needs in memory: representations, and the models that its stages load."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from pathlib import Path

from .._errors import ModelError
from .._system import cores
from ..encode.find import WEIGHTS, find_folder, weight_files
from ..encode.transformer.runner import TOKEN_BYTES
from ..language.load import find_smollm2
from ..language.registry import model_kind
from ..memory.sizes import MIB
from ..rank import Recipe
from ..rank.stages.base import Stage
from .vectors.kinds import kind_of

__all__ = ["model_bytes", "models_of", "representations_of"]

TORCH = 176 * MIB
"""Anonymous memory of torch and transformers once they are imported, measured with torch 2.9."""
ANSWERING = 64 * MIB
"""What a language model takes besides its weights, for a prompt of a few thousand tokens."""
LONGEST = 512
"""Tokens that a cross-encoder reads, where it is not loaded yet."""
PACKED = ".gguf"
"""Weights of 8 bits or fewer, which are held as numbers of 32."""


def representations_of(recipe: Recipe, kinds: Mapping[str, str]) -> frozenset[str]:
    """The names in ``kinds`` (name to kind) that ``recipe`` reads: its retrievers, and what its stages score or read."""
    stages = [node for node in recipe.walk() if isinstance(node, Stage)]
    names = {*recipe.retrievers(), *(name for stage in stages for name in stage.representations())}
    tokens = [name for name, kind in kinds.items() if kind_of(kind).late_interaction]
    if len(tokens) == 1 and any(stage.reads_tokens for stage in stages):
        names.add(tokens[0])
    return frozenset(names)


def models_of(recipe: Recipe) -> frozenset[tuple[str, str]]:
    """Kind (``language``, ``cross``) and name of each model that its stages load into this process, or ask elsewhere."""
    stages = [node for node in recipe.walk() if isinstance(node, Stage)]
    return frozenset((stage.model_kind, name) for stage in stages if (name := getattr(stage, "model", "")))


def model_bytes(models: Collection[tuple[str, str]]) -> dict[Hashable, int]:
    """About how many bytes of memory each of ``models`` takes in this process; torch, which language models share, once."""
    found: dict[Hashable, int] = {}
    for kind, name in models:
        if size := _bytes(kind, name):
            found["model", kind, name] = size
            if kind == "language":
                found["torch"] = TORCH
    return found


def _bytes(kind: str, name: str) -> int:
    """0 for a model on a server, and for one that is not there, which is told when it is asked."""
    try:
        if kind == "cross":
            return _weights(find_folder(name)) + cores() * LONGEST * TOKEN_BYTES
        where = model_kind(name)
        if where == "remote":
            return 0
        path = (
            find_smollm2() if where == "package" else find_folder(name.removeprefix("hub:")) if where == "hub" else Path(name)
        )
        return _weights(path.expanduser()) + ANSWERING
    except (ModelError, OSError):
        return 0


def _weights(path: Path) -> int:
    """Bytes of the weights once they are loaded, the largest file's or that of all shards of one."""
    sizes: dict[str, int] = {}
    for file in [path] if path.is_file() else weight_files(path, (*WEIGHTS, PACKED)):
        name = str(file.parent / file.name.partition("-of-")[0].rpartition("-")[0]) if "-of-" in file.name else str(file)
        sizes[name] = sizes.get(name, 0) + file.stat().st_size * (4 if file.suffix == PACKED else 1)
    return max(sizes.values(), default=0)
