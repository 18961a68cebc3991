"""Taking encoded passages from the side cache into the library: the commit of a refinement."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...index.storage import storage
from ..manifest import Manifest, SegmentEntry
from ..retrieval.partial import cache_key
from ..segment import SEGMENTS
from ..settings import Representation
from ..snapshot import Snapshot
from ..writer import Writer
from .cache import SideCache
from .kinds import kind_of
from .parts import Piece, to_fold, write_part

__all__ = ["finished", "fold", "replaced", "sweep"]

AT_ONCE = {"dense": 8192, "sparse": 8192, "tokens": 256}
"""Passages taken in at a time, by kind."""


def fold(writer: Writer, representation: Representation, cache: SideCache, **changes: object) -> int:
    """Commit what the cache holds of ``representation``, with ``changes`` of it; returns how many passages were taken in.

    What is in the library already, or belongs to passages that are gone, is only let go of.
    """
    key = cache_key(representation)
    kept = sorted(cache.kept(key))
    taken = 0
    step = AT_ONCE[representation.kind]
    for start in range(0, len(kept), step):
        some = np.array(kept[start : start + step], np.int64)
        taken += _fold_some(writer, representation, cache, some)
        cache.forget(key, some.tolist())
        cache.granted(some.tolist())
    if changes:
        writer.represent(_changed(writer.manifest, representation.key, **changes))
    return taken


def _fold_some(writer: Writer, representation: Representation, cache: SideCache, ids: NDArray[np.int64]) -> int:
    kind = kind_of(representation.kind)
    snapshot = Snapshot(writer.library, writer.manifest, writer.store)
    entries: list[SegmentEntry] = []
    taken = 0
    for segment, open_ in zip(snapshot.segments, snapshot.unfilled(representation.key), strict=True):
        places, local = segment.locate(ids)
        new = np.isin(local, open_)
        packed = cache.get(cache_key(representation), ids[places[new]].tolist())
        at, rows = [], []
        for position, number in zip(local[new].tolist(), ids[places[new]].tolist(), strict=True):
            if number in packed:
                at.append(position)
                rows.append(packed[number])
        entry = segment.entry
        if rows:
            try:
                payload = kind.unpack(rows, representation)
            except ValueError:  # the cache was altered: these are encoded again
                payload, at = None, []
            if at:
                chosen = to_fold([part for part in entry.parts if part.key == representation.key], len(at))
                pieces: list[Piece] = [(part.positions, part) for part in segment.parts if part.entry in chosen]
                pieces.append((np.array(at, np.int32), payload))
                folder = writer.library / SEGMENTS / entry.name
                with storage(folder):
                    seed, bits = writer.manifest.settings.seed, writer.bits(representation.info.dimension)
                    part = write_part(folder, representation, writer.generation, seed, pieces, bits)
                assert part is not None
                entry = replace(entry, parts=(*(old for old in entry.parts if old not in chosen), part))
                taken += len(at)
        entries.append(entry)
    del snapshot
    if taken:
        writer.represent(writer.manifest.representations, entries)
    return taken


def _changed(manifest: Manifest, key: str, **changes: object) -> list[Representation]:
    return [replace(r, **changes) if r.key == key else r for r in manifest.representations]  # type: ignore[arg-type]


def finished(writer: Writer, representation: Representation) -> bool:
    """Whether every living passage is held."""
    return Snapshot(writer.library, writer.manifest, writer.store).complete(representation.key)


def replaced(writer: Writer, representation: Representation) -> None:
    """Let go of what a finished representation replaces."""
    old = representation.replaces
    kept: Sequence[Representation] = [r for r in writer.manifest.representations if r.key != old]
    kept = [replace(r, replaces=None, adapter=None) if r.key == representation.key else r for r in kept]
    entries = [replace(e, parts=tuple(p for p in e.parts if p.key != old)) for e in writer.manifest.segments]
    writer.represent(kept, entries)


def sweep(writer: Writer) -> None:
    """Delete adapters that the manifest does not name."""
    named = {representation.adapter for representation in writer.manifest.representations}
    for folder in writer.library.glob("adapter-*"):
        if folder.name not in named:
            shutil.rmtree(folder, ignore_errors=True)
