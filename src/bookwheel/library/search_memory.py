"""Whether searching one snapshot fits the memory that its reader may use."""

from __future__ import annotations

from collections.abc import Iterable

from .. import kernels
from .._system import anonymous_bytes
from ..memory.plan import MemoryPlan
from ..memory.shares import COMPILING
from ..memory.sizes import round_up
from .memory_plan import plan_search
from .snapshot import Snapshot
from .vectors.encoders import Encoders

__all__ = ["SearchMemory"]

REMEMBERED = 100


class SearchMemory:
    """The memory plans of one snapshot; ``ram`` in bytes, None where no budget was set."""

    def __init__(self, snapshot: Snapshot, encoders: Encoders, ram: int | None) -> None:
        self.snapshot = snapshot
        self.encoders = encoders
        self.ram = ram
        self._prepared = False
        self._fits: set[tuple[int, frozenset[str]]] = set()

    def plan(self, ram: int | None = None, names: Iterable[str] | None = None) -> MemoryPlan:
        """What searching the representations ``names`` (all where None) takes: planned by part, and what is in use now.

        ``ram`` is the reader's own where None. Raises `BudgetError` where it does not fit.
        """
        allowed = self.ram if ram is None else ram
        memory = plan_search(self.snapshot, allowed, names, self.encoders.nbytes)
        memory.check(f"searching {self.snapshot.library}", self._smaller(allowed, names))
        if (anonymous := anonymous_bytes()) is not None:
            memory.measure("all anonymous memory", anonymous)
        return memory

    def require(self, names: frozenset[str]) -> None:
        """Raise `BudgetError` where searching the representations ``names`` does not fit."""
        if self.ram is None:
            return
        wanted = (self.encoders.nbytes, names)
        if wanted not in self._fits:
            if self.ram < COMPILING and not self._prepared:
                kernels.prepare()
                self._prepared = True
            self.plan(names=names)
            self._fits = {*self._fits, wanted} if len(self._fits) < REMEMBERED else {wanted}

    def _smaller(self, ram: int | None, names: Iterable[str] | None) -> str:
        """What else one could do where searching does not fit."""
        lexical = names is None or set(names) != {"bm25"}
        if not lexical or ram is None:
            return ""
        if any(segment.dense is not None and segment.dense.bits > 1 for segment in self.snapshot.segments):
            return f"make the sketches smaller: bookwheel compact --ram {round_up(ram)}"
        fits = plan_search(self.snapshot, ram, ["bm25"]).planned() <= ram
        return "search with --recipe bm25, which fits" if fits else ""
