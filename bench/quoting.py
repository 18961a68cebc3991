"""The quoting answer on judged questions: in how many the answer stands in the best sentence, in the best two, in what is shown.

    python bench/quoting.py COLLECTION…          XQuAD in a language: queries.jsonl, corpus.jsonl and answers.jsonl (document, start, text)
    python bench/quoting.py --fit COLLECTION     weights for src/bookwheel/read/quoting.py, from one half of its articles

An answer counts where the quote is from the judged paragraph and covers the judged characters. Beside it, on the same evidence: the
first sentences of the best passage, the sentences with the most of the question's weight (the plainest method), and the sentences
as BM25 ranks them in a library of sentences of the evidence. The weights were fitted on the half of XQuAD's English articles whose
name's SHA-256 is even; ``fitted`` and ``held out`` are the two halves. Times are of the process's CPU. Results go into
docs/results/quoting.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common import RESULTS, ROOT, SCRATCH, keep, percentiles, table

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from bookwheel import Document, Library
from bookwheel.library.asking import LibraryCollection
from bookwheel.read import quoting
from bookwheel.read.matching import Matches, Question, matches
from bookwheel.read.options import AskOptions

K1, B = 0.9, 0.4
OTHERS = 300
"""Questions that `ask` is asked of collections other than XQuAD's English."""


@dataclass
class Asked:
    """One question with the sentences of its evidence."""

    document: str
    found: Matches
    right: NDArray[np.bool_]
    """Which sentences have the answer."""


def library_of(folder: Path) -> Library:
    """The collection as a library; kept."""
    path = SCRATCH / "asked" / folder.name
    if path.exists():
        return bookwheel.open(path)
    rows = [json.loads(line) for line in (folder / "corpus.jsonl").open(encoding="utf-8")]
    library = bookwheel.open(path, create=True)
    library.add([Document(row["_id"], row["text"], title=row["title"]) for row in rows])
    return library


def questions(folder: Path) -> Iterator[tuple[str, str, int, int]]:
    """Question, document, start and end of its answer."""
    texts = {}
    for line in (folder / "queries.jsonl").open(encoding="utf-8"):
        row = json.loads(line)
        texts[row["_id"]] = row["text"]
    for line in (folder / "answers.jsonl").open(encoding="utf-8"):
        row = json.loads(line)
        yield texts[row["_id"]], row["document"], row["start"], row["start"] + len(row["text"])


def asked(library: Library, folder: Path) -> Iterator[Asked]:
    """Each question with its evidence."""
    collection = LibraryCollection(library._searcher)
    options = AskOptions()
    for text, document, start, end in questions(folder):
        evidence = collection.search(text, options.passages, options)
        found = matches(collection, Question.of(collection, text), evidence)
        right = [
            (one := evidence[piece.at]).id == document and one.start + piece.start <= start and end <= one.start + piece.end
            for piece in found.sentences
        ]
        yield Asked(document, found, np.array(right, bool))


def even(document: str) -> bool:
    """Whether a document is of the half that the weights are fitted on."""
    return int(hashlib.sha256(document.split("_")[0].encode()).hexdigest(), 16) % 2 == 0


# -- ways to choose ----------------------------------------------------------------------------------------------------


def lead(found: Matches) -> NDArray[np.float64]:
    """The first sentences of the best passage, then of the next."""
    return -np.arange(len(found.sentences), dtype=np.float64)


def bm25(found: Matches) -> NDArray[np.float64]:
    """BM25 of the question over the sentences, by their own statistics."""
    lengths = np.array([len(one.words) for one in found.sentences], np.float64)
    counts = found.met.sum(axis=0)
    idf = np.log1p((len(lengths) - counts + 0.5) / (counts + 0.5))
    norm = K1 * (1 - B + B * lengths / max(lengths.mean(), 1e-9))
    scored: NDArray[np.float64] = (found.met / (1 + norm[:, None])) @ idf
    return scored


WAYS: dict[str, Callable[[Matches], NDArray[np.float64]]] = {
    "lead": lead,
    "BM25 of sentences": bm25,
    "coverage": lambda found: found.coverage,
    "bookwheel": quoting.scores,
}


def shares(rows: list[Asked], way: Callable[[Matches], NDArray[np.float64]]) -> dict[str, float]:
    """Share of questions whose answer stands in the best one, two and three sentences."""
    hits = np.zeros(3)
    for row in rows:
        if len(row.right):
            best = np.argsort(-way(row.found), kind="stable")
            hits += [row.right[best[:n]].any() for n in (1, 2, 3)]
    return dict(zip(("one", "two", "three"), (hits / max(len(rows), 1)).tolist(), strict=True))


