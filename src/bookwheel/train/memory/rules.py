"""How a gradient changes a weight: plain and factored rules. A rule makes one slot for each weight, which holds its state.

`Sgd` keeps nothing (what LOMO does). `Adam` is AdamW (Loshchilov & Hutter, https://arxiv.org/abs/1711.05101) with its two
moments in 32 or in 8 bits, see `moments`. `Factored` is torch's Adafactor (Shazeer & Stern, https://arxiv.org/abs/1804.04235),
which keeps sums over rows and over columns; fused it is what AdaLomo does (Lv et al., https://arxiv.org/abs/2310.10195).
`Muon` is torch's (Jordan 2024): one moment, made orthogonal; weights that are no matrix go by `Adam`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from .moments import Moments
from .tensors import is_shape_only

__all__ = ["ADAM", "Adam", "Factored", "Muon", "Rule", "Sgd", "Slot"]


class Slot(Protocol):
    """The state of one weight."""

    def update(self, weight: Any, gradient: Any, rate: float) -> None:
        """Change ``weight`` in place. ``gradient`` may be overwritten."""

    def state(self) -> dict[str, Any]:
        """Tensors and numbers."""

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` told."""


class Rule(Protocol):
    """Makes slots."""

    def slot(self, weight: Any, seed: str) -> Slot:
        """The slot of a new weight. ``seed``: of what is random, different for each weight."""


class _NoState:
    def update(self, weight: Any, gradient: Any, rate: float) -> None:
        weight.add_(gradient, alpha=-rate)

    def state(self) -> dict[str, Any]:
        return {}

    def load(self, state: Mapping[str, Any]) -> None:
        pass


@dataclass(frozen=True)
class Sgd:
    """Gradient descent without a state."""

    def slot(self, weight: Any, seed: str) -> Slot:
        """See `Rule`."""
        return _NoState()


class _Adam:
    def __init__(self, weight: Any, rule: Adam) -> None:
        self._decay = rule.decay
        self._moments = Moments(weight, bits=rule.bits, betas=rule.betas)

    def update(self, weight: Any, gradient: Any, rate: float) -> None:
        if self._decay:
            weight.mul_(1 - rate * self._decay)
        weight.add_(self._moments.direction(gradient), alpha=-rate)

    def state(self) -> dict[str, Any]:
        return self._moments.state()

    def load(self, state: Mapping[str, Any]) -> None:
        self._moments.load(state)


@dataclass(frozen=True)
class Adam:
    """AdamW. ``bits``: 32, or 8 for moments in blocks of 8-bit numbers."""

    bits: int = 32
    betas: tuple[float, float] = (0.9, 0.999)
    decay: float = 0.0

    def slot(self, weight: Any, seed: str) -> Slot:
        """See `Rule`."""
        return _Adam(weight, self)


ADAM = Adam()
"""The usual one."""


class _Torch:
    """An optimiser of torch for one weight alone."""

    def __init__(self, weight: Any, kind: Any, full_states: int, **options: Any) -> None:
        self._optimiser, self._full_states = kind([weight], **options), full_states
        """``full_states``: how many numbers it keeps for each of the weight's."""
        self._shapes: list[Any] = []

    def update(self, weight: Any, gradient: Any, rate: float) -> None:
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        if is_shape_only(gradient):  # torch counts steps by a number in a tensor
            self._shapes = self._shapes or [torch.zeros_like(gradient) for _ in range(self._full_states)]
            weight.add_(torch.zeros_like(gradient).add_(torch.zeros_like(gradient)))
            return
        weight.grad = gradient
        self._optimiser.step()
        weight.grad = None

    def state(self) -> dict[str, Any]:
        return dict(self._optimiser.state_dict()["state"].get(0, {}))

    def load(self, state: Mapping[str, Any]) -> None:
        whole = self._optimiser.state_dict()
        self._optimiser.load_state_dict({**whole, "state": {0: dict(state)} if state else {}})


@dataclass(frozen=True)
class Factored:
    """Adafactor: rates are relative to the size of a weight, its second moment is a row and a column."""

    decay: float = 0.0

    def slot(self, weight: Any, seed: str) -> Slot:
        """See `Rule`."""
        return _Torch(weight, torch.optim.Adafactor, 0, weight_decay=self.decay)


@dataclass(frozen=True)
class Muon:
    """Muon for matrices, with updates of the size of Adam's; `Adam` for what is none."""

    momentum: float = 0.95
    decay: float = 0.0

    def slot(self, weight: Any, seed: str) -> Slot:
        """See `Rule`."""
        if weight.dim() != 2:
            return Adam(decay=self.decay).slot(weight, seed)
        return _Torch(
            weight, torch.optim.Muon, 1, momentum=self.momentum, weight_decay=self.decay, adjust_lr_fn="match_rms_adamw"
        )
