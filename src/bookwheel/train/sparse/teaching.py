"""What a sparse encoder makes of passages of a collection, and of titles and sentences that stand for queries."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...encode.protocols import SparseVectors
from ...encode.sparse import MaskedTermEncoder, stack
from ...library.library import Library
from ...tune.made.drawn import Drawn
from ..data.passages import Passages
from ..data.stand_ins import StandIn, StandIns
from ..kept import Kept

__all__ = ["Asked", "Lesson", "encoded", "lesson"]

PASSAGES, QUERIES = 3000, 3000
"""The most that the encoder reads."""
HELD = 1200
"""Queries, at most, that only compare: two of a passage, where it has a title and sentences."""
EVERY = 4
"""Of so many passages one is held out."""
CHUNK = 64
"""Texts encoded between two writes, which a kill can lose."""


@dataclass(frozen=True)
class Asked:
    """A query held out, and where the passage that answers it is among the lesson's."""

    text: str
    answer: int
    passage: int
    """Its number in the library."""


@dataclass(frozen=True)
class Lesson:
    """Texts of passages, queries of some of them, and queries held out, which are taken out of their passages."""

    passages: list[str]
    queries: list[str]
    held: list[Asked]


def lesson(library: Library, seed: int) -> Lesson:
    """Drawn passages with what stands for their queries: at most `QUERIES`, as evenly from all as there are."""
    snapshot = library._snapshot
    passages = Passages.drawn(snapshot, PASSAGES, seed)
    stand_ins = StandIns(Drawn.of(library, seed).wording, seed)
    texts: list[str] = []
    queries: list[tuple[int, str]] = []
    held: list[Asked] = []
    for at, title, text in passages.texts():
        number = int(passages.ids[at])
        some = list(stand_ins.of(number, int(passages.documents[at]), title, text))
        if some and at % EVERY == 0 and len(held) < HELD:
            chosen = _apart(some)
            held += [Asked(one.query, len(texts), number) for one in chosen]
            spans = tuple(sorted(span for one in chosen for span in one.spans))
            texts.append(StandIn("", any(one.is_title for one in chosen), spans).answer(title, text))
        else:
            queries += [(place, one.query) for place, one in enumerate(some)]
            texts.append(f"{title}\n{text}" if title else text)
    queries.sort(key=lambda pair: pair[0])  # stable: the first of each passage, then the second
    return Lesson(texts, [query for _, query in queries[:QUERIES]], held)


def _apart(some: list[StandIn]) -> list[StandIn]:
    """The first, and the next that has no place in common with it."""
    first, *others = some
    taken = set(first.spans)
    for other in others:
        if all(end <= start_ or end_ <= start for start, end in other.spans for start_, end_ in taken):
            return [first, other]
    return [first]


def encoded(
    encoder: MaskedTermEncoder,
    texts: Sequence[str],
    kept: Kept,
    name: str,
    until: float,
    stop: Callable[[], bool],
    advance: Callable[[int], None],
) -> SparseVectors:
    """The first of ``texts`` by ``encoder``, as many as there is time for until ``until`` (of ``time.monotonic()``), or were kept.

    Raises `ModelError`, and `KeyboardInterrupt` where ``stop`` says so: what was encoded stays for the next run.
    """
    rows: list[tuple[NDArray[np.int32], NDArray[np.float32]]] = []
    closed = kept.fact(f"{name} done")
    for at in range(0, len(texts) if closed is None else int(closed), CHUNK):
        some = texts[at : at + CHUNK]
        known = kept.read(f"{name}-{at // CHUNK:05d}")
        if known is None or len(known.get("indptr", ())) != len(some) + 1:
            if closed is None and time.monotonic() > until:
                break
            if stop():
                raise KeyboardInterrupt
            found = encoder.encode(some)
            kept.write(f"{name}-{at // CHUNK:05d}", {"indptr": found.indptr, "terms": found.terms, "weights": found.weights})
        else:
            found = SparseVectors(known["indptr"], known["terms"], known["weights"])
        rows += [found.row(place) for place in range(len(found))]
        advance(len(found))
    # A run that is taken up again goes on with just these.
    kept.note(**{f"{name} done": len(rows)})
    return stack(rows)
