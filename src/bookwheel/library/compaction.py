"""Compaction: which segments to merge, merging them, and recomputing their impacts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..analysis.library_analyzer import UNDECIDED
from ..encode.protocols import DenseEncoder
from ..index import dense
from ..index.inverted import merge as sparse_merge
from ..index.storage import ArrayFolder, FolderWriter
from ..kernels.bm25 import Bm25
from ..progress import Task
from .manifest import PartEntry, SegmentEntry
from .passage_texts import texts_in_turn
from .segment import DENSE, ROWS, SEGMENTS, SPARSE, Segment, SegmentBuilder, bitmap
from .settings import Settings
from .snapshot import Snapshot
from .vectors.parts import Piece, write_part

__all__ = ["analysed_anew", "merge_segments", "newest_alike", "refilled", "reweigh_segment", "to_merge"]

FACTOR = 8
SMALLEST = 1000
BATCH = 512
"""Passages whose texts are read at a time."""
AT_ONCE = 1 << 18
"""Passages whose places are looked up at a time."""


def to_merge(segments: Sequence[SegmentEntry]) -> Sequence[SegmentEntry]:
    """The newest run of segments that should be merged, or none.

    Segments of one size class (powers of eight) are merged once there are eight in a row. Each passage is then rewritten a
    logarithmic number of times, and a library has a logarithmic number of segments, as in a log-structured merge tree.
    """
    return segments[newest_alike([entry.passages for entry in segments]) :]


def newest_alike(sizes: Sequence[int]) -> int:
    """Where the newest run of things of one size class begins that should be merged; the end where there is none."""
    if not sizes:
        return 0
    level = _level(sizes[-1])
    start = len(sizes)
    while start and _level(sizes[start - 1]) <= level:
        start -= 1
    return start if len(sizes) - start >= FACTOR else len(sizes)


def _level(size: int) -> int:
    level = 0
    while size > SMALLEST:
        level, size = level + 1, size // FACTOR
    return level


def merge_segments(
    snapshot: Snapshot,
    run: Sequence[SegmentEntry],
    name: str,
    impacts: str,
    memory: int,
    bits: Callable[[int], int | None],
    task: Task | None = None,
    *,
    drop: bool = False,
) -> SegmentEntry | None:
    """Write the live passages of ``run``, neighbours in ``snapshot``, as segment ``name``; None if no passage is left.

    With ``drop`` without those that are left out of searches. Building an IVF index may take ``memory`` bytes; ``bits`` gives
    the sketch bits per dimension for a dimension. ``task`` advances by passages: half of each for its postings, half for its vectors.
    """
    masks = snapshot.alive if drop else snapshot.kept
    chosen = [(segment, mask) for segment, mask in zip(snapshot.segments, masks, strict=True) if segment.entry in run]
    folder = snapshot.library / SEGMENTS / name
    passages = 0
    with FolderWriter(folder / ROWS) as rows:
        stream = rows.stream("ids", np.int64)
        for segment, mask in chosen:
            kept = segment.ids if mask is None else segment.ids[_flags(segment, mask)]
            stream.append(kept)
            passages += len(kept)
    if not passages:
        return None
    settings = snapshot.manifest.settings
    followed = next((segment.entry.followed for segment, _ in chosen if segment.entry.undecided), None)
    vectors = [(segment.dense, mask) for segment, mask in chosen if segment.dense is not None]
    told = _PassageProgress(task, sum(entry.passages for entry in run))
    sparse_merge.merge(
        [(segment.sparse, mask) for segment, mask in chosen],
        folder / SPARSE,
        folder / impacts,
        bm25=Bm25(settings.k1, settings.b),
        average_length=snapshot.average_length,
        advance=told.share(sum(segment.sparse.postings for segment, _ in chosen), 1 if vectors else 2),
    )
    if vectors:
        advance = told.share(sum(index.rows for index, _ in vectors), 1)
        dense.merge(vectors, folder / DENSE, bits=bits(vectors[0][0].dimension), memory=memory, advance=advance)
    terms = ArrayFolder(folder / SPARSE).attributes["tokens"]
    ids = ArrayFolder(folder / ROWS).array("ids")
    parts = _merged_parts(snapshot, [segment for segment, _ in chosen], ids, folder, bits)
    undecided = sum(segment.entry.undecided for segment, _ in chosen)
    return SegmentEntry(name, passages, int(terms), impacts, parts, undecided, followed)


def analysed_anew(
    snapshot: Snapshot,
    segment: Segment,
    language: str | None,
    names: Callable[[], tuple[str, str]],
    memory: int,
    bits: Callable[[int], int | None],
) -> Iterator[SegmentEntry]:
    """``segment`` with its passages of no language analysed as texts of ``language``: one segment, or more where ``memory`` is short.

    ``names`` gives the names of a new segment and of its impacts.
    """
    kept = np.asarray(segment.ids)[_flags(segment, snapshot.kept[snapshot.segments.index(segment)])]
    for entry, ids in _built(snapshot, kept, language, names, memory):
        folder = snapshot.library / SEGMENTS / entry.name
        if segment.dense is not None:
            mask = bitmap(len(segment.ids), segment.locate(ids)[1], True)
            dense.merge([(segment.dense, mask)], folder / DENSE, bits=bits(segment.dense.dimension), memory=memory)
        yield replace(entry, parts=_merged_parts(snapshot, [segment], ids, folder, bits))


def refilled(
    snapshot: Snapshot,
    segment: Segment | None,
    missing: NDArray[np.int64],
    language: str | None,
    names: Callable[[], tuple[str, str]],
    memory: int,
    bits: Callable[[int], int | None],
    encoder: DenseEncoder | None,
) -> Iterator[SegmentEntry]:
    """``segment`` (None: an empty one) with the passages ``missing`` besides, which were left out when it was merged.

    They are analysed, and with ``encoder`` embedded, from their stored texts; all others keep their vectors. Else as
    `analysed_anew`.
    """
    kept = np.empty(0, np.int64)
    if segment is not None:
        kept = np.asarray(segment.ids)[_flags(segment, snapshot.kept[snapshot.segments.index(segment)])]
    for entry, ids in _built(snapshot, np.union1d(kept, missing), language, names, memory, segment, bits, encoder):
        folder = snapshot.library / SEGMENTS / entry.name
        yield replace(entry, parts=_merged_parts(snapshot, [] if segment is None else [segment], ids, folder, bits))


def _flags(segment: Segment, mask: NDArray[np.uint64] | None) -> NDArray[np.bool_]:
    """The bits of a mask: bool (passages,)."""
    if mask is None:
        return np.ones(len(segment.ids), np.bool_)
    return np.unpackbits(mask.view(np.uint8), bitorder="little")[: len(segment.ids)].view(np.bool_)


def _built(
    snapshot: Snapshot,
    every: NDArray[np.int64],
    language: str | None,
    names: Callable[[], tuple[str, str]],
    memory: int,
    old: Segment | None = None,
    bits: Callable[[int], int | None] = lambda _: None,
    encoder: DenseEncoder | None = None,
) -> Iterator[tuple[SegmentEntry, NDArray[np.int64]]]:
    """Segments of the passages ``every``, rising, made of their stored texts, and which passages each has.

    With ``encoder`` with vectors, those that ``old`` has taken from there.
    """
    done = 0
    while done < len(every):
        name, impacts = names()
        width = 1 if encoder is None else bits(encoder.dimension) or 1
        builder = SegmentBuilder(snapshot.library, name, snapshot.manifest.settings, encoder, impacts, width)
        first = done
        while done < len(every) and (done == first or builder.nbytes < memory):
            ids = every[done : done + BATCH]
            for some, texts in texts_in_turn(snapshot.store, ids.tolist()):
                languages = [one or UNDECIDED for one in snapshot.store.languages_of(some)]
                numbers = np.array(some, np.int64)
                known = None
                if encoder is not None and old is not None and old.dense is not None:
                    here, local = old.locate(numbers)
                    known = (here, old.dense.vectors[local]) if len(here) else None
                builder.add(numbers, texts, languages, known)
            done += len(ids)
        builder.decide(language)
        yield builder.close(snapshot.average_length), every[first:done]


class _PassageProgress:
    """Advances a task by passages, from counts of something else."""

    def __init__(self, task: Task | None, passages: int) -> None:
        self.task = task
        self.passages = passages

    def share(self, total: int, halves: int) -> Callable[[int], None]:
        """A function that takes counts that add up to ``total``, and advances the task by ``halves`` halves of the passages."""
        done = told = 0

        def advance(count: int) -> None:
            nonlocal done, told
            done += count
            now = self.passages * halves * done // (2 * max(total, 1))
            if self.task is not None and now > told:
                self.task.advance(now - told)
                told = now

        return advance


def _merged_parts(
    snapshot: Snapshot,
    segments: Sequence[Segment],
    ids: NDArray[np.int64],
    folder: Path,
    bits: Callable[[int], int | None],
) -> tuple[PartEntry, ...]:
    """Merge the parts of each representation in ``segments`` into one of the new segment in ``folder``, which has ``ids``."""
    pieces: dict[str, list[Piece]] = {}
    for segment in segments:
        for part in segment.parts:
            at = np.empty(len(part), np.int32)
            for start in range(0, len(part), AT_ONCE):
                own = segment.numbers(part.positions[start : start + AT_ONCE])
                places = np.minimum(np.searchsorted(ids, own), len(ids) - 1)
                at[start : start + AT_ONCE] = np.where(ids[places] == own, places, -1)
            pieces.setdefault(part.entry.key, []).append((at, part))
    written = []
    for key, some in pieces.items():
        representation = snapshot.manifest.by_key(key)
        if representation is not None:
            seed = snapshot.manifest.settings.seed
            generation, width = snapshot.generation + 1, bits(representation.info.dimension)
            written.append(write_part(folder, representation, generation, seed, some, width))
    return tuple(entry for entry in written if entry is not None)


def reweigh_segment(
    library: Path, entry: SegmentEntry, impacts: str, settings: Settings, average_length: float
) -> SegmentEntry:
    """Recompute the impacts of ``entry`` for the k1 and b of ``settings``."""
    segment = Segment(library, entry, vectors=False)
    sparse_merge.reweigh(segment.sparse, segment.folder / impacts, Bm25(settings.k1, settings.b), average_length)
    return replace(entry, impacts=impacts)
