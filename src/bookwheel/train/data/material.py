"""What sources of pairs draw on."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...library.library import Library
from .passages import Passages

__all__ = ["Asking", "Material"]


@dataclass
class Asking:
    """How long a language model may be asked for texts. ``until``: of ``time.monotonic()``, by source that asks one.

    ``counts``: where a stopped run is taken up again, how often each asked then: so it goes on with the same texts.
    """

    until: Mapping[str, float] = field(default_factory=dict)
    counts: Mapping[str, int] | None = None
    used: dict[str, int] = field(default_factory=dict)

    @classmethod
    def shared(cls, sources: Sequence[str], seconds: float, counts: Mapping[str, int] | None = None) -> Asking:
        """So many seconds from now, evenly for ``sources``, which come one after the other."""
        began = time.monotonic()
        return cls({name: began + seconds * at / len(sources) for at, name in enumerate(sources, 1)}, counts)

    def over(self, source: str, asked: int) -> bool:
        """Whether ``source``, which has asked so often, may ask no more."""
        self.used[source] = asked
        if self.counts is not None:
            return asked >= self.counts.get(source, 0)
        return time.monotonic() > self.until.get(source, math.inf)


@dataclass(frozen=True)
class Material:
    """``own``: the library as it is; ``copy``: without what held-out queries were made of."""

    own: Library
    copy: Library
    passages: Passages
    seed: int
    asking: Asking = field(default_factory=Asking)
    notes: list[str] = field(default_factory=list)
    """What there is to say of the sources, in sentences."""
