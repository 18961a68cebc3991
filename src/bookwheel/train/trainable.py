"""What models of transformers have in common while they are trained on the CPU: no dropout, activations that may be computed again.

Needs the extra ``train``; it is imported when training begins.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import torch

from .memory.checkpointing import checkpointed
from .memory.modules import layers_of, linear_modules
from .memory.objective import Batch, split

__all__ = ["TOKENS", "Trainable", "adapted", "merged_weights", "step_seconds"]

TOKENS = ("input_ids", "attention_mask", "token_type_ids")
"""What a model of transformers reads."""


class Trainable(torch.nn.Module):  # type: ignore[misc, unused-ignore]  # torch is untyped where it is not installed
    """A module around ``inner``, which is, or holds, a model of transformers."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner
        for module in self.modules():
            if isinstance(module, torch.nn.Dropout):  # drawing the masks takes a third of a step
                module.p = 0.0
        self.supports_gradient_checkpointing = bool(self._checkpointed())

    def activation_checkpointing_enable(self, options: Any, every_n_layers: int = 1) -> None:
        """As transformers has it."""
        for module in self._checkpointed():
            if hasattr(module, "activation_checkpointing_enable"):
                module.activation_checkpointing_enable(options, every_n_layers=every_n_layers)
            else:  # before transformers 5.20
                module.gradient_checkpointing_enable(gradient_checkpointing_kwargs=options)

    def activation_checkpointing_disable(self) -> None:
        """As transformers has it."""
        for module in self._checkpointed():
            new = hasattr(module, "activation_checkpointing_disable")
            (module.activation_checkpointing_disable if new else module.gradient_checkpointing_disable)()

    def _checkpointed(self) -> list[Any]:
        """The models inside that can compute activations again, the outermost only."""
        found: list[Any] = []
        for module in self.inner.modules():
            inside = any(module is part for one in found for part in one.modules())
            if getattr(module, "supports_gradient_checkpointing", False) and not inside:
                found.append(module)
        return found

    def towards(self, other: Self, share: float) -> None:
        """Put the weights at ``share`` of the way from those of ``other`` to their own (Wortsman et al., CVPR 2022)."""
        with torch.no_grad():
            for mine, theirs in zip(self.parameters(), other.parameters(), strict=True):
                mine.copy_(theirs + share * (mine - theirs))


def merged_weights(model: Any) -> dict[str, Any]:
    """The weights of ``model``, by name; low-rank adapters, where there are some, are in the weights that they stand beside."""
    found = {}
    with torch.no_grad():
        for name, weight in model.state_dict().items():
            place, of_adapter, _ = name.partition(".base_layer.")
            if ".lora_" in name:
                continue
            if of_adapter and name.endswith(".weight"):
                module = model.get_submodule(place)
                for adapter in module.active_adapters:
                    weight = weight + module.get_delta_weight(adapter)
            found[name.replace(".base_layer.", ".")] = weight
    return found


def step_seconds(
    model: Any, batch: Batch, rows: int, once: Callable[[dict[str, Any]], None], size: Callable[[dict[str, Any]], int]
) -> float:
    """About how long a step over ``batch`` in parts of ``rows`` rows takes: ``once`` of one part, and the others by their ``size``."""
    parts = list(split(batch, rows))
    sizes = [size(one) for one in parts]
    part = parts[len(parts) // 2]
    model.train()
    took = 0.0
    for _ in range(2):  # the first time is slower
        began = time.monotonic()
        once(part)
        took = time.monotonic() - began
    for weight in model.parameters():
        weight.grad = None
    return float(took * sum(sizes) / sizes[len(parts) // 2])


@contextmanager
def adapted(model: Any, head: str | None = None, layers: int = 0) -> Iterator[None]:
    """While it lasts, a step takes about the time that it takes with adapters: gradients go back through the layers, and few are kept.

    ``head``: the end of the name of weights that have gradients, too. ``layers``: the last layers, which alone have adapters; 0 for
    all. Activations are computed again, so that it takes little memory: what the budget allows is not known yet.
    """
    inside = {id(module) for layer in layers_of(model)[-layers:] for module in layer.modules()}
    first = next(module for module in linear_modules(model).values() if id(module) in inside)
    chosen = {id(first.weight)} | {id(weight) for name, weight in model.named_parameters() if head and name.endswith(head)}
    for weight in model.parameters():
        weight.requires_grad_(id(weight) in chosen)
    try:
        with checkpointed(model):
            yield
    finally:
        model.requires_grad_(True)
