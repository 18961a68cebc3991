"""Hours beside each other: a process that writes without end, one that searches and refreshes without end, and what they hold.

    python bench/soak.py --minutes 120 --text TEXTS.jsonl.gz [--share 0.5]

One process adds, updates and removes documents of one library, merges and compacts it; another keeps one `Library` open that
several threads use: they search by words and by vectors, read documents, iterate, and refresh. Both rest in between, so that
each takes about ``--share`` of a core. Once a minute: anonymous memory, open files, maps and threads of each process, and the
bytes of the library on disk. The table sets the medians of the first quarter (after five minutes) and of the last beside each
other. A result without its text, and any error but that a generation is gone, is counted as wrong. Results go to
``docs/results/soak.json``.
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import random
import statistics
import sys
import tempfile
import threading
import time
from itertools import islice
from pathlib import Path
from typing import Any

from common import ROOT, keep, table

sys.path.insert(0, str(ROOT / "src"))

WARMING = 5
"""Minutes that are not counted."""
DOCUMENTS = 3000
THREADS = 4


def texts(path: Path) -> list[str]:
    """Some thousand texts to draw from."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line)["text"] for line in islice(file, 20_000)]


def rest(stop: Any, began: float, share: float) -> None:
    """Wait so long that what began at ``began`` took ``share`` of the time."""
    stop.wait((time.monotonic() - began) * (1 - share) / share)


def write(library: str, path: Path, share: float, counts: Any, stop: Any) -> None:
    """Changes without end."""
    import bookwheel

    drawn, random_ = texts(path), random.Random(1)
    while not stop.is_set():
        began = time.monotonic()
        with bookwheel.open(library, wait=60.0) as opened:
            for _ in range(random_.randrange(1, 12)):
                some = random_.sample(range(DOCUMENTS), random_.randrange(1, 60))
                opened.add([{"id": f"d{one}", "text": random_.choice(drawn)} for one in some])
                counts[0] += 1
                if random_.random() < 0.5:
                    held = [name for name in (f"d{one}" for one in random_.sample(range(DOCUMENTS), 20)) if name in opened]
                    if held:
                        opened.remove(held)
                        counts[1] += 1
            opened.embed()
            if random_.random() < 0.05:
                opened.compact()
                counts[2] += 1
        rest(stop, began, share)


def read(library: str, path: Path, share: float, counts: Any, stop: Any) -> None:
    """Searches and refreshes without end, in several threads that share one library."""
    import bookwheel

    drawn = texts(path)
    opened = bookwheel.open(library)

    def work(seed: int) -> None:
        random_ = random.Random(seed)
        while not stop.is_set():
            began = time.monotonic()
            try:
                for _ in range(20):
                    words = random_.sample(random_.choice(drawn).split(), 3)
                    results = opened.search(" ".join(words), recipe=random_.choice(["bm25", "dense", "bm25 + dense"]))
                    counts[0] += 1
                    counts[3] += sum(not result.text for result in results)
                for number, _document in enumerate(opened):
                    if number == 50:
                        break
                opened.refresh()
                counts[1] += 1
            except bookwheel.LibraryChanged:
                counts[2] += 1
            except Exception as error:
                print("wrong:", type(error).__name__, error, file=sys.stderr, flush=True)
                counts[3] += 1
            rest(stop, began, share / THREADS)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def held(pid: int) -> dict[str, float]:
    """Anonymous megabytes, open files, maps and threads of a process."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return {
        "anonymous MB": int(status["RssAnon"].split()[0]) / 1024,
        "files": sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()),
        "maps": Path(f"/proc/{pid}/maps").read_text().count("\n"),
        "threads": int(status["Threads"]),
    }


def size(folder: Path) -> int:
    """Bytes below a folder; files may go meanwhile."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size
        except OSError:
            continue
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--share", type=float, default=0.5)
    asked = parser.parse_args()
    import bookwheel

    context = multiprocessing.get_context("spawn")
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as place:
        library = Path(place) / "library"
        drawn = texts(asked.text)
        with bookwheel.open(library, create=True) as opened:
            opened.add([{"id": f"d{one}", "text": drawn[one]} for one in range(DOCUMENTS)])
        stop = context.Event()
        counts = [context.Array("q", 4), context.Array("q", 4)]
        processes = [
            context.Process(target=work, args=(str(library), asked.text, asked.share, count, stop))
            for work, count in zip((write, read), counts, strict=True)
        ]
        for process in processes:
            process.start()
        ends = time.monotonic() + 60 * asked.minutes
        while time.monotonic() < ends and all(process.is_alive() for process in processes):
            time.sleep(min(60, max(0.0, ends - time.monotonic())))
            row = {
                "writer": held(processes[0].pid or 0),
                "reader": held(processes[1].pid or 0),
                "library MB": size(library) / 1e6,
            }
            rows.append(row)
            print(json.dumps(row), list(counts[0]), list(counts[1]), flush=True)
        stop.set()
        for process in processes:
            process.join(120)
        with bookwheel.open(library) as opened:
            sound = not opened.check()
    rows = rows[WARMING:] or rows
    quarter = max(1, len(rows) // 4)
    lines = []
    found: dict[str, Any] = {}
    for who in ("writer", "reader"):
        for what in rows[0][who]:
            first, last = (statistics.median(row[who][what] for row in some) for some in (rows[:quarter], rows[-quarter:]))
            most = max(row[who][what] for row in rows)
            found[f"{who}: {what}"] = {"first quarter": first, "last quarter": last, "most": most}
            lines.append((f"{who}: {what}", f"{first:.0f}", f"{last:.0f}", f"{most:.0f}"))
    first, last = (statistics.median(row["library MB"] for row in some) for some in (rows[:quarter], rows[-quarter:]))
    found["library MB"] = {"first quarter": first, "last quarter": last, "most": max(row["library MB"] for row in rows)}
    lines.append(("library MB", f"{first:.0f}", f"{last:.0f}", f"{found['library MB']['most']:.0f}"))
    added, removed, compacted, _ = counts[0]
    searches, refreshes, changed, wrong = counts[1]
    print(table(("", "first quarter", "last quarter", "most"), lines))
    print(
        f"{added:,} additions, {removed:,} removals, {compacted:,} compactions; {searches:,} searches, {refreshes:,} refreshes, ",
        end="",
    )
    print(
        f"{changed:,} told that their generation is gone, {wrong:,} wrong; check finds the library {'sound' if sound else 'DAMAGED'}"
    )
    figures = {"additions": added, "removals": removed, "compactions": compacted, "searches": searches, "refreshes": refreshes}
    keep(
        "soak", {"minutes": asked.minutes, **figures, "generation gone": changed, "wrong": wrong, "sound": sound, "held": found}
    )


if __name__ == "__main__":
    main()
