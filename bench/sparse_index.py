"""bookwheel's BM25 index by itself: bytes by part, filters, approximate search, threads, and what the plain work would cost.

    python bench/sparse_index.py --passages 1000000

Uses the index that `lexical.py` builds for "bookwheel, index alone" (and builds it if need be). Times are those of the search alone:
queries are analysed and weighed before. The floor is the time of the inner loop (unpacking a block of postings and adding its impacts
to accumulators in the cache) for all postings of a query's lists, without pruning, selecting or exact scores.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common import ROOT, keep, percentiles
from data import Data
from harness import build, compile_kernels, index_folder, say
from lexical import contenders

sys.path.insert(0, str(ROOT / "src"))

from bookwheel.analysis.analyzer import Analyzer
from bookwheel.index.inverted.bm25 import Bm25Index
from bookwheel.kernels.bm25 import idf

Queries = list[tuple[list[str], NDArray[np.float64]]]
SHARES = (None, 0.5, 0.1, 0.01, 0.001)
APPROXIMATE = (1.0, 0.9, 0.8, 0.7)
PARTS = {
    "postings": "gaps and term frequencies",
    "impacts": "8-bit impacts",
    "ranges": "greatest impacts by range of 64 passages",
    "text": "dictionary",
    "groups": "dictionary",
    "lengths": "lengths of passages",
    "long_lengths": "lengths of passages",
}


def asked(index: Bm25Index, path: Any, most: int) -> Queries:
    """Terms and weights of the queries of a file."""
    analyzer = Analyzer("english", stopwords=True)
    queries = []
    for text in json.loads(path.read_text(encoding="utf-8"))[:most]:
        counted = Counter(analyzer(text))
        terms = list(counted)
        weights = idf(index.document_frequencies(terms), index.passages) * np.array(list(counted.values()), np.float64)
        queries.append((terms, weights))
    return queries


def timed(index: Bm25Index, queries: Queries, k: int, rounds: int, **options: Any) -> dict[str, float]:
    """Percentiles of the median over rounds of each query's time."""
    seconds = np.empty((rounds, len(queries)))
    for turn in range(-1, rounds):
        for i, (terms, weights) in enumerate(queries):
            started = time.perf_counter()
            index.search(terms, weights, k, **options)
            seconds[max(turn, 0), i] = time.perf_counter() - started
    return percentiles(np.median(seconds, axis=0).tolist())


def cell(figures: dict[str, float]) -> str:
    return f"{figures['p50_ms']:.2f} / {figures['p99_ms']:.2f}"


def sizes(index: Bm25Index) -> dict[str, Any]:
    """Bytes a posting by what they are for."""
    found: dict[str, int] = {}
    for folder in {id(f): f for f in (index.structure, index.impacts)}.values():
        for path in folder.folder.iterdir():
            what = PARTS.get(path.stem, "directory of blocks")
            found[what] = found.get(what, 0) + path.stat().st_size
    total = sum(found.values())
    rows = [
        [what, f"{size / 2**20:,.1f}", f"{size / index.postings:.3f}"]
        for what, size in sorted(found.items(), key=lambda o: -o[1])
    ]
    rows.append(["together", f"{total / 2**20:,.1f}", f"{total / index.postings:.3f}"])
    title = f"Bytes on disk: {index.postings:,} postings of {index.terms:,} terms in {index.passages:,} passages."
    return {"title": title, "head": ["", "MB", "bytes a posting"], "rows": rows}


def filters(index: Bm25Index, sets: dict[str, Queries], rounds: int) -> dict[str, Any]:
    dice, words = np.random.default_rng(1), (index.passages + 63) // 64
    rows = []
    for share in SHARES:
        mask = None
        if share is not None:
            chosen = np.zeros(words * 64, bool)
            chosen[: index.passages] = dice.random(index.passages) < share
            mask = np.packbits(chosen, bitorder="little").view(np.uint64)
        figures = [cell(timed(index, queries, k, rounds, mask=mask)) for queries in sets.values() for k in (10, 1000)]
        rows.append(["no filter" if share is None else f"keeps {share:g}", *figures])
        say(f"filter {rows[-1]}")
    head = ["filter", *(f"{name}, k={k}" for name in sets for k in (10, 1000))]
    return {"title": "With a filter that keeps passages at random: p50 / p99 in ms.", "head": head, "rows": rows}


def approximate(index: Bm25Index, sets: dict[str, Queries], rounds: int) -> dict[str, Any]:
    rows = []
    for share in APPROXIMATE:
        row = [f"{share:g}"]
        for queries in sets.values():
            for k in (10, 1000):
                exact = [index.search(*query, k).ids for query in queries]
                near = [index.search(*query, k, approximate=share).ids for query in queries]
                pairs = [(a, b) for a, b in zip(exact, near, strict=True) if len(a)]  # a query may have no word of the index
                kept = np.mean([len(np.intersect1d(a, b)) / len(a) for a, b in pairs])
                row += [cell(timed(index, queries, k, rounds, approximate=share)), f"{kept:.4f}"]
        rows.append(row)
        say(f"approximate {row}")
    head = ["bounds count for", *(words for name in sets for k in (10, 1000) for words in (f"{name}, k={k}", f"recall@{k}"))]
    return {
        "title": "Approximate search: p50 / p99 in ms, and the share of the exact best that is found.",
        "head": head,
        "rows": rows,
    }


