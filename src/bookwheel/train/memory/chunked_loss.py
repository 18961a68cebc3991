"""Cross-entropy over a large vocabulary without the matrix of all logits.

Logits are made for a few tokens at a time, and their gradients with respect to the hidden states and to the output weights at
once, so that of a matrix tokens x vocabulary only a strip ever exists. Wijmans et al., Cut Your Losses in Large-Vocabulary Language
Models (https://arxiv.org/abs/2411.09009); Hsu et al., Liger Kernel (https://arxiv.org/abs/2410.10989).
"""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["chunked_cross_entropy"]

CHUNK = 128
"""Tokens at a time: 25 MB of float32 logits with a vocabulary of 49,152."""


class _Chunked(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Any, weight: Any, targets: Any, chunk: int) -> Any:
        of_hidden, of_weight = ctx.needs_input_grad[:2]
        hidden_grad = torch.empty_like(hidden) if of_hidden else None
        weight_grad = torch.zeros_like(weight) if of_weight else None
        total = hidden.new_zeros((), dtype=torch.promote_types(hidden.dtype, torch.float32))
        for start in range(0, hidden.shape[0], chunk):
            part, wanted = hidden[start : start + chunk], targets[start : start + chunk, None]
            # Of these logits there is one copy: it becomes their exponentials, and then their gradient.
            logits = (part @ weight.T).to(total.dtype)
            picked, top = logits.gather(1, wanted), logits.amax(1, keepdim=True)
            size = logits.sub_(top).exp_().sum(1, keepdim=True)
            total += (size.log() + top - picked).sum()
            if hidden_grad is None and weight_grad is None:
                continue
            logits.div_(size)
            logits.scatter_add_(1, wanted, logits.new_full((), -1.0).expand(wanted.shape))
            gradient = logits.to(hidden.dtype)
            del logits
            if hidden_grad is not None:
                torch.mm(gradient, weight, out=hidden_grad[start : start + chunk])
            if weight_grad is not None:
                weight_grad.addmm_(gradient.T, part)
            del gradient
        ctx.gradients = hidden_grad, weight_grad
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, above: Any) -> Any:
        if ctx.gradients is None:
            raise RuntimeError("the gradient of a chunked loss can be asked for once")
        hidden, weight = ctx.gradients
        ctx.gradients = None  # ours alone, so that they can be scaled where they are
        return *(None if one is None else one.mul_(above.to(one.dtype)) for one in (hidden, weight)), None, None


def chunked_cross_entropy(hidden: Any, weight: Any, targets: Any, chunk: int = CHUNK) -> Any:
    """The sum of the tokens' cross-entropies, a scalar in float32 or more.

    ``hidden``: (tokens, width); ``weight``: the output layer's, (vocabulary, width), same dtype; ``targets``: int64 (tokens,).
    The same as ``cross_entropy(hidden @ weight.T, targets, reduction="sum")`` up to rounding. It can be differentiated once.
    """
    return _Chunked.apply(hidden, weight, targets, chunk)
