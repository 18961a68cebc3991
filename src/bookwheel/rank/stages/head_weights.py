"""The weights of a language model's attention heads, as a file: what `bookwheel train attention` writes and `attention` reads."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import ModelError

__all__ = ["FILE", "HeadWeights", "named_file", "read_heads"]

FILE = "heads.json"
"""Its name in a folder."""
LARGEST = 1 << 22
"""Bytes of such a file."""


@dataclass(frozen=True)
class HeadWeights:
    """Which heads of a model are used, and how much of each. ``layers`` and ``heads``: how many the whole model has."""

    layers: int
    heads: int
    parameters: int
    """Of the model, which tells it from another of the same shape."""
    chosen: tuple[tuple[int, int], ...]
    """(layer, head), both from 0."""
    weights: tuple[float, ...]
    """Of the chosen, above 0."""

    @property
    def array(self) -> NDArray[np.float64]:
        """The weights, float64 (chosen,)."""
        return np.array(self.weights, np.float64)

    def check(self, model: Any, name: str) -> None:
        """Raise `ModelError` where they are not of ``model``, called ``name``."""
        if (self.layers, self.heads, self.parameters) != (model.layers, model.heads, model.parameters):
            raise ModelError(
                f"the heads are of a model of {self.parameters:,} weights in {self.layers} layers of {self.heads} heads, and {name!r} has "
                f"{model.parameters:,} in {model.layers} of {model.heads}; name the model that they were trained for, or train again: "
                "bookwheel train attention MODEL"
            )

    def to_json(self) -> str:
        """As it is written."""
        rows = [[*head, round(weight, 6)] for head, weight in zip(self.chosen, self.weights, strict=True)]
        told = {"layers": self.layers, "heads": self.heads, "parameters": self.parameters, "weights": rows}
        return json.dumps(told, indent=1)


def named_file(text: str) -> Path | None:
    """The file that ``text``, as a recipe has it, is the path of, or of its folder; None where it is no path."""
    if not ("/" in text or "\\" in text or text.startswith("~") or text.endswith(".json")):
        return None
    path = Path(text).expanduser()
    return path if path.suffix == ".json" else path / FILE


def read_heads(path: Path) -> HeadWeights:
    """Read such a file. Raises `ModelError` where it is missing or damaged."""
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("it is too large")
        told = json.loads(path.read_text(encoding="utf-8"))
        layers, heads, parameters = (told[name] for name in ("layers", "heads", "parameters"))
        rows = [(layer, head, float(weight)) for layer, head, weight in told["weights"]]
        chosen = tuple((layer, head) for layer, head, _ in rows)
        if any(type(one) is not int or one < 0 for one in (layers, heads, parameters, *(n for pair in chosen for n in pair))):
            raise ValueError("a number of a layer or a head is none")
        if any(layer >= layers or head >= heads for layer, head in chosen) or len(set(chosen)) < len(chosen):
            raise ValueError("a head is missing in the model, or named twice")
        if not rows or not all(0 < weight < math.inf for _, _, weight in rows):
            raise ValueError("a weight is not above 0")
    except FileNotFoundError:
        raise ModelError(
            f"there are no trained heads at {path}; give what bookwheel train attention wrote, or some heads as layer.head"
        ) from None
    except (OSError, ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise ModelError(f"{path} does not hold the weights of heads ({error}); train them again") from error
    return HeadWeights(layers, heads, parameters, chosen, tuple(weight for _, _, weight in rows))
