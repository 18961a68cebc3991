"""The first query after the page cache was dropped: in a process that is up, and from a new `bookwheel search`.

    python bench/cold.py --passages 1000000 [--runs 15]

Uses the library with vectors that `lexical.py` builds. Each run takes another query and, for the process that is up, a new process: it has
loaded bookwheel and its kernels on another, small library and has not touched this one. Before each query the library's files are
dropped from the cache; in the rows "everything", Python's and numpy's own files are too (needs root).
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from common import RESULTS, SCRATCH, drop_from_cache, keep
from data import Data
from harness import build, compile_kernels, index_folder, say
from lexical import contenders
from peers import environment_of

PROCESS = """
import json, resource, sys, time
import bookwheel
library, small, k = sys.argv[1], sys.argv[2], int(sys.argv[3])
warm = bookwheel.open(small)
for recipe in sys.argv[4:]:
    warm.rank("some words", k, recipe=recipe)
def io():
    return {k: int(v) for k, v in (line.split(": ") for line in open("/proc/self/io").read().splitlines())}["read_bytes"]
print("ready", flush=True)
for line in sys.stdin:
    query, recipe = json.loads(line)
    read, faults = io(), resource.getrusage(resource.RUSAGE_SELF).ru_majflt
    times = [time.perf_counter()]
    opened = bookwheel.open(library)
    opened.passage_count
    times.append(time.perf_counter())
    opened.rank(query, k, recipe=recipe)
    times.append(time.perf_counter())
    opened.search(query, k, recipe=recipe)
    times.append(time.perf_counter())
    told = {"open": times[1] - times[0], "rank": times[2] - times[1], "texts": times[3] - times[2]}
    told |= {"read_bytes": io() - read, "major_faults": resource.getrusage(resource.RUSAGE_SELF).ru_majflt - faults}
    print(json.dumps(told), flush=True)
