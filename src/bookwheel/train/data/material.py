"""What sources of pairs draw on."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from ...library.library import Library
from .passages import Passages

__all__ = ["Asking", "Material"]


@dataclass
class Asking:
    """How long a language model may be asked for questions. ``until``: of ``time.monotonic()``.

    ``count``: where a stopped run is taken up again, how many were used then: so it goes on with the same ones.
    """

    until: float = math.inf
    count: int | None = None
    used: int = 0

    def over(self, used: int) -> bool:
        """Whether ``used`` questions are all that are asked for."""
        self.used = used
        return time.monotonic() > self.until if self.count is None else used >= self.count


@dataclass(frozen=True)
class Material:
    """``own``: the library as it is; ``copy``: without what held-out queries were made of."""

    own: Library
    copy: Library
    passages: Passages
    seed: int
    asking: Asking = field(default_factory=Asking)
