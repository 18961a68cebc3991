"""Between two fixed factors only a small square matrix is trained: rank times rank numbers a layer.

LoRA-XS (Bałazy et al., https://arxiv.org/abs/2405.17604): the factors are the leading singular vectors of the weight. LoRA-SB
(Ponkshe et al., "Initialization using Update Approximation is a Silver Bullet for Extremely Efficient Low-Rank Fine-Tuning" (2024),
https://arxiv.org/abs/2411.19557): those of the first step that full training would take, and the core starts there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..._errors import TrainingError
from .modules import linear_modules, replace_module
from .projected import leading
from .protocols import Attached, Loss, Stepping
from .rules import ADAM, Rule
from .starts import gradient_factors

__all__ = ["SmallCore"]


@dataclass(frozen=True)
class SmallCore:
    """``start``: ``weight`` (LoRA-XS) or ``gradient`` (LoRA-SB). ``first_rate``: the size of the step that the latter imitates."""

    start: str = "gradient"
    rank: int = 32
    first_rate: float = 1e-4
    rule: Rule = ADAM
    rate: float = 1e-3
    clip: float = 1.0

    def attach(self, model: Any, first: Sequence[Loss] = (), seed: int = 0) -> Attached:
        """See `Method`. The start by gradients needs ``first``."""
        if self.start not in ("weight", "gradient"):
            raise TrainingError(f"a small core starts by 'weight' or by 'gradient', not by {self.start!r}")
        if self.start == "gradient" and not first:
            raise TrainingError("a start by gradients needs a batch of the training data")
        return _SmallCore(model, self, first, seed)


class _Cored(torch.nn.Module):
    """A linear layer, and ``left @ core @ right`` beside its weight."""

    def __init__(self, base: Any, left: Any, right: Any, core: Any) -> None:
        super().__init__()
        self.base, self.core = base, torch.nn.Parameter(core)
        self.register_buffer("left", left)
        self.register_buffer("right", right)

    def forward(self, hidden: Any) -> Any:
        linear = torch.nn.functional.linear
        return self.base(hidden) + linear(linear(linear(hidden, self.right), self.core), self.left)

    def merged(self) -> Any:
        with torch.no_grad():
            self.base.weight.add_(self.left @ self.core @ self.right)
        return self.base


class _SmallCore(Stepping):
    def __init__(self, model: Any, method: SmallCore, first: Sequence[Loss], seed: int) -> None:
        modules, rank = linear_modules(model), method.rank
        found = {}
        if method.start == "gradient":
            found = gradient_factors(model, first[0], rank, seed, of=lambda found: -method.first_rate * found.sign())
        self._cores: dict[str, _Cored] = {}
        for name, module in modules.items():
            weight = module.weight.detach()
            if name in found:
                left, right, size = found[name]
                core = torch.diag(size)
            else:
                basis = leading(weight, min(rank, *weight.shape), f"{seed} {name}")
                turn, size, right = torch.linalg.svd(basis.T @ weight, full_matrices=False)
                left, core = basis @ turn * size, weight.new_zeros(len(size), len(size))
            self._cores[name] = _Cored(module, left.contiguous(), right.contiguous(), core)
            replace_module(model, name, self._cores[name])
        cores = {f"{name}.core": cored.core for name, cored in self._cores.items()}
        super().__init__(model, cores, method.rule, clip=method.clip, seed=seed)

    def finish(self) -> Any:
        """See `Attached`: the cores are merged into the weights."""
        for name, cored in self._cores.items():
            replace_module(self.model, name, cored.merged())
        return super().finish()
