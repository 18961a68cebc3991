"""Whether questions that the documents do not answer are refused, and others are not.

    python bench/refusal.py COLLECTION…          BEIR folders; each is a library that is asked its own questions and those of the others
    python bench/refusal.py --halves COLLECTION… each is cut in two by the titles of its documents (by their ids, where they have
                                                 none); a library of one half is asked its own questions and those of the other

*Its own, in other words* (``--wordnet``): the same with synonyms put for words by rule (`paraphrases.py`); a refusal is false too.
*Own*: the collection's judged questions; a refusal of one is false. *Removed*: the same with all their relevant documents taken out
of the evidence. *Foreign*: the questions of the other collections, or of the other half: the same language, manner and encyclopaedia,
but other subjects. Nothing of a library is fitted on questions; a few constants in `library/retrieval/cutoff.py` are. Beside it the
share of the question's weight that the best passage has (coverage), which has no threshold of its own. AUROC: how often an own
question is estimated higher than another. *At 5 %*: the share refused where the threshold is such that 5 % of the own ones are, which
nobody knows beforehand. Results go into docs/results/refusal.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common import RESULTS, ROOT, SCRATCH, keep, table
from paraphrases import Thesaurus

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from bookwheel import Document, Library
from bookwheel.evaluate import load_collection
from bookwheel.library.asking import LibraryCollection
from bookwheel.read.matching import Question, matches
from bookwheel.read.options import AskOptions
from bookwheel.read.refusal import features, passage_features

DEEP = 30
"""Passages retrieved, from which relevant ones are taken out."""
READ = 8
REWORDED = "its own, in other words"


@dataclass
class Case:
    """A library with its questions."""

    name: str
    documents: list[Document]
    judged: dict[str, str]
    qrels: dict[str, dict[str, int]]

    def library(self) -> Library:
        """Kept between runs."""
        path = SCRATCH / "asked" / self.name
        if path.exists():
            return bookwheel.open(path)
        library = bookwheel.open(path, create=True)
        library.add(self.documents)
        return library

    def asked(self, limit: int) -> list[tuple[str, str]]:
        """Some of its questions."""
        items = sorted(self.judged.items())
        random.Random(7).shuffle(items)
        return items[:limit]

    def halves(self) -> tuple[Case, Case]:
        """By the titles of the documents; questions with relevant documents in both are left out."""
        even = {one.id: hashlib.sha256((one.title or one.id).encode()).digest()[0] % 2 == 0 for one in self.documents}
        made = []
        for half in (True, False):
            judged = {
                query: text
                for query, text in self.judged.items()
                if all(even[document] is half for document, grade in self.qrels[query].items() if grade > 0)
            }
            documents = [one for one in self.documents if even[one.id] is half]
            made.append(Case(f"{self.name}-{'half' if half else 'other'}", documents, judged, self.qrels))
        return made[0], made[1]


def case_of(folder: Path) -> Case:
    """A BEIR folder."""
    loaded = load_collection(folder)
    documents = [Document(one.id, one.text, title=one.title) for one in loaded.documents()]
    qrels = {query: dict(grades) for query, grades in loaded.qrels.items()}
    return Case(folder.name, documents, dict(loaded.judged), qrels)


def auroc(own: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """How often one of ``own`` is above one of ``other``; ties count half."""
    return float(((own[:, None] > other).mean() + (own[:, None] >= other).mean()) / 2)


class Judge:
    """A library's estimate, and coverage."""

    def __init__(self, library: Library) -> None:
        self.collection = LibraryCollection(library._searcher)
        self.fitted = self.collection.fitted()

    def of(self, text: str, relevant: set[str] | None) -> list[tuple[float, float]]:
        """Probability and coverage with all evidence, and without the ``relevant`` documents where they are given."""
        options = AskOptions(passages=DEEP)
        evidence = self.collection.search(text, DEEP if relevant else READ, options)
        found = [self._judged(text, evidence[:READ])]
        if relevant:
            found.append(self._judged(text, [one for one in evidence if one.id not in relevant][:READ]))
        return found

    def _judged(self, text: str, evidence: list[Any]) -> tuple[float, float]:
        if not evidence or self.fitted is None:
            return 0.0, 0.0
        found = matches(self.collection, Question.of(self.collection, text), evidence)
        strength = self.collection.strengths(text, [one.passage for one in evidence])
        chance = self.fitted.probabilities(features(passage_features(self.collection, found, strength)))[0]
        return float(chance), float((found.passages_met @ found.question.weights).max())


