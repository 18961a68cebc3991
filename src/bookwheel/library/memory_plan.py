"""The bills of a library: what building and searching it take of memory, planned from numbers or from what is there.

Searching: a bill has the parts that a recipe uses and no others, so that BM25 alone runs where the sketches do not fit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ..index.dense import size as dense_plan
from ..memory.budget import BASE, DEFAULT, MIB, Bill, share_out
from .snapshot import Snapshot
from .vectors.kinds import kind_of

__all__ = ["BM25", "DENSE", "HOT", "STATIC", "WORKING", "Plan", "hot_parts", "plan", "search_bill", "sketch_bits"]

BM25, DENSE = "bm25", "dense"
WORKING = 24 * MIB
"""What queries hold: working arrays of a few threads, candidates, SQLite's cache, texts of results, words looked up."""
STATIC = 16 * MIB
"""The built-in encoder's vocabulary once it is held as a dictionary."""
SKETCHES = 0.6
"""Of the memory that is left beside those and the encoders, what sketches of more than one bit may take."""
HOT = {BM25: "BM25: block maxima and directory", DENSE: "dense: sketches"}

# Measured on 5,000, 30,000, 100,000 and a million real passages of 100 words (`python bench/budget.py --bytes`), and a margin
# of some tenth; `docs/budget.md` has planned beside measured.
SPARSE_HOT = 10
"""Bytes of the sparse directory a passage, beside a byte for each term."""
ON_DISK = {"texts and metadata (SQLite)": 950, "postings and impacts": 150, "ids": 8}
"""Bytes on disk a passage, vectors and dictionary not counted."""
TERM_ON_DISK = 10
"""Bytes of the dictionary a term, with its place."""


def terms_of(passages: int) -> int:
    """About how many different terms so many passages have: it grows with a power of their number (Heaps 1978)."""
    return round(80 * math.pow(passages, 2 / 3))


def hot_parts(snapshot: Snapshot) -> dict[str, int]:
    """Bytes of the mapped parts that must stay in memory to search each representation, by the name that recipes use."""
    found: dict[str, int] = {BM25: 0}
    for segment in snapshot.segments:
        found[BM25] += segment.sparse.hot_bytes
        if segment.dense is not None:
            found[DENSE] = found.get(DENSE, 0) + segment.dense.hot_bytes
    for representation in snapshot.manifest.representations:
        kind = kind_of(representation.kind)
        size = sum(kind.hot_bytes(part.index) for segment in snapshot.segments for part in segment.parts_of(representation.key))
        found[representation.name] = found.get(representation.name, 0) + size
    return found


def search_bill(snapshot: Snapshot, ram: int | None, names: Iterable[str] | None = None, encoders: int = 0) -> Bill:
    """What searching the representations ``names`` (all where None) takes; ``encoders`` are the bytes of their models.

    ``ram`` None allows what it takes, and at least `DEFAULT`.
    """
    bill = Bill(DEFAULT if ram is None else ram)
    bill.plan("Python, numpy, compiled kernels", BASE)
    parts = hot_parts(snapshot)
    for name in parts if names is None else [name for name in parts if name in set(names)]:
        part = HOT.get(name, f"{name}: what must stay in memory")
        bill.plan(part, parts[name])
        bill.measure(part, parts[name])
    if encoders:
        bill.plan("encoders", encoders)
    # A bit a passage for deletions and for each of a few filters, and the numbers of the removed ones.
    passages = sum(entry.passages for entry in snapshot.manifest.segments)
    bill.plan("deletions, filters", passages // 8 * 4 + 8 * snapshot.removed_passages)
    bill.plan("queries at work", WORKING)
    if ram is None:
        bill.ram = max(DEFAULT, bill.planned())
    return bill


@dataclass(frozen=True, slots=True)
class Plan:
    """What a library of a size will take, before there is any of it."""

    passages: int
    dimension: int
    """Of the dense vectors; 0 for none."""
    bits: int
    """Bits a dimension of their sketches."""
    building: Bill
    searching: Bill
    disk: dict[str, int]

    def check(self) -> None:
        """Raise `BudgetError` where building or searching does not fit."""
        instead = "index without vectors: --encoder none" if self.dimension else ""
        vectors = f" x {self.dimension} dimensions" if self.dimension else ""
        bills = [("building", self.building), ("searching", self.searching)]
        # The larger first, so that what it asks for is enough for both.
        for what, bill in sorted(bills, key=lambda item: -item[1].enough()):
            bill.check(f"{what} {self.passages:,} passages{vectors}", instead)


def sketch_bits(passages: int, dimension: int, ram: int | None, encoder: int = STATIC) -> int:
    """Bits a dimension of the sketches of so many vectors within a budget of ``ram`` bytes (None: none was named).

    One where the float16 vectors fit into the budget too: they stay in the system's cache then, so that looking at one more of
    them costs less than reading longer sketches, and a scan takes as long as its bytes. Otherwise candidates are read from disk,
    and a second bit spares three of four of them: the most bits with which sketches take no more than `SKETCHES` of what the
    budget has left beside ``encoder`` bytes of models and what every search needs.
    """
    if ram is None or not dimension or 2 * dimension * passages <= ram:
        return 1
    return max(1, dense_plan.fitting_bits(passages, dimension, int(SKETCHES * (ram - BASE - WORKING - encoder))))


def plan(passages: int, dimension: int, ram: int, *, encoder: int = STATIC, bits: int = 1) -> Plan:
    """The bills of building and of searching ``passages`` with vectors of ``dimension`` (0: none) within ``ram`` bytes.

    ``encoder`` is what its model takes, in bytes, ``bits`` those of a sketch a dimension. Nothing is checked yet: `Plan.check`
    does that.
    """
    encoder = encoder if dimension else 0
    building = Bill(ram)
    building.plan_building(share_out(ram, encoder=encoder, passages=passages))
    searching = Bill(ram)
    searching.plan("Python, numpy, compiled kernels", BASE)
    terms = terms_of(passages)
    searching.plan(HOT[BM25], SPARSE_HOT * passages + terms)
    if dimension:
        searching.plan(HOT[DENSE], dense_plan.memory_bytes(passages, dimension, bits))
        searching.plan("encoders", encoder)
    searching.plan("deletions, filters", passages // 8 * 4)
    searching.plan("queries at work", WORKING)
    disk = {part: size * passages for part, size in ON_DISK.items()} | {"dictionary": TERM_ON_DISK * terms}
    if dimension:
        disk["vectors (float16)"] = 2 * dimension * passages
        disk["sketches"] = dense_plan.memory_bytes(passages, dimension, bits)
    return Plan(passages, dimension, bits if dimension else 0, building, searching, disk)
