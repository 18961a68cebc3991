"""What requests take: estimates beforehand, what a server has counted, and the pace that it allows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["CHARACTERS", "Estimate", "Pace", "Usage", "counted"]

MOST_COUNTED = 1 << 40
"""Tokens that a server is believed to have counted."""
CHARACTERS = 4
"""Characters in a token, for estimates: about right for English with today's tokenizers."""


@dataclass(frozen=True)
class Estimate:
    """What sending some texts would take; ``cost`` is in the currency of the price, None without one."""

    texts: int
    tokens: int
    requests: int
    seconds: float | None
    cost: float | None

    def __str__(self) -> str:
        parts = [f"{self.texts:,} texts, about {self.tokens:,} tokens in {self.requests:,} requests"]
        if self.cost is not None:
            parts.append(f"about {self.cost:.2f} at the price given")
        if self.seconds is not None:
            parts.append(f"at least {self.seconds:,.0f} s at the rates allowed")
        return ", ".join(parts)


@dataclass
class Usage:
    """What a server said it has counted so far. Updated under the client's lock."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def cost(self, price: float, completion_price: float = 0.0) -> float:
        """The cost at so much for a million tokens of the prompts, and of the completions."""
        return (self.prompt_tokens * price + self.completion_tokens * completion_price) / 1e6

    def add(self, reply: Any) -> None:
        """Count one reply, by its ``usage`` where it has one."""
        self.requests += 1
        told = reply.get("usage") if isinstance(reply, dict) else None
        if isinstance(told, dict):
            self.prompt_tokens += counted(told.get("prompt_tokens"))
            self.completion_tokens += counted(told.get("completion_tokens"))


class Pace:
    """Lets through so many units a minute: `wait` sleeps until the next ones may go. Thread-safe."""

    def __init__(self, per_minute: float, sleep: Callable[[float], None] = time.sleep) -> None:
        self._each = 60.0 / per_minute
        self._next = 0.0
        self._sleep = sleep
        self._lock = threading.Lock()

    def wait(self, units: float = 1) -> None:
        """Sleep until ``units`` more may go."""
        with self._lock:
            now = time.monotonic()
            start = max(now, self._next)
            self._next = start + units * self._each
        if start > now:
            self._sleep(start - now)


def counted(value: Any) -> int:
    """A number of tokens that a server tells; 0 for what cannot be one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST_COUNTED else 0
