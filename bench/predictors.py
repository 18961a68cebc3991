"""Do the predictors of ``guard`` tell for which queries feedback helps?

    python bench/predictors.py

After ``bench/stages.py quality``: its libraries and its measurements of ``bm25 >> rm3(weight=0.5) >> bm25`` and of
``hybrid >> rm3() >> hybrid`` are used. For each collection: the correlation of each predictor's value, on BM25's ranking, with
what feedback gains in nDCG@10, and the mean gain where feedback is applied above each quartile of the predictor.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

from common import ROOT, SHARED, keep, table
from stages import COLLECTIONS, DEPTH, PLACE, file_of

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from bookwheel.evaluate import load_collection
from bookwheel.rank.stages.feedback.guard import Guard
from bookwheel.rank.stages.feedback.rm3 import Rm3

PAIRS = (("bm25", "bm25 >> rm3(weight=0.5) >> bm25"), ("hybrid", "hybrid >> rm3() >> hybrid"))
QUARTILES = (0.0, 0.25, 0.5, 0.75)


def gains(collection: str, before: str, after: str) -> dict[str, float]:
    """nDCG@10 of each query by one recipe less that by another."""
    found = []
    for recipe in (after, before):
        kept = json.loads(file_of("plain", collection, recipe, "quality").read_text(encoding="utf-8"))
        found.append(dict(zip(kept["queries"], kept["values"][0], strict=True)))
    return {query: found[0][query] - found[1][query] for query in found[0]}


def main() -> None:
    rows, result = [], {}
    for name in COLLECTIONS:
        library = bookwheel.open(PLACE / "libraries" / name)
        context = library._searcher.context()
        judged = dict(load_collection(SHARED / "data" / name).judged)
        lists = {query: library.rank(text, DEPTH, recipe="bm25") for query, text in judged.items()}
        lists = {query: hits for query, hits in lists.items() if len(hits)}
        for measure in ("spread", "clarity"):
            guard = Guard(Rm3(), measure=measure)
            values = np.array([guard.predict(context, hits) for hits in lists.values()])
            for before, after in PAIRS:
                gain = gains(name, before, after)
                table_of = np.array([gain[query] for query in lists])
                bounds = np.quantile(values, QUARTILES)
                entry: dict[str, Any] = {
                    "correlation": float(np.corrcoef(values, table_of)[0, 1]),
                    "bounds": bounds.tolist(),
                    "gains": [float(np.where(values >= bound, table_of, 0).mean()) for bound in bounds],
                }
                result[f"{name} {measure} {after}"] = entry
                cells = [f"{gain:+.4f}" for gain in entry["gains"]]
                rows.append([name, measure, f"`{after}`", f"{entry['correlation']:+.2f}", *cells])
    head = [
        "collection",
        "predictor",
        "recipe",
        "correlation",
        "all queries",
        "upper three quarters",
        "upper half",
        "upper quarter",
    ]
    keep("predictors", {"results": result}, table(head, rows))


if __name__ == "__main__":
    main()
