"""A few layers of an encoder, which are to encode queries as all of them do; and the folder in which both lie together."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from ..._errors import UsageError
from ...encode.transformer.layout import Module, read_layout
from ..encoder.model import SentenceEncoder
from ..memory.modules import layers_of

__all__ = ["choices", "cut", "write_tower"]


def choices(total: int, count: int) -> list[tuple[int, ...]]:
    """Which ``count`` of ``total`` layers may be kept: the first ones, evenly spread ones, the first with the last.

    >>> choices(6, 2)
    [(0, 1), (0, 5), (0, 3)]
    """
    spread = tuple(round(at * (total - 1) / max(1, count - 1)) for at in range(count))
    every = [tuple(range(count)), spread, tuple(at * total // count for at in range(count)), (*range(count - 1), total - 1)]
    return list(dict.fromkeys(every))


def cut(model: SentenceEncoder, kept: Sequence[int]) -> None:
    """Leave only the layers ``kept`` of ``model``. Raises `UsageError` where it has fewer than they ask for."""
    layers = layers_of(model)
    if max(kept) >= len(layers):
        raise UsageError(f"the model has {len(layers)} layers; --layers is to be fewer than that")
    for module in model.modules():
        for name, child in module.named_children():
            if child is layers:
                setattr(module, name, torch.nn.ModuleList([layers[at] for at in kept]))
        config = getattr(module, "config", None)
        for name in ("num_hidden_layers", "n_layers"):
            if isinstance(getattr(config, name, None), int):
                setattr(config, name, len(kept))


def write_tower(folder: Path, teacher: Path, student: SentenceEncoder) -> None:
    """Write both into ``folder`` as sentence-transformers' Router: passages go to the teacher, whose files are copied, queries to
    the student.
    """
    layout = read_layout(teacher)
    scratch = folder / ".student"
    student.save(scratch)
    routes = {
        "document": _copied(folder, "document", layout.modules),
        "query": _copied(folder, "query", read_layout(scratch).modules),
    }
    shutil.rmtree(scratch)
    overall = teacher / "config_sentence_transformers.json"
    if overall.is_file():
        shutil.copyfile(overall, folder / overall.name)
    types = {name: kind for steps in routes.values() for name, kind in steps.items()}
    structure = {route: list(steps) for route, steps in routes.items()}
    told = {"types": types, "structure": structure, "parameters": {"default_route": "document", "allow_empty_key": True}}
    (folder / "router_config.json").write_text(json.dumps(told, indent=1))
    listed = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.base.modules.router.Router"}]
    (folder / "modules.json").write_text(json.dumps(listed, indent=1))


TYPES: Mapping[str, str] = {
    "Transformer": "sentence_transformers.base.modules.transformer.Transformer",
    "Pooling": "sentence_transformers.sentence_transformer.modules.pooling.Pooling",
    "Dense": "sentence_transformers.base.modules.dense.Dense",
    "Normalize": "sentence_transformers.base.modules.normalize.Normalize",
}
"""Where sentence-transformers 6 has the steps."""
LEFT = ("README.md", "modules.json", "config_sentence_transformers.json", "training.json", ".gitattributes")


def _copied(folder: Path, route: str, modules: Sequence[Module]) -> dict[str, str]:
    """Copy the steps into folders of their own; their names, to their types."""
    found = {}
    for number, module in enumerate(modules):
        name = f"{route}_{number}_{module.kind}"
        (folder / name).mkdir()
        if module.kind != "Normalize":  # which has nothing, and whose folder may not be there
            for path in module.folder.iterdir():
                if path.is_file() and path.name not in LEFT:
                    shutil.copyfile(path, folder / name / path.name)
        found[name] = TYPES.get(module.kind, module.kind)
    return found
