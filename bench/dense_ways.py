"""What filters, batches and threads cost a dense search: `dense.py` runs it in a process of its own.

    python bench/dense_ways.py INDEX-FOLDER QUERIES.npy [--rounds 5]

Prints one line of JSON. All ways take turns in every round, so that noise falls on all alike; figures are medians over the rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bookwheel.index.dense import DenseIndex, open_dense
from common import read_bandwidth

K = 10
QUERIES = 256
BATCH = 64
KEPT = (10, 100, 1000, 10_000)


def filter_of(index: DenseIndex, kept: int, dice: np.random.Generator) -> NDArray[np.uint64]:
    """A bit for every row, set for one in ``kept``."""
    words = -(-index.rows // 64)
    flags = np.zeros(words * 64, np.bool_)
    flags[dice.choice(index.rows, max(index.rows // kept, 1), replace=False)] = True
    return np.packbits(flags, bitorder="little").view(np.uint64)


def ways_of(index: DenseIndex, queries: NDArray[np.float32]) -> dict[str, Callable[[], int]]:
    """Every way, as a function that answers some queries and says how many."""
    dice = np.random.default_rng(0)

    def one_by_one(mask: NDArray[np.uint64] | None = None) -> Callable[[], int]:
        def work() -> int:
            for query in queries:
                index.search(query, K, mask=mask)
            return len(queries)

        return work

    def batched() -> int:
        for low in range(0, len(queries), BATCH):
            index.search_many(queries[low : low + BATCH], K)
        return len(queries)

    def shared(threads: int) -> Callable[[], int]:
        pool = ThreadPoolExecutor(threads)

        def work() -> int:
            list(pool.map(lambda query: index.search(query, K), queries))
            return len(queries)

        return work

    found = {"one query at a time": one_by_one()}
    for kept in KEPT:
        found[f"a filter that keeps 1 in {kept:,}"] = one_by_one(filter_of(index, kept, dice))
    found[f"batches of {BATCH}"] = batched
    found["two threads, a query each"] = shared(2)
    found[f"two threads, batches of {BATCH}"] = lambda: len(index.search_many(queries, K, threads=2))
    found["two threads on one query"] = lambda: len([index.search(query, K, threads=2) for query in queries])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    index = open_dense(arguments.folder)
    queries = np.ascontiguousarray(np.load(arguments.queries)[:QUERIES], np.float32)
    ways = ways_of(index, queries)
    for work in ways.values():
        work()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(arguments.rounds):
        for name, work in ways.items():
            started = time.perf_counter()
            done = work()
            seconds[name].append((time.perf_counter() - started) / done)
    told: dict[str, Any] = {name: statistics.median(some) * 1000 for name, some in seconds.items()}
    print(json.dumps({"k": K, "queries": len(queries), "ms_a_query": told, "read_bytes_per_second": read_bandwidth()}))


if __name__ == "__main__":
    main()
