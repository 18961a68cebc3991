"""Linear layers that keep a sketch of their inputs for the gradient of their weights, rather than the inputs.

Bershatsky et al., "Memory-Efficient Backpropagation through Large Linear Layers" (2022), https://arxiv.org/abs/2201.13195. The gradient
of the weight becomes an unbiased estimate; that of the input stays exact, so the estimates of other layers are not biased by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from ..._errors import TrainingError
from .modules import linear_modules

__all__ = ["SKETCHES", "sketched"]

SKETCHES = ("rows", "signs")


class _Sketched(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Any, weight: Any, bias: Any, share: float, kind: str) -> Any:
        flat = hidden.reshape(-1, hidden.shape[-1])
        size = max(int(share * len(flat)), 1)
        ctx.kind, ctx.tokens, ctx.size, ctx.biased = kind, len(flat), size, bias is not None
        if kind == "rows":
            drawn = torch.randperm(len(flat))[:size]
            ctx.save_for_backward(weight, flat.index_select(0, drawn), drawn)
        else:
            # The state of the generator is as good as the matrix, and 5 KB.
            state = torch.get_rng_state()
            ctx.save_for_backward(weight, _signs(len(flat), size, flat).T @ flat, state)
        return torch.nn.functional.linear(hidden, weight, bias)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, above: Any) -> Any:
        weight, sketch, how = ctx.saved_tensors
        flat = above.reshape(-1, above.shape[-1])
        of_hidden = above @ weight if ctx.needs_input_grad[0] else None
        of_weight = None
        if ctx.needs_input_grad[1]:
            if ctx.kind == "rows":
                of_weight = flat.index_select(0, how).T.mul(ctx.tokens / ctx.size) @ sketch
            else:
                with torch.random.fork_rng(devices=()):
                    torch.set_rng_state(how)
                    signs = _signs(ctx.tokens, ctx.size, flat)
                of_weight = (flat.T @ signs) @ sketch
        return of_hidden, of_weight, flat.sum(0) if ctx.biased and ctx.needs_input_grad[2] else None, None, None


def _signs(tokens: int, size: int, like: Any) -> Any:
    """Random signs, (tokens, size), whose product with their own transpose is the identity on average."""
    return torch.randint(0, 2, (tokens, size)).to(like.dtype).mul_(2).sub_(1).div_(size**0.5)


@contextmanager
def sketched(model: Any, share: float, kind: str = "rows") -> Iterator[None]:
    """Linear layers inside ``model`` keep sketches while the block lasts: ``share`` of the tokens' size; nothing changes for 0.

    ``kind``: ``rows``, a random share of the tokens, which costs no time, or ``signs``, random sums of them. Only layers whose weight
    is trained: others keep no inputs. The share is of their inputs alone; what lies between linear layers is kept as ever.
    """
    if not share:
        yield
        return
    if kind not in SKETCHES or not 0 < share <= 1:
        raise TrainingError(f"a sketch is one of {', '.join(SKETCHES)} of a share between 0 and 1, not {kind!r} of {share}")
    modules = list(linear_modules(model).values())

    def forward(module: Any) -> Any:
        def run(hidden: Any) -> Any:
            if not module.weight.requires_grad or not torch.is_grad_enabled():
                return torch.nn.functional.linear(hidden, module.weight, module.bias)
            return _Sketched.apply(hidden, module.weight, module.bias, share, kind)

        return run

    for module in modules:
        module.forward = forward(module)
    try:
        yield
    finally:
        for module in modules:
            del module.forward
