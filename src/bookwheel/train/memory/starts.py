"""Where low-rank factors begin: along the first gradient of each linear layer, or along its activations.

LoRA-GA (https://arxiv.org/abs/2407.05000) and LoRA-SB (https://arxiv.org/abs/2411.19557) start from them. peft's own start keeps the
gradients of all layers, as much as the model itself; here each is decomposed as soon as it is there, and forgotten. CorDA
(https://arxiv.org/abs/2406.05223) starts from the weight times the covariance of the layer's inputs, which exist for all layers
at a time, here too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from .modules import linear_modules
from .projected import leading
from .protocols import Loss

__all__ = ["activation_factors", "gradient_factors"]


def gradient_factors(
    model: Any, loss: Loss, rank: int, seed: int, *, of: Callable[[Any], Any] = lambda gradient: gradient
) -> dict[str, tuple[Any, Any, Any]]:
    """For each linear layer by name its gradient's leading singular vectors, (outputs, rank) and (rank, inputs), and values (rank,).

    They are sorted, largest singular value first. ``of``: decompose this of the gradient instead.
    """
    found: dict[str, tuple[Any, Any, Any]] = {}
    modules = linear_modules(model)
    before = {name: weight.requires_grad for name, weight in model.named_parameters()}
    hooks = []

    def take(name: str) -> Callable[[Any], None]:
        def hook(weight: Any) -> None:
            gradient, weight.grad = weight.grad, None
            with torch.no_grad():
                wanted = of(gradient)
                basis = leading(wanted, min(rank, *wanted.shape), f"{seed} {name}")
                turn, size, right = torch.linalg.svd(basis.T @ wanted, full_matrices=False)
                found[name] = basis @ turn, right, size

        return hook  # fmt: skip

    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for name, module in modules.items():
        module.weight.requires_grad_(True)
        hooks.append(module.weight.register_post_accumulate_grad_hook(take(name)))
    try:
        with torch.enable_grad():
            loss().backward()
    finally:
        for hook in hooks:
            hook.remove()
        for name, weight in model.named_parameters():
            weight.requires_grad_(before[name])
            weight.grad = None
    return found


def activation_factors(model: Any, losses: Sequence[Loss], rank: int, seed: int) -> dict[str, tuple[Any, Any]]:
    """For each linear layer by name two factors, (outputs, rank) and (rank, inputs), whose product is the part of its weight that
    matters most for the inputs that the ``losses`` show it.
    """
    modules = linear_modules(model)
    sums: dict[str, Any] = {}

    def see(name: str) -> Callable[..., None]:
        def hook(module: Any, inputs: Any) -> None:
            flat = inputs[0].detach().reshape(-1, module.in_features)
            found = flat.T @ flat
            sums[name] = sums[name].add_(found) if name in sums else found

        return hook

    hooks = [module.register_forward_pre_hook(see(name)) for name, module in modules.items()]
    out = {}
    with torch.no_grad():
        try:
            for loss in losses:
                loss()
        finally:
            for hook in hooks:
                hook.remove()
        for name, module in modules.items():
            covariance, weight = sums.pop(name), module.weight
            # As in the paper, the diagonal is raised so that there is an inverse.
            covariance.diagonal().add_(0.01 * covariance.diagonal().mean())
            shown = weight @ covariance
            basis = leading(shown, min(rank, *shown.shape), f"{seed} {name}")
            # Of U S V' C^-1 the first part: U U' W, since U' (W C) C^-1 = U' W.
            out[name] = basis, basis.T @ weight
    return out
