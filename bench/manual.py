"""A manual, asked by hand-written questions: `manual_questions.tsv`, about the Debian Policy Manual (GPL-2 or later).

    apt-get download debian-policy && dpkg-deb -x debian-policy_*.deb policy
    python bench/manual.py policy/usr/share/doc/debian-policy/policy.html

The manual is indexed from its HTML pages as it comes. A question counts as answered where a quote is from the right page and has the
expected words. Questions that it has no answer to count where they are refused. Rows of odd number were developed on, even ones were
not. Beside it, the first sentences of the best passage, and the sentences with the most of the question's weight (`quoting.WAYS`),
where nothing is refused. Results go into docs/results/manual.json.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from common import ROOT, SCRATCH, keep, table

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from bookwheel import Library
from bookwheel.library.asking import LibraryCollection
from bookwheel.read.matching import Question, matches
from bookwheel.read.options import AskOptions
from quoting import WAYS

CHAPTERS = ("ch-", "ap-")
"""What names of pages begin with; the rest are indexes and a checklist that repeats the chapters."""


class Row(NamedTuple):
    """A question, the page that answers it, and the words that an answer has (one of these); no page where there is no answer."""

    question: str
    page: str
    answers: tuple[str, ...]

    def stands_in(self, text: str) -> bool:
        """Whether an answer stands in ``text``, whatever its case, quotation marks and spaces."""
        return any(_plain(answer) in _plain(text) for answer in self.answers)


def _plain(text: str) -> str:
    return " ".join(text.lower().replace('"', "").replace("“", "").replace("”", "").replace("–", "-").split())


def rows_of(path: Path) -> list[Row]:
    """The questions of a file of tab-separated lines."""
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return [Row(line[0], line[1], tuple(line[2].split("|")) if len(line) > 2 else ()) for line in lines]


def library_of(folder: Path) -> Library:
    """The chapters of the manual, indexed anew."""
    path = SCRATCH / "libraries" / "manual"
    shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    library = bookwheel.open(path, create=True)
    library.index([str(page) for page in sorted(folder.glob("*.html")) if page.name.startswith(CHAPTERS)])
    return library


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--questions", type=Path, default=Path(__file__).with_name("manual_questions.tsv"))
    parser.add_argument("--developed", action="store_true", help="only the half that was developed on, each failure shown")
    options = parser.parse_args()
    library = library_of(options.folder)
    collection = LibraryCollection(library._searcher)
    figures: dict[str, Any] = {}
    for number, row in enumerate(rows_of(options.questions), 1):
        half = "developed on" if number % 2 else "held out"
        if options.developed and half == "held out":
            continue
        for name in ("all", half):
            one = figures.setdefault(name, {"questions": 0, "foreign": 0, "foreign refused": 0, "refused": 0})
            made = library.ask(row.question)
            if not row.answers:
                one["foreign"] += 1
                one["foreign refused"] += made.refused
                continue
            one["questions"] += 1
            one["refused"] += made.refused
            for most, count in ((1, "one"), (2, "two")):
                for threshold, shown in ((None, "shown"), (0, "never refusing")):
                    answer = library.ask(row.question, sentences=most, threshold=threshold)
                    right = any(row.page in q.source and row.stands_in(q.text) for c in answer.claims for q in c.quotes)
                    one[f"{shown}, {count}"] = one.get(f"{shown}, {count}", 0) + right
            evidence = collection.search(row.question, 8, AskOptions())
            found = matches(collection, Question.of(collection, row.question), evidence)
            good = np.array([row.page in evidence[s.at].source and row.stands_in(s.text) for s in found.sentences], bool)
            for way, score in WAYS.items():
                best = np.argsort(-score(found), kind="stable")
                for most, count in ((1, "one"), (2, "two")):
                    one[f"{way}, {count}"] = one.get(f"{way}, {count}", 0) + bool(good[best[:most]].any())
            if options.developed and name == "all" and not any(row.stands_in(c.text) for c in made.claims):
                where = "in the evidence" if good.any() else "not in the evidence"
                print(f"{row.question} [{where}] -> {made.text[:300]!r}", file=sys.stderr)
    if options.developed:
        print(figures)
        return
    keep("manual", {"passages": len(library), "halves": figures}, tables(figures))


def tables(figures: dict[str, Any]) -> str:
    """Answered and refused, by halves."""
    lines = []
    for name, one in figures.items():
        shares = [f"{100 * one[f'{way}, {count}'] / one['questions']:.0f} %" for way in SHOWN for count in ("one", "two")]
        lines.append([f"{name} ({one['questions']})", *shares, one["refused"], f"{one['foreign refused']} of {one['foreign']}"])
    head = ["questions", *(f"{way}, {count}" for way in SHOWN for count in ("one sentence", "two"))]
    return table([*head, "refused", "without an answer: refused"], lines)


SHOWN = ("lead", "BM25 of sentences", "coverage", "never refusing", "shown")


if __name__ == "__main__":
    main()
