"""A judged collection made from a library: queries, the documents that answer them, and those documents without the queries' words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..._errors import InputError, LibraryDamaged, UsageError
from ..._numbers import whole
from ...documents.document import Document
from ...evaluate.collection import Collection
from ...library.clicks import Clicks
from ...library.reader import Reader
from ...library.results import Result
from ...progress import Progress, silent
from .drawn import Drawn
from .masking import TooLittle, masked, occurrences, plain_words, unmasked
from .query import Draft, MadeQuery, Taken
from .registry import WAYS
from .wording import one_line

__all__ = ["COUNT", "DEFAULT_WAYS", "MadeCollection", "made_collection"]

COUNT = 500
MOST = 100_000
DEFAULT_WAYS = ("titles", "headings", "cloze", "links", "replies")
"""Those that need neither a model nor a log, but for the one that only fills in."""
FILLING, FEW = "sentences", 100
"""The way that goes on where the others together gave fewer: in scripts without spaces, where documents are short."""
LOOKED = 5
"""Results of a query among which copies of its words are looked for."""
BATCH = 32


@dataclass(frozen=True)
class MadeCollection(Collection):
    """A `Collection` with where each query is from, and what was taken out of which documents for it."""

    made: Mapping[str, MadeQuery] = field(default_factory=dict)
    """By id."""
    taken: Mapping[int, Taken] = field(default_factory=dict)
    """By the number of the document in the library."""
    notes: tuple[str, ...] = ()
    """What each way gave, a sentence each."""

    @property
    def ways(self) -> dict[str, int]:
        """Number of queries by way, the ways in their order."""
        counts = dict.fromkeys(WAYS, 0)
        for query in self.queries:
            counts[self.made[query].way] += 1
        return {name: count for name, count in counts.items() if count}

    def of_way(self, name: str) -> MadeCollection:
        """The same with the queries of one way only; what was taken out stays out."""
        chosen = {query for query in self.queries if self.made[query].way == name}
        return replace(
            self,
            queries={query: text for query, text in self.queries.items() if query in chosen},
            qrels={query: grades for query, grades in self.qrels.items() if query in chosen},
        )


def made_collection(
    library: Reader,
    count: int = COUNT,
    *,
    ways: Sequence[str] | None = None,
    seed: int = 0,
    model: Any = None,
    logs: Sequence[str | Path] = (),
    progress: Progress = silent,
) -> MadeCollection:
    """Make at most ``count`` queries from what ``library`` holds, and judgments of which documents answer them.

    ``ways``: names of `WAYS`, each of which gives about the same number as long as it can; `DEFAULT_WAYS` where None (with
    `FILLING` where they give fewer than `FEW`), and the ways that use a model or logs where ``model`` (see
    `bookwheel.language.writer`) or ``logs`` are given. Of ``clicks`` without ``logs`` those that the library keeps are
    used. The words of a query are taken out of the documents that answer it, and the collection's documents are the
    library's without them; `masked_library` makes a library of them. So search the collection, not the library, or the
    queries find themselves.

    The same library, arguments and seed give the same collection. At most `drawn.LOOKED_AT` documents are read by each way.
    Raises `UsageError` for a wrong argument, `LibraryEmpty`, `InputError` where no query could be made, and `ModelError`.
    """
    if (own := Clicks(library.path).path).exists() and not logs and ways is not None and "clicks" in ways:
        logs = [own]
    chosen = _chosen(ways, model, logs)
    if not 1 <= whole(count, "count") <= MOST:
        raise UsageError(f"count, the number of queries, must be from 1 to {MOST:,}, not {count}")
    library._searcher.refuse_empty()
    drawn = Drawn.of(library, seed, model=model, logs=[Path(one) for one in logs])
    making = _Making(library, drawn, count)
    task = progress("making queries", count, "queries")
    try:
        making.run(chosen, task.advance)
        if ways is None and len(making.made) < min(count, FEW):
            making.run([FILLING], task.advance)
    finally:
        task.close()
    notes = making.notes()
    if not making.made:
        count = library.document_count
        raise InputError(
            f"no query could be made from the {'one document' if count == 1 else f'{count:,} documents'} of {library.path}: "
            f"{'; '.join(notes)}; judge "
            "some results by hand, or give a log of questions"
        )
    made = {query.id: query for query in making.made}
    taken = dict(making.taken)
    return MadeCollection(
        f"{library.path.name} (made)",
        {query.id: query.text for query in making.made},
        {query.id: dict.fromkeys(query.documents, 1) for query in making.made},
        read=lambda: documents(library, taken),
        made=made,
        taken=taken,
        notes=tuple(notes),
    )


def _chosen(ways: Sequence[str] | None, model: Any, logs: Sequence[str | Path]) -> list[str]:
    if isinstance(ways, str):
        ways = [ways]
    if ways is None:
        there = {"": True, "model": model is not None, "logs": bool(logs)}
        return [name for name, way in WAYS.items() if (name in DEFAULT_WAYS or way.needs) and there[way.needs]]
    if unknown := [name for name in ways if name not in WAYS]:
        raise UsageError(f"there is no way {unknown[0]!r:.60} to make queries; choose from {', '.join(WAYS)}")
    if not ways:
        raise UsageError(f"name a way to make queries: {', '.join(WAYS)}")
    for name in ways:
        if WAYS[name].needs == "model" and model is None:
            raise UsageError(f"{name} questions are written by a language model; name one, such as smollm2")
        if WAYS[name].needs == "logs" and not logs:
            kept = "; the library keeps none (bookwheel serve --keep-clicks)" if name == "clicks" else ""
            raise UsageError(f"{name} are read from a log; name its file{kept}")
    return list(dict.fromkeys(ways))


def documents(library: Reader, taken: Mapping[int, Taken]) -> Iterator[Document]:
    """The documents of ``library`` without what was ``taken`` out of them; ids that several have begin with the file's path.

    Damaged documents are left out, as searches leave them out.
    """
    snapshot = library._snapshot
    for number in snapshot.store.numbers(snapshot.generation):
        out = taken.get(number)
        if out is not None and out.whole:
            continue
        try:
            document = library.document(number)
            found = unmasked(document) if out is None else masked(document, out)
        except LibraryDamaged:
            continue
        if library.full_ids(document.id):
            found = replace(found, id=f"{document.source}::{document.id}")
        yield found


class _Making:
    """Queries as they are made: drafts of all ways in turn, checked, until there are enough."""

    def __init__(self, library: Reader, drawn: Drawn, count: int) -> None:
        self.library, self.drawn, self.count = library, drawn, count
        self.made: list[MadeQuery] = []
        self.taken: dict[int, Taken] = {}
        self._texts: set[str] = set()
        self._relevant: set[int] = set()
        self._counts: dict[str, int] = {}
        self._refused: dict[str, dict[str, int]] = {}

    def run(self, ways: Sequence[str], advance: Any) -> None:
        """Make them."""
        self._counts |= dict.fromkeys(ways, 0)
        self._refused |= {name: {} for name in ways}
        running = {name: WAYS[name].drafts(self.drawn) for name in ways}
        while running and len(self.made) < self.count:
            # The way that has given least so far is next, so that all give as many as long as they can.
            name = min(running, key=lambda one: (self._counts[one], ways.index(one)))
            batch = self._some(name, running)
            for draft in batch:
                if len(self.made) < self.count and self._keep(name, draft):
                    advance(1, name)

    def _some(self, name: str, running: dict[str, Iterator[Draft]]) -> list[Draft]:
        share = max(1, min(BATCH, (self.count - len(self.made)) // max(1, len(running))))
        found: list[Draft] = []
        for draft in running[name]:
            found.append(draft)
            if len(found) == share:
                return found
        del running[name]
        return found

    def _keep(self, way: str, draft: Draft) -> bool:
        """Whether the draft became a query."""
        reason = self._check(draft)
        if reason:
            refused = self._refused[way]
            refused[reason] = refused.get(reason, 0) + 1
            return False
        return self._add(way, draft)

    def _check(self, draft: Draft) -> str:
        """Why ``draft`` cannot be a query; "" where it can."""
        if not self.drawn.wording.usable(draft.text):
            return "had too few words"
        if plain_words(draft.text) in self._texts:
            return "repeated another"
        taken = self._taken(draft)
        if any(number in self.taken and self.taken[number].whole for number in (*draft.relevant, *taken)) or any(
            taken[number].whole and number in self._relevant for number in taken
        ):
            return "needed a document that is left out for another"
        try:
            for number, out in taken.items():
                before = self.taken.get(number, Taken())
                if not out.whole:
                    masked(self.library.document(number), before.plus(out))
        except TooLittle:
            return "left too little of their document"
        except (LibraryDamaged, KeyError):
            return "were of damaged documents"
        if taken and self._copied(draft):
            return "stood word for word in another document too"
        return ""

    @staticmethod
    def _taken(draft: Draft) -> dict[int, Taken]:
        """What the way takes out, and the query's own words in a row in every document that answers it."""
        if not draft.taken:
            return {}
        own = Taken(phrases=(draft.text,))
        return {**draft.taken, **{n: draft.taken.get(n, Taken()).plus(own) for n in draft.relevant}}

    def _copied(self, draft: Draft) -> bool:
        """Whether a document that would be taken for no answer says the query, or what it is from, word for word."""
        snapshot = self.library._snapshot
        phrases = {draft.text, *(phrase for out in draft.taken.values() for phrase in out.phrases)}
        known = {*draft.relevant, *draft.taken}
        found: Sequence[Result] = self.library.search(draft.text, k=LOOKED, recipe="bm25", group=True)
        numbers = snapshot.store.documents_of([one.passage for one in found], known=True)
        return any(
            numbers.get(one.passage, (0, ""))[0] not in known
            and any(occurrences(one.title, phrase) or occurrences(one.text, phrase) for phrase in phrases)
            for one in found
        )

    def _add(self, way: str, draft: Draft) -> bool:
        snapshot = self.library._snapshot
        names: list[str] = []
        for number in draft.relevant:
            names += [row[1] for row in snapshot.store.documents_of([snapshot.store.range_of(number)[0]]).values()]
        if not names:
            return False
        for number, out in self._taken(draft).items():
            self.taken[number] = self.taken.get(number, Taken()).plus(out)
        self._texts.add(plain_words(draft.text))
        self._relevant.update(draft.relevant)
        self._counts[way] += 1
        name = f"{way}-{self._counts[way]}"
        self.made.append(MadeQuery(name, draft.text, way, one_line(draft.source), tuple(names)))
        return True

    def notes(self) -> list[str]:
        """What each way gave."""
        found = []
        for way, count in self._counts.items():
            refused = sorted(self._refused[way].items(), key=lambda one: (-one[1], one[0]))
            left = ", ".join(f"{number:,} {reason}" for reason, number in refused)
            found.append(f"{way}: {count:,} {'query' if count == 1 else 'queries'}" + (f" ({left})" if left else ""))
        return found
