"""Pseudo-relevance feedback beside Pyserini's: BM25, RM3 and Rocchio at equal parameters and equal tokens.

    python bench/feedback.py COLLECTION…

Each collection (a BEIR folder) is indexed with documents as units. Pyserini gets the very tokens that bookwheel's analyzer makes.
k1 0.9 and b 0.4, 10 passages, 10 terms: Anserini's defaults. Runs are 1000 deep, measured by the same code.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import ROOT, SHARED, keep, table
from peers import run_peer

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from bookwheel.evaluate import evaluate_runs, load_collection, read_run

RECIPES = {"bm25": "bm25", "rm3": "bm25 >> rm3(docs=10, terms=10, weight=0.5) >> bm25", "rocchio": "bm25 >> rocchio() >> bm25"}
DEPTH = 1000
K1, B = 0.9, 0.4


def one(folder: Path, scratch: Path) -> dict[str, Any]:
    """All runs on one collection, measured; and how much of the first ten is the same."""
    collection = load_collection(folder)
    queries = dict(collection.judged)
    library = bookwheel.open(scratch / "library", create=True, unit="document", language="english", encoder=None, k1=K1, b=B)
    library.add(collection.documents())
    analyzer = library.settings.analyzer
    assert analyzer is not None
    with (scratch / "corpus.jsonl").open("w", encoding="utf-8") as file:
        for document in collection.documents():
            text = f"{document.title}\n{document.text}" if document.title else document.text
            file.write(json.dumps({"id": document.id, "tokens": analyzer(text)}) + "\n")
    with (scratch / "queries.jsonl").open("w", encoding="utf-8") as file:
        for name, text in queries.items():
            file.write(json.dumps({"id": name, "tokens": analyzer(text)}) + "\n")
    arguments = [str(scratch / name) for name in ("corpus.jsonl", "queries.jsonl", "pyserini")]
    run_peer("pyserini", "peer_pyserini_feedback.py", "rank", *arguments, str(K1), str(B), str(DEPTH))
    runs: dict[str, Any] = {}
    same: dict[str, float] = {}
    for name, recipe in RECIPES.items():
        own = dict(zip(queries, library.rank_documents(list(queries.values()), DEPTH, recipe=recipe), strict=True))
        theirs = read_run(scratch / f"pyserini.{name}")
        runs[f"bookwheel {name}"], runs[f"pyserini {name}"] = own, theirs
        shared = [len({d for d, _ in own[q][:10]} & {d for d, _ in theirs.get(q, [])[:10]}) / 10 for q in queries]
        same[name] = sum(shared) / len(shared)
    return {**evaluate_runs(collection, runs, ("nDCG@10", "AP", "R@1000")).to_dict(), "same_of_first_ten": same}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="*", type=Path)
    arguments = parser.parse_args()
    folders = arguments.collections or [SHARED / "data" / n for n in ("scifact", "cranfield", "pubmedqa", "xquad_en")]
    results = {}
    for folder in folders:
        with tempfile.TemporaryDirectory() as scratch:
            results[folder.name] = one(folder, Path(scratch))
    rows = []
    for name, result in results.items():
        values = {entry["recipe"]: entry["measures"] for entry in result["recipes"]}
        for method in RECIPES:
            own, theirs = values[f"bookwheel {method}"], values[f"pyserini {method}"]
            rows.append([
                name, method, f"{own['nDCG@10']:.4f}", f"{theirs['nDCG@10']:.4f}", f"{own['nDCG@10'] - theirs['nDCG@10']:+.4f}",
                f"{own['AP']:.4f}", f"{theirs['AP']:.4f}", f"{result['same_of_first_ten'][method]:.3f}",
            ])  # fmt: skip
    head = ["collection", "method", "nDCG@10", "Pyserini", "difference", "AP", "Pyserini", "same of first ten"]
    keep("feedback", {"results": results}, table(head, rows))


if __name__ == "__main__":
    main()
