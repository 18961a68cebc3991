"""How a writer's memory budget is split while it builds: by what the library holds by now, and by who else takes a part."""

from __future__ import annotations

from collections.abc import Hashable

from .._system import anonymous_bytes
from ..encode.protocols import nbytes
from ..memory.plan import MemoryPlan
from ..memory.process import BUFFERS, PROCESS, RESERVE
from ..memory.shares import GATHERED, LEAST, Shares, reader_memory, share_out
from .intake import Intake
from .memory_plan import plan_library, sketch_bits
from .store import Store

__all__ = ["WriterMemory"]

TURN = 3600.0
"""Seconds that a writer waits for another of the same process, where the budget has no room for both."""


class WriterMemory:
    """Splits the budget of ``memory_plan`` over the parts of building; ``named`` says that somebody stated it."""

    shares: Shares

    def __init__(self, memory_plan: MemoryPlan, *, named: bool) -> None:
        self.memory_plan = memory_plan
        self._named = memory_plan.ram if named else None
        self._expected = 0
        self._lent = self._workers = self._signatures = 0
        self._planned = False

    def split(self, intake: Intake, store: Store) -> None:
        """Split it for the first time."""
        self._intake, self._store = intake, store
        self._share_out()

    def look(self) -> None:
        """Split it anew where another writer of this process came or went."""
        if self._writers != PROCESS.writers():
            self._share_out()

    def share_out(self) -> None:
        """Split it anew, and note that in the plan."""
        self.memory_plan.plan_building(self._share_out())

    def plan(self) -> MemoryPlan:
        """Plan what building takes, once it is this writer's turn. Raises `BudgetError` where that does not fit."""
        PROCESS.begin(self, self._fits, TURN)
        self._planned = True
        self.share_out()
        self.memory_plan.check("building the index")
        return self.memory_plan

    def lend(self, memory: int) -> bool:
        """Leave ``memory`` bytes to a process that reads files, from now on; whether that changed anything."""
        if memory == self._lent:
            return False
        self._lent = memory
        self.share_out()
        return True

    def lend_workers(self, memory: int) -> None:
        """Leave ``memory`` bytes to processes that analyse, from now on."""
        if memory != self._workers:
            self._workers = memory
            self.share_out()

    def hold_signatures(self, memory: int) -> None:
        """Count ``memory`` bytes of filters and signatures that documents are compared with, from now on."""
        if memory != self._signatures:
            self._signatures = memory
            self.share_out()

    def reader_memory(self) -> tuple[int, int]:
        """What a process that reads files may hold: see `bookwheel.memory.shares.reader_memory`."""
        return reader_memory(self.memory_plan.ram, encoder=nbytes(self._intake.encoder), passages=self._intake.numbers.passage)

    def beside_workers(self, memory: int) -> Shares:
        """The shares that would be left beside workers of ``memory`` bytes, and a process that reads most files."""
        return self._split(memory, max(self._lent, self.reader_memory()[0]))

    def _share_out(self) -> Shares:
        """The budget split for what the library holds by now, and for what others in this process do."""
        self._writers = PROCESS.writers()
        shares = self.shares = self._intake.shares = self._split(self._workers, self._lent)
        self._store.cache(shares.database)
        if not self._planned:  # what only removes or configures takes next to nothing
            return shares
        # It shrinks where others come, so to them it counts with what it needs at least.
        least: dict[Hashable, int] = {(id(self), "tables"): shares.tables, (BUFFERS, id(self)): LEAST.total}
        PROCESS.hold(self, {**self._encoders_held(), RESERVE: shares.reserve, **least})
        return shares

    def _split(self, workers: int, reading: int) -> Shares:
        held = self._encoders_held()
        return share_out(
            self.memory_plan.ram,
            encoder=sum(held.values()),
            passages=self._intake.numbers.passage,
            signatures=self._signatures,
            reading=reading,
            workers=workers,
            others=PROCESS.others(self, (*held, RESERVE), buffers=False),
            writers=max(PROCESS.writers(), 1),
        )

    def _encoders_held(self) -> dict[Hashable, int]:
        encoder = self._intake.encoder
        return {} if encoder is None else {("encoder", encoder.sha256): nbytes(encoder)}

    def _fits(self) -> bool:
        self.memory_plan.plan_building(self._split(0, self._lent))
        return self.memory_plan.planned() <= self.memory_plan.ram

    def expect(self, passages: int, certain: float = 1.0) -> None:
        """Say that about so many are coming; raises `BudgetError` where a library with a ``certain`` share of them does not fit."""
        dimension = self._intake.encoder.dimension if self._intake.encoder is not None else 0
        self._expected = self._intake.numbers.passage - 1 + passages
        sure = self._intake.numbers.passage - 1 + int(certain * passages)
        bits = self.bits(dimension) or 1
        plan_library(sure, dimension, self.memory_plan.ram, encoder=nbytes(self._intake.encoder), bits=bits).check()

    def bits(self, dimension: int) -> int | None:
        """Bits a dimension of the sketches that are written now: by the budget that was named, for all passages there will be.

        None where no budget was named: as they are.
        """
        if self._named is None:
            return None
        passages = max(self._expected, self._intake.numbers.passage - 1)
        return sketch_bits(passages, dimension, self._named, nbytes(self._intake.encoder))

    def gathered(self, size: int) -> None:
        """Note that ``size`` bytes are gathered, and the memory in use."""
        if size:
            self.memory_plan.measure(GATHERED, size)
        self.measure()

    def measure(self) -> None:
        """Note the memory in use now."""
        if (anonymous := anonymous_bytes()) is not None:
            self.memory_plan.measure("all anonymous memory", anonymous)

    def end(self) -> None:
        """Hold nothing any more."""
        PROCESS.end(self)
