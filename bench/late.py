"""Late interaction: what compression loses, what fixed-dimensional encodings lose, and what 100 candidates cost.

    python bench/late.py tokens MODEL COLLECTION…       1, 2 and 4 bits a dimension; MUVERA; the time of 100 candidates
    python bench/late.py hybrid COLLECTION…             BM25, MiniLM and both, from the vectors that encoding.py kept, with paired tests

MODEL is any encoder: its token states stand in for those of a ColBERT-type model, of which none could be had. So the losses
against its own exact scores say something, its ranking quality does not. Results go into docs/results/late.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common import RESULTS, ROOT, SCRATCH, keep, machine, percentiles, table
from harness import say
from muvera import FixedEncoding

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from bookwheel.encode import load_encoder
from bookwheel.encode.protocols import TokenVectors
from bookwheel.evaluate import Collection, Scores, compare, load_collection, measure
from bookwheel.index.tokens.build import TokenBuilder
from bookwheel.index.tokens.index import TokenIndex
from bookwheel.rank.query import Query

PLACE = SCRATCH / "encoded"
CANDIDATES = 100
MUVERA = (
    {"bits": 3, "repetitions": 10, "projected": 16},
    {"bits": 4, "repetitions": 20, "projected": 16},
    {"bits": 5, "repetitions": 20, "projected": 16},
)


def token_vectors(model: str, collection: Collection, folder: Path) -> tuple[TokenVectors, TokenVectors]:
    """Of documents and of judged queries; kept."""
    kept = PLACE / folder.name / f"tokens-{len(collection.judged)}.npz"
    if not kept.is_file():
        encoder = load_encoder(model, "tokens")
        documents = [f"{d.title}\n{d.text}" if d.title else d.text for d in collection.documents()]
        found = encoder.encode(documents), encoder.encode_queries(list(collection.judged.values()))
        kept.parent.mkdir(parents=True, exist_ok=True)
        arrays = {
            f"{side}{part}": a
            for side, v in zip("dq", found, strict=True)
            for part, a in enumerate((v.indptr, v.vectors, v.spans))
        }
        np.savez(kept, **{name: a.astype(np.float16) if a.dtype == np.float32 else a for name, a in arrays.items()})
    arrays = np.load(kept)

    def of(side: str) -> TokenVectors:
        vectors = arrays[f"{side}1"].astype(np.float32)
        return TokenVectors(arrays[f"{side}0"], vectors, arrays[f"{side}2"])

    return of("d"), of("q")


def exact(query: NDArray[np.float32], documents: TokenVectors) -> NDArray[np.float32]:
    """The sum of best matches of every document, float32 (n,)."""
    products = documents.vectors @ query.T
    starts = np.minimum(documents.indptr[:-1], max(len(products) - 1, 0))
    best = np.maximum.reduceat(products, starts, axis=0)
    best[np.diff(documents.indptr) == 0] = 0
    scores: NDArray[np.float32] = best.sum(axis=1)
    return scores


def scored(collection: Collection, names: Sequence[str], rankings: dict[str, list[tuple[int, float]]]) -> Scores:
    """nDCG@10 of rankings of row numbers."""
    run = {query: [(names[row], score) for row, score in ranking] for query, ranking in rankings.items()}
    return measure(run, collection.qrels, ("nDCG@10",))


def ranked(rows: NDArray[np.int64], scores: NDArray[np.floating[Any]], count: int = 100) -> list[tuple[int, float]]:
    """The best rows with their scores."""
    order = np.lexsort((rows, -scores))[:count]
    return [(int(rows[at]), float(scores[at])) for at in order]


def tokens(model: str, folder: Path, limit: int, timed: bool) -> dict[str, Any]:
    """One collection, its first ``limit`` judged queries."""
    collection = load_collection(folder)
    some_queries = dict(list(collection.judged.items())[:limit])
    collection = replace(collection, queries=some_queries, qrels={query: collection.qrels[query] for query in some_queries})
    documents, queries = token_vectors(model, collection, folder)
    names = [document.id for document in collection.documents()]
    rows = np.arange(len(names))
    vectors = [queries.row(at)[0] for at in range(len(queries))]
    truth = [exact(vector, documents) for vector in vectors]
    asked = list(collection.judged)
    library = _library(collection, folder)
    by_name = {name: row for row, name in enumerate(names)}
    first = [
        np.array(sorted(by_name[name] for name, _ in found), np.int64)
        for found in library.rank_documents(list(collection.judged.values()), CANDIDATES, recipe="bm25")
    ]
    result: dict[str, Any] = {
        "documents": len(names),
        "queries": len(asked),
        "tokens_a_document": float(np.diff(documents.indptr).mean()),
        "tokens_a_query": float(np.diff(queries.indptr).mean()),
        "dimension": int(documents.vectors.shape[1]),
    }
    whole = {query: ranked(rows, scores) for query, scores in zip(asked, truth, strict=True)}
    rescored = {query: ranked(some, scores[some]) for query, some, scores in zip(asked, first, truth, strict=True)}
    scores = {"exact, of BM25's 100": scored(collection, names, rescored)}
    errors: dict[str, Any] = {}
    for bits in (1, 2, 4):
        index = _coded(folder, documents, bits)
        found, off, times = {}, [], []
        for query, vector, some, right in zip(asked, vectors, first, truth, strict=True):
            began = time.perf_counter()
            best, _ = index.max_sim(vector, some)
            times.append(time.perf_counter() - began)
            got = best.sum(axis=1)
            off.append(float(np.abs(got - right[some]).mean() / max(len(vector), 1)) if len(some) else 0.0)
            found[query] = ranked(some, got)
        scores[f"{bits} bits, of BM25's 100"] = scored(collection, names, found)
        size = sum(a.nbytes for a in (index.codes, index.factors, index.owners, index.spans, index.indptr))
        errors[str(bits)] = {
            "error_a_token": statistics.fmean(off),
            "bytes_a_token": size / len(documents.vectors),
            "bytes_a_document": size / len(names),
            "max_sim_100": percentiles(times),
        }
    result["bits"] = errors
    scores["exact, of all"] = scored(collection, names, whole)
    result["muvera"] = []
    for how in MUVERA:
        encoding = FixedEncoding(int(documents.vectors.shape[1]), **how)
        encoded, asked_for = encoding.documents(documents), encoding.queries(queries)
        alone, again, recall = {}, {}, []
        for query, vector, right in zip(asked, asked_for, truth, strict=True):
            approximate = encoded @ vector
            alone[query] = ranked(rows, approximate)
            some = np.array([row for row, _ in alone[query]], np.int64)
            again[query] = ranked(some, right[some])
            recall.append(len({row for row, _ in whole[query][:10]} & set(some.tolist())) / 10)
        name = f"MUVERA {how['repetitions']} x 2^{how['bits']} x {how['projected']}"
        scores[name] = scored(collection, names, alone)
        scores[f"{name}, its 100 re-scored"] = scored(collection, names, again)
        result["muvera"].append({**how, "length": encoding.length, "name": name, "top10_in_100": statistics.fmean(recall)})
        del encoded
    result["nDCG@10"] = {name: one.means["nDCG@10"] for name, one in scores.items()}
    result["against_exact"] = [one.to_dict() for one in compare({n: s for n, s in scores.items() if "BM25" in n})]
    if timed:
        result["in_a_recipe"] = _timed(model, library, collection)
    say(f"{folder.name}: " + ", ".join(f"{name} {value:.4f}" for name, value in result["nDCG@10"].items()))
    return result


def _library(collection: Collection, folder: Path) -> bookwheel.Library:
    place = SCRATCH / "libraries" / f"late-{folder.name}"
    if (place / "done").is_file():
        return bookwheel.open(place)
    shutil.rmtree(place, ignore_errors=True)
    library = bookwheel.open(place, create=True, unit="document", language="english")
    library.add(collection.documents())
    (place / "done").touch()
    return library


def _coded(folder: Path, documents: TokenVectors, bits: int) -> TokenIndex:
    place = PLACE / folder.name / f"tokens-{bits}"
    if not (place / "index.json").is_file():
        with TokenBuilder(place, bits, seed=0) as builder:
            builder.append(documents.indptr, documents.vectors, documents.spans)
    return TokenIndex(place)


def _timed(model: str, library: bookwheel.Library, collection: Collection, limit: int = 100) -> dict[str, Any]:
    """Milliseconds that ``late(100)`` adds to BM25, encoding the query included: warm, one query after the other."""
    library.add_encoder("tokens", model, kind="tokens")
    library.embed("tokens")
    queries = list(collection.judged.values())[:limit]
    found: dict[str, list[float]] = {"bm25 % 100": [], f"bm25 >> late({CANDIDATES})": []}
    for text in queries[:5]:
        for recipe in found:
            library.rank(text, 10, recipe=recipe)
    for text in queries:
        for recipe, seconds in found.items():
            began = time.perf_counter()
            library.rank(text, 10, recipe=recipe)
            seconds.append(time.perf_counter() - began)
    encoder: Any = load_encoder(model, "tokens")
    encoder.encode_queries(queries[:2])
    encoding = []
    for text in queries:
        began = time.perf_counter()
        encoder.encode_queries([text])
        encoding.append(time.perf_counter() - began)
    before, after = found.values()
    return {
        "added": percentiles([b - a for a, b in zip(before, after, strict=True)]),
        "encoding_the_query": percentiles(encoding),
    }


def hybrid(folders: Sequence[Path], which: str) -> dict[str, Any]:
    """BM25, the model and both on each collection, with documents as units."""
    result: dict[str, Any] = {}
    pooled: dict[str, list[float]] = {}
    for folder in folders:
        collection = load_collection(folder)
        kept = PLACE / folder.name / which
        documents = np.load(kept / "documents" / "vectors.npy")
        queries = dict(zip(collection.judged, np.load(kept / "queries" / "vectors.npy"), strict=True))
        library = _library(collection, folder)
        if "minilm" in [one.name for one in library.encoders()]:
            library.remove_encoder("minilm")
        library.import_vectors("minilm", documents)
        scores = {}
        for recipe in ("bm25", "minilm", "0.5*bm25 + 0.5*minilm", "hybrid"):
            asked = [Query(text, vectors={"minilm": queries[name]}) for name, text in collection.judged.items()]
            run = dict(zip(collection.judged, library.rank_documents(asked, 100, recipe=recipe), strict=True))
            scores[recipe] = measure(run, collection.qrels, ("nDCG@10",))
            pooled.setdefault(recipe, []).append(scores[recipe].means["nDCG@10"])
        tests = [
            one.to_dict() for base in ("bm25", "minilm") for one in compare(scores, base) if one.name == "0.5*bm25 + 0.5*minilm"
        ]
        result[folder.name] = {"nDCG@10": {recipe: one.means["nDCG@10"] for recipe, one in scores.items()}, "tests": tests}
        say(f"{folder.name}: " + ", ".join(f"{name} {one.means['nDCG@10']:.4f}" for name, one in scores.items()))
    return {"hybrid": {"collections": result, "mean": {r: statistics.fmean(v) for r, v in pooled.items()}, "vectors": which}}


def told(result: dict[str, Any]) -> str:
    """The tables."""
    parts = []
    if found := result.get("tokens"):
        names = list(dict.fromkeys(name for one in found.values() for name in one["nDCG@10"]))
        cells = [[n, *(f"{one['nDCG@10'][n]:.4f}" if n in one["nDCG@10"] else "" for one in found.values())] for n in names]
        parts.append(table(["nDCG@10", *found], cells))
        rows = [
            [
                f"{folder}, {bits} bits",
                f"{one['error_a_token']:.4f}",
                f"{one['bytes_a_token']:.0f}",
                f"{one['max_sim_100']['p50_ms']:.2f}",
            ]
            for folder, all_ in found.items()
            for bits, one in all_["bits"].items()
        ]
        parts.append(table(["", "mean error of a token's best match", "bytes a token", "100 candidates, ms"], rows))
    if found := result.get("hybrid"):
        recipes = list(found["mean"])
        rows = [
            [r, *(f"{one['nDCG@10'][r]:.4f}" for one in found["collections"].values()), f"{found['mean'][r]:.4f}"]
            for r in recipes
        ]
        parts.append(table(["nDCG@10", *found["collections"], "mean"], rows))
    return "\n\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["tokens", "hybrid", "text"])
    parser.add_argument("rest", nargs="*")
    parser.add_argument("--queries", type=int, default=200, help="tokens: judged queries of each collection")
    parser.add_argument("--timed", action="store_true", help="tokens: what late(100) adds to a search, too; encodes all again")
    parser.add_argument("--vectors", default="bookwheel-fp32")
    arguments = parser.parse_args()
    path = RESULTS / "late.json"
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if arguments.what == "tokens":
        model, *folders = arguments.rest
        found = {Path(folder).name: tokens(model, Path(folder), arguments.queries, arguments.timed) for folder in folders}
        result["tokens"] = {**result.get("tokens", {}), **found}
        result["tokens_machine"] = machine()
    elif arguments.what == "hybrid":
        result |= hybrid([Path(folder) for folder in arguments.rest], arguments.vectors)
    result.pop("machine", None)
    result.pop("text", None)
    keep("late", result, told(result))


if __name__ == "__main__":
    main()
