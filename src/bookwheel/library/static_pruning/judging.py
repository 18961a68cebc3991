"""Judging every passage of a library, in the order in which they were added, and choosing which are left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from ...analysis.library_analyzer import stemmed_as
from ...documents.quality import Estimate, Kind, estimate
from ...documents.repeats import Repeats
from ...progress import Progress, silent
from ..snapshot import Snapshot
from .marks import Marks

__all__ = ["chosen", "document_ranges", "judged"]

BATCH = 512
"""Passages judged at a time."""
REPEATED = 0.9
"""Share of a passage's shingles that were there before, from which on it repeats."""
SURE = 9.0
"""Odds of what repeats, at least: it goes first."""
UNKNOWN = -99.0
"""Odds of what is not judged."""
AT_ONCE, LARGEST = 1 << 22, 1 << 20
"""Characters of passages that are held at a time, and of the largest that is judged."""
SIGN = 0.0
"""Odds above which a passage is taken for boilerplate."""


def judged(snapshot: Snapshot, memory: int, progress: Progress = silent) -> Marks:
    """What is thought of every passage, those left out by now among them; ``memory``: bytes for what is remembered of them.

    What is damaged, or very large, counts as ordinary.
    """
    ranges = document_ranges(snapshot)
    total = int(ranges[:, 1].sum())
    ids = np.empty(total, np.int64)
    kinds, odds, titled = np.zeros(total, np.uint8), np.full(total, UNKNOWN, np.float32), np.zeros(total, np.bool_)
    repeats = Repeats(total, memory)
    main = snapshot.analyzer.main
    task = progress("judging", total, "passages")
    done = 0
    try:
        for some in _batches(ranges):
            ids[done : done + len(some)] = some
            for at, one, own_title in _judged(snapshot, some, repeats, main):
                kinds[done + at], odds[done + at], titled[done + at] = one.kind, one.odds, own_title
            done += len(some)
            task.advance(len(some))
    finally:
        task.close()
    _spare(ranges, kinds, odds, titled)
    return Marks(ids, kinds, odds)


def _judged(snapshot: Snapshot, some: list[int], repeats: Repeats, main: str | None) -> Iterator[tuple[int, Estimate, bool]]:
    """Place in ``some`` and estimate of each passage that can be read, and whether it has a title that nothing else had."""
    store = snapshot.store
    sizes = store.lengths(some)
    at = 0
    while at < len(some):
        group: list[int] = []
        held = 0
        while at < len(some) and (not group or held + sizes.get(some[at], 0) <= AT_ONCE):
            if sizes.get(some[at], 0) <= LARGEST:
                group.append(at)
                held += sizes.get(some[at], 0)
            at += 1
        with store.noting():
            numbers = [some[place] for place in group]
            texts = store.texts(numbers)
            languages = store.languages_of(numbers)
            names = store.documents_of(numbers)
        there = [row for row, number in enumerate(numbers) if number in texts and number in names]
        plain = [texts[numbers[row]][1] for row in there]
        titles = [texts[numbers[row]][0] for row in there]
        shares = repeats.shares(plain).tolist()
        met = repeats.shares(titles).tolist()
        for row, text, title, share, known in zip(there, plain, titles, shares, met, strict=True):
            language = languages[row]
            one = estimate(text, stemmed_as(language) if language else main)
            if share >= REPEATED and one.kind != Kind.EMPTY:
                one = Estimate(max(one.odds, SURE + share), Kind.REPEATED)
            elif one.odds <= SIGN:
                one = Estimate(one.odds, Kind.ORDINARY)
            file = PurePath(names[numbers[row]][1])
            yield group[row], one, bool(title) and known < 1 and title not in (file.name, file.stem)


def _spare(ranges: NDArray[np.int64], kinds: NDArray[np.uint8], odds: NDArray[np.float32], titled: NDArray[np.bool_]) -> None:
    """Make ordinary what must not go although it looks like boilerplate, of documents of which nothing would be left.

    What is all of a document is no boilerplate around it: records, lists and tables are documents too. And what has a title of
    its own is found by that, though its text is another's.
    """
    starts = np.cumsum(ranges[:, 1]) - ranges[:, 1]
    owner = np.repeat(np.arange(len(ranges)), ranges[:, 1])
    left = np.bincount(owner, kinds == Kind.ORDINARY, minlength=len(ranges))
    own = (left[owner] == 0) & np.isin(kinds, (Kind.EMPTY, Kind.LISTED, Kind.NAVIGATION))
    left = np.bincount(owner, (kinds == Kind.ORDINARY) | own, minlength=len(ranges))
    first = starts[(left == 0) & (kinds[starts] == Kind.REPEATED) & titled[starts]]
    for spared in (np.flatnonzero(own), first):
        kinds[spared], odds[spared] = Kind.ORDINARY, np.minimum(odds[spared], SIGN)


def document_ranges(snapshot: Snapshot) -> NDArray[np.int64]:
    """First passage and number of passages of each document that has any, in the order in which they were added: int64 (n, 2)."""
    found = [(first, count) for _, first, count in snapshot.store.spans(snapshot.generation) if count]
    ranges = np.array(found, np.int64).reshape(-1, 2)
    return ranges[np.argsort(ranges[:, 0])]


def _batches(ranges: NDArray[np.int64]) -> Iterator[list[int]]:
    some: list[int] = []
    for first, count in ranges.tolist():
        for start in range(first, first + count, BATCH):
            some += range(start, min(start + BATCH, first + count))
            if len(some) >= BATCH:
                yield some
                some = []
    if some:
        yield some


def chosen(every: Marks, share: float | None) -> Marks:
    """Those that are left out: all that show a sign of boilerplate, or the ``share`` of all passages with the highest odds."""
    if share is None:
        rows: NDArray[np.int64] = np.flatnonzero(every.kinds != Kind.ORDINARY)
    else:
        count = round(share * len(every.passages))
        # Of equals the later go.
        rows = np.sort(np.lexsort((-every.passages, -every.odds))[:count])
    return Marks(every.passages[rows], every.kinds[rows], every.odds[rows])
