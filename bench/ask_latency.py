"""What a quoting answer costs in a large library: processor time a question, by part, once the library is warm.

    python bench/data.py --text TEXTS.jsonl.gz --passages 200000
    python bench/ask_latency.py 200000                   indexes the texts where no library of that size is there, then asks
    python bench/ask_latency.py --library FOLDER --texts TEXTS.jsonl

The questions are real ones, sentences with a question mark that stand somewhere in the texts, drawn with a seed. A hundred are asked
before anything is measured. Times are of the process's CPU, all threads together, since wall-clock times of a busy machine say
nothing. Results go into docs/results/ask-latency.json, by number of passages.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

from common import RESULTS, ROOT, SCRATCH, keep, percentiles, read_texts, table

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from bookwheel import Library
from bookwheel.read.answer import Answer
from bookwheel.read.events import Found
from data import QUESTION, SEED, Data

WARM = 100


def library_of(data: Data) -> Library:
    """A library of all texts, with the built-in vectors; kept."""
    path = SCRATCH / "libraries" / f"ask-{data.passages}"
    if path.exists():
        return bookwheel.open(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    library = bookwheel.open(path, create=True, encoder="static")
    library.index(str(data.texts))
    return library


def questions_of(texts: Path, most: int) -> list[str]:
    """So many questions that stand in the texts, each once."""
    found = {text for record in read_texts(texts) for text in QUESTION.findall(record["text"])}
    return random.Random(SEED).sample(sorted(found), min(most, len(found)))


def measure(library: Library, questions: list[str]) -> dict[str, Any]:
    """CPU milliseconds a question: all of it, until the evidence is there, and after it."""
    for text in questions[:WARM]:
        library.ask(text)
    parts: dict[str, list[float]] = {"all": [], "search": [], "reading": []}
    refused = 0
    for text in questions[WARM:]:
        began = found = time.process_time()
        for event in library.ask_events(text):
            if isinstance(event, Found):
                found = time.process_time()
            elif isinstance(event, Answer):
                refused += event.refused
        ended = time.process_time()
        for name, seconds in (("all", ended - began), ("search", found - began), ("reading", ended - found)):
            parts[name].append(seconds)
    return {"questions": len(parts["all"]), "refused": refused, **{name: percentiles(some) for name, some in parts.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("passages", nargs="?", type=int, default=200_000)
    parser.add_argument("--library", type=Path)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--most", type=int, default=500)
    options = parser.parse_args()
    library = bookwheel.open(options.library) if options.library else library_of(Data.of(options.passages))
    made = measure(library, questions_of(options.texts or Data.of(options.passages).texts, options.most + WARM))
    kept = RESULTS / "ask-latency.json"
    sizes: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))["passages"] if kept.is_file() else {}
    sizes[str(len(library))] = made
    lines = [
        [f"{int(size):,}", one["questions"], *(f"{one[part][at]:.0f} ms" for part in PARTS for at in ("p50_ms", "p95_ms"))]
        for size, one in sorted(sizes.items(), key=lambda pair: int(pair[0]))
    ]
    head = ["passages", "questions", *(f"{part}, {at}" for part in PARTS for at in ("median", "p95"))]
    keep("ask-latency", {"passages": sizes}, table(head, lines))


PARTS = ("search", "reading", "all")


if __name__ == "__main__":
    main()
