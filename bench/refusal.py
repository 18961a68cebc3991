"""Whether questions that the documents do not answer are refused, and others are not.

    python bench/refusal.py COLLECTION…          BEIR folders; each is a library that is asked its own questions and those of the others

*Own*: the collection's judged questions; a refusal of one is false. *Removed*: the same with their relevant documents taken out of
the evidence. *Foreign*: the questions of the other collections. Nothing is fitted on any of them: each library fits its estimate and
its threshold on questions made of its own sentences. Beside it the share of the question's weight that the best passage has
(coverage), which has no threshold of its own. AUROC: how often an own question is estimated higher than another. *At 5 %*: the share
refused where the threshold is such that 5 % of the own ones are, which nobody knows beforehand. Results go into
docs/results/refusal.json.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common import ROOT, keep, table

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from bookwheel import Document, Library
from bookwheel.evaluate import load_collection
from bookwheel.library.asking import LibraryCollection
from bookwheel.read.matching import Question, matches
from bookwheel.read.options import AskOptions
from bookwheel.read.refusal import features, passage_features
from common import SCRATCH

DEEP = 30
"""Passages retrieved, from which relevant ones are taken out."""
READ = 8


def library_of(folder: Path) -> Library:
    """The collection as a library; kept."""
    path = SCRATCH / "asked" / folder.name
    if path.exists():
        return bookwheel.open(path)
    library = bookwheel.open(path, create=True)
    library.add([Document(one.id, one.text, title=one.title) for one in load_collection(folder).documents()])
    return library


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
        strength, cosines = self.collection.strengths(text, [one.passage for one in evidence])
        chance = self.fitted.probabilities(features(passage_features(found, strength, cosines)))[0]
        return float(chance), float((found.passages_met @ found.question.weights).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("collections", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=200, help="questions of each collection")
    options = parser.parse_args()
    collections = {folder.name: load_collection(folder) for folder in options.collections}
    chosen = {}
    for name, one in collections.items():
        items = sorted(one.judged.items())
        random.Random(7).shuffle(items)
        chosen[name] = items[: options.limit]
    result: dict[str, Any] = {}
    lines = []
    for folder in options.collections:
        judge = Judge(library_of(folder))
        own, removed = [], []
        for query, text in chosen[folder.name]:
            relevant = {document for document, grade in collections[folder.name].qrels[query].items() if grade > 0}
            with_all, without = judge.of(text, relevant)
            own.append(with_all)
            removed.append(without)
        sets = {"removed": removed}
        for name, queries in chosen.items():
            if name != folder.name:
                sets[name] = [judge.of(text, None)[0] for _, text in queries[: options.limit // 2]]
        sets["all foreign"] = [one for name, some in sets.items() if name != "removed" for one in some]
        assert judge.fitted is not None
        least, kept = judge.fitted.threshold, np.array(own)
        result[folder.name] = {"threshold": least, "false_refusals": float((kept[:, 0] < least).mean()), "against": {}}
        for name, some in sets.items():
            other = np.array(some)
            found = {
                "refused": float((other[:, 0] < least).mean()),
                "auroc": auroc(kept[:, 0], other[:, 0]),
                "coverage_auroc": auroc(kept[:, 1], other[:, 1]),
                "refused_at_5": float((other[:, 0] < np.quantile(kept[:, 0], 0.05)).mean()),
                "questions": len(some),
            }
            result[folder.name]["against"][name] = found
            shares = [f"{100 * result[folder.name]['false_refusals']:.1f} %", f"{100 * found['refused']:.1f} %"]
            figures = [f"{found['auroc']:.3f}", f"{found['coverage_auroc']:.3f}", f"{100 * found['refused_at_5']:.1f} %"]
            lines.append([folder.name, name, len(some), *shares, *figures])
        print(lines[-1], flush=True)
    head = ["library", "questions of", "number", "own refused", "these refused", "AUROC", "of coverage alone", "refused at 5 %"]
    keep("refusal", {"collections": result}, table(head, lines))


if __name__ == "__main__":
    main()
