"""How fast a whole library is made, by the number of workers: reading, splitting, BM25, vectors, document store, commit.

    python bench/indexing.py TEXTS.jsonl [FOLDER ...] --workers 1 2 --rounds 3 [--source OTHER/src]

Each run is a process of its own, from the call of `index` to its return, into a new library; the numbers of workers take turns, and
the median of the rounds counts, so that what else a machine does meets all alike. Processor time is that of all processes, their
start included. ``--source`` measures another version's code in the same turns, which has no workers.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import ROOT, keep, table

_RUN = """
import json, os, sys, time
import bookwheel
path, data, workers = sys.argv[1:]
given = {} if workers == "-" else {"workers": int(workers)}
library = bookwheel.open(path, create=True)
began = time.monotonic()
report = library.index(data, **given)
seconds = time.monotonic() - began
del library
times = os.times()
print(json.dumps({"passages": report.passages, "workers": getattr(report, "workers", 1), "seconds": seconds,
                  "here": times.user + times.system, "others": times.children_user + times.children_system}))
"""


def run(data: str, workers: str, source: Path) -> dict[str, Any]:
    """One library made, and forgotten."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        done = subprocess.run(
            [sys.executable, "-c", _RUN, str(Path(folder) / "library"), data, workers],
            env={**os.environ, "PYTHONPATH": str(source)}, capture_output=True, text=True, check=True,
        )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", help="a file or folder to index; of several each by itself")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--source", type=Path, help="the src folder of another version, measured beside this one")
    parser.add_argument("--keep", action="store_true", help="write docs/results/indexing.json")
    arguments = parser.parse_args()
    ways = [(f"{count}", ROOT / "src") for count in arguments.workers]
    if arguments.source:
        ways.insert(0, ("-", arguments.source))
    rows: list[list[object]] = []
    for data in arguments.data:
        runs: dict[str, list[dict[str, Any]]] = {name: [] for name, _ in ways}
        for _ in range(arguments.rounds):
            for name, source in ways:
                runs[name].append(run(data, name, source))
                print(data, name, runs[name][-1], os.getloadavg(), file=sys.stderr, flush=True)
        first = statistics.median(one["seconds"] for one in runs[ways[0][0]])
        for name, some in runs.items():
            seconds = statistics.median(one["seconds"] for one in some)
            here, others = (statistics.median(one[part] for one in some) for part in ("here", "others"))
            passages = some[0]["passages"]
            rows.append([
                Path(data).name, f"{passages:,}", "other version" if name == "-" else some[0]["workers"], f"{seconds:.1f}",
                f"{passages / seconds:,.0f}", f"{first / seconds:.2f}", f"{here:.1f}", f"{others:.1f}",
            ])  # fmt: skip
    head = [
        "what",
        "passages",
        "workers",
        "seconds",
        "passages/s",
        "times the first",
        "processor s, writer",
        "processor s, others",
    ]
    title = f"Median of {arguments.rounds} rounds in turn."
    print(table(head, rows))
    if arguments.keep:
        keep(
            "indexing",
            {"benchmark": "indexing", "rounds": arguments.rounds, "tables": [{"title": title, "head": head, "rows": rows}]},
        )


if __name__ == "__main__":
    main()
