"""An attention function for transformers whose weights can be read, and which can end a pass early."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["NAME", "Reached", "recording", "register", "up_to"]

NAME = "bookwheel"
"""The name of the function in transformers."""

Reader = Callable[[int, Any], None]
"""Takes the number of a layer and its attention weights.

The weights are float32 of shape (batch, heads, new tokens, all tokens).
"""


class _Current(threading.local):
    reader: Reader | None = None
    last: int | None = None


_current = _Current()


class Reached(Exception):
    """Ends a pass: the last layer that is needed has its keys and values, and its weights were
    read.
    """


@contextmanager
def recording(reader: Reader) -> Iterator[None]:
    """While it is open, ``reader`` gets the weights of every layer that this thread runs."""
    _current.reader = reader
    try:
        yield
    finally:
        _current.reader = None


@contextmanager
def up_to(layers: int | None) -> Iterator[None]:
    """While it is open, a pass of this thread raises `Reached` in layer ``layers - 1``; never for
    None.
    """
    _current.last = None if layers is None else layers - 1
    try:
        yield
    finally:
        _current.last = None


def register(name: str = NAME, attend: Callable[..., Any] | None = None) -> None:
    """Register ``attend``, or this module's function, with transformers; more than once does no harm."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

    AttentionInterface.register(name, attend or _attend)
    AttentionMaskInterface.register(name, sdpa_mask)


def _attend(
    module: Any, query: Any, key: Any, value: Any, mask: Any, scaling: float | None = None, dropout: float = 0.0, **_: Any
) -> tuple[Any, None]:
    """Scaled dot-product attention.

    Grouped keys and values are repeated for the query heads that share them.
    """
    import torch
    import torch.nn.functional as functional

    last = _current.last == module.layer_idx
    if last and _current.reader is None:
        raise Reached
    shared = query.shape[1] // key.shape[1]
    if _current.reader is None and query.shape[2] == 1:
        return _attend_one(query, key, value, mask, scaling), None
    key, value = key.repeat_interleave(shared, 1), value.repeat_interleave(shared, 1)
    if _current.reader is None:
        causal = mask is None and query.shape[2] > 1
        out = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scaling, is_causal=causal)
    else:
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        scores = (query.float() @ key.float().transpose(2, 3)) * scale
        if mask is not None:
            scores = scores.masked_fill(~mask, float("-inf")) if mask.dtype is torch.bool else scores + mask
        weights = scores.softmax(-1)
        _current.reader(module.layer_idx, weights)
        if last:
            raise Reached
        out = weights.to(value.dtype) @ value
    return out.transpose(1, 2).contiguous(), None


def _attend_one(query: Any, key: Any, value: Any, mask: Any, scaling: float | None) -> Any:
    """The same for one new token, as in decoding, without repeating the keys that heads share.

    torch's own attention takes tens of times as long for a single token on a CPU.
    """
    batch, heads, _, width = query.shape
    scale = width**-0.5 if scaling is None else scaling
    grouped = query.float().reshape(batch, key.shape[1], heads // key.shape[1], width)
    scores = (grouped @ key.float().transpose(2, 3)) * scale
    if mask is not None:  # (batch, 1, 1, all tokens): the same for all heads
        scores = scores.masked_fill(~mask, float("-inf")) if str(mask.dtype) == "torch.bool" else scores + mask
    out = scores.softmax(-1) @ value.float()
    return out.reshape(batch, 1, heads, width).to(query.dtype)
