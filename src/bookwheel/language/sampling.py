"""Several different answers to one prompt: each token is drawn from the most probable ones.

Fan, Lewis and Dauphin, "Hierarchical Neural Story Generation" (ACL 2018), top-k sampling, as doc2query draws its queries (Nogueira and
Lin, "From doc2query to docTTTTTquery", 2019). The answers of one prompt are decoded side by side: the prompt is read once, and the
model's weights are read once a token for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from .._errors import UsageError
from .decoding import Decode
from .protocols import remaining

__all__ = ["TOP", "Rows", "sampled"]

TOP = 10
"""Tokens that one is drawn from, as docTTTTTquery does."""

Rows = Callable[[Sequence[int] | None], NDArray[np.float32]]
"""Takes the last token of each answer (None: there is none yet); gives the logits of the next ones, float32 (answers, vocabulary)."""


def sampled(
    step: Rows,
    decode: Decode,
    ends: Callable[[int], bool],
    count: int,
    *,
    most: int,
    top: int = TOP,
    seed: int = 0,
    deadline: float | None = None,
) -> list[str]:
    """``count`` answers of at most ``most`` tokens, each token drawn from the ``top`` most probable ones by their probabilities.

    The first answers do not depend on how many more there are, but for rounding. At ``deadline`` they end where they are. Raises
    `UsageError` for a ``count`` or a ``top`` below 1.
    """
    if count < 1 or top < 1:
        raise UsageError(f"answers are drawn one or more at a time, of one token or more, not {count} of {top}")
    draws = [np.random.default_rng([seed, row]) for row in range(count)]
    answers: list[list[int]] = [[] for _ in range(count)]
    going = [True] * count
    logits = step(None)
    for length in range(1, most + 1):
        tokens = [_drawn(row, top, draw) for row, draw in zip(logits, draws, strict=True)]
        for at, token in enumerate(tokens):
            going[at] = going[at] and not ends(token)
            if going[at]:
                answers[at].append(token)
        if length == most or not any(going) or remaining(deadline) <= 0:
            break
        logits = step(tokens)
    return [(decode(answer) or "").rstrip("\ufffd") for answer in answers]


def _drawn(logits: NDArray[np.float32], top: int, draw: np.random.Generator) -> int:
    """One of the ``top`` most probable tokens."""
    chance = draw.random()
    best = np.argpartition(-logits, min(top, len(logits)) - 1)[:top]
    best = best[np.lexsort((best, -logits[best]))].astype(np.int64)
    shares = np.exp((logits[best] - logits[best[0]]).astype(np.float64))
    at = int(np.searchsorted(np.cumsum(shares), chance * shares.sum(), side="right"))
    return int(best[min(at, len(best) - 1)])