def shown(library: Library, folder: Path, limit: int | None = None) -> dict[str, Any]:
    """What `ask` gives: answers in one and in two sentences, exactness of all quotes, refusals, lengths, times."""
    result: dict[str, Any] = {"questions": 0, "quotes": 0, "exact": 0, "refused": 0, "one": 0, "two": 0, "characters": 0}
    cpu, wall = [], []
    texts: dict[str, str] = {}
    library.ask("what was first?")
    for number, (text, document, start, end) in enumerate(questions(folder)):
        if number == limit:
            break
        result["questions"] += 1
        for most, name in ((1, "one"), (2, "two")):
            began, clock = time.process_time(), time.perf_counter()
            answer = library.ask(text, sentences=most)
            if most == 2:
                cpu.append(time.process_time() - began)
                wall.append(time.perf_counter() - clock)
            quotes = [quote for claim in answer.claims for quote in claim.quotes]
            result[name] += any(q.id == document and q.start <= start and end <= q.end for q in quotes)
        result["refused"] += answer.refused
        result["characters"] += len(answer.text) if answer else 0
        for quote in quotes:
            if quote.id not in texts:
                texts[quote.id] = library[quote.id].text
            result["quotes"] += 1
            result["exact"] += texts[quote.id][quote.start : quote.end] == quote.text
    return {**result, "cpu": percentiles(cpu), "wall": percentiles(wall)}


# -- fitting -----------------------------------------------------------------------------------------------------------


def conditional_logit(rows: list[tuple[NDArray[np.float64], NDArray[np.bool_]]], ridge: float = 3e-3) -> NDArray[np.float64]:
    """Weights that make right sentences likely among those of their question; by gradient descent with momentum."""
    every = np.concatenate([x for x, _ in rows])
    scale = every.std(axis=0) + 1e-9
    scaled = [(x / scale, y) for x, y in rows]
    weights, step = np.zeros(every.shape[1]), np.zeros(every.shape[1])
    for _ in range(600):
        gradient = 2 * ridge * weights
        for x, y in scaled:
            odds = x @ weights
            chances = np.exp(odds - odds.max())
            chances /= chances.sum()
            of_right = chances * y
            gradient -= (of_right / of_right.sum() - chances) @ x / len(scaled)
        step = 0.9 * step - 0.5 * gradient
        weights += step
    return weights / scale


def fit(folder: Path) -> None:
    """Print the weights, with and without vectors."""
    rows = [row for row in asked(library_of(folder), folder) if even(row.document) and row.right.any()]
    made = [(quoting.features(row.found), row.right) for row in rows]
    for name, columns in (("WORDS", len(quoting.WORDS)), ("VECTORS", len(quoting.VECTORS))):
        weights = conditional_logit([(x[:, :columns], y) for x, y in made])
        print(f"{name} = ({', '.join(f'{value:.1f}' for value in weights)})", len(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("collections", nargs="+", type=Path)
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    if options.fit:
        return fit(options.collections[0])
    kept = RESULTS / "quoting.json"
    result: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))["collections"] if kept.is_file() else {}
    for folder in options.collections:
        library = library_of(folder)
        rows = list(asked(library, folder))
        parts = {"": rows}
        if folder.name == "xquad_en":
            parts |= {
                ", fitted": [row for row in rows if even(row.document)],
                ", held out": [row for row in rows if not even(row.document)],
            }
        limit = None if folder.name == "xquad_en" else OTHERS
        made: dict[str, Any] = {"evidence has it": float(np.mean([row.right.any() for row in rows]))}
        made["ways"] = {
            f"{way}{part}": {**shares(some, function), "questions": len(some)}
            for part, some in parts.items()
            for way, function in WAYS.items()
        }
        result[folder.name] = {**made, "shown": shown(library, folder, limit)}
        keep("quoting", {"collections": result}, tables(result))


def tables(result: dict[str, Any]) -> str:
    """In which sentence the answer stands, and what `ask` shows."""
    lines = []
    for name, one in result.items():
        for way, found in one["ways"].items():
            kind, _, part = way.partition(", ")
            error = 100 * math.sqrt(found["one"] * (1 - found["one"]) / found["questions"])
            figures = [f"{100 * found['one']:.1f} ± {error:.1f} %", *(f"{100 * found[n]:.1f} %" for n in ("two", "three"))]
            lines.append([f"{name}, {part}" if part else name, found["questions"], kind, *figures])
    head = ["collection", "questions", "sentences by", "answer in the best", "in two", "in three"]
    text = table(head, lines) + "\n\n"
    lines = []
    for name, one in result.items():
        s = one["shown"]
        count = s["questions"]
        lines.append(
            [
                name,
                f"{s['exact']:,} of {s['quotes']:,}",
                *(f"{100 * s[key] / count:.1f} %" for key in ("one", "two", "refused")),
                round(s["characters"] / max(count - s["refused"], 1)),
                f"{s['cpu']['p50_ms']:.0f} / {s['cpu']['p95_ms']:.0f} ms",
            ]
        )
    head = [
        "collection",
        "exact quotes",
        "answer shown, one sentence",
        "two",
        "refused",
        "characters",
        "CPU time: median / p95",
    ]
    return text + table(head, lines)


if __name__ == "__main__":
    main()
