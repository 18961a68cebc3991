"""From a ranking to the list that is shown: each document once, copies folded into the best of them, by date, one page of it.

The ranking is made deep enough for what is left out, in steps, so that the pages of one search go on where the one before ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..analysis.words import split_words
from ..documents.duplicates import SHINGLE
from ..rank.trace import Ranking
from .facet_counts import FACETED
from .results import Copy
from .search_options import MAX_K, SearchOptions
from .snapshot import Snapshot
from .store import Store
from .whole_texts import called

__all__ = ["BY_DATE", "Arranged", "arranged", "copies_of"]

BY_DATE = 100
"""The best passages that are put in the order of their dates: what is newest of all hardly fits the query."""
ALIKE = 0.8
"""Share of their three-word shingles that two passages have in common, of which one is a copy of the other."""
COMPARED = 1 << 15
"""Characters of a passage that is compared; longer ones stand by themselves."""
MOST_COMPARED = 2000
"""Passages of one search that are compared."""
WITHIN = 25
"""Places in the ranking by which a copy may be behind the one before it; further behind it is shown by itself, on its own page."""
_FIRST, _STEP = 50, 4
_Shingles = frozenset[tuple[str, ...]]


@dataclass(slots=True)
class Arranged:
    """What is shown of a ranking."""

    ranking: Ranking
    passages: list[int]
    """Of the page, in order."""
    copies: dict[int, list[tuple[int, bool]]] = field(default_factory=dict)
    """Passages that repeat one of these, and whether word for word."""
    notes: list[str] = field(default_factory=list)


def arranged(snapshot: Snapshot, options: SearchOptions, rank: Callable[[int], Ranking]) -> Arranged:
    """The page of ``options``; ``rank`` gives the ranking to a depth."""
    wanted = options.offset + options.k
    if options.sort != "relevance":
        ranking = rank(BY_DATE)
        by_date = _by_date(snapshot, ranking.hits.ids.tolist(), newest=options.sort == "newest")
        found, _ = _cut(snapshot, ranking, by_date, options, BY_DATE)
        if len(by_date) >= BY_DATE:
            found.notes.append(f"by date: the best {BY_DATE} passages")
        return found
    depth = FACETED if options.facets else _FIRST
    while depth < wanted + (WITHIN if options.fold else 0):
        depth *= _STEP
    while True:
        depth = min(depth, MAX_K)
        ranking = rank(depth)
        ids = ranking.hits.ids.tolist()
        found, enough = _cut(snapshot, ranking, ids, options, WITHIN)
        if enough or len(ids) < depth or depth >= MAX_K:
            return found
        depth *= _STEP


def copies_of(store: Store, copies: Mapping[int, Sequence[tuple[int, bool]]]) -> dict[int, tuple[Copy, ...]]:
    """Where the ``copies`` of each passage are (number, and whether word for word); damaged ones are named and left out."""
    rows = store.passages([number for some in copies.values() for number, _ in some], 0, 0)
    return {
        passage: tuple(
            Copy(
                row.name,
                row.source,
                row.place.text(called(row.source, row.name), heading=False),
                number,
                row.start,
                row.end,
                exact,
            )
            for number, exact in some
            if (row := rows.get(number)) is not None
        )
        for passage, some in copies.items()
    }


def _cut(
    snapshot: Snapshot, ranking: Ranking, ids: Sequence[int], options: SearchOptions, within: int
) -> tuple[Arranged, bool]:
    """The page of ``ids``, and whether a longer list of them could not change it."""
    wanted = options.offset + options.k
    notes: list[str] = []
    copies: dict[int, list[tuple[int, bool]]] = {}
    kept = _best_of_documents(snapshot, ids) if options.group else list(ids)
    enough = len(kept) >= wanted
    if options.fold:
        compared = kept[:MOST_COMPARED]
        kept, copies, enough = _folded(snapshot, compared, wanted, within)
        if not enough and len(compared) == MOST_COMPARED:
            notes.append(f"only the best {MOST_COMPARED:,} passages were compared for copies")
            enough = True
    page = kept[options.offset : wanted]
    return Arranged(ranking, page, {one: copies[one] for one in page if one in copies}, notes), enough


def _best_of_documents(snapshot: Snapshot, ids: Sequence[int]) -> list[int]:
    """The first passage of each document, in the order of ``ids``."""
    documents = snapshot.store.documents_of(ids, known=True)
    best: dict[int, int] = {}
    for passage in ids:
        if passage in documents:
            best.setdefault(documents[passage][0], passage)
    return list(best.values())


def _by_date(snapshot: Snapshot, ids: Sequence[int], *, newest: bool) -> list[int]:
    """``ids`` by the dates of their documents; those of one date stay as they are, and those without one come last."""
    documents = snapshot.store.documents_of(ids, known=True)
    dates = snapshot.store.dates(sorted({number for number, _ in documents.values()}))
    told = {passage: dates.get(documents[passage][0], "") for passage in ids if passage in documents}
    dated = sorted((one for one in told if told[one]), key=told.__getitem__, reverse=newest)
    return [*dated, *(one for one in told if not told[one])]


def _folded(
    snapshot: Snapshot, ids: Sequence[int], wanted: int, within: int
) -> tuple[list[int], dict[int, list[tuple[int, bool]]], bool]:
    """The first ``wanted`` of ``ids`` that repeat none before, what repeats them, and whether more ``ids`` could not add to it.

    A passage repeats another that is at most ``within`` places before it, or behind its last copy.
    """
    kept: list[int] = []
    texts: list[str] = []
    last: list[int] = []
    shingles: list[_Shingles] = []
    seen: set[tuple[str, ...]] = set()  # of all that are kept
    copies: dict[int, list[tuple[int, bool]]] = {}
    most = wanted + within + 1  # as far as is looked at where there are no copies
    for at in range(0, len(ids), most):
        some = snapshot.store.texts(ids[at : at + most], COMPARED)
        for place, passage in enumerate(ids[at : at + most], at):
            if len(kept) >= wanted and place > max(last[:wanted]) + within:
                return kept[:wanted], copies, True
            if passage not in some:
                continue
            text = " ".join(some[passage][1].split())
            one = _shingles(text) if len(some[passage][1]) < COMPARED else frozenset()
            # What shares so much with one of them does so with all together, which few passages do.
            near = enumerate(last) if len(one & seen) >= ALIKE * len(one) else ()
            best = next((n for n, behind in near if place - behind <= within and _alike(shingles[n], one)), None)
            if best is not None:
                last[best] = place
                copies.setdefault(kept[best], []).append((passage, text == texts[best]))
                continue
            kept.append(passage)
            texts.append(text)
            last.append(place)
            shingles.append(one)
            seen |= one
    return kept, copies, False


def _shingles(text: str) -> _Shingles:
    """Every three words in a row, or all words of a shorter text; none where there are no words."""
    words = split_words(text.lower())
    if len(words) <= SHINGLE:
        return frozenset([tuple(words)] if words else [])
    return frozenset(zip(words, words[1:], words[2:], strict=False))


def _alike(one: _Shingles, other: _Shingles) -> bool:
    """Whether they have so many in common (Jaccard). Exact: of the few passages of a page, MinHash takes longer."""
    mine, others = len(one), len(other)
    if not mine or mine < ALIKE * others or others < ALIKE * mine:
        return False
    shared = len(one & other)
    return shared >= ALIKE * (mine + others - shared)
