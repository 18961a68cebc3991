"""Where the layers and the linear modules of a transformers model are."""

from __future__ import annotations

from typing import Any

import torch

from ..._errors import TrainingError

__all__ = ["layers_of", "linear_modules", "replace_module"]


def layers_of(model: Any) -> Any:
    """The layers that a hidden state passes in turn: the first module list whose items are all alike, at least two of them.

    Raises `TrainingError` where there is none.
    """
    for module in model.modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) > 1 and len({type(item) for item in module}) == 1:
            return module
    raise TrainingError(f"{type(model).__name__} has no list of layers; choose a method that trains all weights alike")


def linear_modules(model: Any) -> dict[str, Any]:
    """The linear modules inside the layers of ``model``, by their names in it."""
    inside = {id(module) for layer in layers_of(model) for module in layer.modules() if isinstance(module, torch.nn.Linear)}
    return {name: module for name, module in model.named_modules() if id(module) in inside}


def replace_module(model: Any, name: str, module: Any) -> None:
    """Put ``module`` where the module ``name`` of ``model`` is."""
    place, _, last = name.rpartition(".")
    setattr(model.get_submodule(place), last, module)