def threads(index: Bm25Index, sets: dict[str, Queries], most: int) -> dict[str, Any]:
    """Queries a second in batches."""
    rows = []
    for name, queries in sets.items():
        batch = queries * max(1, 2000 // len(queries)) if name != "long" else queries * 2
        for k in (10, 1000):
            best = {1: 0.0, most: 0.0}
            for _ in range(3):
                for count in best:
                    started = time.perf_counter()
                    index.search_many(batch, k, threads=count)
                    best[count] = max(best[count], len(batch) / (time.perf_counter() - started))
            rows.append([name, k, f"{best[1]:,.0f}", f"{best[most]:,.0f}", f"{best[most] / best[1]:.2f}"])
            say(f"threads {rows[-1]}")
    return {
        "title": "Batches, queries a second.",
        "head": ["queries", "k", "1 thread", f"{most} threads", "ratio"],
        "rows": rows,
    }


def nanoseconds_of_a_posting() -> tuple[float, float]:
    """Unpacking a posting, and unpacking it and adding its impact, with everything in the cache."""
    from numba import njit

    from bookwheel.kernels.bits import BLOCK, unpack128
    from bookwheel.kernels.sparse.scan import WINDOW

    @njit(boundscheck=False)  # type: ignore[untyped-decorator]
    def work(packed: Any, width: Any, blocks: Any, out: Any, impacts: Any, accumulators: Any, weight: Any, adding: Any) -> None:
        for block in range(blocks):
            unpack128(packed, np.uint64(block * 8 * width), np.uint64(width), np.uint32(block * 50), out, np.uint64(0))
            if adding:
                start = np.uint64(block * BLOCK)
                for p in range(np.uint64(BLOCK)):
                    accumulators[out[p] & np.uint32(WINDOW - 1)] += weight * np.uint32(impacts[start + p])

    dice, blocks, width = np.random.default_rng(0), 512, 5
    packed = dice.integers(0, 65536, blocks * 8 * width + 64).astype(np.uint16)
    impacts = dice.integers(1, 256, blocks * BLOCK).astype(np.uint8)
    out, accumulators = np.zeros(BLOCK, np.uint32), np.zeros(WINDOW, np.uint32)
    least = [1.0, 1.0]
    for _ in range(200):
        for adding in (0, 1):
            started = time.perf_counter()
            work(packed, width, blocks, out, impacts, accumulators, np.uint32(77), adding)
            least[adding] = min(least[adding], (time.perf_counter() - started) / (blocks * BLOCK))
    return least[0] * 1e9, least[1] * 1e9


def floor(index: Bm25Index, sets: dict[str, Queries], rounds: int) -> dict[str, Any]:
    unpacking, both = nanoseconds_of_a_posting()
    rows = []
    for name, queries in sets.items():
        lengths = [int(index.document_frequencies(terms).sum()) for terms, _ in queries]
        plain = float(np.median(lengths)) * both / 1e6
        measured = [f"{timed(index, queries, k, rounds)['p50_ms']:.2f}" for k in (10, 1000)]
        terms = float(np.median([len(terms) for terms, _ in queries]))
        rows.append([name, f"{terms:.0f}", f"{np.median(lengths):,.0f}", f"{plain:.2f}", *measured])
    title = (
        f"The floor: {unpacking:.2f} ns to unpack a posting, {both:.2f} ns to unpack it and add its impact. "
        "Medians over queries; below the floor is what pruning saves."
    )
    head = ["queries", "terms", "postings", "all of them, ms", "search, k=10, ms", "search, k=1000, ms"]
    return {"title": title, "head": head, "rows": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2, help="of the batches; 0 leaves them out")
    parser.add_argument("--queries", type=int, default=300, help="of each set at most")
    arguments = parser.parse_args()
    data = Data.of(arguments.passages)
    compile_kernels()
    (contender,) = (c for c in contenders(vectors=False) if c.name == "bookwheel, index alone")
    build(contender, data.texts, data.passages)
    folder = index_folder(contender, data.texts)
    index = Bm25Index(folder / "postings", folder / "impacts")
    sets = {name: asked(index, data.queries(name), arguments.queries) for name in ("words", "long")}
    tables = [
        sizes(index), floor(index, sets, arguments.rounds), filters(index, sets, arguments.rounds),
        approximate(index, sets, arguments.rounds),
    ]  # fmt: skip
    if arguments.threads:
        tables.append(threads(index, sets, arguments.threads))
    result = {"benchmark": "sparse-index", "items": data.passages, "rounds": arguments.rounds, "tables": tables}
    keep(f"sparse-index-{arguments.passages}", result)


if __name__ == "__main__":
    main()
