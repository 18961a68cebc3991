"""The queries and judgments that a library is tuned by, checked against it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .._errors import InputError, LibraryEmpty
from ..evaluate.collection import Collection
from ..evaluate.load import load_collection
from ..library.query_texts import searchable_text
from ..progress import Progress, silent

if TYPE_CHECKING:
    from ..library.library import Library

__all__ = ["FEWEST", "MOST", "Judged", "judged_library", "judged_queries"]

FEWEST, MOST = 10, 2_000
"""Fewer queries tell nothing; of more a sample is drawn."""

QUESTIONS = 500
"""Made of a library where no judgments are given."""


@dataclass(frozen=True)
class Judged:
    """What is searched, and by what it is judged."""

    path: Path
    """Of the library that is searched: of made questions a copy without the words that they were made of."""
    queries: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, int]]
    origin: str
    notes: tuple[str, ...] = ()
    refusal: str = ""
    """Why nothing may be decided by them, in a sentence."""
    taken: str = ""
    """What was taken out of the copy that is searched, which rankings depend on; nothing where the library itself is."""


@contextmanager
def judged_library(
    library: Library,
    judgments: Collection | str | Path | None,
    split: str = "test",
    field: str = "title",
    seed: int = 0,
    progress: Progress = silent,
) -> Iterator[Judged]:
    """What to search, with queries and grades; a copy that was made for it is deleted at the end. Raises as `judged_queries`."""
    if not library.passage_count:
        raise LibraryEmpty(
            f"the library {library.path} is empty, so there is nothing to tune; add documents with: bookwheel index PATH"
        )
    if judgments is not None:
        collection = judgments if isinstance(judgments, Collection) else load_collection(judgments, split, field)
        yield judged_queries(library, collection, seed)
        return
    from .made import made_collection
    from .reliability import measured_trust, searchable

    made = made_collection(library, QUESTIONS, seed=seed, progress=progress)
    with searchable(library, made, progress=progress) as copied:
        found = judged_queries(copied, made, seed)
        told = measured_trust(copied, made, seed=seed, progress=progress)
        from_what = f"No judgments were given: questions were made of the library ({'; '.join(made.notes)})."
        trusted = () if told.refusal else (f"{told}.",)
        yield replace(
            found, notes=(from_what, *trusted, *found.notes), refusal=told.refusal, taken=repr(sorted(made.taken.items()))
        )


def judged_queries(library: Library, collection: Collection, seed: int = 0) -> Judged:
    """The queries of ``collection`` that ``library`` can be judged by.

    Left out are queries without text that can be searched, and those of whose relevant documents none is in the library.
    Raises `InputError` for too few queries, or judgments of other documents.
    """
    asked = {query: searchable_text(text) for query, text in collection.judged.items()}
    queries = {query: text for query, text in asked.items() if text is not None}
    relevant = {query: [name for name, grade in collection.qrels[query].items() if grade > 0] for query in queries}
    wanted = {name for names in relevant.values() for name in names}
    here = {name for name in wanted if name in library}
    if wanted and not here:
        raise InputError(
            f"none of the {len(wanted):,} relevant documents of {collection.name} is in the library {library.path}; give judgments "
            "that name its documents by their ids, as `bookwheel export` prints them"
        )
    kept = {query: text for query, text in queries.items() if any(name in here for name in relevant[query])}
    notes = []
    if left := len(collection.queries) - len(kept):
        notes.append(
            f"{left:,} of {len(collection.queries):,} queries have no usable text, or no relevant document in the library, and are "
            "left out."
        )
    if len(kept) < FEWEST:
        raise InputError(
            f"{collection.name} has {len(kept):,} judged {'query' if len(kept) == 1 else 'queries'} for this library; choosing needs "
            f"at least {FEWEST}, and about 100 to tell recipes apart"
        )
    if len(kept) > MOST:
        notes.append(f"Of {len(kept):,} judged queries {MOST:,} were drawn.")
        kept = {query: kept[query] for query in sorted(random.Random(seed).sample(sorted(kept), MOST))}
    qrels = {query: collection.qrels[query] for query in kept}
    return Judged(library.path, kept, qrels, collection.name, tuple(notes))
