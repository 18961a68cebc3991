"""Adam in a small space: gradients of matrices are projected, moments are kept of the projection, the step is lifted back.

One mechanism with the projection as its parameter:

- ``svd``: the gradient's leading singular vectors, refreshed now and then. Zhao et al., "GaLore: Memory-Efficient LLM Training by
  Gradient Low-Rank Projection" (2024), https://arxiv.org/abs/2403.03507; its fused form updates layer by layer.
- ``rows``: some rows, those of the largest norm. Muhamed et al., "Grass: Compute Efficient Low-Memory LLM Training with Structured
  Sparse Gradients" (2024), https://arxiv.org/abs/2406.17660; with ``residual="sign"`` the rest goes by the sign of the gradient,
  without a state: Zmushko et al., "FRUGAL: Memory-Efficient Optimization by Reducing State Overhead for Scalable Training" (2024),
  https://arxiv.org/abs/2411.07837.
- ``random``: Gaussian, made again from its seed rather than stored. Flora (Hao et al., https://arxiv.org/abs/2402.03293) draws it
  anew each period and moves the first moment; with ``use="channels"`` the moments only say how far each channel goes along its
  own gradient: APOLLO (Zhu et al., https://arxiv.org/abs/2412.05270).
- ``haar``: low frequencies of the gradient along its rows. Wen et al., "Breaking Memory Limits: Gradient Wavelet Transform Enhances
  LLMs Training" (2025), https://arxiv.org/abs/2501.07237.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from .moments import Moments
from .rules import Adam, Slot
from .tensors import generator

__all__ = ["CARRIES", "PROJECTIONS", "Projected", "leading"]

PROJECTIONS = ("svd", "rows", "random", "haar")
CARRIES = ("keep", "reset", "move")
GROWTH = 1.01
"""By how much at most a step by channels may be longer than the one before (APOLLO's limiter)."""


@dataclass(frozen=True)
class Projected:
    """The rule. Weights that are no matrices, or whose smaller side is at most ``rank``, go by `Adam` as they are.

    ``rank``: rows that are left of the smaller side (``haar``: that side is halved until at most so many are left). ``period``:
    updates between two projections. ``scale``: what the lifted step is multiplied by. ``residual``: ``none`` or ``sign`` for what
    the projection leaves out, by ``residual_scale`` times the rate. ``use``: ``lift`` or ``channels``. ``carry``: what becomes of
    the moments when the projection changes: ``keep``, ``reset``, or ``move`` the first one into the new space. ``bits``: 32 or 8.
    """

    projection: str = "svd"
    rank: int = 64
    period: int = 100
    scale: float = 1.0
    residual: str = "none"
    residual_scale: float = 0.1
    use: str = "lift"
    carry: str = "keep"
    bits: int = 32
    betas: tuple[float, float] = (0.9, 0.999)

    def slot(self, weight: Any, seed: str) -> Slot:
        """See `Rule`."""
        if weight.dim() != 2 or min(weight.shape) <= self.rank:
            return Adam(bits=self.bits, betas=self.betas).slot(weight, seed)
        return _Slot(weight, self, seed)


class _Slot:
    def __init__(self, weight: Any, rule: Projected, seed: str) -> None:
        self._rule, self._seed, self._rounds = rule, seed, 0
        self._wide = weight.shape[0] <= weight.shape[1]
        """Whether the smaller side is the rows, which is the one that is projected."""
        side, other = sorted(weight.shape)
        self._side = side
        left = rule.rank if rule.projection != "haar" else side // _halvings(side, rule.rank)
        self._moments = Moments(weight.new_zeros(left, other), bits=rule.bits, betas=rule.betas)
        self._basis: Any = None
        """``svd``: float (side, rank), orthonormal; ``rows``: int64 (rank,); ``random`` and ``haar``: None."""
        self._norm = 0.0

    def update(self, weight: Any, gradient: Any, rate: float) -> None:
        rule, whole = self._rule, gradient if self._wide else gradient.T
        if self._rounds % rule.period == 0:
            self._refresh(whole)
        self._rounds += 1
        low = self._down(whole)
        if rule.use == "channels":
            step = self._moments.direction(low.clone())
            along = whole * (_norms(step) / _norms(low).clamp(min=1e-12))
            along = self._limited(along)
        else:
            rest = None
            if rule.residual == "sign":
                rest = whole - self._up(low) if rule.projection != "rows" else whole.index_fill(0, self._basis, 0.0)
                rest = rest.sign_().mul_(rule.residual_scale)
            along = self._up(self._moments.direction(low))
            along = along if rest is None else along.mul_(rule.scale).add_(rest)
        factor = rate if rule.residual == "sign" and rule.use == "lift" else rate * rule.scale
        weight.add_(along if self._wide else along.T, alpha=-factor)

    def _refresh(self, gradient: Any) -> None:
        rule, old, draw = self._rule, self._basis, self._rounds // self._rule.period
        if rule.projection == "svd":
            self._basis = leading(gradient, rule.rank, f"{self._seed} {draw}")
        elif rule.projection == "rows":
            self._basis = torch.linalg.vector_norm(gradient, dim=1).topk(rule.rank).indices.sort().values
        if draw == 0:
            return
        if rule.carry == "reset":
            self._moments.reset()
        elif rule.carry == "move":
            if rule.projection == "svd":
                change = self._basis.T @ old
            elif rule.projection == "random":
                change = self._random(draw).T @ self._random(draw - 1)
            else:
                return
            self._moments.move(lambda first: change @ first)

    def _random(self, draw: int) -> Any:
        """Gaussian (side, rank); its product with its own transpose is the identity on average."""
        found = torch.randn(self._side, self._rule.rank, generator=generator(self._seed, draw))
        return found.div_(self._rule.rank**0.5).to(self._moments.first.dtype)

    def _down(self, whole: Any) -> Any:
        kind = self._rule.projection
        if kind == "rows":
            return whole.index_select(0, self._basis)
        if kind == "haar":
            n = _halvings(self._side, self._rule.rank)
            return whole.reshape(-1, n, whole.shape[1]).sum(1).div_(n**0.5)
        return (self._basis if kind == "svd" else self._random((self._rounds - 1) // self._rule.period)).T @ whole

    def _up(self, low: Any) -> Any:
        kind = self._rule.projection
        if kind == "rows":
            return low.new_zeros(self._side, low.shape[1]).index_copy_(0, self._basis, low)
        if kind == "haar":
            n = _halvings(self._side, self._rule.rank)
            return low.div(n**0.5).repeat_interleave(n, 0)
        return (self._basis if kind == "svd" else self._random((self._rounds - 1) // self._rule.period)) @ low

    def _limited(self, along: Any) -> Any:
        norm = torch.linalg.vector_norm(along)
        if not hasattr(norm, "fake_mode"):
            value = float(norm)
            if self._norm and value > GROWTH * self._norm:
                along.mul_(GROWTH * self._norm / value)
                value = GROWTH * self._norm
            self._norm = value
        return along

    def state(self) -> dict[str, Any]:
        found = {"rounds": self._rounds, "norm": self._norm, "moments": self._moments.state()}
        return found if self._basis is None else {**found, "basis": self._basis}

    def load(self, state: Mapping[str, Any]) -> None:
        self._rounds, self._norm = int(state["rounds"]), float(state["norm"])
        self._basis = state.get("basis")
        self._moments.load(state["moments"])


def leading(matrix: Any, rank: int, seed: object, rounds: int = 2) -> Any:
    """An orthonormal basis, (rows, rank), of nearly the leading left singular vectors of ``matrix``.

    By subspace iteration from a random start (Halko et al. 2011): a fiftieth of the time of the whole decomposition.
    """
    start = torch.randn(matrix.shape[1], rank, generator=generator("leading", seed), dtype=matrix.dtype)
    basis = torch.linalg.qr(matrix @ start).Q
    for _ in range(rounds):
        basis = torch.linalg.qr(matrix @ (matrix.T @ basis)).Q
    return basis


def _norms(matrix: Any) -> Any:
    return torch.linalg.vector_norm(matrix, dim=0, keepdim=True)


def _halvings(side: int, most: int) -> int:
    """The power of two by which ``side`` is divided until at most ``most`` are left, or it is odd."""
    by = 1
    while side // by > most and side // by % 2 == 0:
        by *= 2
    return by
