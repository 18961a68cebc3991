"""A few layers at a time: each period draws those that are trained, and the state of the others is forgotten.

LISA (Pan et al., https://arxiv.org/abs/2403.17919) draws evenly and always trains embeddings and head. Li et al., "OwLore:
Outlier-weighed Layerwise Sampled Low-Rank Projection for Memory-Efficient LLM Fine-tuning" (2024), https://arxiv.org/abs/2405.18380,
draws a layer the more likely the more of its weights are outliers, and takes projected steps inside (`Projected`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .full import named_weights
from .modules import layers_of
from .protocols import Attached, Loss, Stepping
from .rules import ADAM, Rule
from .tensors import generator, is_shape_only

__all__ = ["Sampled", "outlier_shares"]

OUTLIER = 5.0
"""A weight is an outlier above so many times the mean magnitude of its layer's (OwLore's M)."""


@dataclass(frozen=True)
class Sampled:
    """``layers``: how many are trained at a time. ``period``: steps between two draws. ``draw``: ``even`` or ``outliers``.

    ``others``: whether embeddings, head and last norm are trained all the time. ``fused``: see `Stepping`.
    """

    layers: int = 2
    period: int = 10
    draw: str = "even"
    others: bool = True
    rule: Rule = ADAM
    fused: bool = False
    rate: float = 5e-5
    clip: float = 1.0

    def attach(self, model: Any, first: Sequence[Loss] = (), seed: int = 0) -> Attached:
        """See `Method`."""
        return _Sampled(model, self, seed)


class _Sampled(Stepping):
    def __init__(self, model: Any, method: Sampled, seed: int) -> None:
        self._method = method
        stack = layers_of(model)
        inside = {id(weight): number for number, layer in enumerate(stack) for weight in layer.parameters()}
        self._of_layer: list[dict[str, Any]] = [{} for _ in stack]
        self._always: dict[str, Any] = {}
        for name, weight in named_weights(model).items():
            number = inside.get(id(weight))
            if number is not None:
                self._of_layer[number][name] = weight
            elif method.others:
                self._always[name] = weight
        shares = [1.0] * len(stack) if method.draw == "even" else outlier_shares(stack)
        self._shares = torch.tensor(shares) + 1e-6
        super().__init__(model, self._drawn(0, seed), method.rule, fused=method.fused, clip=method.clip, seed=seed)

    def _drawn(self, period: int, seed: int) -> dict[str, Any]:
        wanted = min(self._method.layers, len(self._of_layer))
        # Outside of what only knows shapes: which layers are drawn decides what there is to compute.
        numbers = _draw(self._shares, wanted, seed, period)
        return {**self._always, **{name: weight for number in numbers for name, weight in self._of_layer[number].items()}}

    def trained(self) -> dict[str, Any]:
        """All that may ever be drawn."""
        return {**self._always, **{name: weight for layer in self._of_layer for name, weight in layer.items()}}

    def step(self, parts: Sequence[Loss], rate: float) -> Any:
        """See `Attached`."""
        if self.rounds and self.rounds % self._method.period == 0:
            self.choose(self._drawn(self.rounds // self._method.period, self.seed))
        return super().step(parts, rate)

    def load(self, state: Mapping[str, Any]) -> None:
        """See `Attached`."""
        rounds = int(state["rounds"])
        self.choose(self._drawn(max(rounds - 1, 0) // self._method.period, self.seed))
        super().load(state)


def _draw(shares: Any, wanted: int, seed: int, period: int) -> list[int]:
    if is_shape_only(shares):
        return list(range(wanted))
    found = torch.multinomial(shares, wanted, generator=generator("layers", seed, period))
    return sorted(int(number) for number in found)


def outlier_shares(layers: Sequence[Any]) -> list[float]:
    """For each layer the share of its matrices' weights that are outliers."""
    found = []
    with torch.no_grad():
        for layer in layers:
            many = total = 0
            for weight in layer.parameters():
                if weight.dim() == 2:
                    magnitude = weight.abs()
                    above = (magnitude > OUTLIER * magnitude.mean()).sum()
                    many += 0 if is_shape_only(above) else int(above)
                    total += weight.numel()
            found.append(many / max(total, 1))
    return found
