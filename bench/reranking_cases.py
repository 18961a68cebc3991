"""What a small language model gives for the candidates of judged queries: measured once, kept in ``.bench/reranking``.

    python bench/reranking_cases.py [--seconds 200] [--parts blocks,listwise,together]

A seeded sample of queries of every collection, BM25's best 20 documents for each. The work is done part by part, within a part
one query of each collection in turn, and ends after ``--seconds``; the same command goes on. `reranking.py` makes tables of
what is there.

* ``blocks``: passages read apart once; then query likelihood, the probability of "Yes" to the question whether a passage
  answers, and attention of all heads with all passages at the same positions (``apart``). Each is timed without the reading.
* ``listwise``: the order that the model writes (RankGPT), all 20 passages in one window.
* ``together``: attention over all passages read as one text (ICR, the paper's own way).
* ``moved``: attention over passages read apart and put one behind the other.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common import ROOT, SCRATCH, SHARED

sys.path.insert(0, str(ROOT / "src"))

MODEL = "smollm2"
SEED = 7
CANDIDATES = 20
TOKENS = 160
QUERIES = {"scifact": 50, "cranfield": 50, "pubmedqa": 25, "xquad_en": 25}
PLACE = SCRATCH / "reranking"
PARTS = ("blocks", "listwise", "together", "moved")
SCHEDULE = (
    *(("blocks", 15), ("together", 4), ("listwise", 6), ("moved", 4), ("together", 12), ("listwise", 12), ("moved", 12)),
    *(("blocks", 50), ("listwise", 50), ("together", 50), ("moved", 50)),
)
"""In which order parts are measured, and of how many queries of each collection."""
JUDGED = "\n\nQuery: {query}\n\nDoes the passage answer the query? Answer Yes or No.\n\nAnswer:"
Case = dict[str, Any]


def cases(name: str) -> list[Case]:
    """The sample of one collection's judged queries with BM25's best documents and their judgments."""
    file = PLACE / f"{name}-{QUERIES[name]}.json"
    if not file.is_file():
        PLACE.mkdir(parents=True, exist_ok=True)
        scratch = file.with_suffix(".part")
        scratch.write_text(json.dumps(_sampled(name)), encoding="utf-8")
        scratch.replace(file)
    found: list[Case] = json.loads(file.read_text(encoding="utf-8"))
    for case in found:
        case["first"] = np.array(case["first"], np.float64)
    return found


def _sampled(name: str) -> list[Case]:
    import bookwheel
    from bookwheel.evaluate import load_collection

    collection = load_collection(SHARED / "data" / name)
    texts = {d.id: f"{d.title}\n{d.text}" if d.title else d.text for d in collection.documents()}
    judged = sorted(collection.judged)
    random.Random(SEED).shuffle(judged)
    judged = judged[: QUERIES[name]]
    with tempfile.TemporaryDirectory() as scratch:
        library = bookwheel.open(Path(scratch) / "library", create=True, unit="document", language="english", encoder=None)
        library.add(collection.documents())
        rankings = library.rank_documents([collection.judged[query] for query in judged], CANDIDATES, recipe="bm25")
        library.close()
    return [
        {
            "collection": name,
            "query": collection.judged[query],
            "name": query,
            "ids": [document for document, _ in ranking],
            "texts": [texts[document] for document, _ in ranking],
            "first": [float(score) for _, score in ranking],
            "gains": [max(0, collection.qrels[query].get(document, 0)) for document, _ in ranking],
            "ideal": sorted((max(0, gain) for gain in collection.qrels[query].values()), reverse=True)[:10],
        }
        for query, ranking in zip(judged, rankings, strict=True)
        if len(ranking) > 1
    ]


def kept(case: Case, part: str) -> dict[str, NDArray[Any]]:
    """What was measured of one part; nothing where it was not."""
    file = _file(case, part)
    if not file.is_file():
        return {}
    with np.load(file) as values:
        return dict(values)


def _file(case: Case, part: str) -> Path:
    return PLACE / case["collection"] / f"{case['name']}.{part}.npz"


def measured(case: Case, part: str, model: Any) -> dict[str, NDArray[Any]]:
    """One part of one case."""
    from bookwheel.rank.stages.rerank.attention import AttentionReranker
    from bookwheel.rank.stages.rerank.likelihood import QueryLikelihood
    from bookwheel.rank.stages.rerank.listwise import ListwiseReranker

    query, texts = case["query"], case["texts"]
    found: dict[str, NDArray[Any]] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        value = work()
        found[f"{name} s"] = np.array(time.perf_counter() - began)
        return value

    if part == "listwise":
        reranker = ListwiseReranker(model, max_words=40)
        found["listwise"] = timed("listwise", lambda: reranker.rerank(query, texts)).scores
        found["malformed"] = np.array(reranker.malformed)
    elif part in ("together", "moved"):
        model.cache.clear()
        ranker = AttentionReranker(model, layout=part, max_tokens=TOKENS)
        asked, null, _ = timed(part, lambda: ranker.weights(query, texts))
        found |= _heads(part, asked, null)
    else:
        model.cache.clear()
        prefix, blocks = timed("read", lambda: model.blocks("Passage: ", texts, max_tokens=TOKENS))
        likelihood = QueryLikelihood(model, max_tokens=TOKENS)
        found["tokens"] = np.stack(timed("likelihood", lambda: likelihood.tokens(query, texts)))
        asking = JUDGED.format(query=" ".join(query.split()))
        yes = timed("yes", lambda: model.block_likelihoods(prefix, blocks, asking, " Yes"))
        found["yes"] = np.array([float(one.sum()) for one in yes])
        ranker = AttentionReranker(model, layout="apart", max_tokens=TOKENS)
        asked, null, _ = timed("apart", lambda: ranker.weights(query, texts))
        found |= _heads("apart", asked, null)
        found["lengths"] = np.array([len(block) for block in blocks])
    return found


def _heads(layout: str, asked: Sequence[NDArray[np.float32]], null: Sequence[NDArray[np.float32]]) -> dict[str, NDArray[Any]]:
    """Of each head and passage (heads, passages): mean over tokens, the largest, and the paper's score of all heads."""
    from bookwheel.rank.stages.rerank.attention import document_scores

    return {
        f"{layout} asked": np.stack([one.mean(1) for one in asked], 1),
        f"{layout} null": np.stack([one.mean(1) for one in null], 1),
        f"{layout} most": np.stack([one.max(1) for one in asked], 1),
        f"{layout} icr": document_scores(asked, null, reduce="sum"),
        f"{layout} mean": document_scores(asked, null, reduce="mean"),
    }


def in_turn(every: Sequence[Sequence[Case]]) -> Iterator[Case]:
    """One of each collection, again and again: whenever it is stopped, all are equally far."""
    for number in range(max(map(len, every), default=0)):
        yield from (collection[number] for collection in every if number < len(collection))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after about so long")
    parser.add_argument("--parts", default=",".join(PARTS))
    arguments = parser.parse_args()
    until = time.monotonic() + arguments.seconds
    every = [cases(name) for name in QUERIES]
    from bookwheel.language.load import load_local

    model = load_local(MODEL, "package", threads=1)
    for part, first in SCHEDULE:
        for case in in_turn([collection[:first] for collection in every]):
            if part not in arguments.parts.split(","):
                break
            file = _file(case, part)
            if file.is_file():
                continue
            if time.monotonic() >= until:
                sys.exit(75)  # not all is done
            found = measured(case, part, model)
            file.parent.mkdir(parents=True, exist_ok=True)
            scratch = file.with_suffix(".part.npz")
            np.savez(scratch, **found)
            scratch.replace(file)
            spent = " ".join(f"{name} {float(value):.2f}" for name, value in found.items() if name.endswith(" s"))
            print(part, case["collection"], case["name"], spent, flush=True)


if __name__ == "__main__":
    main()
