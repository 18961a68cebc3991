"""Attention among the passages of lists, for training: each passage sees itself alone, its query sees all of them.

The block-sparse attention of BlockRank (Gupta et al., "Scalable In-context Ranking with Generative Models", 2025), as the stage
`attention` reads passages apart; here with gradients, and all passages and queries of a part of a step as one row of tokens. Nothing
but attention depends on which text a token is of, so no work is padding but that of passages.

Needs the extra ``train``; it is imported when training begins.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as functional

__all__ = ["NAME", "ReadLists", "attend", "reading"]

NAME = "bookwheel-lists"
"""The name of the function in transformers."""


@dataclass
class ReadLists:
    """What a row of tokens is made of: passages (pairs, tokens), each behind a shared prefix, then queries (lists, tokens).

    ``mask``: bool (pairs, tokens), of each passage's own tokens, without the prefix; ``asked``: bool (lists, tokens), of the words of
    each query, without what introduces them; ``there``: bool (lists, tokens), with it. ``heads``: of each layer that is looked at.
    """

    prefix: int
    mask: Any
    asked: Any
    there: Any
    heads: Mapping[int, list[int]]
    found: dict[int, Any] = field(default_factory=dict)
    """Of each of these layers the attention of a query's words to a passage's tokens, means of both, float32 (lists, heads, passages)."""
    open: bool = True
    """Whether ``found`` is still taken: activations that are computed again find it anew."""


class _Current(threading.local):
    lists: ReadLists | None = None


_current = _Current()


@contextmanager
def reading(lists: ReadLists) -> Iterator[None]:
    """While it is open, models of this thread read ``lists``; afterwards too, as far as they compute activations again."""
    _current.lists = lists
    try:
        yield
    finally:
        lists.open = False


def attend(
    module: Any, query: Any, key: Any, value: Any, mask: Any, scaling: float | None = None, dropout: float = 0.0, **_: Any
) -> tuple[Any, None]:
    """Attention of all tokens, (1, heads, tokens, width) each; ``mask`` is not looked at."""
    lists = _current.lists
    assert lists is not None
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    shared = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(shared, 1), value.repeat_interleave(shared, 1)
    pairs, width = lists.mask.shape
    each, tokens = lists.prefix + width, pairs * (lists.prefix + width)
    read_query, read_key, read_value = (_rows(one[0, :, :tokens], pairs, each) for one in (query, key, value))
    read = functional.scaled_dot_product_attention(read_query, read_key, read_value, scale=scale, is_causal=True)
    asking, own_key, own_value = (_rows(one[0, :, tokens:], *lists.asked.shape) for one in (query, key, value))
    keys = _seen(read_key, own_key, lists.prefix)
    scores = (asking.float() @ keys.float().transpose(2, 3)) * scale
    weights = scores.masked_fill(~_may_see(lists), float("-inf")).softmax(-1)
    heads = lists.heads.get(module.layer_idx)
    if heads is not None:
        got = _got(weights[:, heads], lists)
        if lists.open:
            lists.found[module.layer_idx] = got
    answered = weights.to(value.dtype) @ _seen(read_value, own_value, lists.prefix)
    both = torch.cat([one.transpose(0, 1).flatten(1, 2) for one in (read, answered)], 1)
    return both[None].transpose(1, 2).contiguous(), None


def _rows(some: Any, rows: int, tokens: int) -> Any:
    """(heads, rows * tokens, width) as (rows, heads, tokens, width)."""
    return some.unflatten(1, (rows, tokens)).transpose(0, 1)


def _seen(passages: Any, own: Any, prefix: int) -> Any:
    """What queries see, (lists, heads, tokens, width): the prefix, which all passages share, their tokens, and the query's own."""
    lists = own.shape[0]
    each = passages.unflatten(0, (lists, -1))
    texts = each[:, :, :, prefix:].transpose(1, 2).flatten(2, 3)
    return torch.cat([each[:, 0, :, :prefix], texts, own], 2)


def _may_see(lists: ReadLists) -> Any:
    """Which of these a token of a query sees, bool (lists, 1, tokens, tokens seen): what is padding, and what comes later, it doesn't."""
    count, asked = lists.asked.shape
    texts = lists.mask.view(count, 1, -1).expand(-1, asked, -1)
    first = torch.ones(count, asked, lists.prefix, dtype=torch.bool)
    own = torch.ones(asked, asked, dtype=torch.bool).tril() & lists.there[:, None, :]
    # A token of padding sees itself, so that its weights are numbers; no other sees it.
    own = own | torch.eye(asked, dtype=torch.bool)
    return torch.cat([first, texts, own], 2)[:, None]


def _got(weights: Any, lists: ReadLists) -> Any:
    """What each passage got of each head, the mean over its tokens and over the query's words, (lists, heads, passages)."""
    count = lists.asked.shape[0]
    mask = lists.mask.view(count, 1, -1, lists.mask.shape[1])
    words = lists.asked[:, None, :, None]
    size = mask.shape[2] * mask.shape[3]
    each = (weights[..., lists.prefix : lists.prefix + size] * words).sum(2) / words.sum(2)
    texts = each.unflatten(2, mask.shape[2:]) * mask
    return texts.sum(3) / mask.sum(3)
