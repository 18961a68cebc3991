"""What each reading method is worth with a small model: right answers beside the quotes and the plain prompt, and what it costs.

    python bench/methods.py --model smollm2.gguf --questions 40              each method on XQuAD (English) and PubMedQA
    python bench/methods.py --model smollm2.gguf --methods replug flare      only these; what was measured before stays
    python bench/methods.py --train difficulty.json                          labels for `adaptive` from the results on other questions

Every answer is kept under ``.bench/methods`` as it is made, and is not made again: a run that is stopped goes on where it was. Of
XQuAD an answer is right where a shown sentence holds the gold answer; PubMedQA has no spans, so it is right where a shown sentence
stands in the judged abstract. Beside it: in how many answers a draft itself, before any check, holds the gold answer; the share of
sentences that the model wrote and that are shown. Differences are paired, question by question, with a two-sided sign-flip test
(10,000 draws). Questions are drawn with a seed; those for developing (``--develop``) are others.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from common import SCRATCH, SHARED, keep, table
from questions import Question, collection, library, stands_in

SEED = 20261129
PLAIN = "prompt"
QUOTES = "quotes"


def methods() -> list[str]:
    """The quotes, the plain prompt, and all reading methods."""
    from bookwheel.read.methods import METHODS

    return [QUOTES, PLAIN, *METHODS]


def pubmedqa() -> tuple[dict[str, str], dict[str, str], list[Question]]:
    """Texts, titles and questions; the gold answer is the judged abstract."""
    folder = SHARED / "data" / "pubmedqa"
    rows = [json.loads(line) for line in (folder / "corpus.jsonl").read_text("utf-8").splitlines()]
    asked = {row["_id"]: row["text"] for row in map(json.loads, (folder / "queries.jsonl").read_text("utf-8").splitlines())}
    lines = (folder / "qrels" / "test.tsv").read_text("utf-8").splitlines()[1:]
    pairs = [line.split("\t")[:2] for line in lines if line.split("\t")[2] != "0"]
    questions = [Question(query, asked[query], document, "") for query, document in pairs]
    return {row["_id"]: row["text"] for row in rows}, {row["_id"]: row.get("title", "") for row in rows}, questions


def drawn(questions: list[Question], count: int, *, develop: bool) -> list[Question]:
    """``count`` questions; those for developing are from the other end of the same order."""
    order = list(questions)
    random.Random(SEED).shuffle(order)
    return order[-count:] if develop else order[:count]


def asked(held: Any, question: Question, method: str, model: Any, passages: int) -> dict[str, Any]:
    """One question by one method, which finds nothing read that another has read."""
    if hasattr(model, "_forget"):
        model._forget()
    began, wall = time.process_time(), time.perf_counter()
    draft = ""
    answer = None
    how: dict[str, Any] = {"threshold": 0, "passages": passages, "seconds": 600}
    if method != QUOTES:
        how |= {"model": model, "method": None if method == PLAIN else method}
    for event in held.ask_events(question.text, **how):
        if type(event).__name__ == "Token":
            draft += event.text
        elif type(event).__name__ == "Answer":
            answer = event
    seconds = time.process_time() - began
    shown = [claim for claim in answer.claims if claim.status in ("quoted", "supported")]
    inside = [quote.id == question.document for claim in shown for quote in claim.quotes]
    own = answer.method != "quote"
    exact = all(held[quote.id].text[quote.start : quote.end] == quote.text for claim in shown for quote in claim.quotes)
    return {
        "right": any(stands_in(question.answer, claim.text) for claim in shown) if question.answer else any(inside),
        "draft_right": bool(question.answer) and stands_in(question.answer, draft),
        "written": own,
        "omitted": len(answer.omitted),
        "shown": len(shown),
        "exact": exact,
        "calls": answer.spent.calls,
        "tokens": answer.spent.prompt_tokens + answer.spent.completion_tokens,
        "cpu_seconds": seconds,
        "wall_seconds": time.perf_counter() - wall,
        "notes": [note[:120] for note in answer.notes],
    }


class Kept:
    """Results on disk, one line each."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self.rows: dict[tuple[str, str], dict[str, Any]] = {}
        for line in path.read_text("utf-8").splitlines() if path.exists() else ():
            row = json.loads(line)
            self.rows[row["method"], row["question"]] = row

    def add(self, method: str, question: str, row: dict[str, Any]) -> None:
        self.rows[method, question] = {"method": method, "question": question, **row}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(self.rows[method, question]) + "\n")


def sign_flip(differences: Sequence[float], draws: int = 10_000) -> float:
    """The two-sided p-value of a mean difference that far from 0, with signs drawn at random."""
    values = np.asarray(differences, np.float64)
    if not np.any(values):
        return 1.0
    signs = np.random.default_rng(SEED).choice([-1.0, 1.0], (draws, len(values)))
    return float((np.abs((signs * values).mean(axis=1)) >= abs(values.mean()) - 1e-12).mean())


