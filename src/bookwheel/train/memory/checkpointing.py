"""Gradient checkpointing: activations inside a layer are computed again when its gradient is, rather than kept.

Chen et al., Training Deep Nets with Sublinear Memory Cost (https://arxiv.org/abs/1604.06174), by torch, for the layers of a
transformers model. Gradients are the same, bit by bit; a step takes about a third longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..._errors import TrainingError

__all__ = ["checkpointed", "no_input_gradients"]


@contextmanager
def checkpointed(model: Any, every: int = 1) -> Iterator[None]:
    """Every ``every``-th layer of ``model`` computes its activations again while the block lasts; none for 0.

    The others keep them: with 2, half of the memory for half of the time. Raises `TrainingError` where the model cannot. Transformers
    looks at it in training mode only; so the model is in that, for as long.
    """
    if not every:
        yield
        return
    if not getattr(model, "supports_gradient_checkpointing", False):
        raise TrainingError(
            f"{type(model).__name__} cannot compute its activations again (gradient checkpointing); give more --ram to go without"
        )
    was, reentrant = model.training, {"use_reentrant": False}
    if hasattr(model, "activation_checkpointing_enable"):
        model.activation_checkpointing_enable(reentrant, every_n_layers=every)
    else:  # before transformers 5.20: all layers or none
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs=reentrant)
    no_input_gradients(model)
    model.train()
    try:
        yield
    finally:
        new = hasattr(model, "activation_checkpointing_disable")
        (model.activation_checkpointing_disable if new else model.gradient_checkpointing_disable)()
        model.train(was)


def no_input_gradients(model: Any) -> None:
    """Take off the hook by which transformers and peft make all embeddings ask for gradients when activations are computed again.

    Only the reentrant kind needs it. With it, layers that are not trained are kept and gone back through, too; and transformers leaves
    it on the model for good.
    """
    for module in model.modules():
        if hasattr(module, "disable_input_require_grads"):
            module.disable_input_require_grads()
