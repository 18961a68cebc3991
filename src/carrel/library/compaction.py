"""Merging segments: which, and how; re-weighing their impacts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..index import dense, sparse_merge
from ..index.files import ArrayFolder, FolderWriter
from ..index.sparse import Bm25
from .manifest import SegmentEntry
from .segment import DENSE, ROWS, SEGMENTS, SPARSE, Segment
from .settings import Settings
from .snapshot import Snapshot

__all__ = ["merge_segments", "reweigh_segment", "to_merge"]

FACTOR = 8
SMALLEST = 1000


def to_merge(segments: Sequence[SegmentEntry]) -> Sequence[SegmentEntry]:
    """The newest run of segments that is due to be merged, or none.

    Segments of one size class (powers of eight) are merged once there are eight in a row, so each passage is rewritten a
    logarithmic number of times and a library has a logarithmic number of segments, as in a log-structured merge tree.
    """
    if not segments:
        return ()
    level = _level(segments[-1])
    start = len(segments)
    while start and _level(segments[start - 1]) <= level:
        start -= 1
    return segments[start:] if len(segments) - start >= FACTOR else ()


def _level(entry: SegmentEntry) -> int:
    level, size = 0, entry.passages
    while size > SMALLEST:
        level, size = level + 1, size // FACTOR
    return level


def merge_segments(snapshot: Snapshot, run: Sequence[SegmentEntry], name: str, impacts: str) -> SegmentEntry | None:
    """Write the living passages of ``run``, neighbours in ``snapshot``, as segment ``name``; None where none is left."""
    chosen = [(segment, mask) for segment, mask in zip(snapshot.segments, snapshot.alive, strict=True) if segment.entry in run]
    folder = snapshot.library / SEGMENTS / name
    passages = 0
    with FolderWriter(folder / ROWS) as rows:
        ids = rows.stream("ids", np.int64)
        for segment, mask in chosen:
            kept = segment.ids
            if mask is not None:
                kept = kept[np.unpackbits(mask.view(np.uint8), bitorder="little")[: len(kept)].astype(np.bool_)]
            ids.append(kept)
            passages += len(kept)
    if not passages:
        return None
    settings = snapshot.manifest.settings
    sparse_merge.merge(
        [(segment.sparse, mask) for segment, mask in chosen],
        folder / SPARSE,
        folder / impacts,
        bm25=Bm25(settings.k1, settings.b),
        average_length=snapshot.average_length,
    )
    vectors = [(segment.dense, mask) for segment, mask in chosen if segment.dense is not None]
    if vectors:
        dense.merge(vectors, folder / DENSE)
    terms = ArrayFolder(folder / SPARSE).attributes["tokens"]
    return SegmentEntry(name, passages, int(terms), impacts)


def reweigh_segment(
    library: Path, entry: SegmentEntry, impacts: str, settings: Settings, average_length: float
) -> SegmentEntry:
    """Make the impacts of ``entry`` anew for the k1 and b of ``settings``."""
    segment = Segment(library, entry)
    sparse_merge.reweigh(segment.sparse, segment.folder / impacts, Bm25(settings.k1, settings.b), average_length)
    return replace(entry, impacts=impacts)
