"""When workers are started, and how many: where there is enough to do, and room for them in the budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..._errors import UsageError
from ..._system import cores
from .pool import MEMORY, Pool

if TYPE_CHECKING:
    from ..intake import Intake
    from ..writer_memory import WriterMemory

__all__ = ["Crew", "require_workers"]

ENOUGH = 4 << 20
"""Characters of text that are taken in before workers are started: a second's work, about what it takes to start them."""
GATHERING = 64 << 20
"""The least room for postings beside workers."""
MOST = 16
"""More would wait for the process that writes."""


def require_workers(workers: int | None) -> None:
    """Raise `UsageError` where ``workers`` is no number of workers."""
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise UsageError(f"workers must be a whole number from 1 up, not {workers!r:.40}; 1 analyses in this process alone")


class Crew:
    """The workers of a writer: ``workers`` of them from the start, 1 for none but this process.

    None: as many as there are cores, once there is enough to do. No more than have room in the budget, beside the process that
    reads files.
    """

    def __init__(self, intake: Intake, memory: WriterMemory, workers: int | None) -> None:
        self._intake, self._memory = intake, memory
        self._asked = workers
        self.wanted = self._wanted = min(cores() if workers is None else workers, MOST)
        """Processes that were asked for."""
        self._after = 0 if workers is not None else ENOUGH
        self.count = 1
        """Processes that analyse."""
        self.most = 1
        """The most that there were at a time."""

    def look(self) -> None:
        """Start them where it is time."""
        if self._wanted < 2 or self.count > 1 or self._intake.characters < self._after:
            return
        count = self._wanted
        while count > 0 and not self._fits(count):
            count -= 1
        if not count:
            self._wanted = 1
            return
        self.count = self.most = max(count, 2)  # one beside this process is two that work
        self._memory.lend_workers(count * MEMORY)
        pool = Pool(count, self._intake.manifest.settings, self._folder())
        self._intake.work_with(pool)
        if self._asked is not None:
            pool.wait()

    def make_room(self, size: int) -> None:
        """End them where a record of ``size`` bytes has no room beside them."""
        shares = self._memory.shares
        if self.count > 1 and 8 * size > shares.text + shares.gather:
            self.dismiss()

    def lend(self, memory: int) -> None:
        """End them where a process that may hold ``memory`` bytes has no room beside them."""
        if self.count > 1 and memory > self._memory.reader_memory()[0]:
            self.dismiss()

    def dismiss(self) -> None:
        """End them, once they are done. They are started anew when there was as much to do as for the first time."""
        if self.count > 1:
            self._intake.work_alone()
            self._memory.lend_workers(0)
            self.count = 1
            self._after = self._intake.characters + ENOUGH

    def _fits(self, count: int) -> bool:
        shares = self._memory.beside_workers(count * MEMORY)
        return shares.gather >= GATHERING and shares.total <= self._memory.memory_plan.ram

    def _folder(self) -> Path | None:
        """Where the encoder is that workers can use: one that looks words up."""
        encoder = self._intake.encoder
        if encoder is None or not hasattr(encoder, "encode_words"):
            return None
        return getattr(encoder, "folder", None)
