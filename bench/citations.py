"""Whether what is cited stands there: every quote of every answer, character by character, in the document that it names.

    python bench/citations.py                                    1,190 questions of XQuAD, answered by quoting
    python bench/citations.py --models smollm2 --questions 50    and a sample of them with each model

Also told: in how many answers a cited sentence holds the gold answer, and how long an answer takes (processor time).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from common import keep, table
from questions import Question, collection, library, sample, stands_in


def measure(held: Any, texts: dict[str, str], questions: list[Question], model: Any) -> dict[str, Any]:
    cited = exact = answered = gold = 0
    seconds = []
    wrong: list[dict[str, Any]] = []
    for number, question in enumerate(questions, 1):
        began = time.process_time()
        answer = held.ask(question.text, model, threshold=0, seconds=600)
        seconds.append(time.process_time() - began)
        answered += bool(answer.claims)
        quotes = [quote for claim in answer.claims for quote in claim.quotes]
        for quote in quotes:
            cited += 1
            stored = held[quote.id].text
            right = stored[quote.start : quote.end] == quote.text and quote.text in texts[quote.id]
            exact += right
            if not right:
                wrong.append({"question": question.text, **quote.to_dict()})
        gold += any(quote.id == question.document and stands_in(question.answer, quote.text) for quote in quotes)
        if model is not None and number % 10 == 0:
            print(f"{number} of {len(questions)}", file=sys.stderr, flush=True)
    count = len(questions)
    return {
        "questions": count,
        "answered": answered,
        "citations": cited,
        "exact": exact,
        "cites_gold": gold / count,
        "median_processor_ms": statistics.median(seconds) * 1000,
        "wrong": wrong,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="*", default=[])
    parser.add_argument("--questions", type=int, default=50, help="with each model")
    arguments = parser.parse_args()
    texts, titles, questions = collection()
    held = library(texts, titles, "citations")
    rows = {"none: quotes": measure(held, texts, questions, None)}
    for name in arguments.models:
        rows[Path(name).name] = measure(held, texts, sample(questions, arguments.questions), name)
    text = table(
        ["model", "questions", "answered", "citations", "exactly there", "cites the gold answer", "median processor time"],
        [
            [
                name, row["questions"], row["answered"], row["citations"], f"{row['exact'] / max(1, row['citations']):.2%}",
                f"{row['cites_gold']:.1%}", f"{row['median_processor_ms']:.0f} ms",
            ]
            for name, row in rows.items()
        ],
    )  # fmt: skip
    keep("citations", {"models": rows}, text)
    sys.exit(0 if all(row["exact"] == row["citations"] for row in rows.values()) else 1)


if __name__ == "__main__":
    main()
