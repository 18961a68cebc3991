"""What a small model is worth for answers: share of answers that hold the gold answer, beside the quoting answer.

    python bench/models.py --models smollm2.gguf gemma-3-270m.gguf qwen2.5-coder-0.5b.gguf --questions 100

A model is a name that `bookwheel ask --model` takes. For each: whether every quote that an answer cites stands where it says,
``text[start:end] == quote``, how many answers hold the gold answer in their sentences, how many
of the model's own sentences were supported, altered and unsupported, how many answers are the model's, and the processor's seconds
to the first token and to the end, for questions about new passages and for a second question on the same ones (its prompt begins
alike). A small model must not make an answer worse: share >= that of the quoting answer - 1 point.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from common import SCRATCH, keep, table
from questions import Question, collection, library, sample, stands_in


def held(claims: Any, gold: str) -> bool:
    """Whether the gold answer stands in the sentences that are shown."""
    return any(stands_in(gold, claim.text) for claim in claims if claim.status in ("quoted", "supported"))


def measure(held_library: Any, name: str, questions: list[Question]) -> dict[str, Any]:
    from bookwheel.language import close_models, writer

    began = time.process_time()
    model = writer(name)
    loaded = time.process_time() - began
    right = quoting = own = drafts = cited = exact = 0
    statuses: Counter[str] = Counter()
    first: list[float] = []
    whole: list[float] = []
    tokens: list[int] = []
    kept: list[dict[str, Any]] = []
    for question in questions:
        quotes = held_library.ask(question.text, threshold=0)
        quoting += held(quotes.claims, question.answer)
        began, answer, token = time.process_time(), None, None
        draft = ""
        for event in held_library.ask_events(question.text, model, threshold=0, seconds=600):
            if type(event).__name__ == "Token":
                token = token or time.process_time() - began
                draft += event.text
            elif type(event).__name__ == "Answer":
                answer = event
        whole.append(time.process_time() - began)
        first += [] if token is None else [token]
        tokens.append(answer.spent.prompt_tokens)
        right += held(answer.claims, question.answer)
        own += answer.method != "quote"
        drafts += stands_in(question.answer, draft)
        quotes_shown = [quote for claim in answer.claims for quote in claim.quotes]
        cited += len(quotes_shown)
        exact += sum(held_library[one.id].text[one.start : one.end] == one.text for one in quotes_shown)
        for claim in (*answer.claims, *answer.omitted):
            if answer.method != "quote" or claim in answer.omitted:
                statuses[claim.status] += 1
        kept.append(
            {
                "question": question.text,
                "gold": question.answer,
                "draft": draft,
                "answer": answer.text,
                "method": answer.method,
                "omitted": [(claim.text, claim.status, claim.note) for claim in answer.omitted],
                "notes": answer.notes,
            }
        )
        print(f"{name}: {len(kept)} {right} {quoting} {own} {drafts}", file=sys.stderr, flush=True)
    count = len(questions)
    close_models()
    return {
        "model": Path(name).name,
        "parameters": model.parameters,
        "questions": count,
        "holds_gold": right / count,
        "quoting_holds_gold": quoting / count,
        "draft_holds_gold": drafts / count,
        "written": own / count,
        "citations": cited,
        "exact": exact,
        "statuses": dict(statuses),
        "load_seconds": loaded,
        "first_seconds": statistics.median(first) if first else None,
        "whole_seconds": statistics.median(whole),
        "prompt_tokens": statistics.median(tokens),
        "answers": kept,
    }


def repeated(held_library: Any, name: str, questions: list[Question]) -> float | None:
    """Processor seconds to the first token of a question asked again in other words: its prompt begins as the last one."""
    from bookwheel.language import Reply, close_models, writer
    from bookwheel.language.prompts import load_prompt

    model = writer(name)
    prompt = load_prompt("answer")
    seconds = []
    for question in questions:
        evidence = held_library.ask(question.text, threshold=0).evidence[:3]
        passages = "\n\n".join(one.text for one in evidence)
        for number, words in enumerate((question.text, f"Tell me: {question.text}")):
            began = time.process_time()
            pieces = model.stream(prompt.fill(passages=passages, secret="x", question=words), max_tokens=2, reply=Reply())
            next(pieces, None)
            if number:
                seconds.append(time.process_time() - began)
            pieces.close()
    close_models()
    return statistics.median(seconds) if seconds else None


def shown(rows: list[dict[str, Any]]) -> str:
    """The table."""
    return table(
        ["model", "questions", "answers with the gold answer", "quoting", "drafts with it", "written", "citations exact",
         "first token", "again", "whole"],
        [
            [
                row["model"], row["questions"], f"{row['holds_gold']:.0%}", f"{row['quoting_holds_gold']:.0%}",
                f"{row['draft_holds_gold']:.0%}", f"{row['written']:.0%}", f"{row['exact']} of {row['citations']}",
                f"{row['first_seconds'] or 0:.2f} s", f"{row['repeated_first_seconds'] or 0:.2f} s", f"{row['whole_seconds']:.2f} s",
            ]
            for row in rows
        ],
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["smollm2"])
    parser.add_argument("--questions", type=int, default=100)
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    texts, titles, questions = collection()
    made = library(texts, titles, "models")
    rows = []
    for name in arguments.models:
        row = measure(made, name, sample(questions, arguments.questions))
        row["repeated_first_seconds"] = repeated(made, name, sample(questions, 5))
        rows.append(row)
        (SCRATCH / f"models-{Path(name).stem}.json").write_text(
            json.dumps(row.pop("answers"), ensure_ascii=False, indent=1), encoding="utf-8"
        )
        keep("models", {"models": rows}, shown(rows))


if __name__ == "__main__":
    main()
