"""The relevance cut-off on judged collections: what it keeps of a collection's own queries, and of queries of the others.

    python bench/cutoff.py COLLECTION…

Each collection (a BEIR folder) is a library. Its own judged queries: how many keep a relevant document among their ten, of those that
have one there without a cut-off, and the precision of what is shown. Queries of the other collections, for which it has nothing:
how many get no result at all. Results go into docs/results/cutoff.json.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from common import ROOT, keep, table

sys.path.insert(0, str(ROOT / "src"))

from bookwheel.evaluate import load_collection
from bookwheel.library.retrieval.cutoff import fitting_probabilities
from late import _library

CUTOFFS = (0.0, 0.3, 0.5, 0.7, 0.9)
LIMIT = 150
"""Queries of each collection."""


def main() -> None:
    folders = [Path(name) for name in sys.argv[1:]]
    collections = {folder.name: load_collection(folder) for folder in folders}
    asked = {name: dict(list(one.judged.items())[:LIMIT]) for name, one in collections.items()}
    result: dict[str, Any] = {}
    rows = []
    for folder in folders:
        library, own = _library(collections[folder.name], folder), collections[folder.name]
        hits: dict[tuple[str, str], tuple[list[str], np.ndarray]] = {}
        for name, queries in asked.items():
            for query, text in queries.items():
                ids = library.rank(text, 10).ids
                documents = library._snapshot.store.documents_of(ids.tolist())
                chances = fitting_probabilities(library._encoders, library._snapshot, text, ids)
                hits[name, query] = [documents[n][1] for n in ids.tolist()], chances
        found: dict[str, Any] = {}
        for cutoff in CUTOFFS:
            had = kept = shown = right = nothing = foreign = 0
            for (name, query), (documents_found, chances) in hits.items():
                left = [d for d, chance in zip(documents_found, chances, strict=True) if chance >= cutoff]
                if name != folder.name:
                    foreign += 1
                    nothing += not left
                    continue
                relevant = {d for d, grade in own.qrels[query].items() if grade > 0}
                had += bool(relevant & set(documents_found))
                kept += bool(relevant & set(left))
                shown += len(left)
                right += len(relevant & set(left))
            found[str(cutoff)] = {
                "own_kept": kept / max(had, 1),
                "own_precision": right / max(shown, 1),
                "shown_a_query": shown / len(asked[folder.name]),
                "foreign_nothing": nothing / max(foreign, 1),
            }
            one = found[str(cutoff)]
            rows.append([folder.name, cutoff, *(f"{one[key]:.2f}" for key in one)])
        result[folder.name] = found
    head = ["library", "cut-off", "own answers kept", "precision", "shown a query", "foreign queries with no result"]
    keep("cutoff", {"collections": result, "queries_each": LIMIT}, table(head, rows))


if __name__ == "__main__":
    main()
