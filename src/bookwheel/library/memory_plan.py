"""Memory plans of a library: what indexing and searching need, from given numbers or from an existing library.

The plan of a search counts only the parts that its recipe uses, so that BM25 alone runs where the sketches do not fit.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..index.dense import size as dense_plan
from ..memory.plan import MemoryPlan
from ..memory.shares import BASE, OTHERS, STATIC, share_out
from ..memory.sizes import DEFAULT, MIB
from .snapshot import Snapshot
from .vectors.kinds import kind_of

if TYPE_CHECKING:
    from .estimate import Estimate

__all__ = [
    "BM25",
    "DENSE",
    "HOT",
    "STATIC",
    "WORKING",
    "LibraryPlan",
    "hot_parts",
    "plan_library",
    "plan_search",
    "sketch_bits",
]

BM25, DENSE = "bm25", "dense"
WORKING = 24 * MIB
"""Memory of running queries: working arrays of a few threads, candidates, SQLite's cache, result texts, dictionary records."""
SKETCHES = 0.6
"""The share of the memory left beside those and the encoders that sketches of more than one bit may take."""
HOT = {BM25: "BM25: block maxima and directory", DENSE: "dense: sketches"}

# Measured on 5,000, 30,000, 100,000 and a million real passages of 100 words (`python bench/budget.py --bytes`), plus a margin
# of about a tenth; `docs/budget.md` compares planned and measured bytes.
SPARSE_HOT = 10
"""Bytes of the BM25 directory per passage; each distinct term adds one byte."""
ON_DISK = {"texts and metadata (SQLite)": 950, "postings and impacts": 150, "ids": 8}
"""Bytes on disk per passage, without vectors and dictionary."""
TERM_ON_DISK = 10
"""Bytes of the dictionary per term, its position included."""


def terms_of(passages: int) -> int:
    """The approximate number of distinct terms in ``passages`` passages, by Heaps' law (Heaps 1978)."""
    return round(80 * math.pow(passages, 2 / 3))


def hot_parts(snapshot: Snapshot, names: Collection[str] | None = None) -> dict[str, int]:
    """Bytes of the mapped arrays that must stay in memory to search each representation, by its name in recipes.

    With ``names`` of those only.
    """
    found: dict[str, int] = {BM25: 0}
    for segment in snapshot.segments:
        found[BM25] += segment.sparse.hot_bytes
        if (names is None or DENSE in names) and segment.dense is not None:
            found[DENSE] = found.get(DENSE, 0) + segment.dense.hot_bytes
    for representation in snapshot.manifest.representations:
        if names is not None and representation.name not in names:
            continue
        kind = kind_of(representation.kind)
        size = sum(kind.hot_bytes(part.index) for segment in snapshot.segments for part in segment.parts_of(representation.key))
        found[representation.name] = found.get(representation.name, 0) + size
    return found


def plan_search(
    snapshot: Snapshot, ram: int | None, names: Iterable[str] | None = None, encoders: int = 0, others: int = 0, models: int = 0
) -> MemoryPlan:
    """The memory plan of searching the representations ``names`` (None: all), whose encoders take ``encoders`` bytes.

    ``others``: bytes that other libraries of the process hold; ``models``: those of the models that the recipe's stages load.

    With ``ram`` None the budget is whatever the search needs, and at least `DEFAULT`.
    """
    memory = MemoryPlan(DEFAULT if ram is None else ram)
    memory.plan("Python, numpy, compiled kernels", BASE)
    parts = hot_parts(snapshot)
    for name in parts if names is None else [name for name in parts if name in set(names)]:
        part = HOT.get(name, f"{name}: what must stay in memory")
        memory.plan(part, parts[name])
        memory.measure(part, parts[name])
    if encoders:
        memory.plan("encoders", encoders)
    if models:
        memory.plan("models of the recipe", models)
    # One bit per passage for deletions and for each of a few filters, and the ids of removed passages.
    passages = sum(entry.passages for entry in snapshot.manifest.segments)
    memory.plan("deletions, filters", passages // 8 * 4 + 8 * (snapshot.removed_passages + snapshot.pruned_passages))
    memory.plan("running queries", WORKING)
    if others:
        memory.plan(OTHERS, others)
    if ram is None:
        memory.ram = max(DEFAULT, memory.planned())
    return memory


@dataclass(frozen=True, slots=True)
class LibraryPlan:
    """Memory and disk that a library of a given size will need."""

    passages: int
    dimension: int
    """Dimension of the dense vectors; 0 for none."""
    bits: int
    """Bits per dimension of their sketches."""
    building: MemoryPlan
    searching: MemoryPlan
    disk: dict[str, int]
    files: Estimate | None = None
    """The files whose number of passages was estimated, where files were given."""

    @property
    def fits(self) -> bool:
        """Whether indexing and searching fit the budget."""
        return all(memory.planned() <= memory.ram for memory in (self.building, self.searching))

    def check(self) -> None:
        """Raise `BudgetError` where indexing or searching does not fit."""
        instead = "index without vectors: --encoder none" if self.dimension else ""
        vectors = f" x {self.dimension} dimensions" if self.dimension else ""
        plans = [("building", self.building), ("searching", self.searching)]
        # The larger first, so that the budget it asks for is enough for both.
        for what, memory in sorted(plans, key=lambda item: -item[1].enough()):
            memory.check(f"{what} {self.passages:,} passages{vectors}", instead)


def sketch_bits(passages: int, dimension: int, ram: int | None, encoder: int = STATIC) -> int:
    """Bits per dimension for the sketches of ``passages`` vectors within a budget of ``ram`` bytes (None: no budget given).

    One bit where the float16 vectors fit the budget as well: they then stay in the system's cache, so that verifying one more
    candidate costs less than scanning longer sketches. Otherwise candidates are read from disk, and a second bit saves about
    three in four of them: the most bits with which the sketches take at most `SKETCHES` of what the budget leaves beside
    ``encoder`` bytes of models and what every search needs.
    """
    if ram is None or not dimension or 2 * dimension * passages <= ram:
        return 1
    return max(1, dense_plan.fitting_bits(passages, dimension, int(SKETCHES * (ram - BASE - WORKING - encoder))))


def plan_library(passages: int, dimension: int, ram: int, *, encoder: int = STATIC, bits: int = 1) -> LibraryPlan:
    """The plans of indexing and of searching ``passages`` with vectors of ``dimension`` (0: none) within ``ram`` bytes.

    ``encoder`` is the memory of the encoder's model in bytes, ``bits`` the sketches' bits per dimension. Nothing is checked
    yet: `LibraryPlan.check` does that.
    """
    encoder = encoder if dimension else 0
    building = MemoryPlan(ram)
    building.plan_building(share_out(ram, encoder=encoder, passages=passages))
    searching = MemoryPlan(ram)
    searching.plan("Python, numpy, compiled kernels", BASE)
    terms = terms_of(passages)
    searching.plan(HOT[BM25], SPARSE_HOT * passages + terms)
    if dimension:
        searching.plan(HOT[DENSE], dense_plan.memory_bytes(passages, dimension, bits))
        searching.plan("encoders", encoder)
    searching.plan("deletions, filters", passages // 8 * 4)
    searching.plan("running queries", WORKING)
    disk = {part: size * passages for part, size in ON_DISK.items()} | {"dictionary": TERM_ON_DISK * terms}
    if dimension:
        disk["vectors (float16)"] = 2 * dimension * passages
        disk["sketches"] = dense_plan.memory_bytes(passages, dimension, bits)
    return LibraryPlan(passages, dimension, bits if dimension else 0, building, searching, disk)
