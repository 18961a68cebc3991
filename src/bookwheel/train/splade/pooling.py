"""The weight of each term of a vocabulary in a text, without the logits of all terms at all tokens at once.

A term weighs log(1 + its largest logit at any token), and nothing below 0 (Formal et al., SPLADE v2, 2021). Which token it was is all that
the gradient needs, and only terms that weigh something have one: a few hundred of 30,000.
"""

from __future__ import annotations

from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensor

__all__ = ["term_weights"]

TERMS = 4096
"""Whose logits exist at a time."""


def term_weights(hidden: Any, mask: Any, weight: Any, bias: Any) -> Any:
    """Weights, float32 (rows, terms).

    ``hidden``: states (rows, tokens, d), padded on the right where ``mask`` (rows, tokens) is 0; ``weight`` (terms, d) and ``bias``
    (terms,): the output embeddings.
    """
    best: Any = _Largest.apply(hidden, mask, weight)  # type: ignore[no-untyped-call, unused-ignore]
    return torch.log1p(torch.relu(best + bias))


class _Largest(torch.autograd.Function):  # type: ignore[misc, unused-ignore]
    """The largest product of each term with any token's state. Terms whose gradient is 0 cost nothing on the way back."""

    @staticmethod
    def forward(ctx: Any, hidden: Any, mask: Any, weight: Any) -> Any:
        """See `term_weights`."""
        best, places = [], []
        for states, own in zip(hidden, mask, strict=True):
            # Padding is on the right. A row at a time, its products fit the processor's cache.
            used = states if isinstance(states, FakeTensor) else states[: max(1, int(own.sum()))]
            found = [(some @ used.T).max(1) for some in weight.split(TERMS)]
            best.append(torch.cat([one.values for one in found]))
            places.append(torch.cat([one.indices for one in found]).to(torch.int32))
        ctx.save_for_backward(hidden, weight, torch.stack(places))
        return torch.stack(best)

    @staticmethod
    def backward(ctx: Any, slope: Any) -> Any:
        """By ``hidden`` and ``weight``."""
        hidden, weight, places = ctx.saved_tensors
        by_hidden, by_weight = torch.zeros_like(hidden), torch.zeros_like(weight) if ctx.needs_input_grad[2] else None
        for row in range(len(hidden)):
            # Where memory is planned from shapes, there are no numbers to tell which terms have none.
            terms = torch.arange(len(weight)) if isinstance(slope, FakeTensor) else slope[row].nonzero()[:, 0]
            at, own = places[row, terms].long(), slope[row, terms][:, None]
            by_hidden[row].index_add_(0, at, own * weight[terms])
            if by_weight is not None:
                by_weight.index_add_(0, terms, own * hidden[row, at])
        return by_hidden, None, by_weight
