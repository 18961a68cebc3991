"""How a memory budget is split over the parts of indexing."""

from __future__ import annotations

from dataclasses import dataclass

from .sizes import MIB

__all__ = [
    "BASE",
    "COMPILING",
    "GATHERED",
    "LEAST",
    "MOST",
    "OTHERS",
    "PER_PASSAGE",
    "READING",
    "RECORD",
    "STATIC",
    "WORKERS",
    "Shares",
    "reader_memory",
    "share_out",
]

BASE = 96 * MIB
"""Anonymous memory of Python, numpy and numba with every kernel loaded: what a process holds before it has any data.

Measured: 80 MB on Linux with Python 3.11 and numba 0.62 (`python bench/budget.py --base`), plus a margin for other versions.
"""
STATIC = 16 * MIB
"""The built-in encoder's vocabulary once it is held as a dictionary."""
COMPILING = 512 * MIB
"""Budgets below this have no room for the compiler: kernels are compiled beforehand, in processes of their own."""
GATHERED = "postings being gathered or merged"
"""The name of the part that indexing measures against its share."""
READING = "reading files in a process of its own"
"""The name of the part that such a process holds."""
WORKERS = "processes that analyse"
"""The name of the part that those hold."""


OTHERS = "other work of this process"
"""The name of the part that the process holds besides."""


@dataclass(frozen=True, slots=True)
class Shares:
    """A budget split over the parts of indexing, in bytes. The sum is the budget, unless `gather` is at its maximum."""

    base: int
    """Python and the compiled kernels: `BASE`."""
    encoder: int
    """Models that encode during indexing."""
    tables: int
    """What grows with the collection whatever the buffers: 8 bytes per id seen, the lengths of passages during merges."""
    database: int
    """SQLite's page cache."""
    text: int
    """Documents being read, batches of passages, file buffers."""
    gather: int
    """Postings and words of the segment being gathered, including the room to sort them; merging uses the same room."""
    reserve: int
    """For memory that the allocator holds unused, and for the system's own pages (page tables, unwritten file pages)."""
    reading: int = 0
    """A process that reads untrusted files, while there is one."""
    lent: int = 0
    """What of `gather` was lent to it."""

    others: int = 0
    """What other libraries of the same process hold."""
    workers: int = 0
    """Processes that analyse documents, while there are any."""
    signatures: int = 0
    """What near-duplicates are found by, where they are left out."""

    @property
    def record(self) -> int:
        """The largest file or record that is read, in bytes; about eight copies of it exist at a time, of up to 4 bytes a letter.

        A record that large gets the room of the segment being gathered, which is written out first, and of workers, which end.
        """
        return min(RECORD, (self.text + self.gather + self.lent + self.workers) // 8)

    @property
    def total(self) -> int:
        """All parts together."""
        return sum(size for _, size in self.lines)

    @property
    def lines(self) -> list[tuple[str, int]]:
        """Name and size of each part that is not empty, as a memory plan lists them."""
        parts = [
            ("Python, numpy, compiled kernels", self.base),
            ("encoder", self.encoder),
            ("ids and passage lengths", self.tables),
            ("filters of near-duplicates", self.signatures),
            ("database cache", self.database),
            ("text and file buffers", self.text),
            (GATHERED, self.gather),
            (READING, self.reading),
            (WORKERS, self.workers),
            ("reserve", self.reserve),
            (OTHERS, self.others),
        ]
        return [(part, size) for part, size in parts if size]


LEAST = Shares(0, 0, 0, database=4 * MIB, text=16 * MIB, gather=32 * MIB, reserve=0)
"""With less than this, indexing would be too slow to be of use: it is refused."""
MOST = Shares(0, 0, 0, database=64 * MIB, text=64 * MIB, gather=512 * MIB, reserve=256 * MIB)
"""More than this makes nothing faster."""
RECORD = 64 * MIB
"""The largest file or record that is read under any budget, in bytes."""
PER_PASSAGE = 32
"""Bytes per passage that indexing holds whatever its buffers: the passage's id, and its length during merges."""


BESIDE = 16 * MIB
"""The least room for postings while another process reads a file."""


def reader_memory(ram: int, *, encoder: int = 0, passages: int = 0) -> tuple[int, int]:
    """What a process that reads untrusted files may hold in bytes: for most files, and for one that needs all there is.

    The first is three sixteenths of the budget (48 of 256 MB), the second what is left beside the fixed parts, `BESIDE`, and a
    twentieth in reserve.
    """
    shares = share_out(ram, encoder=encoder, passages=passages)
    first = min(ram * 3 // 16, 512 * MIB)
    fixed = shares.base + shares.encoder + shares.tables + shares.database + shares.text
    return first, max(first, ram - fixed - BESIDE - ram // 20)


def share_out(
    ram: int,
    *,
    encoder: int = 0,
    passages: int = 0,
    signatures: int = 0,
    reading: int = 0,
    workers: int = 0,
    others: int = 0,
    writers: int = 1,
) -> Shares:
    """Split ``ram`` bytes over the parts of indexing a library of ``passages`` with models of ``encoder`` bytes.

    A fifth is held in reserve. Of what remains beside the fixed parts, a tenth is the database's cache, a sixth is text and
    buffers, and the rest is for postings. ``signatures`` bytes are those of filters. ``others`` bytes are
    held by other libraries of the process, of which ``writers`` split the rest evenly, ``workers`` bytes by processes that
    analyse. No part goes below `LEAST`, so the sum may exceed a budget that is too small:
    `MemoryPlan.check` then refuses it.

    A process that reads files and holds up to ``reading`` bytes gets what is left over, then half of the reserve, then the
    room for postings but `BESIDE`, then the reserve but a twentieth of the budget.
    """
    tables = PER_PASSAGE * passages
    reserve = min(ram // 5, MOST.reserve)
    rest = (ram - BASE - encoder - reserve - others) // writers - tables - workers - signatures
    database = min(max(rest // 10, LEAST.database), MOST.database)
    text = min(max(rest // 6, LEAST.text), MOST.text)
    gather = min(max(rest - database - text, LEAST.gather), MOST.gather)
    others += (writers - 1) * (database + text + gather)
    shares = Shares(
        BASE, encoder, tables, database, text, gather, reserve, others=others, workers=workers, signatures=signatures
    )
    if not reading:
        return shares
    wanted = max(0, reading - max(0, ram - shares.total))
    spared = min(wanted, max(0, reserve - ram // 10))
    lent = min(wanted - spared, max(0, gather - BESIDE))
    spared += min(wanted - spared - lent, max(0, reserve - spared - ram // 20))
    given = reading - wanted + spared + lent
    return Shares(
        BASE, encoder, tables, database, text, gather - lent, reserve - spared, given, lent, others, workers, signatures
    )
