"""Follow-up questions: what completing them is worth, and what it costs after a change of topic, on XQuAD.

    python bench/follow_ups.py [--data FOLDER]

Follow-ups are made: of two questions to one paragraph that follow each other, the names that both have become "it" in the second,
and the first is the conversation so far. A change of topic is a question after one of another paragraph drawn at random. Counted
is how often the passage found first is the right one, with the question as it is, with every question completed, and with those
that `unclear` picks. Results go into docs/results/follow-ups.json.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

from common import ROOT, SHARED, keep, table

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from bookwheel.library.asking import LibraryCollection
from bookwheel.read import conversation
from bookwheel.read.conversation import Turn, complete
from bookwheel.read.options import AskOptions

NAMES = re.compile(r"\b[A-Z][\w'-]+(?: [A-Z][\w'-]+)*")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED / "data")
    data = parser.parse_args().data / "xquad_en"
    golds = {one["_id"]: one for one in lines(data / "answers.jsonl")}
    every = [(one["text"], golds[one["_id"]]["document"], golds[one["_id"]]["text"]) for one in lines(data / "queries.jsonl")]
    follow: list[tuple[str, str, str, Turn]] = []
    for (earlier, where, answer), (question, document, _) in pairwise(every):
        names = [name for name in NAMES.findall(question[1:]) if name.lower() in earlier.lower()]
        if where == document and names:
            without = question
            for name in names:
                without = without.replace(name, "it")
            follow.append((question, without, document, Turn(earlier, answer)))
    draw = random.Random(1)
    changed = []
    for question, document, _ in every:
        other = draw.choice([one for one in draw.sample(every, 5) if one[1] != document])
        changed.append((question, document, Turn(other[0], other[2])))
    with tempfile.TemporaryDirectory() as folder:
        library = bookwheel.open(Path(folder) / "library", create=True)
        library.add({"id": one["_id"], "title": one["title"], "text": one["text"]} for one in lines(data / "corpus.jsonl"))
        collection = LibraryCollection(library._searcher)

        def right(question: str, document: str) -> bool:
            return collection.search(question, 1, AskOptions())[0].id == document

        def completed(question: str, turn: Turn) -> str:
            return complete(collection, question, [turn], AskOptions()).question

        found: dict[str, dict[str, float]] = {"as it is": {}, "every one completed": {}, "those that are unclear": {}}
        rule = conversation.unclear
        for name, values in found.items():
            conversation.unclear = (lambda _: True) if name == "every one completed" else rule
            way = (lambda question, _: question) if name == "as it is" else completed
            values["follow-ups"] = sum(right(way(without, turn), document) for _, without, document, turn in follow) / len(
                follow
            )
            values["changes"] = sum(right(way(question, turn), document) for question, document, turn in changed) / len(changed)
        whole = sum(right(question, document) for question, _, document, _ in follow) / len(follow)
        library.close()
    rows = [[name, *(f"{100 * value:.1f} %" for value in values.values())] for name, values in found.items()]
    rows.append(["with the names", f"{100 * whole:.1f} %", ""])
    head = ["question", f"right passage first: {len(follow)} follow-ups", f"{len(changed):,} changes of topic"]
    keep("follow-ups", {"found": found, "whole": whole, "follow_ups": len(follow), "changes": len(changed)}, table(head, rows))


if __name__ == "__main__":
    main()
