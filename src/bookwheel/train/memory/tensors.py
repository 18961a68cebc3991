"""Small questions about tensors that all methods ask."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensor

from ..._errors import TrainingError

__all__ = ["check_finite", "finite_norm", "generator", "is_shape_only", "weight_bytes"]


def is_shape_only(tensor: Any) -> bool:
    """Whether it has a shape but no numbers, as while a plan is being made."""
    return isinstance(tensor, FakeTensor)


def check_finite(value: Any, what: str) -> None:
    """Raise `TrainingError` where the scalar tensor ``value`` is infinite or not a number."""
    if not is_shape_only(value) and not bool(torch.isfinite(value)):
        raise TrainingError(
            f"{what} became {float(value.detach())}; the step was not taken: give a lower learning rate, or look for damaged texts"
        )


def finite_norm(gradients: Sequence[Any]) -> Any:
    """The norm of all ``gradients`` together, a scalar tensor. Raises `TrainingError` where it is not finite."""
    if not gradients:
        raise TrainingError("the loss depends on none of the weights that are trained; choose other layers or another method")
    norms = [torch.linalg.vector_norm(gradient) for gradient in gradients]
    norm = norms[0] if len(norms) == 1 else torch.linalg.vector_norm(torch.stack(norms))
    check_finite(norm, "the gradient's norm")
    return norm


def generator(*names: object) -> Any:
    """A random generator of its own for ``names``, the same in every run."""
    digest = hashlib.sha256(" ".join(map(str, names)).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def weight_bytes(tensors: Iterable[Any]) -> int:
    """Bytes of the tensors' storages; one that several share counts once."""
    found = {id(storage): storage.nbytes() for tensor in tensors for storage in [tensor.untyped_storage()]}
    return sum(found.values())
