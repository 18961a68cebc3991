"""Chooses how to train within a budget: the best method that fits, in its fastest form.

Methods stand on a ladder, best first (`bench/train_memory.py` measures what each needs and reaches). What a form of a method needs
is found from shapes (`trace`), before any work; training measures it. That methods, recomputation and the size of a batch must be
looked at together is what Zhang et al. measured on three machines, "Dissecting the Runtime Performance of the Training, Fine-tuning,
and Inference of Large Language Models" (2023); of that, the memory of training is here, not time on several cards or serving.
"""

from __future__ import annotations

import gc
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import torch

from ..._errors import BudgetError
from ..._system import anonymous_bytes
from ...memory.heap import limit_heap, trim_heap
from ...memory.sizes import MIB, format_size, ram_of, round_up
from .objective import Batch, CausalLoss, Objective
from .protocols import Method
from .registry import method
from .trace import trace

__all__ = ["LADDER", "Plan", "Tried", "plan", "settle"]

LADDER = ("adamw", "adamw-8bit-fused", "lora", "mezo")
"""Methods, best first: by what each keeps of full training, as the papers have it and docs/training-memory.md measures."""
BLOCK = 256 << 10
"""Bytes of a tensor, from which on it is given back at once. Smaller weights that stay, such as adapters' gradients, otherwise pin holes
that freed activations have left: half as much again as was planned, with LoRA."""
RESERVE = 16 * MIB
"""What kernels hold inside, and what is imported with the first step."""
SLACK = 1.03
"""The heap's waste: blocks are whole pages, and freed ones are not given back at once."""


@dataclass(frozen=True)
class Tried:
    """A form of a method, and the bytes that the whole process would need for it."""

    method: str
    rows: int
    checkpoint: int
    bytes: int


@dataclass
class Plan:
    """How to train. ``rows``: texts of a part of a step's batch; ``checkpoint``: see `checkpointed`, 0 for none."""

    ram: int
    method: str
    rows: int
    checkpoint: int
    planned: int
    """Bytes that the process is expected to hold at most."""
    changes: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """The method's parameters that are not those of the registry."""
    objective: Objective = field(default_factory=CausalLoss)
    measured: int | None = None
    """The most that the process did hold in its first steps, once training has begun."""
    tried: tuple[Tried, ...] = ()

    def made(self) -> Method:
        """The method with its parameters."""
        return method(self.method, **self.changes)

    def told(self, row: str = "text") -> str:
        """The plan in a sentence; ``row``: what a row of a batch is called."""
        again = {0: "", 1: ", activations computed again"}.get(
            self.checkpoint, f", activations of each {self.checkpoint}th layer computed again"
        )
        measured = f", {format_size(self.measured)} measured" if self.measured else ""
        return (
            f"{self.method}, {self.rows} {row}{'s' if self.rows > 1 else ''} at a time{again}: "
            f"{format_size(self.planned)} of {format_size(self.ram)} planned{measured}"
        )


def plan(
    model: Any,
    batch: Batch,
    ram: str | int | None = None,
    *,
    methods: Sequence[str] = LADDER,
    changes: Mapping[str, Any] = MappingProxyType({}),
    objective: Objective | None = None,
    rows: int | None = None,
    checkpoint: int | None = None,
) -> Plan:
    """How to train ``model`` on batches no larger than ``batch`` while the process stays within ``ram``.

    ``methods``: what to choose from, best first; ``changes``: parameters for them all. ``rows`` and ``checkpoint`` are chosen too
    where they are None. Everything that the process holds already counts, and the model in full, even where its weights are a
    mapped file: `settle` has made them memory. Raises `BudgetError`, with the size that would do, where nothing fits.
    """
    limit, goal = ram_of(ram), objective if objective is not None else CausalLoss()
    settle(model)
    size = len(next(iter(batch.values())))
    tried: list[Tried] = []

    def planned(one: Tried) -> Plan:
        return Plan(limit, one.method, one.rows, one.checkpoint, one.bytes, changes, goal, tried=tuple(tried))

    def needs(name: str, form: tuple[int, int]) -> Tried:
        for one in tried:
            if (one.method, one.rows, one.checkpoint) == (name, *form):
                return one
        found = trace(model, batch, method(name, **changes), goal, rows=form[0], checkpoint=form[1])
        gc.collect()
        trim_heap()
        # After the trace: it has imported what training will.
        tried.append(Tried(name, *form, (anonymous_bytes() or 0) + int(found.extra * SLACK) + RESERVE))
        return tried[-1]

    for name in methods:
        groups = _forms(model, size, method(name, **changes), rows, checkpoint)
        if (fastest := needs(name, groups[0][0])).bytes <= limit:
            return planned(fastest)
        if needs(name, groups[-1][-1]).bytes > limit:
            continue
        fitting = next(forms for forms in groups if needs(name, forms[-1]).bytes <= limit)
        # The larger the parts the more they need: halve the list until the first that fits is left.
        place = bisect_left(fitting, True, key=lambda form: needs(name, form).bytes <= limit)
        return planned(needs(name, fitting[place]))
    least = min(tried, key=lambda found: found.bytes)
    enough = int(least.bytes * 1.02)  # another process may hold a little more before it begins
    raise BudgetError(
        f"training {type(model).__name__} of {_numbers(model)} weights on {size} texts a step needs {format_size(least.bytes)} of "
        f"memory at the least ({least.method}, {least.rows} at a time), but the budget is {format_size(limit)}; "
        f"give --ram {round_up(enough)} or more, or shorter texts"
    )


def _forms(model: Any, size: int, way: Method, rows: int | None, checkpoint: int | None) -> list[list[tuple[int, int]]]:
    """Rows and checkpointing, fastest first: by checkpointing, which costs a third of a step, then large parts to small ones."""
    able = getattr(model, "supports_gradient_checkpointing", False) and getattr(way, "backward", True)
    again = [checkpoint] if checkpoint is not None else [0, 1] if able else [0]
    if getattr(way, "fused", False):
        rows = size
    halves = [-(-size >> times) for times in range(size.bit_length() + 1)]
    sizes = sorted({max(many, 1) for many in halves}, reverse=True) if rows is None else [rows]
    return [[(many, every) for many in sizes] for every in again]


def settle(model: Any) -> None:
    """Make the weights memory of this process, where they are a mapped file, and let the heap keep little that is free.

    Weights that are trained become that at the first step anyway; this way the budget is known before.
    """
    limit_heap(BLOCK)
    seen: dict[Any, Any] = {}
    with torch.no_grad():
        for tensor in [*model.parameters(), *model.buffers()]:
            key = tensor.data_ptr(), tensor.shape, tensor.stride()  # tied weights stay tied
            if key not in seen:
                seen[key] = tensor.detach().clone()
            tensor.data = seen[key]
    trim_heap()


def _numbers(model: Any) -> str:
    count = sum({weight.data_ptr(): weight.numel() for weight in model.parameters()}.values())
    return f"{count / 1e6:.0f} million" if count >= 1e6 else f"{count:,}"