"""
"""Opens the library only when told to, after the cache was dropped."""


def small_library() -> Path:
    """A library of a few thousand texts, to load code on: what a tiny one needs is less."""
    import bookwheel
    from bookwheel.documents.document import Document

    place = SCRATCH / "libraries" / "small-5000"
    try:
        bookwheel.open(place).rank("some words")
    except bookwheel.BookwheelError:  # there is none, or one in an older format
        shutil.rmtree(place, ignore_errors=True)
        library = bookwheel.open(place, create=True)
        library.add([Document(id=str(n), text=f"some words about the number {n} and another") for n in range(5000)])
    return place


def warm_process(library: Path, queries: list[str], recipe: str, k: int, everything: bool) -> list[dict[str, float]]:
    """The first query of processes that are up."""
    told = []
    for query in queries:
        process = subprocess.Popen(
            [sys.executable, "-c", PROCESS, library, small_library(), str(k), recipe],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment_of(None, 1),
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        drop_from_cache([library], everything=everything)
        print(json.dumps([query, recipe]), file=process.stdin, flush=True)
        if not (line := process.stdout.readline()):
            raise SystemExit(f"bookwheel failed on {library}; its words are above")
        told.append(json.loads(line))
        process.stdin.close()
        process.wait()
    return told


def command_line(library: Path, queries: list[str], recipe: str, everything: bool | None) -> list[float]:
    """Seconds of `bookwheel search` from start to end; ``everything`` None drops nothing."""
    seconds = []
    for query in queries:
        if everything is not None:
            drop_from_cache([library], everything=everything)
        started = time.perf_counter()
        with tempfile.TemporaryFile() as out:
            subprocess.run(
                [sys.executable, "-m", "bookwheel", "search", query, "--library", library, "--recipe", recipe],
                stdout=out, stderr=out, env=environment_of(None, 1), check=False,
            )  # fmt: skip
        seconds.append(time.perf_counter() - started)
    return seconds


def disk_floor(library: Path) -> dict[str, float]:
    """What the disk gives past the page cache: random reads of 4 KB a second, one and 32 at a time, and bytes a second in a row."""
    path = max((p for p in library.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    handle, size, dice = os.open(path, os.O_RDONLY | os.O_DIRECT), path.stat().st_size, random.Random(0)

    def read(places: list[int], length: int) -> None:
        with mmap.mmap(-1, length) as buffer:  # O_DIRECT takes whole pages only
            for place in places:
                os.preadv(handle, [buffer], place)

    def seconds(depth: int, count: int) -> float:
        some = [[dice.randrange(size // 4096) * 4096 for _ in range(count)] for _ in range(depth)]
        threads = [threading.Thread(target=read, args=(places, 4096)) for places in some]
        started = time.perf_counter()
        [thread.start() for thread in threads], [thread.join() for thread in threads]
        return time.perf_counter() - started

    rates = {
        f"random_4k_a_second_depth_{d}": statistics.median(d * n / seconds(d, n) for _ in range(5))
        for d, n in ((1, 200), (32, 40))
    }
    rows = []
    for _ in range(5):
        first = dice.randrange(max(1, (size >> 20) - 64)) << 20
        started = time.perf_counter()
        read(list(range(first, min(first + (64 << 20), size >> 20 << 20), 1 << 20)), 1 << 20)
        rows.append(64 * 2**20 / (time.perf_counter() - started))
    os.close(handle)
    return {**rates, "sequential_bytes_a_second": statistics.median(rows)}


def summary(values: list[float]) -> dict[str, float]:
    return {"median_ms": statistics.median(values) * 1000, "most_ms": max(values) * 1000, "least_ms": min(values) * 1000}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--gently", action="store_true", help="drop the library's files only: others are using the machine")
    parser.add_argument("--recipe", action="append", help="only this one, beside what was measured of the others before")
    parser.add_argument("--library", type=Path, help="one of the same passages that is built already, with vectors")
    arguments = parser.parse_args()
    data = Data.of(arguments.passages)
    queries = json.loads(data.queries("words").read_text(encoding="utf-8"))[: arguments.runs]
    compile_kernels()
    root = os.geteuid() == 0 and not arguments.gently
    rows: list[dict[str, Any]] = []
    library = arguments.library
    if library is None:
        contender = {c.name: c for c in contenders(vectors=True)}["bookwheel with vectors"]
        build(contender, data.texts, data.passages)
        library = index_folder(contender, data.texts) / "library"
    for recipe in arguments.recipe or ["bm25", "dense", "hybrid"]:
        for k in (10, 1000):
            for everything in (False, True) if root else (False,):
                told = warm_process(library, queries, recipe, k, everything)
                first = [one["open"] + one["rank"] for one in told]
                parts = {part: statistics.median(one[part] for one in told) for part in told[0]}
                rows.append({
                    "what": "process that is up", "recipe": recipe, "k": k, "everything": everything,
                    **summary(first), "with_texts": summary([sum(one[p] for p in ("open", "rank", "texts")) for one in told]),
                    "parts": parts,
                })  # fmt: skip
                say(f"{recipe}, k={k}, everything={everything}: {rows[-1]['median_ms']:.0f} ms {parts}")
        for dropped in (None, False, True) if root else (None, False):
            seconds = command_line(library, queries[: max(5, arguments.runs // 3)], recipe, dropped)
            rows.append({"what": "bookwheel search", "recipe": recipe, "k": 10, "everything": dropped, **summary(seconds)})
            say(f"bookwheel search, {recipe}, everything={dropped}: {rows[-1]['median_ms']:.0f} ms")
    kept = RESULTS / f"cold-{arguments.passages}.json"
    if arguments.recipe and kept.is_file():
        before = json.loads(kept.read_text())["rows"]
        rows = [row for row in before if row["recipe"] not in arguments.recipe] + rows
    segments = len(list((library / "segments").iterdir()))
    told = {
        "benchmark": "cold",
        "items": data.passages,
        "segments": segments,
        "runs": arguments.runs,
        "disk": disk_floor(library),
    }
    told["rows"] = rows
    keep(f"cold-{arguments.passages}", told)


if __name__ == "__main__":
    main()
