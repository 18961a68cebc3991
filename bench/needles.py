"""What a needle test says of a language model whose limits are known, and of recipes that select for it.

    python bench/needles.py --model ./smollm2-135m-instruct.gguf --text ../shared/data/xquad_en/corpus.jsonl

Steps, each of which can be run alone (`--steps`) and goes on where it was interrupted:

known      one needle in 2 048 and 4 096 tokens (10 depths, two texts each) and in 8 000 (10 depths), read whole
selected   the same in 16 384 tokens, of which BM25 selects 1 024 for the model
kinds      every kind in 1 024 and 2 048 tokens, 3 depths
recipes    every kind from 4 096 tokens up to a million, selection into 1 024 tokens by BM25, without a model
            (`--large FOLDER`: a text of a million tokens; the text of --text as far as it goes)

Results: docs/results/needles.json and needles.svg. No text of the collection and no answer is kept there.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from common import RESULTS, SCRATCH, SHARED, keep, table

STEPS = ("known", "selected", "kinds", "recipes")
ALL = ("single", "several", "threaded", "variables", "distractors", "correction", "conflict", "facts", "moves")
SEEDS = {"known": 0, "selected": 1, "kinds": 2, "recipes": 3}


def plans(step: str, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """The calls of `needle_test` that a step makes."""
    if step == "known":
        return [
            {"model": arguments.model, "kinds": ["single"], "lengths": [2048], "depths": 10, "repeats": 2},
            {"model": arguments.model, "kinds": ["single"], "lengths": [8000], "depths": 10, "repeats": 1},
            {"model": arguments.model, "kinds": ["single"], "lengths": [4096], "depths": 10, "repeats": 2},
        ]
    if step == "selected":
        given = {"model": arguments.model, "recipe": "bm25", "context": 1024}
        return [given | {"kinds": ["single"], "lengths": [16384], "depths": 10, "repeats": 1}]
    if step == "kinds":
        return [{"model": arguments.model, "kinds": ALL, "lengths": [1024, 2048], "depths": 3, "repeats": 1}]
    small = {"recipe": "bm25", "context": 1024, "kinds": ALL, "lengths": [4096, 16384], "depths": 5, "repeats": 1}
    large = {
        "recipe": "bm25",
        "context": 1024,
        "kinds": ALL,
        "lengths": [1 << 18, 1 << 20],
        "depths": [0.0, 0.5, 1.0],
        "repeats": 1,
    }
    return [small, *([large | {"source": arguments.large}] if arguments.large else [])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--text", default=str(SHARED / "data" / "xquad_en" / "corpus.jsonl"))
    parser.add_argument("--large", help="a folder with a million tokens of text or more")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--seconds", type=float, help="end each test after this time")
    arguments = parser.parse_args()
    from bookwheel.evaluate.needles import heat_map, needle_test

    SCRATCH.mkdir(exist_ok=True)
    file = RESULTS / "needles.json"
    kept: dict[str, Any] = json.loads(file.read_text())["steps"] if file.is_file() else {}
    for step in arguments.steps:
        found = []
        for plan in plans(step, arguments):
            source = plan.pop("source", arguments.text)
            began = time.process_time()
            report = needle_test(
                source, seed=SEEDS[step], seconds=arguments.seconds, results=SCRATCH / f"needles-{step}.jsonl", **plan
            )
            print(report, *report.said, sep="\n", flush=True)
            found.append(
                report.to_dict() | {"text": Path(source).name, "processor_seconds": round(time.process_time() - began, 1)}
            )
            kept[step] = found
            rows = [
                [name, cell["kind"], f"{cell['length']:,}", f"{cell['right']}/{cell['count']}",
                 f"{cell['interval'][0]:.2f} to {cell['interval'][1]:.2f}", "-" if cell["held"] is None else f"{cell['held']:.2f}"]
                for name, tests in kept.items() for one in tests for cell in one["cells"]
            ]  # fmt: skip
            keep("needles", {"steps": kept}, table(["step", "kind", "tokens", "right", "95 % interval", "selected"], rows))
            (SCRATCH / f"needles-{step}-{len(found)}.svg").write_text(heat_map(report), encoding="utf-8")


if __name__ == "__main__":
    main()
