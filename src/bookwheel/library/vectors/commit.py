"""Committing encoded passages from the cache to the library."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...index.storage import storage
from ..manifest import ADAPTER_NAME, Manifest, SegmentEntry
from ..segment import SEGMENTS
from ..settings import Representation
from ..snapshot import Snapshot
from ..writer import Writer
from .cache import VectorCache, cache_key
from .kinds import kind_of
from .parts import Piece, to_rewrite, write_part

__all__ = ["commit", "drop_replaced", "drop_unused_adapters", "is_complete"]


def commit(writer: Writer, representation: Representation, cache: VectorCache, **changes: object) -> int:
    """Commit what the cache has of ``representation``, and ``changes`` of its fields; returns the number of new passages.

    Passages that are in the library already, or were removed from it, are only deleted from the cache.
    """
    key = cache_key(representation)
    cached = sorted(cache.cached(key))
    added = 0
    step = kind_of(representation.kind).commit_rows
    for start in range(0, len(cached), step):
        some = np.array(cached[start : start + step], np.int64)
        added += _commit_some(writer, representation, cache, some)
        cache.drop(key, some.tolist())
        cache.drop_requests(some.tolist())
    if changes:
        writer.set_representations(_changed(writer.manifest, representation.key, **changes))
    return added


def _commit_some(writer: Writer, representation: Representation, cache: VectorCache, ids: NDArray[np.int64]) -> int:
    kind = kind_of(representation.kind)
    snapshot = Snapshot(writer.library, writer.manifest, writer.store)
    entries: list[SegmentEntry] = []
    added = 0
    for segment, missing in zip(snapshot.segments, snapshot.missing(representation.key), strict=True):
        places, local = segment.locate(ids)
        new = np.isin(local, missing)
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
                chosen = to_rewrite([part for part in entry.parts if part.key == representation.key], len(at))
                pieces: list[Piece] = [(part.positions, part) for part in segment.parts if part.entry in chosen]
                pieces.append((np.array(at, np.int32), payload))
                folder = writer.library / SEGMENTS / entry.name
                with storage(folder):
                    seed, bits = writer.manifest.settings.seed, writer.memory.bits(representation.info.dimension)
                    part = write_part(folder, representation, writer.generation, seed, pieces, bits)
                assert part is not None
                entry = replace(entry, parts=(*(old for old in entry.parts if old not in chosen), part))
                added += len(at)
        entries.append(entry)
    del snapshot
    if added:
        writer.set_representations(writer.manifest.representations, entries)
    return added


def _changed(manifest: Manifest, key: str, **changes: object) -> list[Representation]:
    return [replace(r, **changes) if r.key == key else r for r in manifest.representations]  # type: ignore[arg-type]


def is_complete(writer: Writer, representation: Representation) -> bool:
    """Whether every passage is embedded."""
    return Snapshot(writer.library, writer.manifest, writer.store).complete(representation.key)


def drop_replaced(writer: Writer, representation: Representation) -> None:
    """Remove what ``representation``, which is complete, replaces."""
    old = representation.replaces
    kept: Sequence[Representation] = [r for r in writer.manifest.representations if r.key != old]
    kept = [replace(r, replaces=None, adapter=None) if r.key == representation.key else r for r in kept]
    entries = [replace(e, parts=tuple(p for p in e.parts if p.key != old)) for e in writer.manifest.segments]
    writer.set_representations(kept, entries)


def drop_unused_adapters(writer: Writer) -> None:
    """Delete adapters that the manifest does not name."""
    named = {representation.adapter for representation in writer.manifest.representations}
    for folder in writer.library.glob("adapter-*"):
        if folder.name not in named and ADAPTER_NAME.fullmatch(folder.name):
            shutil.rmtree(folder, ignore_errors=True)
