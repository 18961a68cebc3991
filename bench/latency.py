"""Latency: the cold command line and warm queries from Python, at 100 000 passages.

    python bench/latency.py TEXTS.jsonl[.gz] [--limit 100000]

Queries are runs of 2 to 6 words out of titles and sentences of texts that are indexed, drawn with a seed. One thread.
bm25s answers the same queries in its own environment, beside carrel's BM25.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

from common import SCRATCH, keep, percentiles, read_texts, subset, table
from peers import ROOT, run_peer


def sample_queries(texts: Path, count: int, seed: int) -> list[str]:
    """Runs of 2 to 6 words from random records."""
    dice = random.Random(seed)
    records = [r for r in read_texts(texts) if dice.random() < 0.05]
    queries = []
    for record in dice.sample(records, min(count, len(records))):
        words = [w for w in record["text"].split() if w.isalpha()]
        if len(words) > 8:
            start = dice.randrange(len(words) - 6)
            queries.append(" ".join(words[start : start + dice.randint(2, 6)]))
    return queries


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts")
    parser.add_argument("--limit", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--cold", type=int, default=9, help="cold runs of the command line")
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT / "src"))
    import carrel

    texts = subset(arguments.texts, arguments.limit)
    place = SCRATCH / "libraries" / f"{texts.stem}"
    library = carrel.open(place, create=True)
    library.index(texts)
    queries = sample_queries(texts, arguments.queries, seed=1)
    warm: dict[str, dict[str, float]] = {}
    for recipe in ("bm25", "dense", "hybrid"):
        for k in (10, 1000):
            for query in queries[:50]:
                library.rank(query, k, recipe=recipe)
            seconds = []
            for query in queries:
                started = time.perf_counter()
                library.rank(query, k, recipe=recipe)
                seconds.append(time.perf_counter() - started)
            warm[f"{recipe}, k={k}"] = percentiles(seconds)
    seconds = []
    for query in queries:
        started = time.perf_counter()
        library.search(query)
        seconds.append(time.perf_counter() - started)
    warm["hybrid with texts, k=10"] = percentiles(seconds)

    listed = SCRATCH / "data" / "queries.json"
    listed.write_text(json.dumps(queries))
    peer = run_peer("bm25s", "peer_bm25s.py", "latency", str(texts), str(listed))
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    cold, processor = [], []
    for query in queries[: arguments.cold]:
        before = os.times()
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "carrel", "search", query, "--library", str(place)], check=False, env=environment,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        cold.append(time.perf_counter() - started)
        after = os.times()
        processor.append(after.children_user + after.children_system - before.children_user - before.children_system)
    rows = [[name, *(f"{m[p]:.3f}" for p in ("p50_ms", "p95_ms", "p99_ms"))] for name, m in warm.items()]
    rows += [
        [f"bm25s (numba), k={k}", *(f"{m[p]:.3f}" for p in ("p50_ms", "p95_ms", "p99_ms"))] for k, m in peer["latency"].items()
    ]
    text = (
        f"{library.passages:,} passages of {arguments.limit:,} real texts, {len(queries)} queries of 2 to 6 words, one thread."
        "\n\n"
        + table(["warm, from Python", "p50 ms", "p95 ms", "p99 ms"], rows)
        + f"\n\nCold `carrel search` (a new process each, default recipe): median {statistics.median(cold):.2f} s from start "
        f"to last line, {statistics.median(processor):.2f} s of processor time ({arguments.cold} runs)."
    )
    keep("latency", {"passages": library.passages, "warm": warm, "bm25s": peer, "cold_seconds": cold}, text)


if __name__ == "__main__":
    main()
