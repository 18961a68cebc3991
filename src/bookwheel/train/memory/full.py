"""All weights, or all but the embeddings, by one rule: whole steps, or each weight as soon as its gradient is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .modules import weights_from
from .protocols import Attached, Loss, Stepping
from .rules import ADAM, Rule

__all__ = ["Full", "named_weights"]


@dataclass(frozen=True)
class Full:
    """``fused``: see `Stepping`. ``embeddings``: whether the input embeddings (and with them a tied output layer) are trained.

    ``layers``: the last so many layers alone are trained, with a head behind them, so that nothing is drawn back through those below,
    nor kept of them (Lee, Tang and Lin, What Would Elsa Do?, 2019); 0 for all weights.
    """

    rule: Rule = ADAM
    rate: float = 2e-5
    fused: bool = False
    embeddings: bool = True
    layers: int = 0
    clip: float = 1.0

    def attach(self, model: Any, first: Sequence[Loss] = (), seed: int = 0) -> Attached:
        """See `Method`."""
        weights = named_weights(model, embeddings=self.embeddings)
        if self.layers:
            own = {id(weight) for weight in weights_from(model, self.layers).values()}
            weights = {name: weight for name, weight in weights.items() if id(weight) in own}
        return Stepping(model, weights, self.rule, fused=self.fused, clip=self.clip, seed=seed)


def named_weights(model: Any, *, embeddings: bool = True) -> dict[str, Any]:
    """The floating-point weights of ``model`` by name, each tensor once."""
    left_out = set()
    if not embeddings:
        table = model.get_input_embeddings().weight
        left_out = {id(table)}
        head = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
        left_out |= {id(head.weight)} if head is not None else set()
    return {
        name: weight for name, weight in model.named_parameters() if weight.is_floating_point() and id(weight) not in left_out
    }
