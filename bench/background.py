"""Searching while passages are embedded in the background: latencies idle and meanwhile, in turns, and how fast embedding goes.

    python bench/background.py [--text TEXTS.jsonl.gz] [--passages 100000] [--rounds 6] [--seconds 10] [--model FOLDER|static]

The library has vectors made while indexing and an encoder added that is not embedded yet. In each round this process searches for
`--seconds` while nothing else runs, then for as long while `bookwheel.serve.background` embeds; the two take turns, so that what
else the machine does falls on both. Queries come `--rate` a second, as a person's would. The claim: the 95th percentile while
embedding is at most 1.5 times that when idle. Results go into docs/results/background.json.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import ROOT, commit, keep, percentiles, read_texts, table, text_of

sys.path.insert(0, str(ROOT / "src"))

WORDS = ("river", "memory", "index", "light", "history", "engine", "water", "theory", "market", "signal", "forest", "language")


def texts(path: Path | None, count: int) -> Any:
    """Real passages, or made ones where there is no file."""
    if path is not None:
        return ({"id": f"t{n}", "text": text_of(one)} for n, one in enumerate(read_texts(path, count)))
    draw = random.Random(1)
    return ({"id": f"t{n}", "text": " ".join(draw.choices(WORDS, k=60)) + f" number {n}."} for n in range(count))


def searched(library: Any, seconds: float, rate: float, seed: int) -> list[float]:
    """Latencies of searches for so long, at most ``rate`` a second."""
    draw, found, until = random.Random(seed), [], time.monotonic() + seconds
    while (began := time.monotonic()) < until:
        library.search(" ".join(draw.choices(WORDS, k=3)), 10)
        took = time.monotonic() - began
        found.append(took)
        time.sleep(max(0.0, 1 / rate - took))
    return found


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", type=Path)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--cpu", type=float, default=0.5)
    parser.add_argument("--model", default="static")
    given = parser.parse_args()
    import bookwheel
    from bookwheel.serve.background import Embedding

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "library"
        with bookwheel.open(path, create=True) as made:
            made.add(texts(given.text, given.passages))
            made.add_encoder("second", given.model)
        idle: list[float] = []
        busy: list[float] = []
        embedded = 0
        library = bookwheel.open(path)
        searched(library, 3, given.rate, 0)  # warm
        for number in range(given.rounds):
            idle += searched(library, given.seconds, given.rate, number)
            run = Embedding(path, cpu=given.cpu)
            while run.running and not run.state()["encoders"]:
                time.sleep(0.05)
            before = run.state()["encoders"][0]["embedded"] if run.state()["encoders"] else 0
            if run.running:
                busy += searched(library, given.seconds, given.rate, number)
            run.close()
            embedded += run.state()["encoders"][0]["embedded"] - before
            if run.done:
                break
            library.refresh()
        library.close()
    if not busy:
        raise SystemExit("everything was embedded before a search could be timed; give more --passages or a larger --model")
    if not embedded:
        raise SystemExit("nothing was embedded while searches were timed; give more --seconds")
    rows = {"idle": percentiles(idle), "embedding": percentiles(busy)}
    ratio = rows["embedding"]["p95_ms"] / rows["idle"]["p95_ms"]
    shown = table(
        ("", "searches", "p50 ms", "p95 ms", "p99 ms"),
        [
            (name, len(some), *(f"{rows[name][at]:.2f}" for at in ("p50_ms", "p95_ms", "p99_ms")))
            for name, some in (("idle", idle), ("embedding", busy))
        ],
    )
    shown += f"\np95 while embedding: {ratio:.2f} times that when idle; {embedded:,} passages embedded meanwhile"
    named = {"text": given.text.name if given.text else None, "model": Path(given.model).name}
    result = {"commit": commit(), "arguments": vars(given) | named, "latency": rows}
    print(keep("background", result | {"ratio": ratio, "embedded": embedded}, shown))


if __name__ == "__main__":
    main()
