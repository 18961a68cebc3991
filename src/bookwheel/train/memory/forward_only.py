"""Training without gradients: the loss is compared at two points on either side of the weights, along a random direction.

MeZO (Malladi et al., https://arxiv.org/abs/2305.17333): the direction is made again from its seed wherever it is needed, so a step
takes the memory of reading alone.

Liu et al., "Sparse MeZO: Less Parameters for Better Performance in Zeroth-Order LLM Fine-Tuning" (2024),
https://arxiv.org/abs/2402.15751: only the smallest weights of each matrix move.

Zelikman et al., "Just One Byte (per gradient): A Note on Low-Bandwidth Decentralized Language Model Finetuning Using Shared
Randomness" (2023), https://arxiv.org/abs/2306.10015: what a step found is one number along a direction that all can make, so
machines that train together exchange a byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .full import named_weights
from .protocols import Attached, Loss
from .tensors import check_finite, generator, is_shape_only

__all__ = ["ForwardOnly", "Proposal", "replay"]

PIECE = 1 << 20
"""Weights that are moved at a time; a multiple of 8, so that a piece of a mask is whole bytes."""


@dataclass(frozen=True)
class Proposal:
    """What one look found. ``seed`` makes the direction; ``slope``: the loss's rise along it, in ``unit`` per code for a byte."""

    seed: str
    slope: Any
    """A number, or an int8 code where the method works with bytes."""


@dataclass(frozen=True)
class ForwardOnly:
    """``epsilon``: how far the two points are. ``share``: of each matrix, the smallest weights that move; 1 for all.

    ``looks``: directions of a step, averaged. ``unit``: slopes become whole numbers of it from -127 to 127, one byte; 0 for
    slopes as they are.
    """

    epsilon: float = 1e-3
    share: float = 1.0
    looks: int = 1
    unit: float = 0.0
    embeddings: bool = True
    rate: float = 1e-6
    backward = False

    def attach(self, model: Any, first: Sequence[Loss] = (), seed: int = 0) -> Attached:
        """See `Method`."""
        return _ForwardOnly(model, self, seed)


def replay(model: Any, method: ForwardOnly, log: Sequence[tuple[Proposal, float]], seed: int = 0) -> Any:
    """``model``, as it was before training, after the proposals of ``log`` at their rates: all who replay it have the same bits.

    Those who looked themselves differ by rounding, since to look they moved their weights there and back. A training run so is its log,
    a byte a step (with ``unit``).
    """
    attached = _ForwardOnly(model, method, seed)
    for proposal, rate in log:
        attached.apply(proposal, rate)
    return attached.finish()


class _ForwardOnly(Attached):
    def __init__(self, model: Any, method: ForwardOnly, seed: int) -> None:
        super().__init__(model)
        self._method, self._seed = method, seed
        self._weights = named_weights(model, embeddings=method.embeddings)
        self._masks: dict[str, Any] = {}
        with torch.no_grad():
            for name, weight in self._weights.items():
                if method.share < 1 and weight.dim() == 2:
                    self._masks[name] = _smallest(weight, method.share)

    def trained(self) -> dict[str, Any]:
        """See `Attached`."""
        return dict(self._weights)

    def step(self, parts: Sequence[Loss], rate: float) -> Any:
        """See `Attached`."""
        found = [self.propose(parts, f"{self._seed} {self.rounds} {look}") for look in range(self._method.looks)]
        for proposal, _ in found:
            self.apply(proposal, rate / len(found))
        self.rounds += 1
        return sum(loss for _, loss in found) / len(found)

    def propose(self, parts: Sequence[Loss], seed: str) -> tuple[Proposal, Any]:
        """Look along the direction of ``seed``: what was found, and the mean of the two losses. Weights stay as they were.

        Up to rounding: they are moved there and back. Raises `TrainingError` where a loss is not finite.
        """
        epsilon = self._method.epsilon
        with torch.no_grad():
            self._move(seed, epsilon)
            above = sum(part() for part in parts)
            self._move(seed, -2 * epsilon)
            below = sum(part() for part in parts)
            self._move(seed, epsilon)
            check_finite(above + below, "the loss")
            slope = (above - below) / (2 * epsilon)
            if self._method.unit:
                slope = (slope / self._method.unit).round().clamp(-127, 127).to(torch.int8)
        return Proposal(seed, slope), (above + below) / 2

    def apply(self, proposal: Proposal, rate: float) -> None:
        """Move against the slope."""
        slope = proposal.slope
        with torch.no_grad():
            self._move(proposal.seed, -rate * (float(slope) * (self._method.unit or 1.0) if not is_shape_only(slope) else 0.0))

    def _move(self, seed: str, by: float) -> None:
        """Add ``by`` times the direction of ``seed`` to the weights."""
        for name, weight in self._weights.items():
            drawn, mask = generator(seed, name), self._masks.get(name)
            for piece in _pieces(weight):
                direction = torch.randn(piece.stop - piece.start, generator=drawn, dtype=torch.float32).to(weight.dtype)
                if mask is not None:
                    direction.mul_(_unpacked(mask[piece.start // 8 : -(-piece.stop // 8)], len(direction)))
                weight.view(-1)[piece].add_(direction, alpha=by)

    def state(self) -> dict[str, Any]:
        """See `Attached`. The masks belong to the weights that training began with."""
        return {**super().state(), "masks": dict(self._masks)}

    def load(self, state: Any) -> None:
        """See `Attached`."""
        super().load(state)
        self._masks = dict(state["masks"])


def _pieces(weight: Any) -> Iterator[slice]:
    return (slice(at, min(at + PIECE, weight.numel())) for at in range(0, weight.numel(), PIECE))


def _smallest(weight: Any, share: float) -> Any:
    """Bits, uint8 (numel / 8,), of the ``share`` of weights with the smallest magnitude."""
    magnitude = weight.abs().view(-1)
    limit = magnitude.kthvalue(max(int(share * magnitude.numel()), 1)).values
    out = []
    for piece in _pieces(weight):
        bits = torch.nn.functional.pad(magnitude[piece] <= limit, (0, -(piece.stop - piece.start) % 8))
        out.append((bits.view(-1, 8).to(torch.uint8) << _places()).sum(1, dtype=torch.uint8))
    return torch.cat(out)


def _unpacked(packed: Any, size: int) -> Any:
    return ((packed[:, None] >> _places()) & 1).view(-1)[:size]


def _places() -> Any:
    return torch.arange(8, dtype=torch.uint8)
