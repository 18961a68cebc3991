"""How much memory a step takes, from shapes alone: the step is run on tensors that have no numbers, and what would live is added up.

Every method can be asked, and a model that does not fit too: nothing is computed. What a kernel holds for itself inside is not seen.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import torch
from torch._subclasses.fake_tensor import FakeCopyMode, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from .checkpointing import checkpointed
from .objective import Batch, Objective, split
from .protocols import Method
from .tensors import weight_bytes

__all__ = ["Footprint", "trace"]


@dataclass(frozen=True)
class Footprint:
    """Bytes. ``weights``: of the model as it came. ``peak``: the most tensors that live at a time, weights included."""

    weights: int
    peak: int

    @property
    def extra(self) -> int:
        """What training needs beside the model."""
        return self.peak - self.weights


class _Living(TorchDispatchMode):
    """Adds up the storages that live, while it is entered."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._seen: dict[int, Any] = {}

    def note(self, tensor: Any, *, in_place: bool = False) -> None:
        """``in_place``: its numbers would lie where another's did that is about to go."""
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._seen:
            return
        size = storage.nbytes()
        self._seen[key] = weakref.ref(storage, self._forget(key, size))
        self.now += size
        if not in_place:
            self.peak = max(self.peak, self.now)

    def _forget(self, key: int, size: int) -> Callable[[Any], None]:
        def gone(_: Any) -> None:
            self.now -= size
            self._seen.pop(key, None)

        return gone

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        # Autograd adds gradients up in place, but not those of tensors of a class of their own, as these are.
        adding = func is torch.ops.aten.add.Tensor and torch._C._current_graph_task_id() != -1 and not torch.is_grad_enabled()
        for found in tree_iter(out):
            if isinstance(found, torch.Tensor):
                self.note(found, in_place=adding)
        return out


def trace(
    model: Any, batch: Batch, method: Method, objective: Objective, *, rows: int, checkpoint: int, steps: int = 2
) -> Footprint:
    """The footprint of attaching ``method`` to ``model`` and of ``steps`` steps over ``batch`` in parts of ``rows`` rows.

    ``checkpoint``: see `checkpointed`. The model itself is not touched.
    """
    parts = [objective.prepare(part) for part in split(batch, rows)][:2]  # those that follow take no more
    count = objective.count(batch)
    shapes = FakeTensorMode()
    with FakeCopyMode(shapes):
        hollow = copy.deepcopy(model)
    hollow.train()
    parts = [_hollow(part, shapes) for part in parts]
    living = _Living()
    for tensor in [*hollow.parameters(), *hollow.buffers()]:
        living.note(tensor)
    weights = weight_bytes(hollow.parameters()) + weight_bytes(hollow.buffers())
    # Shapes have no place to be moved to, and torch cannot exchange parameters that are watched.
    with shapes, living, checkpointed(hollow, checkpoint), patch.object(torch.nn.Module, "to", lambda module, *_, **__: module):
        attached = method.attach(hollow, _losses(objective, hollow, parts, count), 0)
        for _ in range(steps):
            attached.step(_losses(objective, attached.model, parts, count), 0.0)
    return Footprint(weights, living.peak)


def _losses(objective: Objective, model: Any, parts: Sequence[Batch], count: float) -> list[Any]:
    return [lambda part=part: objective.total(model, part) / count for part in parts]


def _hollow(part: Mapping[str, Any], shapes: Any) -> dict[str, Any]:
    return {name: shapes.from_tensor(value) if isinstance(value, torch.Tensor) else value for name, value in part.items()}
