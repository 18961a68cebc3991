"""The memory budget under a real limit: build, search and compact real or synthetic passages in a cgroup that kills for one page.

    python bench/budget.py --passages 1000000 --ram 256MB               real passages (data.py)
    python bench/budget.py --passages 10000000 --ram 2GB --synthetic    words by Zipf's law (synthetic.py), made first
    python bench/budget.py --peers [--only-peers]                       the other tools' builds under the same limit too (else as before)
    python bench/budget.py --base                                       what a process holds before it has any data
    python bench/budget.py --bytes LIBRARY...                           bytes a passage of libraries by part, planned beside measured

Every phase is a process of its own in a cgroup whose limit is the budget, without swap: the kernel kills it where its anonymous
memory, and whatever else cannot be dropped, exceeds the budget by a page (where no cgroup can be had its anonymous memory is looked at
500 times a second). Peaks are of the process: anonymous (cannot be dropped) and resident (with the file pages that it had mapped).
Latencies are those within the limit, files in the page cache as far as the limit leaves room.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from common import RESULTS, ROOT, SCRATCH, keep, percentiles, table
from data import Data
from harness import compile_kernels, say
from peers import environment_of, python_of

sys.path.insert(0, str(ROOT / "tests" / "budget"))
sys.path.insert(0, str(ROOT / "src"))

from limits import LOOK, Outcome, TookTooLong, run_within

from bookwheel.memory.sizes import format_size, parse_size, round_up
from synthetic import ZipfText, write_text

HOURS = 3600.0
SMALL = {"batch": 4096}
PEERS: dict[str, tuple[str, str, dict[str, Any], bool]] = {
    "bm25s": ("bm25s", "peer_bm25s.py", {}, False),
    "tantivy, heap of 96 MB": ("tantivy", "peer_tantivy.py", {"heap": 96 << 20}, False),
    "SQLite FTS5": ("fts5", "peer_fts5.py", {}, False),
    "turbovec 2 bits": ("turbovec", "peer_turbovec.py", {"bits": 2}, True),
    "faiss RaBitQ fast scan": ("faiss", "peer_faiss.py", {"kind": "RR,RaBitQfs", **SMALL, "trained": 20_000}, True),
    "faiss IVF RaBitQ fast scan": ("faiss", "peer_faiss.py", {"kind": "RR,IVF1024,RaBitQfs", **SMALL, "trained": 40_000}, True),
    "faiss HNSW": ("faiss", "peer_faiss.py", {"kind": "HNSW32", "ef": 40, **SMALL}, True),
    "LanceDB IVF_RQ": ("lancedb", "peer_lancedb.py", {"kind": "rq", **SMALL}, True),
    "zvec IVF RaBitQ, memory_limit_mb 200": ("zvec", "peer_zvec.py", {"kind": "ivf-rabitq", "limit_mb": 200}, True),
}
"""Other tools: environment, script, options, and whether they index the static vectors (256 dimensions) instead of the words.

Where a tool leaves it to its user how much it is handed at once, or learns from, that is little here."""

BUILD = """
import json, sys, time
import bookwheel
texts, place, ram, encoder = sys.argv[1:5]
started = time.perf_counter()
with bookwheel.open(place, create=True, language="english", ram=ram, encoder=encoder) as library:
    report = library.index(texts)
    info = library.info()
    print(json.dumps({
        "seconds": time.perf_counter() - started, "documents": report.added, "passages": info.passages,
        "segments": info.segments, "failures": len(report.failures), "disk_bytes": sum(info.disk.values()),
        "memory": [[line.part, line.planned, line.measured] for line in report.memory_plan],
    }))
"""

SEARCH = """
import json, sys, threading, time
import bookwheel
place, ram, path = sys.argv[1:4]
queries = json.load(open(path, encoding="utf-8"))
started = time.perf_counter()
with bookwheel.open(place, ram=ram) as library:
    seconds = {}
    for recipe in ("bm25", "dense", "hybrid"):
        for k in (10, 1000):
            for query in queries[-3:]:
                library.rank(query, k, recipe=recipe)
            took = seconds[f"{recipe}, k={k}"] = []
            for query in queries:
                begun = time.perf_counter()
                library.rank(query, k, recipe=recipe)
                took.append(time.perf_counter() - begun)
                if sum(took) > 10:
                    break
    texts = seconds["hybrid with texts, k=10"] = []
    for query in queries:
        begun = time.perf_counter()
        library.search(query, 10, recipe="hybrid")
        texts.append(time.perf_counter() - begun)
        if sum(texts) > 10:
            break
    def work():
        for query in queries[:50]:
            library.rank(query, 10, recipe="hybrid")
    threads = [threading.Thread(target=work) for _ in range(4)]
    [thread.start() for thread in threads], [thread.join() for thread in threads]
    memory = [[line.part, line.planned, line.measured] for line in library.memory_plan()]