def summed(kept: Kept, questions: list[Question]) -> dict[str, dict[str, Any]]:
    """The figures of each method that has answered some of the questions."""
    out: dict[str, dict[str, Any]] = {}
    for method in methods():
        rows = [(one.id, kept.rows[method, one.id]) for one in questions if (method, one.id) in kept.rows]
        if not rows:
            continue
        found: dict[str, Any] = {"questions": len(rows)}
        for name in ("right", "draft_right", "written", "exact"):
            found[name] = statistics.fmean(row[name] for _, row in rows)
        for name in ("calls", "tokens", "cpu_seconds"):
            found[name] = statistics.fmean(row[name] for _, row in rows)
        for other in (QUOTES, PLAIN):
            pairs = [row["right"] - kept.rows[other, key]["right"] for key, row in rows if (other, key) in kept.rows]
            if pairs and method != other:
                found[f"against_{other}"] = {"difference": statistics.fmean(pairs), "p": sign_flip(pairs), "pairs": len(pairs)}
        drafts = [row["draft_right"] - kept.rows[PLAIN, key]["draft_right"] for key, row in rows if (PLAIN, key) in kept.rows]
        if drafts and method not in (QUOTES, PLAIN):
            found["drafts_against_prompt"] = {
                "difference": statistics.fmean(drafts),
                "p": sign_flip(drafts),
                "pairs": len(drafts),
            }
        out[method] = found
    return out


def difference(row: dict[str, Any], what: str) -> str:
    """A paired difference in points, with its p."""
    told = row.get(what)
    return "" if told is None else f"{100 * told['difference']:+.1f} (p {told['p']:.2f})"


def shown(results: dict[str, dict[str, dict[str, Any]]], model: str) -> str:
    """The tables."""
    parts = []
    for name, rows in results.items():
        gold = name == "xquad_en"  # PubMedQA has no spans that a draft could hold
        body = []
        for method, row in rows.items():
            cells = [f"`{method}`" if method not in (QUOTES, PLAIN) else method, f"{row['right']:.0%}"]
            cells += [difference(row, "against_quotes"), f"{row['written']:.0%}"]
            if gold:
                cells += ["" if method == QUOTES else f"{row['draft_right']:.0%}", difference(row, "drafts_against_prompt")]
            body.append([*cells, f"{row['calls']:.1f}", f"{row['tokens']:,.0f}", f"{1000 * row['cpu_seconds']:,.0f}"])
        head = ["method", "right", "against quotes", "shown as written"]
        head += ["drafts right", "against the plain prompt"] if gold else []
        count = next(iter(rows.values()))["questions"]
        parts.append(f"{name}, {model}, {count} questions:\n\n{table([*head, 'calls', 'tokens', 'CPU ms'], body)}")
    return "\n\n".join(parts)


def train(held: Any, kept: Kept, questions: list[Question], path: str) -> None:
    """Label each question with the simplest way that was right, and fit the classifier of `adaptive`."""
    from bookwheel.library.asking import LibraryCollection
    from bookwheel.read.difficulty import described, trained

    rows, levels = [], []
    for one in questions:
        right = [kept.rows.get((method, one.id), {}).get("right") for method in (QUOTES, PLAIN, "self_ask")]
        if None in right or not any(right):
            continue
        answer = held.ask(one.text, threshold=0, model=None, method="adaptive")
        rows.append(described(LibraryCollection(held._searcher), one.text, answer.evidence, answer.probability))
        levels.append(right.index(True))
    trained(np.array(rows), levels).save(path)
    print(f"{len(levels)} questions, levels {[levels.count(level) for level in (0, 1, 2)]}: {path}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--passages", type=int, default=5)
    parser.add_argument("--methods", nargs="+", default=None)
    parser.add_argument("--collections", nargs="+", default=["xquad_en", "pubmedqa"])
    parser.add_argument("--develop", action="store_true", help="other questions than those that are reported; nothing is kept")
    parser.add_argument("--minutes", type=float, default=None, help="stop asking after so long, and report what there is")
    parser.add_argument("--train", metavar="FILE", default=None, help="with --develop: fit the classifier of `adaptive`")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    results, label = {}, Path(arguments.model).stem
    for name in arguments.collections:
        until = time.monotonic() + 60 * (arguments.minutes or 1e9) / len(arguments.collections)
        texts, titles, every = pubmedqa() if name == "pubmedqa" else collection(name)
        which = "develop" if arguments.develop else "report"
        questions = drawn(every, arguments.questions, develop=arguments.develop)
        held = library(texts, titles, f"methods-{name}-{which}-{label}", encoder=None)
        asked(held, drawn(every, 1, develop=not arguments.develop)[0], QUOTES, None, 1)  # kernels are compiled
        kept = Kept(SCRATCH / "methods" / f"{name}-{label}-{arguments.passages}-{which}.jsonl")
        for question in questions:  # question by question, so that all methods have the same ones whenever it stops
            for method in arguments.methods or methods():
                if (method, question.id) not in kept.rows and time.monotonic() < until:
                    kept.add(method, question.id, asked(held, question, method, _model(arguments.model), arguments.passages))
        done = [one for one in questions if all((method, one.id) in kept.rows for method in arguments.methods or methods())]
        results[name] = summed(kept, done)
        if arguments.train:
            train(held, kept, questions, arguments.train)
    text = shown(results, label)
    if arguments.develop or not all(results.values()):
        print(text if any(results.values()) else "no question was asked of every method yet; run it again to go on")
    else:
        keep(f"methods-{label}", {"model": label, "passages": arguments.passages, "collections": results}, text)


def _model(name: str) -> Any:
    from bookwheel.language import writer

    return writer(name)


if __name__ == "__main__":
    main()
