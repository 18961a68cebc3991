"""Importing vectors that were made elsewhere: checked as a whole before anything is written, then committed at once.

Rows of an array stand for passages in the order of ``bookwheel export --passages``, or for documents in
that of ``bookwheel export``; in the latter case every passage of a document has its document's vector.
Rows of weighted terms name their document (``ID``) or passage (``ID#N``), as those commands do.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import LibraryChanged, ModelError, UsageError
from ...index.storage import storage
from ...memory.plan import MemoryPlan
from ...memory.shares import BASE
from ...memory.sizes import MIB, ram_of
from ..manifest import Manifest, SegmentEntry
from ..passage_texts import opening_texts
from ..retrieval.registry import representations
from ..segment import SEGMENTS
from ..settings import Representation
from ..snapshot import Snapshot
from ..writer import Writer
from .changes import reference_of, unused_key
from .encoders import Encoders, info_of
from .parts import write_part
from .sources import Source, source_of

__all__ = ["import_vectors", "stored_passages"]

COMPARED = 8
"""Passages that are encoded to see whether vectors are those of the encoder named."""
LIKE = 0.5
"""The least median cosine of these: other texts of the same documents reach more, another model or order less."""


def import_vectors(
    library: Path,
    encoders: Encoders,
    name: str,
    vectors: NDArray[Any] | str | Path,
    *,
    encoder: Any = None,
    replacing: bool = False,
    ram: str | int | None = None,
    wait: float = 0.0,
    rows_of: Snapshot | None = None,
) -> Representation:
    """Add representation ``name`` with ``vectors``: an array (n, d), a ``.npy`` file, or weighted terms (``.jsonl``, ``.ciff``).

    ``encoder`` encodes queries, and passages added later; without it a query has to bring its own
    vector or weights. ``rows_of``: the state whose passages the rows stand for, where that is known; a library that has
    others by now raises `LibraryChanged`. Raises `InputError` for vectors that are invalid or do not fit the library,
    `UsageError` for a name that is taken, `ModelError` where they are not the encoder's,
    `BudgetError`; nothing is changed then.
    """
    source = source_of(vectors)
    loaded: Any = None
    if encoder is not None:
        loaded = encoders.load(reference_of(encoder) or encoder, source.kind)
    memory = MemoryPlan(ram_of(ram))
    memory.plan("Python, numpy, compiled kernels", BASE)
    if source.nbytes:
        memory.plan(f"weighted terms of {source.name}", source.nbytes)
    memory.plan("a part while it is written", 96 * MIB)
    memory.check("importing vectors")
    with Writer(library, ram=ram, wait=wait) as writer:
        old = _replaced(writer.manifest, name, source.kind, replacing)
        snapshot = Snapshot(library, writer.manifest, writer.store)
        ids, names, counts = stored_passages(snapshot)
        if rows_of is not None:
            _check_same(rows_of, snapshot, ids)
        rows = source.read(names, counts, loaded)
        info = source.info() if loaded is None else info_of(loaded)
        reference = None if loaded is None else reference_of(encoder)
        new = Representation(name, source.kind, reference, info, unused_key(writer.manifest, name))
        if loaded is not None:
            _check_like(snapshot, name, source, loaded, ids, rows)
            if reference is None:
                encoders.give(loaded)
        gone = {old.key} if old is not None else set()
        entries: list[SegmentEntry] = []
        for segment in snapshot.segments:
            here, local = segment.locate(ids)
            entry = replace(segment.entry, parts=tuple(part for part in segment.entry.parts if part.key not in gone))
            if len(here):
                folder = library / SEGMENTS / entry.name
                pieces = [(local.astype(np.int32), source.take(rows[here]))]
                with storage(folder):
                    seed, bits = writer.manifest.settings.seed, writer.memory.bits(info.dimension)
                    part = write_part(folder, new, writer.generation, seed, pieces, bits)
                assert part is not None
                entry = replace(entry, parts=(*entry.parts, part))
            entries.append(entry)
        kept = [one for one in writer.manifest.representations if one.key not in gone]
        del snapshot
        writer.set_representations((*kept, new), entries)
    return new


def _replaced(manifest: Manifest, name: str, kind: str, replacing: bool) -> Representation | None:
    """The representation whose place ``name`` takes; raises `UsageError` where it cannot be taken."""
    old = manifest.representation(name)
    known = representations(manifest).get(name)
    if known is not None and old is None:
        raise UsageError(f"{name!r} is the name of a representation that the library makes itself; choose another name")
    if old is not None and not replacing:
        raise UsageError(
            f"the library already has an encoder {name!r}, {old.info.name}; remove it first with `bookwheel encoders remove "
            f"{name}`, or choose another name"
        )
    if old is not None and old.kind != kind:
        raise UsageError(f"{name!r} is a {old.kind} representation; choose another name for the {kind} one")
    return old


def stored_passages(snapshot: Snapshot) -> tuple[NDArray[np.int64], list[str], NDArray[np.int64]]:
    """The passages' ids, rising, pruned ones too; and the documents' ids with their numbers of passages."""
    spans = list(snapshot.store.spans(snapshot.generation))
    names = [document for document, _, _ in spans]
    first = np.array([start for _, start, _ in spans], np.int64)
    counts = np.array([passages for _, _, passages in spans], np.int64)
    ends = np.cumsum(counts)
    ids = np.repeat(first - (ends - counts), counts) + np.arange(int(counts.sum()))
    return ids, names, counts


def _check_same(known: Snapshot, snapshot: Snapshot, ids: NDArray[np.int64]) -> None:
    """Raise `LibraryChanged` unless ``ids``, the passages of ``snapshot``, are those of ``known``: as many may be other ones."""
    if known.manifest.id != snapshot.manifest.id or not np.array_equal(stored_passages(known)[0], ids):
        raise LibraryChanged("the library has other passages by now than the vectors are of; refresh it, and make them again")


def _check_like(
    snapshot: Snapshot, name: str, source: Source, loaded: Any, ids: NDArray[np.int64], rows: NDArray[np.int64]
) -> None:
    """Raise `ModelError` where the encoder gives a few passages quite other vectors than the source."""
    if not len(ids):
        return
    at = np.unique(np.linspace(0, len(ids) - 1, COMPARED).astype(np.int64))
    median = float(np.median(source.cosines(rows[at], loaded, opening_texts(snapshot.store, ids[at].tolist()))))
    if median < LIKE:
        raise ModelError(
            f"{source.name} was not made by {loaded.name}, or is in another order than that of `bookwheel export --passages`: "
            f"for {len(at)} passages the median cosine with the model's own vectors is {median:.2f}; nothing was imported as "
            f"{name!r}"
        )