print(json.dumps({"seconds": time.perf_counter() - started, "latency": seconds, "memory": memory}))
"""

COMPACT = """
import json, sys, time
import bookwheel
place, ram, path = sys.argv[1:4]
def opened():
    if not path.endswith(".zst"):
        return open(path, encoding="utf-8")
    from bookwheel.documents.zstd import module
    return module().open(path, "rt", encoding="utf-8")
started = time.perf_counter()
with bookwheel.open(place, ram=ram) as library:
    names = []
    with opened() as texts:
        for number, line in enumerate(texts):
            if number % 10 == 0:
                names.append(json.loads(line)["_id"])
            if len(names) == 20_000:
                library.remove(names)
                names = []
    library.remove(names)
    library.compact()
    info = library.info()
print(json.dumps({"seconds": time.perf_counter() - started, "passages": info.passages, "segments": info.segments}))
"""

BASE = """
import sys
import bookwheel.kernels as kernels
from bookwheel._system import anonymous_bytes
kernels.warm()
print(anonymous_bytes())
"""


def phase(what: str, ram: int, code: str, *arguments: object, told: bool = True) -> dict[str, Any]:
    """One phase in a process of its own within ``ram`` bytes."""
    say(f"{what} within {format_size(ram)}")
    started = time.perf_counter()
    outcome = run_within(
        ram, [sys.executable, "-c", code, *map(str, arguments)], environment_of(None, 1), timeout=6 * HOURS, look=LOOK
    )
    row = as_row(what, outcome, time.perf_counter() - started)
    if outcome.code == 0 and told:
        row |= json.loads(outcome.output.strip().splitlines()[-1])
    if outcome.code:
        row["error"] = outcome.errors.strip().splitlines()[-1:] or ["killed"]
        say(outcome.errors[-2000:])
    if "latency" in row:
        row["latency"] = {name: percentiles(some) | {"queries": len(some)} for name, some in row["latency"].items()}
    say(f"{what}: {'within' if row['within'] else 'EXCEEDED'}, {row['peak_anonymous_bytes'] >> 20} MB, {row['seconds']:.0f} s")
    return row


def as_row(what: str, outcome: Outcome, seconds: float) -> dict[str, Any]:
    return {
        "what": what, "how": outcome.how, "limit": outcome.limit, "within": outcome.within, "killed": outcome.killed,
        "exit_code": outcome.code, "seconds": seconds,
        "peak_anonymous_bytes": outcome.peak, "peak_total_bytes": outcome.resident,
    }  # fmt: skip


def peer(name: str, ram: int, data: Path, *, limit: float) -> dict[str, Any]:
    """The build of another tool within the same memory, ended after ``limit`` seconds."""
    environment, script, options, vectors = PEERS[name]
    folder = SCRATCH / "budget" / f"peer-{environment}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    say(f"{name} within {format_size(ram)}")
    command = [str(python_of(environment)), str(ROOT / "bench" / script), "build", str(data), str(folder), json.dumps(options)]
    started = time.perf_counter()
    row: dict[str, Any]
    try:
        outcome = run_within(ram, command, environment_of(environment, 2), timeout=limit, look=LOOK)
        row = as_row(name, outcome, time.perf_counter() - started)
        if outcome.code and not outcome.killed:
            row["error"] = outcome.errors.strip().splitlines()[-1:]
    except TookTooLong as error:
        row = {
            "what": name, "how": error.how, "limit": ram, "within": False, "killed": False, "exit_code": None, "ended": True,
            "seconds": time.perf_counter() - started, "peak_anonymous_bytes": error.peak, "peak_total_bytes": error.resident,
        }  # fmt: skip
    row["data"] = "vectors" if vectors else "words"
    shutil.rmtree(folder, ignore_errors=True)
    how = "done" if row["exit_code"] == 0 else "killed" if row["killed"] else "ended"
    say(f"{name}: {how}, {row['peak_anonymous_bytes'] >> 20} MB, {row['seconds']:.0f} s")
    return row


def peers(
    ram: int, texts: Path, kept: list[dict[str, Any]], *, passages: int, synthetic: bool, limit: float, named: str
) -> list[dict[str, Any]]:
    """Those with such a name, one after the other, the rest as in ``kept``; those of vectors where there are real ones."""
    documents = None if synthetic else Data.of(passages).vectors("static")[0]
    before = {row["what"]: row for row in kept}
    rows = []
    for name, (*_, vectors) in PEERS.items():
        if not fnmatch(name, named):
            rows += [before[name]] if name in before else []
        elif not vectors:
            rows.append(peer(name, ram, texts, limit=limit))
        elif documents is not None and documents.is_file():
            rows.append(peer(name, ram, documents, limit=limit))
    return rows


def texts_of(passages: int, *, synthetic: bool) -> tuple[Path, Path]:
    """The file of passages and that of queries."""
    if not synthetic:
        data = Data.of(passages)
        return data.texts, data.queries("words")
    folder = SCRATCH / "data" / f"synthetic-{passages}"
    folder.mkdir(parents=True, exist_ok=True)
    texts, queries = folder / "texts.jsonl.zst", folder / "queries.json"
    if not queries.is_file():
        say(f"making {passages:,} passages")
        write_text(texts, passages)
        queries.write_text(json.dumps(ZipfText(seed=1).queries(1000)))
    return texts, queries


def bytes_of(place: Path) -> dict[str, Any]:
    """Print the bytes a passage of a library; its passages, and planned divided by measured bytes."""
    import bookwheel
    from bookwheel.library import memory_plan

    with bookwheel.open(place) as library:
        info = library.info()
    for title, parts in (("disk", info.disk), ("memory", info.memory)):
        for part, size in parts.items():
            print(f"{title:<8}{part:<40}{size / max(info.passages, 1):10.1f} bytes a passage")
    plan = memory_plan.plan_library(info.passages, 256 if "dense/vectors" in info.disk else 0, 1 << 30)
    row: dict[str, Any] = {"passages": info.passages, "segments": info.segments}
    row |= {
        f"in memory: {line.part}": line.planned / info.memory[line.part] for line in plan.searching if line.part in info.memory
    }
    sparse = sum(size for part, size in info.disk.items() if part.startswith(("sparse-bm25", "impacts")))
    row["on disk: postings, impacts, dictionary"] = (plan.disk["postings and impacts"] + plan.disk["dictionary"]) / sparse
    row["on disk: texts and metadata"] = plan.disk["texts and metadata (SQLite)"] / info.disk["documents.sqlite"]
    row["on disk: all"] = sum(plan.disk.values()) / sum(info.disk.values())
    return row


def keep_plans(places: list[Path]) -> None:
    """Keep planned divided by measured bytes of libraries."""
    rows = [bytes_of(place) for place in places]
    cells = [[f"{value:,}" if isinstance(value, int) else f"{value:.2f}" for value in row.values()] for row in rows]
    keep("plan", {"benchmark": "plan", "rows_of_libraries": rows}, table(list(rows[0]), cells))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--ram", type=parse_size, default=parse_size("256MB"))
    parser.add_argument("--encoder", default="static")
    parser.add_argument("--synthetic", action="store_true")
    parser.add_argument("--peers", action="store_true", help="the other tools too")
    parser.add_argument(
        "--only-peers", action="store_true", help="the other tools, beside what was measured of bookwheel before"
    )
    parser.add_argument("--named", default="*", metavar="PATTERN", help="of the other tools only those with such a name")
    parser.add_argument("--minutes", type=float, default=10.0, help="that another tool may take")
    parser.add_argument("--keep", action="store_true", help="keep the library that is built")
    parser.add_argument("--base", action="store_true")
    parser.add_argument("--bytes", type=Path, metavar="LIBRARY", nargs="+", help="and planned beside measured, as a result")
    arguments = parser.parse_args()
    compile_kernels()
    if arguments.bytes is not None:
        keep_plans(arguments.bytes)
        return
    if arguments.base:
        done = subprocess.run([sys.executable, "-c", BASE], env=environment_of(None, 1), check=True, capture_output=True)
        print(f"{int(done.stdout) / 2**20:.1f} MB")
        return
    ram, texts, queries = arguments.ram, *texts_of(arguments.passages, synthetic=arguments.synthetic)
    name = f"budget-synthetic-{arguments.passages}" if arguments.synthetic else f"budget-{arguments.passages}"
    before = RESULTS / f"{name}.json"
    kept = json.loads(before.read_text()).get("peers", []) if before.is_file() else []

    def others() -> list[dict[str, Any]]:
        limit = arguments.minutes * 60
        where = {"passages": arguments.passages, "synthetic": arguments.synthetic}
        return peers(ram, texts, kept, **where, limit=limit, named=arguments.named)

    if arguments.only_peers:
        if not (RESULTS / f"{name}.json").is_file():
            sys.exit(f"docs/results/{name}.json is not there; run this without --only-peers first")
        result = json.loads((RESULTS / f"{name}.json").read_text())
        keep(name, {**result, "peers": others()})
        return
    place = SCRATCH / "budget" / f"library-{arguments.passages}"
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    limit = round_up(ram)
    rows = [phase("build", ram, BUILD, texts, place, limit, arguments.encoder)]
    if rows[0]["exit_code"] == 0:
        rows.append(phase("search", ram, SEARCH, place, limit, queries))
        rows.append(phase("remove a tenth, compact", ram, COMPACT, place, limit, texts))
        rows.append(phase("search again", ram, SEARCH, place, limit, queries))
    beside = others() if arguments.peers else kept
    if not arguments.keep:
        shutil.rmtree(place, ignore_errors=True)
    keep(name, {"benchmark": "budget", "items": arguments.passages, "ram": ram, "phases": rows, "peers": beside})
    if not all(row["within"] and row["exit_code"] == 0 for row in rows):
        sys.exit("the budget was not kept")


if __name__ == "__main__":
    main()
