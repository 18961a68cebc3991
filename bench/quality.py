"""Ranking quality on judged collections: BM25 beside bm25s and Pyserini at equal k1, b and analysis; hybrid beside BM25.

    python bench/quality.py COLLECTION… [--without pyserini]

Each collection (a BEIR folder) is indexed with documents as units. The peers get the very tokens that carrel's analyzer makes,
so that only formula, arithmetic and ties can differ. All runs are 1000 deep and measured by the same code (ir-measures).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import SHARED, keep, table
from peers import ROOT, java_home, run_peer

sys.path.insert(0, str(ROOT / "src"))

import carrel
from carrel.evaluate import evaluate_runs, load_collection, read_run

MEASURES = ("nDCG@10", "R@100", "AP", "RR")
SETTINGS = ((1.2, 0.75), (0.9, 0.4))
DEPTH = 1000


def rank_carrel(library: carrel.Library, queries: dict[str, str], recipe: str) -> dict[str, list[tuple[str, float]]]:
    rankings = library.rank_documents(list(queries.values()), DEPTH, recipe=recipe)
    return dict(zip(queries, rankings, strict=True))


def one(folder: Path, peers: list[str], scratch: Path) -> dict[str, Any]:
    """All runs on one collection, measured."""
    collection = load_collection(folder)
    queries = dict(collection.judged)
    library = carrel.open(scratch / "library", create=True, unit="document", language="english")
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
    runs: dict[str, Any] = {}
    for k1, b in SETTINGS:
        library.configure(k1=k1, b=b)
        at = f"k1={k1} b={b}"
        runs[f"carrel bm25 {at}"] = rank_carrel(library, queries, "bm25")
        for peer in peers:
            java = {"JAVA_HOME": java_home() or ""} if peer == "pyserini" else {}
            out = scratch / f"{peer}.run"
            arguments = [str(scratch / name) for name in ("corpus.jsonl", "queries.jsonl", f"{peer}.run")]
            run_peer(peer, f"peer_{peer}.py", "rank", *arguments, str(k1), str(b), str(DEPTH), environment=java)
            runs[f"{peer} {at}"] = read_run(out)
    library.configure(k1=SETTINGS[0][0], b=SETTINGS[0][1])
    for recipe in ("dense", "hybrid"):
        runs[f"carrel {recipe}"] = rank_carrel(library, queries, recipe)
    return evaluate_runs(collection, runs, MEASURES).to_dict()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="*", type=Path)
    parser.add_argument("--without", action="append", default=[])
    arguments = parser.parse_args()
    folders = arguments.collections or [SHARED / "data" / n for n in ("scifact", "cranfield", "pubmedqa", "xquad_en")]
    peers = [peer for peer in ("bm25s", "pyserini") if peer not in arguments.without]
    if "pyserini" in peers and java_home() is None:
        print("pyserini is left out: it needs Java 21 or newer", file=sys.stderr)
        peers.remove("pyserini")
    results = {}
    for folder in folders:
        with tempfile.TemporaryDirectory() as scratch:
            results[folder.name] = one(folder, peers, Path(scratch))
    text = []
    means: dict[str, dict[str, float]] = {}
    names = [entry["recipe"] for entry in next(iter(results.values()))["recipes"]]
    for measure in ("nDCG@10", "R@100"):
        rows = []
        for name in names:
            values = [next(e for e in r["recipes"] if e["recipe"] == name)["measures"][measure] for r in results.values()]
            means.setdefault(name, {})[measure] = sum(values) / len(values)
            rows.append([name, *(f"{v:.4f}" for v in values), f"{means[name][measure]:.4f}"])
        text.append(table([measure, *results, "mean"], rows))
    rows = []
    for name, result in results.items():
        for entry in result["comparisons"]:
            if entry["name"] in ("carrel hybrid", "carrel dense") and entry["measure"] in ("nDCG@10", "R@100"):
                won = f"{entry['wins']}/{entry['ties']}/{entry['losses']}"
                p = (f"{entry['p_t']:.4f}", f"{entry['p_randomisation']:.4f}")
                rows.append([name, entry["name"], entry["measure"], f"{entry['difference']:+.4f}", *p, won])
    text.append("Against carrel's BM25 (k1 1.2, b 0.75), paired over queries:")
    text.append(
        table(["collection", "recipe", "measure", "difference", "p (t-test)", "p (randomisation)", "won/tied/lost"], rows)
    )
    keep("quality", {"results": results, "means": means}, "\n\n".join(text))


if __name__ == "__main__":
    main()
