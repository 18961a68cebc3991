"""Whether searching one snapshot fits the memory that its reader may use."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

from .. import kernels
from .._errors import BudgetError
from .._system import anonymous_bytes
from ..memory.plan import MemoryPlan
from ..memory.process import PROCESS, QUERIES
from ..memory.shares import COMPILING
from ..memory.sizes import round_up
from .memory_plan import WORKING, hot_parts, plan_search
from .recipe_needs import model_bytes
from .snapshot import Snapshot
from .vectors.encoders import Encoders

__all__ = ["SearchMemory"]

Model = tuple[str, str]
"""Kind and name of a model."""
REMEMBERED = 100
DATABASE = 2 << 20
"""SQLite's page cache of a library that is read."""


class SearchMemory:
    """The memory plans of one snapshot; ``ram`` in bytes, None where no budget was set."""

    def __init__(self, snapshot: Snapshot, encoders: Encoders, ram: int | None) -> None:
        self.snapshot = snapshot
        self.encoders = encoders
        self.ram = ram
        self._prepared = False
        self._fits: set[tuple[int, int, frozenset[str], frozenset[Model]]] = set()
        self._held: frozenset[str] = frozenset()
        """The representations noted as held."""
        self._encoders: dict[Hashable, int] = {}
        """Their encoders' bytes."""
        self._models: frozenset[Model] = frozenset()
        """The models of recipes noted as held."""
        self._loaded: dict[Hashable, int] = {}
        """Their bytes."""

    def plan(self, ram: int | None = None, names: Iterable[str] | None = None) -> MemoryPlan:
        """What searching the representations ``names`` (all where None) takes: planned by part, and what is in use now.

        ``ram`` is the reader's own where None. Raises `BudgetError` where it does not fit.
        """
        allowed = self.ram if ram is None else ram
        encoders = self.encoders.parts(self.snapshot.manifest, names)
        others, models = self._others({**encoders, **self._loaded}), sum(self._loaded.values())
        memory = plan_search(self.snapshot, allowed, names, sum(encoders.values()), others, models)
        memory.check(f"searching {self.snapshot.library}", self._smaller(allowed, names))
        if (anonymous := anonymous_bytes()) is not None:
            memory.measure("all anonymous memory", anonymous)
        return memory

    def require(self, names: frozenset[str], models: frozenset[Model] = frozenset()) -> None:
        """Raise `BudgetError` where searching the representations ``names`` with ``models`` does not fit.

        Models stay loaded, so those of earlier searches count as well.
        """
        if not names <= self._held or not models <= self._models:
            before = self._models, self._loaded
            self._held |= names
            self._models |= models
            self._loaded = model_bytes(self._models)
            if self.ram is not None and not models <= before[0]:
                try:
                    self.plan(names=names)
                except BudgetError:
                    self._models, self._loaded = before  # they are not loaded
                    raise
            PROCESS.hold(self, self._parts())
        if self.ram is None:
            return
        wanted = (self.encoders.nbytes, self._others({**self._encoders, **self._loaded}), names, self._models)
        if wanted not in self._fits:
            if self.ram < COMPILING and not self._prepared:
                kernels.prepare()
                self._prepared = True
            self.plan(names=names)
            self._fits = {*self._fits, wanted} if len(self._fits) < REMEMBERED else {wanted}

    def _parts(self) -> dict[Hashable, int]:
        """What searching holds from now on; encoders and the memory of running queries are the whole process's."""
        manifest = self.snapshot.manifest
        self._encoders = self.encoders.parts(manifest, self._held)
        passages = sum(entry.passages for entry in manifest.segments)
        arrays = sum(hot_parts(self.snapshot, self._held).values()) + passages // 8 * 4
        return {**self._encoders, **self._loaded, (id(self), "arrays"): arrays + DATABASE, QUERIES: WORKING}

    def _others(self, encoders: Mapping[Hashable, int]) -> int:
        return PROCESS.others(self, (*encoders, QUERIES))

    def _smaller(self, ram: int | None, names: Iterable[str] | None) -> str:
        """What else one could do where searching does not fit."""
        lexical = names is None or set(names) != {"bm25"}
        if not lexical or ram is None:
            return ""
        if any(segment.dense is not None and segment.dense.bits > 1 for segment in self.snapshot.segments):
            return f"make the sketches smaller: bookwheel compact --ram {round_up(ram)}"
        fits = plan_search(self.snapshot, ram, ["bm25"]).planned() <= ram
        return "search with --recipe bm25, which fits" if fits else ""
