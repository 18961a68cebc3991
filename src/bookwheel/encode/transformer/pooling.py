"""From the states of a text's tokens to one vector: sentence-transformers' modules Pooling, Dense and Normalize in numpy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..._errors import ModelError
from ..safetensors import Tensors
from .layout import POOLING, Layout, Module

__all__ = ["Dense", "pool", "pooling_of", "project"]

ACTIVATIONS: Mapping[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "Tanh": np.tanh,
    "ReLU": lambda x: np.maximum(x, 0),
    "Identity": lambda x: x,
}


def pooling_of(layout: Layout) -> str:
    """How the folder says that tokens are pooled; the mean where it says nothing. Raises `ModelError` for several at once."""
    module = layout.module("Pooling")
    if module is None:
        return "mean"
    mode = module.config.get("pooling_mode")
    modes = [mode] if isinstance(mode, str) else list(mode or [])
    modes = modes or [ours for name, ours in POOLING.items() if module.config.get(name)]
    if len(modes) != 1:
        raise ModelError(
            f"{module.folder / 'config.json'} asks for {' and '.join(map(str, modes)) or 'no'} pooling, bookwheel does one; "
            "set pooling= to one of them"
        )
    return str(modes[0])


def pool(states: NDArray[np.float32], mode: str) -> NDArray[np.float32]:
    """One vector (hidden,) of ``states`` (tokens, hidden)."""
    if mode == "mean":
        out = states.mean(0)
    elif mode == "cls":
        out = states[0]
    elif mode == "max":
        out = states.max(0)
    elif mode == "mean_sqrt_len_tokens":
        out = states.sum(0) / np.float32(np.sqrt(len(states)))
    elif mode == "weightedmean":
        weights = np.arange(1, len(states) + 1, dtype=np.float32)
        out = weights @ states / weights.sum()
    elif mode == "lasttoken":
        out = states[-1]
    else:
        raise ModelError(f"there is no pooling {mode!r}; set pooling= to one of {', '.join(POOLING.values())}")
    result: NDArray[np.float32] = out
    return result


class Dense:
    """A Dense module: ``activation(vectors @ weight.T + bias)``, weight (out, in)."""

    def __init__(
        self, weight: NDArray[np.float32], bias: NDArray[np.float32] | None = None, activation: str = "Identity"
    ) -> None:
        self.weight = weight
        self.bias = bias
        self._activation = ACTIVATIONS[activation]

    @classmethod
    def of(cls, tensors: Tensors, width: int, activation: str = "Identity") -> Dense:
        """The arrays ``linear.weight`` and ``linear.bias``; raises `ModelError` where they do not fit vectors of ``width``."""
        if activation not in ACTIVATIONS:
            raise ModelError(
                f"{tensors.path.parent} has an activation {activation!r}, but bookwheel supports only {', '.join(ACTIVATIONS)}"
            )
        weight = tensors["linear.weight"].copy()
        if weight.ndim != 2 or weight.shape[1] != width:
            raise ModelError(
                f"{tensors.path} does not fit the model: its weights have shape {weight.shape} for vectors of {width}; "
                "get the model's files again"
            )
        return cls(weight, tensors["linear.bias"].copy() if "linear.bias" in tensors else None, activation)

    @classmethod
    def read(cls, module: Module, width: int) -> Dense:
        """A step of a sentence-transformers or PyLate model; raises `ModelError`."""
        if module.config.get("use_residual"):
            raise ModelError(f"{module.folder} adds a residual, which bookwheel does not support; use another model")
        name = str(module.config.get("activation_function") or "Tanh").rsplit(".", 1)[-1]
        return cls.of(Tensors(module.folder / "model.safetensors"), width, name)

    def __call__(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, out) of ``vectors`` (n, in)."""
        out = vectors @ self.weight.T
        result: NDArray[np.float32] = self._activation(out if self.bias is None else out + self.bias)
        return result


def project(layout: Layout, width: int) -> Sequence[Dense]:
    """The Dense modules of a folder, in their order."""
    steps: list[Dense] = []
    for module in layout.modules:
        if module.kind == "Dense":
            steps.append(Dense.read(module, width))
            width = len(steps[-1].weight)
    return steps
