"""Leaving passages out of a library's searches, and bringing them back: each is one commit, and no text is touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..._errors import UsageError
from ...analysis.library_analyzer import most_documents
from ...index.storage import storage
from ...memory.sizes import MIB
from ...progress import Progress, silent
from ..compaction import refilled
from ..manifest import Manifest, SegmentEntry
from ..segment import Segment
from ..snapshot import Snapshot
from ..vectors.encoders import Encoders
from ..whole_texts import called
from ..writer import Writer
from .judging import chosen, document_ranges, judged
from .marks import Marks, inside
from .report import REASONS, PrunedPassage, Pruning

__all__ = ["prune", "pruned_passages", "reasons_of", "restore"]

FILTER = 64 * MIB
"""For what is remembered of the passages while they are judged, at most; an eighth of a budget that is named."""
EXAMPLES = 3
"""Passages of each reason that are shown."""
_SHOWN = 200
"""Characters of each."""
_ROWS = 256
_WHOLE, _TOGETHER = 1 << 16, 1 << 22
"""Characters of a passage whose beginning is shown, and of all that are read at a time."""


def prune(
    library: Path,
    share: float | None = None,
    *,
    encoders: Encoders,
    trial: bool = False,
    ram: int | None = None,
    wait: float = 0.0,
    progress: Progress = silent,
) -> Pruning:
    """See `Library.prune`."""
    if share is not None and not (isinstance(share, int | float) and 0 < share < 1):
        raise UsageError(
            f"the share of passages to leave out must be above 0 and below 1, as in 25% or 0.25, not {share!r:.40}"
        )
    snapshot = Snapshot.open(library)
    try:
        every = judged(snapshot, FILTER if ram is None else min(FILTER, ram // 8), progress)
        marks = chosen(every, share)
        report = _report(snapshot, every, marks, done=not trial)
    finally:
        snapshot.close()
    if not trial:
        _commit(library, encoders, marks, snapshot.manifest, ram, wait)
    return report


def restore(library: Path, *, encoders: Encoders, ram: int | None = None, wait: float = 0.0) -> int:
    """See `Library.restore`."""
    with Writer(library, ram=ram, wait=wait, encoders=encoders) as writer:
        if writer.manifest.pruned is None:
            return 0
        count = Snapshot(library, writer.manifest, writer.store).pruned_passages
        _set(writer, encoders, None, 0)
    return count


def _set(writer: Writer, encoders: Encoders, marks: Marks | None, until: int) -> None:
    """Commit that ``marks`` are left out, and nothing else; what a compaction had dropped of others is indexed again."""
    snapshot = Snapshot(writer.library, writer.manifest, writer.store)
    back = snapshot.dropped()
    if marks is not None:
        back = np.setdiff1d(back, marks.passages)
    if len(back):  # a damaged list may name any numbers
        back = back[inside(back, document_ranges(snapshot))]
    segments = _refilled(writer, encoders, snapshot, back) if len(back) else None
    del snapshot
    entry = None if marks is None else marks.write(writer.library, until)
    writer.manifest = replace(writer.manifest, pruned=entry)
    writer.set_representations(writer.manifest.representations, segments)


def _refilled(writer: Writer, encoders: Encoders, snapshot: Snapshot, back: NDArray[np.int64]) -> list[SegmentEntry]:
    """The segments with the passages ``back`` in them: each in the one where it was, so that numbers rise from one to the next."""
    writer.plan()
    encoder = encoders.built_in(writer.manifest)
    main = most_documents(writer.manifest.languages)
    segments: list[Segment | None] = list(snapshot.segments) or [None]
    starts = [int(one.ids[0]) for one in snapshot.segments]
    owner = np.maximum(np.searchsorted(np.array(starts, np.int64), back, side="right") - 1, 0)
    found: list[SegmentEntry] = []
    with storage(writer.library):
        for number, segment in enumerate(segments):
            missing = back[owner == number]
            if segment is not None and not len(missing):
                found.append(segment.entry)
                continue
            language = main if segment is None or segment.entry.followed is None else segment.entry.followed
            found += refilled(
                snapshot, segment, missing, language, writer.new_names, writer.memory.shares.gather, writer.memory.bits, encoder
            )
    return found


def _commit(library: Path, encoders: Encoders, marks: Marks, version: Manifest, ram: int | None, wait: float) -> None:
    with Writer(library, ram=ram, wait=wait, encoders=encoders) as writer:
        if writer.manifest.id != version.id:
            raise UsageError(f"the library {library} was made anew while it was judged; prune it again")
        if len(marks.passages) or writer.manifest.pruned is not None:
            _set(writer, encoders, marks if len(marks.passages) else None, version.next_passage)


def _report(snapshot: Snapshot, every: Marks, marks: Marks, *, done: bool) -> Pruning:
    counts = Counter({REASONS[int(kind)]: int((marks.kinds == kind).sum()) for kind in np.unique(marks.kinds)})
    ranges = document_ranges(snapshot)
    inside = np.searchsorted(marks.passages, ranges.sum(axis=1)) - np.searchsorted(marks.passages, ranges[:, 0])
    examples: list[PrunedPassage] = []
    for name, _ in counts.most_common():
        (kind,) = [number for number, reason in REASONS.items() if reason == name]
        rows = np.flatnonzero(marks.kinds == kind)
        some = rows[np.linspace(0, len(rows) - 1, min(EXAMPLES, len(rows))).astype(np.int64)]
        examples += _passages(snapshot, marks, some.tolist())
    return Pruning(
        len(every.passages),
        len(marks.passages),
        dict(counts.most_common()),
        int((every.kinds != 0).sum()),
        int((inside == ranges[:, 1]).sum()),
        tuple(examples),
        done,
    )


def pruned_passages(snapshot: Snapshot, most: int | None = None) -> Iterator[PrunedPassage]:
    """The passages that are left out, in the order in which they were added, ``most`` of them; damaged ones are passed over."""
    if snapshot.marks is None:
        return
    left = len(snapshot.marks.passages) if most is None else most
    for at in range(0, len(snapshot.marks.passages), _ROWS):
        found = _passages(snapshot, snapshot.marks, list(range(at, min(at + _ROWS, len(snapshot.marks.passages)))))
        yield from found[:left]
        left -= len(found)
        if left <= 0:
            return


def reasons_of(snapshot: Snapshot, passages: Sequence[int]) -> dict[int, str]:
    """Why each of ``passages`` that is left out is."""
    marks = snapshot.marks
    if marks is None or not len(marks.passages):
        return {}
    asked = np.array(passages, np.int64)
    rows = np.minimum(np.searchsorted(marks.passages, asked), len(marks.passages) - 1)
    here = np.flatnonzero(marks.passages[rows] == asked)
    return {int(asked[at]): REASONS.get(int(marks.kinds[rows[at]]), "") for at in here}


def _passages(snapshot: Snapshot, marks: Marks, rows: Sequence[int]) -> list[PrunedPassage]:
    """Those of the places ``rows`` of the list whose documents are there."""
    store = snapshot.store
    with store.noting():
        numbers = {int(marks.passages[row]): row for row in rows}
        documents = store.documents_of(list(numbers))
        alive = set(store.alive(snapshot.generation, sorted({number for number, _ in documents.values()})))
        there = [passage for passage in numbers if passage in documents and documents[passage][0] in alive]
        found = store.passages(there, _WHOLE, _TOGETHER)
    return [
        PrunedPassage(
            passage, row.name, row.source, row.place.text(called(row.source, row.name), heading=False),
            REASONS.get(int(marks.kinds[numbers[passage]]), ""), float(marks.odds[numbers[passage]]), row.text[:_SHOWN],
        )
        for passage in there
        if (row := found.get(passage)) is not None
    ]  # fmt: skip
