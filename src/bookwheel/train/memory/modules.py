"""Where the layers and the linear modules of a transformers model are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from ..._errors import TrainingError, UsageError

__all__ = ["cut", "last_layers", "layers_of", "linear_modules", "replace_module", "weights_from"]


def layers_of(model: Any) -> Any:
    """The layers that a hidden state passes in turn: the first module list whose items are all alike, at least two of them.

    Raises `TrainingError` where there is none.
    """
    for module in model.modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) > 1 and len({type(item) for item in module}) == 1:
            return module
    raise TrainingError(f"{type(model).__name__} has no list of layers; choose a method that trains all weights alike")


def cut(model: Any, kept: Sequence[int]) -> None:
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


def weights_from(model: Any, layers: int) -> dict[str, Any]:
    """The weights of the last ``layers`` layers and of what stands behind them, such as a head, by name; all of them for 0."""
    named = dict(model.named_parameters())
    if not layers:
        return named
    own = {id(weight) for layer in layers_of(model)[-layers:] for weight in layer.parameters()}
    begins = next(at for at, weight in enumerate(named.values()) if id(weight) in own)
    return dict(list(named.items())[begins:])


@contextmanager
def last_layers(model: Any, layers: int) -> Iterator[None]:
    """While it lasts, only the weights of `weights_from` have gradients; afterwards all have."""
    own = {id(weight) for weight in weights_from(model, layers).values()}
    for weight in model.parameters():
        weight.requires_grad_(id(weight) in own)
    try:
        yield
    finally:
        model.requires_grad_(True)


def linear_modules(model: Any) -> dict[str, Any]:
    """The linear modules inside the layers of ``model``, by their names in it."""
    inside = {id(module) for layer in layers_of(model) for module in layer.modules() if isinstance(module, torch.nn.Linear)}
    return {name: module for name, module in model.named_modules() if id(module) in inside}


def replace_module(model: Any, name: str, module: Any) -> None:
    """Put ``module`` where the module ``name`` of ``model`` is."""
    place, _, last = name.rpartition(".")
    setattr(model.get_submodule(place), last, module)
