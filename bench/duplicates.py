"""Whether ``index --distinct`` leaves out what exact MinHash would, and what that costs.

    python bench/duplicates.py TEXTS.jsonl.gz --passages 60000 --rounds 5

Real passages with planted copies, in an order drawn with a seed: word for word, in capitals, with one to four other words, cut at
the end, with a line before, and, as near misses, with every fourth word another. The library's choice is compared with that of a
loop over all pairs of signatures: which documents are left out, and as copies of which. How good signatures themselves are is told
by the true share of common shingles of each pair that was left out. Speed is that of passages none of which repeats another, so that
the work of leaving out is not paid for by what need not be indexed; runs with and without take turns.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from common import ROOT, keep, read_texts, table

sys.path.insert(0, str(ROOT / "src"))

from bookwheel.analysis.words import split_words
from bookwheel.documents.duplicates import HASHES, signature

SEED = 15
KINDS = (
    "word for word",
    "in capitals",
    "one other word",
    "two other words",
    "four other words",
    "cut",
    "a line before",
    "near miss",
)
ENOUGH = 103
"""Of 128, as in bookwheel.library.distinct.comparing."""

_RUN = """
import json, os, sys, time
import bookwheel
path, data, distinct = sys.argv[1:]
library = bookwheel.open(path, create=True)
began = time.monotonic()
report = library.index(data, workers=1, **({"distinct": True} if distinct == "yes" else {}))
seconds = time.monotonic() - began
times = os.times()
left = [(one.id, one.original, one.resemblance) for one in library.copies()]
disk = {name: size for name, size in library.info().disk.items() if name.startswith("signatures/")}
print(json.dumps({"added": report.added, "seconds": seconds, "disk": disk, "left": left,
                  "cpu": times.user + times.system + times.children_user + times.children_system}))
"""


def changed(text: str, kind: str, dice: random.Random) -> str:
    """A copy of ``text``."""
    words = text.split(" ")
    if kind == "in capitals":
        return text.upper()
    if kind.endswith(("word", "words")) and kind != "word for word":
        for at in dice.sample(range(len(words)), min(len(words), {"one": 1, "two": 2, "four": 4}[kind.split()[0]])):
            words[at] = f"changed{dice.randrange(1000)}"
    elif kind == "cut":
        del words[-max(1, len(words) // 20) :]
    elif kind == "a line before":
        words[:0] = ["From", "a", "mirror:"]
    elif kind == "near miss":
        for at in range(0, len(words), 4):
            words[at] = f"changed{dice.randrange(1000)}"
    return " ".join(words)


def planted(texts: list[str], share: float) -> tuple[list[str], list[str]]:
    """The texts with copies of a share of them, in random order, and of which kind each is (``""``: one of the texts)."""
    dice = random.Random(SEED)
    rows = [(text, "") for text in texts]
    for number in dice.sample(range(len(texts)), round(share * len(texts))):
        kind = dice.choice(KINDS)
        rows.append((changed(texts[number], kind, dice), kind))
    dice.shuffle(rows)
    return [text for text, _ in rows], [kind for _, kind in rows]


def exact(table: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Of each text the first that is kept and agrees in `ENOUGH` places; -1 where it is kept itself. All pairs are compared."""
    from numba import njit

    @njit(nogil=True)
    def leaders(table, there, enough, found):  # type: ignore[no-untyped-def]
        kept = np.empty(len(table), np.int64)
        count = 0
        for at in range(len(table)):
            found[at] = -1
            if not there[at]:
                continue
            for row in range(count):
                other = kept[row]
                agreeing = 0
                for k in range(table.shape[1]):
                    agreeing += table[at, k] == table[other, k]
                if agreeing >= enough:
                    found[at] = other
                    break
            if found[at] < 0:
                kept[count] = at
                count += 1

    found = np.empty(len(table), np.int64)
    leaders(table, there, ENOUGH, found)
    return found


