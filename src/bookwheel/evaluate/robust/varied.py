"""The queries of a collection written otherwise, and such a collection as folders."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ...analysis.languages import language_of
from ..collection import Collection
from ..write_beir import linked_corpus, require_empty, write_corpus, write_judged
from .base import Variation
from .registry import VARIATIONS

__all__ = ["in_english", "varied", "write_varied"]

_LOOKED_AT = 200


def in_english(collection: Collection) -> bool:
    """Whether the queries are, as far as can be told from the first of them."""
    texts = list(collection.judged.values())[:_LOOKED_AT]
    return (language_of(" ".join(texts)) or "english").lower() == "english"


def varied(collection: Collection, variation: Variation, seed: int = 0) -> Collection:
    """``collection`` with those of its judged queries that ``variation`` changes, changed; documents and judgments are the same.

    A query's dice are its own (from ``seed``, the variation's name and the query's id), so that it changes in the same way whatever
    other queries there are.
    """
    changed: dict[str, str] = {}
    for query, text in collection.judged.items():
        other = variation.change(text, random.Random(f"{seed}:{variation.name}:{query}"))
        if other != text and other.strip():
            changed[query] = other
    return replace(
        collection,
        name=f"{collection.name}, {variation.name}",
        queries=changed,
        qrels={query: collection.qrels[query] for query in changed},
        instructions=None,
    )


def write_varied(
    collection: Collection, folder: Path, seed: int = 0, variations: Mapping[str, Variation] = VARIATIONS
) -> dict[str, int]:
    """Write a BEIR folder for each of ``variations`` that changes a query, ``folder/NAME``, and tell how many queries each has.

    The lines of ``queries.jsonl`` have the text as it was as ``original``. The documents are written once and linked to where the
    system can. Raises `UsageError` where the folder has something in it already, `InputError`, `StorageError`.
    """
    require_empty(folder)
    corpus: Path | None = None
    counts: dict[str, int] = {}
    for name, variation in variations.items():
        if variation.english and not in_english(collection):
            continue
        found = varied(collection, variation, seed)
        if not found.queries:
            continue
        own = folder / name
        records = [
            {"_id": query, "text": text, "original": collection.queries[query], "variation": name}
            for query, text in found.queries.items()
        ]
        write_judged(own, records, found.qrels)
        if collection.read is not None:
            if corpus is None:
                corpus = write_corpus(own, collection.documents())
            else:
                linked_corpus(corpus, own)
        counts[name] = len(found.queries)
    return counts
