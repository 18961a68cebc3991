"""Indexing speed and peak memory: carrel (BM25 and static vectors, file to committed library) beside bm25s (BM25 alone).

    python bench/indexing.py TEXTS.jsonl[.gz] [--limit 300000] [--rounds 3]

bm25s gets its texts already read into memory and is timed on tokenising (its English stop words, Snowball stemmer) and indexing
only; carrel is timed from process start to commit: reading, splitting, analysing, static vectors, writing. The two alternate.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import keep, subset, table
from peers import ROOT, run_peer

CHILD = """
import json, resource, sys, time
started = time.perf_counter()
import carrel
library = carrel.open(sys.argv[2], create=True)
report = library.index(sys.argv[1])
seconds = time.perf_counter() - started
disk = sum(library.info().disk.values())
lines = {line.part: line.measured for line in report.bill if line.measured}
print(json.dumps({"peer": "carrel", "texts": report.added, "passages": report.passages, "seconds": seconds,
  "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
  "peak_anonymous_bytes": lines.get("all anonymous memory"),
  "disk_bytes": disk, "segments": library.info().segments}))
"""


def carrel_once(texts: Path, scratch: Path) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(texts), str(scratch / "library")],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts")
    parser.add_argument("--limit", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    texts = subset(arguments.texts, arguments.limit)
    runs: dict[str, list[dict[str, object]]] = {"carrel": [], "bm25s": []}
    for number in range(arguments.rounds):
        for peer in ("carrel", "bm25s") if number % 2 == 0 else ("bm25s", "carrel"):
            with tempfile.TemporaryDirectory(dir=texts.parent) as scratch:
                if peer == "carrel":
                    runs[peer].append(carrel_once(texts, Path(scratch)))
                else:
                    runs[peer].append(run_peer("bm25s", "peer_bm25s.py", "index", str(texts), str(Path(scratch) / "index")))
                shutil.rmtree(scratch, ignore_errors=True)
                Path(scratch).mkdir()
            print(peer, json.dumps(runs[peer][-1]), file=sys.stderr, flush=True)
            time.sleep(1)
    median = {
        peer: {key: statistics.median(float(run[key]) for run in some) for key in ("seconds", "peak_bytes", "disk_bytes")}  # type: ignore[arg-type]
        for peer, some in runs.items()
    }
    rows = [
        [peer, f"{m['seconds']:.1f}", f"{arguments.limit / m['seconds']:,.0f}", f"{m['peak_bytes'] / 2**20:,.0f}",
         f"{m['disk_bytes'] / 2**20:,.0f}"]
        for peer, m in median.items()
    ]  # fmt: skip
    ratio_time = median["bm25s"]["seconds"] / median["carrel"]["seconds"]
    ratio_memory = median["carrel"]["peak_bytes"] / median["bm25s"]["peak_bytes"]
    text = (
        f"Indexing {arguments.limit:,} real passages of 100 words, medians of {arguments.rounds} alternating runs. carrel does "
        "BM25, static vectors and the document store, from process start to commit; bm25s does BM25 alone, texts in memory.\n\n"
        + table(["", "seconds", "passages/s", "peak resident MB", "disk MB"], rows)
        + f"\n\ncarrel is {ratio_time:.2f} times as fast, with {ratio_memory:.2f} of the peak memory."
    )
    keep("indexing", {"limit": arguments.limit, "runs": runs, "median": median}, text)


if __name__ == "__main__":
    main()
