"""Greedy decoding, token by token: where an answer ends, which pieces of it can be shown, and how sure the model was of each.

One loop for every model of this process; what differs between them is how the next token is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError
from .protocols import Reply, remaining, stopped

__all__ = ["Decode", "Step", "decoded", "log_softmax", "mixed", "repeats", "shares"]

Step = Callable[[int | None], tuple[int, float]]
"""Takes the token that was chosen last (None: none was yet); gives the next one and its log-probability."""
Decode = Callable[[Sequence[int]], str | None]
"""The text of tokens; None, or with U+FFFD at its end, where it ends within a character."""

CHECKED = 8
"""After so many tokens each it is looked whether the answer repeats itself."""
REPEATED, LONGEST_PIECE = 48, 64


def decoded(
    step: Step,
    decode: Decode,
    ends: Callable[[int], bool],
    *,
    most: int,
    stop: Sequence[str],
    deadline: float | None,
    reply: Reply,
) -> Iterator[str]:
    """The pieces of an answer of at most ``most`` tokens; ``reply`` is filled in."""
    longest = max(map(len, stop), default=1) - 1
    answer: list[int] = []
    text, told, before = "", 0, 0
    token, chance = step(None)
    while True:
        if ends(token):
            reply.finish = "stop"
            break
        answer.append(token)
        reply.completion_tokens = len(answer)
        now = decode(answer)
        text = text if now is None else now
        if reply.probabilities:
            reply.tokens.append((text[before:], chance))
            before = len(text)
        if any(mark in text for mark in stop):
            reply.finish = "stop"
            break
        if len(answer) >= most:
            reply.finish = "length"
            break
        if len(answer) % CHECKED == 0 and repeats(answer):
            reply.finish = "stop"
            reply.notes.append("the model repeated itself over and over; its answer was ended there")
            break
        if remaining(deadline) <= 0:
            break
        if now is not None and not now.endswith("\ufffd") and (ready := len(text) - longest) > told:
            yield text[told:ready]
            told = ready
        token, chance = step(token)
    if rest := stopped(text, stop)[told:]:
        yield rest


def repeats(answer: Sequence[int]) -> bool:
    """Whether the last `REPEATED` tokens or more are one piece, at least three times in a row, as small models end up in."""
    for size in range(1, LONGEST_PIECE + 1):
        span = max(REPEATED, 3 * size)
        if len(answer) >= span and all(answer[at] == answer[at - size] for at in range(len(answer) - span + size, len(answer))):
            return True
    return False


def log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-probabilities of logits along the last axis, float32 of the same shape."""
    lowered = np.asarray(logits, np.float32)
    lowered = lowered - lowered.max(axis=-1, keepdims=True)
    return np.asarray(lowered - np.log(np.exp(lowered).sum(axis=-1, keepdims=True)), np.float32)


def mixed(rows: Sequence[NDArray[np.float32]], weights: Sequence[float]) -> tuple[int, float]:
    """The token to which the distributions ``rows``, log-probabilities (vocabulary,) each, give most on average, and its logarithm."""
    total = np.zeros(len(rows[0]), np.float64)
    for row, weight in zip(rows, weights, strict=True):
        total += weight * np.exp(row, dtype=np.float64)
    best = int(total.argmax())
    return best, float(np.log(max(float(total[best]), 1e-300)))


def shares(weights: Sequence[float], count: int) -> list[float]:
    """``weights`` of ``count`` prompts, which sum to 1. Raises `ModelError` for others than there are prompts, or negative ones."""
    total = float(sum(weights))
    if len(weights) != count or not count or min(weights) < 0 or not 0 < total < float("inf"):
        raise ModelError(f"{count} prompts need as many weights of 0 or more, not {list(weights)!r:.200}")
    return [weight / total for weight in weights]
