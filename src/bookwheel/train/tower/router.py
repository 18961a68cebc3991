"""A folder in sentence-transformers' layout in which passages go through a whole model, and queries through other steps."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...encode.transformer.layout import Module, read_layout

__all__ = ["write_router"]


def write_router(folder: Path, teacher: Path, queries: Sequence[Module]) -> None:
    """Write a Router into ``folder``: the teacher's files are copied for passages, those of the steps ``queries`` for queries."""
    routes = {
        "document": _copied(folder, "document", read_layout(teacher).modules),
        "query": _copied(folder, "query", queries),
    }
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
    "StaticEmbedding": "sentence_transformers.sentence_transformer.modules.static_embedding.StaticEmbedding",
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
