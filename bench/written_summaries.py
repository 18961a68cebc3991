"""Written summaries beside the extractive ones: of XQuAD's articles, five paragraphs each.

    python bench/written_summaries.py --model smollm2.gguf --articles 20

What share of the gold answers to an article's questions a summary of so many words still has, word for word; in how many articles
what is shown is the model's; how many of its sentences were left out; whether every quote stands where it says; calls, tokens and
processor time. Differences are paired by article, with a two-sided sign-flip test. Results go into
docs/results/written-summaries-MODEL.json.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from common import ROOT, keep, table
from methods import sign_flip
from questions import SEED, collection, library, stands_in

sys.path.insert(0, str(ROOT / "src"))


def measured(held: Any, article: str, golds: list[str], words: int, model: Any) -> dict[str, Any]:
    """One summary."""
    began = time.process_time()
    told = held.summarise(article, sentences=100 if model is None else 8, words=words, model=model, seconds=600)
    spent = time.process_time() - began
    text = " ".join(claim.text for claim in told.claims)
    quotes = [quote for claim in told.claims for quote in claim.quotes]
    return {
        "kept": statistics.fmean(stands_in(gold, text) for gold in golds),
        "words": len(text.split()),
        "written": told.method == "write",
        "method": told.method,
        "omitted": len(told.omitted),
        "exact": all(held[one.id].text[one.start : one.end] == one.text for one in quotes),
        "calls": told.spent.calls,
        "tokens": told.spent.prompt_tokens + told.spent.completion_tokens,
        "seconds": spent,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--articles", type=int, default=20)
    parser.add_argument("--words", type=int, default=100)
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from bookwheel.language import writer

    texts, titles, questions = collection()
    articles: dict[str, list[str]] = {}
    golds: dict[str, list[str]] = {}
    for key, text in texts.items():
        articles.setdefault(titles[key], []).append(text)
    for question in questions:
        golds.setdefault(titles[question.document], []).append(question.answer)
    whole = {name: "\n\n".join(parts) for name, parts in articles.items()}
    held = library(whole, {name: name.replace("_", " ") for name in whole}, "written-summaries")
    chosen = random.Random(SEED).sample(sorted(whole), min(arguments.articles, len(whole)))
    label, model = Path(arguments.model).stem, writer(arguments.model)
    rows: dict[str, list[dict[str, Any]]] = {"extractive": [], label: []}
    for number, article in enumerate(chosen, 1):
        rows["extractive"].append(measured(held, article, golds[article], arguments.words, None))
        rows[label].append(measured(held, article, golds[article], arguments.words, model))
        print(number, rows[label][-1], file=sys.stderr, flush=True)
    means = {
        name: {key: statistics.fmean(row[key] for row in some) for key in some[0] if key != "method"}
        for name, some in rows.items()
    }
    chance = sign_flip([b["kept"] - a["kept"] for a, b in zip(rows["extractive"], rows[label], strict=True)])
    text = table(
        ["summary", "articles", "gold answers kept", "words", "written", "sentences left out", "quotes exact", "calls", "tokens", "CPU s"],
        [
            [
                name, len(rows[name]), f"{one['kept']:.1%}", f"{one['words']:.0f}", f"{one['written']:.0%}", f"{one['omitted']:.1f}",
                f"{one['exact']:.0%}", f"{one['calls']:.1f}", f"{one['tokens']:,.0f}", f"{one['seconds']:.1f}",
            ]
            for name, one in means.items()
        ],
    )  # fmt: skip
    keep(
        f"written-summaries-{label}",
        {"words": arguments.words, "p": chance, "means": means, "rows": rows},
        text + f"\n\np = {chance:.2f}",
    )


if __name__ == "__main__":
    main()