def measured(library: Case, foreign: list[Case], limit: int, thesaurus: Thesaurus | None = None) -> dict[str, Any]:
    """One library against its own questions, these in other words, and those of others."""
    judge = Judge(library.library())
    own, removed, reworded = [], [], []
    for query, text in library.asked(limit):
        relevant = {document for document, grade in library.qrels[query].items() if grade > 0}
        with_all, without = judge.of(text, relevant)
        own.append(with_all)
        removed.append(without)
        if thesaurus is not None and (other_words := thesaurus.reworded(text)) != text:
            reworded += judge.of(other_words, None)
    sets = {"removed": removed} | ({REWORDED: reworded} if reworded else {})
    for other in foreign:
        sets[other.name] = [judge.of(text, None)[0] for _, text in other.asked(limit // 2 if len(foreign) > 1 else limit)]
    if len(foreign) > 1:
        sets["all foreign"] = [one for name, some in sets.items() if name not in ("removed", REWORDED) for one in some]
    assert judge.fitted is not None
    least, kept = judge.fitted.threshold, np.array(own)
    found: dict[str, Any] = {
        "start": judge.fitted.start,
        "threshold": least,
        "own": len(own),
        "false_refusals": float((kept[:, 0] < least).mean()),
        "against": {},
    }
    for name, some in sets.items():
        other_kept = np.array(some)
        found["against"][name] = {
            "refused": float((other_kept[:, 0] < least).mean()),
            "auroc": auroc(kept[:, 0], other_kept[:, 0]),
            "coverage_auroc": auroc(kept[:, 1], other_kept[:, 1]),
            "refused_at_5": float((other_kept[:, 0] < np.quantile(kept[:, 0], 0.05)).mean()),
            "questions": len(some),
        }
    return found


def table_of(result: dict[str, Any]) -> str:
    """Of libraries and the questions that they were asked."""
    lines = []
    for library, one in result.items():
        for name, found in one["against"].items():
            shares = [f"{100 * one['false_refusals']:.1f} %", f"{100 * found['refused']:.1f} %"]
            figures = [f"{found['auroc']:.3f}", f"{found['coverage_auroc']:.3f}", f"{100 * found['refused_at_5']:.1f} %"]
            lines.append([library, name, found["questions"], *shares, *figures])
    head = ["library", "questions of", "number", "own refused", "these refused", "AUROC", "of coverage alone", "refused at 5 %"]
    return table(head, lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("collections", nargs="+", type=Path)
    parser.add_argument("--halves", action="store_true", help="cut each collection in two")
    parser.add_argument("--limit", type=int, default=150, help="questions of each collection")
    parser.add_argument("--wordnet", type=Path, metavar="FOLDER", help="ask the library's own questions in other words, too")
    options = parser.parse_args()
    thesaurus = None if options.wordnet is None else Thesaurus(options.wordnet)
    section, result = "halves" if options.halves else "collections", {}
    if thesaurus is not None:
        section = f"{section}, in other words"
    for folder in options.collections:
        case = case_of(folder)
        if options.halves:
            case, *foreign = case.halves()
        else:
            foreign = [case_of(other) for other in options.collections if other != folder]
        result[folder.name] = measured(case, foreign, options.limit, thesaurus)
        print(table_of({folder.name: result[folder.name]}), flush=True)
    kept = RESULTS / "refusal.json"
    known: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    sections = {name: some for name, some in known.items() if ", in other words" in name}
    sections |= {name: known.get(name, {}) for name in ("collections", "halves", section)} | {section: result}
    keep("refusal", sections, "\n\n".join(table_of(some) for some in sections.values() if some))


if __name__ == "__main__":
    main()
