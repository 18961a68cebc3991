"""The queries and judgments that a library is tuned by, checked against it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .._errors import InputError, LibraryEmpty
from ..evaluate.collection import Collection
from ..evaluate.load import load_collection

if TYPE_CHECKING:
    from ..library.library import Library

__all__ = ["FEWEST", "MOST", "judged_queries"]

FEWEST, MOST = 10, 2_000
"""Fewer queries tell nothing; of more a sample is drawn."""

Judged = tuple[dict[str, str], dict[str, Mapping[str, int]], str, list[str]]


def judged_queries(
    library: Library, judgments: Collection | str | Path | None, split: str = "test", field: str = "title", seed: int = 0
) -> Judged:
    """Texts and grades by query, where they are from, and notes.

    Left out are queries without text, and those of whose relevant documents none is in the library. Raises `InputError` for
    too few queries, or judgments of other documents.
    """
    if not library.passage_count:
        raise LibraryEmpty(
            f"the library {library.path} is empty, so there is nothing to tune; add documents with: bookwheel index PATH"
        )
    collection = _collection(library, judgments, split, field)
    queries = {query: text for query, text in collection.judged.items() if text.strip()}
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
            f"{left:,} of {len(collection.queries):,} queries have no relevant document in the library and are left out."
        )
    if len(kept) < FEWEST:
        raise InputError(
            f"{collection.name} has {len(kept):,} judged {'query' if len(kept) == 1 else 'queries'} for this library; choosing needs "
            f"at least {FEWEST}, and about 100 to tell recipes apart"
        )
    if len(kept) > MOST:
        notes.append(f"Of {len(kept):,} judged queries {MOST:,} were drawn.")
        kept = {query: kept[query] for query in sorted(random.Random(seed).sample(sorted(kept), MOST))}
    return kept, {query: collection.qrels[query] for query in kept}, collection.name, notes


def _collection(library: Library, judgments: Collection | str | Path | None, split: str, field: str) -> Collection:
    if isinstance(judgments, Collection):
        return judgments
    if judgments is not None:
        return load_collection(judgments, split, field)
    raise InputError(
        "tuning needs judged queries; give a folder of queries and judgments (queries.jsonl and qrels/test.tsv, or topics and qrels)"
    )
