"""Ranking quality on judged collections: BM25 beside bm25s and Pyserini at equal k1, b and analysis; hybrid beside BM25; and
what bookwheel's index loses against scoring every passage exactly.

    python bench/quality.py COLLECTION… [--without pyserini] [--among 1000000]

Each collection (a BEIR folder) is indexed with documents as units. The peers get the very tokens that bookwheel's analyzer makes,
so that only formula, arithmetic and ties can differ. All runs are 1000 deep and measured by the same code.

``--among``: a few thousand judged documents are no test of an index. All collections go into one library together with so many
other passages (see data.py), and the runs of the index are measured beside those of scoring every one of its passages.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common import ROOT, SCRATCH, SHARED, keep, read_texts, table, text_of
from data import Data
from peers import java_home, run_peer

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from bookwheel.documents.document import Document
from bookwheel.encode import encode_queries
from bookwheel.evaluate import evaluate_runs, load_collection, read_run
from bookwheel.library.retrieval.bm25 import Bm25Retriever
from bookwheel.library.retrieval.dense import DenseRetriever

MEASURES = ("nDCG@10", "R@100", "AP", "RR")
SETTINGS = ((1.2, 0.75), (0.9, 0.4))
DEPTH = 1000


def rank_bookwheel(library: bookwheel.Library, queries: dict[str, str], recipe: str) -> dict[str, list[tuple[str, float]]]:
    rankings = library.rank_documents(list(queries.values()), DEPTH, recipe=recipe)
    return dict(zip(queries, rankings, strict=True))


def one(folder: Path, peers: list[str], scratch: Path) -> dict[str, Any]:
    """All runs on one collection, measured."""
    collection = load_collection(folder)
    queries = dict(collection.judged)
    library = bookwheel.open(scratch / "library", create=True, unit="document", language="english")
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
        runs[f"bookwheel bm25 {at}"] = rank_bookwheel(library, queries, "bm25")
        for peer in peers:
            out = scratch / f"{peer}.run"
            arguments = [str(scratch / name) for name in ("corpus.jsonl", "queries.jsonl", f"{peer}.run")]
            run_peer(peer, f"peer_{peer}.py", "rank", *arguments, str(k1), str(b), str(DEPTH))
            runs[f"{peer} {at}"] = read_run(out)
    library.configure(k1=SETTINGS[0][0], b=SETTINGS[0][1])
    for recipe in ("dense", "hybrid"):
        runs[f"bookwheel {recipe}"] = rank_bookwheel(library, queries, recipe)
    return evaluate_runs(collection, runs, MEASURES).to_dict()


def judged_among(folders: list[Path], data: Data) -> bookwheel.Library:
    """A library of all collections and the passages of ``data``; a document's id begins with its collection's name."""
    place = SCRATCH / "libraries" / f"judged-among-{data.passages}"
    if (place / "done").is_file():
        return bookwheel.open(place)
    shutil.rmtree(place, ignore_errors=True)
    library = bookwheel.open(place, create=True, unit="document", language="english")

    def documents() -> Iterator[Document]:
        for folder in folders:
            for document in load_collection(folder).documents():
                yield replace(document, id=f"{folder.name}/{document.id}")
        for number, record in enumerate(read_texts(data.texts)):
            yield Document(id=f"other/{number}", text=text_of(record))

    library.add(documents())
    (place / "done").touch()
    return library


def approximations(folders: list[Path], data: Data, limit: int) -> tuple[list[list[str]], dict[str, Any]]:
    """nDCG@10 of the index and of exact scoring of every passage, for the first ``limit`` queries of each collection."""
    library = judged_among(folders, data)
    library.search("compiles the kernels")
    rows, figures = [], {}
    for folder in folders:
        collection = load_collection(folder)
        queries = dict(list(collection.judged.items())[:limit])
        runs: dict[str, Any] = {}
        for recipe in ("bm25", "dense"):
            indexed, exact = {}, {}
            for name, text in queries.items():
                indexed[name] = _named(library, folder, library.rank(text, 100, recipe=recipe).ids)
                ids, _ = exhaustive(library, text, recipe, 100)
                exact[name] = _named(library, folder, ids)
            runs[recipe], runs[f"{recipe}, exact"] = indexed, exact
        told = evaluate_runs(collection, runs, ("nDCG@10",)).to_dict()
        measured = {entry["recipe"]: entry["measures"]["nDCG@10"] for entry in told["recipes"]}
        figures[folder.name] = measured
        for recipe in ("bm25", "dense"):
            found, truth = measured[recipe], measured[f"{recipe}, exact"]
            same = np.mean([
                len({n for n, _ in runs[recipe][q][:10]} & {n for n, _ in runs[f"{recipe}, exact"][q][:10]})
                / max(1, min(10, len(runs[f"{recipe}, exact"][q]))) for q in queries
            ])  # fmt: skip
            figures_of = [f"{found:.4f}", f"{truth:.4f}", f"{found - truth:+.4f}", f"{same:.4f}"]
            rows.append([folder.name, recipe, str(len(queries)), *figures_of])
    return rows, figures


def exhaustive(library: bookwheel.Library, text: str, recipe: str, k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The best ``k`` by scoring every passage, through other code than the index's search."""
    snapshot, analyzer = library._snapshot, library.settings.analyzer
    assert analyzer is not None
    ids = np.concatenate([segment.ids for segment in snapshot.segments])
    if recipe == "bm25":
        scores = Bm25Retriever(snapshot, analyzer(text), snapshot.masks(None)).score(ids)
    else:
        assert library.encoder is not None
        scores = DenseRetriever(snapshot, encode_queries(library.encoder, [text])[0], snapshot.masks(None)).score(ids)
    order = np.lexsort((ids, -scores))[:k]
    order = order[scores[order] > 0] if recipe == "bm25" else order
    return ids[order], scores[order]


def _named(library: bookwheel.Library, folder: Path, ids: NDArray[np.int64]) -> list[tuple[str, float]]:
    names = library._snapshot.store.documents_of(ids.tolist())
    ranked = [names[passage][1] for passage in ids.tolist()]
    prefix = f"{folder.name}/"
    # Documents of the collection under their own names, in the order given; all others count as not relevant.
    return [(name.removeprefix(prefix), float(len(ranked) - place)) for place, name in enumerate(ranked)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="*", type=Path)
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--among", type=int, help="other passages to put the judged documents among; none: leave it out")
    parser.add_argument("--limit", type=int, default=100, help="queries of each collection for --among")
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
            if entry["name"] in ("bookwheel hybrid", "bookwheel dense") and entry["measure"] in ("nDCG@10", "R@100"):
                won = f"{entry['wins']}/{entry['ties']}/{entry['losses']}"
                p = (f"{entry['p_t']:.4f}", f"{entry['p_randomisation']:.4f}")
                rows.append([name, entry["name"], entry["measure"], f"{entry['difference']:+.4f}", *p, won])
    text.append("Against bookwheel's BM25 (k1 1.2, b 0.75), paired over queries:")
    text.append(
        table(["collection", "recipe", "measure", "difference", "p (t-test)", "p (randomisation)", "won/tied/lost"], rows)
    )
    among: dict[str, Any] = {}
    if arguments.among:
        rows, among = approximations(folders, Data.of(arguments.among), arguments.limit)
        text.append(f"Judged documents among {arguments.among:,} others, nDCG@10: the index beside scoring every passage.")
        text.append(table(["collection", "recipe", "queries", "index", "exact", "difference", "same of the first 10"], rows))
    keep("quality", {"results": results, "means": means, "among": among}, "\n\n".join(text))


if __name__ == "__main__":
    main()