def signatures(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    table = np.zeros((len(texts), HASHES), np.uint16)
    there = np.zeros(len(texts), np.bool_)
    for at, text in enumerate(texts):
        if (found := signature(text)) is not None:
            table[at], there[at] = found, True
    return table, there


def overlap(one: str, other: str) -> float:
    """The share of three-word shingles that both have in common, counted."""

    def shingles(text: str) -> set[tuple[str, ...]]:
        words = split_words(text.lower())
        return {tuple(words[at : at + 3]) for at in range(max(1, len(words) - 2))}

    a, b = shingles(one), shingles(other)
    return len(a & b) / len(a | b)


def run(data: Path, distinct: bool) -> dict[str, Any]:
    """One library made, and forgotten."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        done = subprocess.run(
            [sys.executable, "-c", _RUN, str(Path(folder) / "library"), str(data), "yes" if distinct else "no"],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=True,
        )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def write(texts: list[str], path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"id": str(n), "text": text}) + "\n" for n, text in enumerate(texts))


def filter_hits(texts: list[str]) -> tuple[float, float]:
    """The share of distinct texts that a filter of others says yes to, and of those that have a band in common with one."""
    from bookwheel.index.signatures import Part, SignatureRun, Signatures, write_run

    table, there = signatures(texts)
    table = table[there]
    half = len(table) // 2
    with tempfile.TemporaryDirectory() as folder:
        write_run(Path(folder) / "run", [Part(np.arange(half), table[:half])], [None])
        held = Signatures([SignatureRun(Path(folder) / "run")])
        for one in table[half:]:
            held.find(one, ENOUGH)
    bands = table.view(np.uint64)
    known = [set(bands[:half, band].tolist()) for band in range(16)]
    true = sum(any(int(one[band]) in known[band] for band in range(16)) for one in bands[half:])
    return held.looked_up / (len(table) - half), true / (len(table) - half)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", help="JSONL of {_id, title, text}, .gz or plain")
    parser.add_argument("--passages", type=int, default=60_000)
    parser.add_argument("--every", type=int, default=10, help="take one passage in so many, so that they are of many documents")
    parser.add_argument("--share", type=float, default=0.2, help="copies planted, of the passages")
    parser.add_argument("--rounds", type=int, default=5, help="of the measurement of speed; 0: none")
    parser.add_argument("--keep", action="store_true", help="write docs/results/duplicates.json")
    arguments = parser.parse_args()
    read = (one["text"] for n, one in enumerate(read_texts(arguments.texts)) if n % arguments.every == 0)
    texts = [text for _, text in zip(range(arguments.passages), read, strict=False)]
    mixed, kinds = planted(texts, arguments.share)
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        path = Path(folder) / "mixed.jsonl"
        write(mixed, path)
        done = run(path, True)
        left = {int(name): (int(original), share) for name, original, share in done["left"]}
        wanted = exact(*signatures(mixed))
        copies = {int(at): int(wanted[at]) for at in np.flatnonzero(wanted >= 0)}
        true = {at: overlap(mixed[at], mixed[original]) for at, (original, _) in left.items()}
        distinct = [text for at, text in enumerate(mixed) if at not in copies and not kinds[at]]
        hits, needed = filter_hits(distinct)
        size = {name.partition("/")[2]: bytes_ for name, bytes_ in done["disk"].items()}
        same = sum(left.get(at, (None,))[0] == original for at, original in copies.items())
        alarms = sum(at not in copies for at in left)
        rows: list[list[object]] = [
            ["passages, with planted copies", f"{len(mixed):,}"],
            ["left out by exact MinHash, all pairs", f"{len(copies):,}"],
            ["left out by index --distinct", f"{len(left):,}"],
            ["the same ones, as copies of the same", f"{same:,}"],
            ["missed", f"{len(copies.keys() - left.keys()):,}"],
            ["false alarms", f"{alarms:,} ({alarms / len(mixed):.1e} of all)"],
            ["left out, true overlap below 0.7", f"{sum(share < 0.7 for share in true.values()):,}"],
            ["filters' own hits / texts that share a band", f"{hits:.4f} / {needed:.4f}"],
            ["bytes of filters a document", f"{size['filter'] / done['added']:.1f}"],
            ["bytes on disk a document besides", f"{(sum(size.values()) - size['filter']) / done['added']:.0f}"],
        ]
        planted_, found = Counter(kinds), Counter(kinds[at] for at in left)
        tables = [
            {"title": "What is left out.", "head": ["what", "how many"], "rows": rows},
            {
                "title": "Planted copies, by kind.",
                "head": ["kind", "planted", "left out"],
                "rows": [[kind or "none: as it was found", planted_[kind], found[kind]] for kind in ("", *KINDS)],
            },
        ]
        if arguments.rounds:
            path = Path(folder) / "distinct.jsonl"
            write(distinct, path)
            cost: dict[bool, list[float]] = {False: [], True: []}
            for turn in range(arguments.rounds):
                for way in ((False, True), (True, False))[turn % 2]:
                    one = run(path, way)
                    cost[way].append(one["cpu"])
                    print(way, one["added"], round(one["cpu"], 2), round(one["seconds"], 2), os.getloadavg(), file=sys.stderr)
            plain, with_ = (statistics.median(cost[way]) for way in (False, True))
            ratios = [b / a - 1 for a, b in zip(cost[False], cost[True], strict=True)]
            tables.append({
                "title": f"Processor time of indexing {len(distinct):,} distinct passages, median of {arguments.rounds} rounds in turn.",
                "head": ["plain, s", "--distinct, s", "more", "more, by round"],
                "rows": [[f"{plain:.2f}", f"{with_:.2f}", f"{with_ / plain - 1:.1%}", ", ".join(f"{r:.1%}" for r in sorted(ratios))]],
            })  # fmt: skip
    for one in tables:
        print(f"\n{one['title']}\n\n{table(one['head'], one['rows'])}")
    if arguments.keep:
        keep("duplicates", {"benchmark": "duplicates", "rounds": arguments.rounds, "tables": tables})


if __name__ == "__main__":
    main()
