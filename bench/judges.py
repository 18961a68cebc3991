"""Do judges without people put recipes in the order in which people's judgments put them?

    python bench/judges.py pool                                       libraries, rankings and the pairs to judge (a minute)
    python bench/judges.py measure --model smollm2.gguf --encoder GRANITE    every judge on every pair (it goes on where it was)
    python bench/judges.py table                                      docs/results/judges.json and its table

On Cranfield and SciFact: `SYSTEMS` rank the documents of `QUERIES` judged queries, drawn with a seed; the first `DEPTH` of each
are pooled. Every judge scores every pair of query and document of the pool. The order of the systems under a judge (mean
discounted gain of the first `DEPTH`) is compared with the order under people's judgments (the same measure on the same
queries) by Kendall's tau-b; the interval is of 1 000 draws of the queries. Passages are title and text, cut to `WORDS` words.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from common import ROOT, SCRATCH, SHARED, keep, table

sys.path.insert(0, str(ROOT / "src"))

COLLECTIONS = ("cranfield", "scifact")
QUERIES, DEPTH, WORDS, SEED = 30, 5, 100, 20261129
PLACE = SCRATCH / "judges"
MAIN = (
    "bm25",
    "dense",
    "hybrid",
    "0.8*bm25 + 0.2*dense",
    "0.2*bm25 + 0.8*dense",
    "rrf(bm25, dense)",
    "bm25 >> rm3() >> bm25",
    "hybrid >> rm3() >> hybrid",
    "bm25 >> mmr(balance=0.3)",
    "dense >> vector_feedback() >> dense",
    "keywords(terms=3, longer=3) >> bm25",
)
OTHER: dict[str, dict[str, Any]] = {
    "bm25, no stemming": {"language": "none"},
    "bm25, k1=5, b=1": {"k1": 5.0, "b": 1.0},
    "bm25, titles only": {},
}
SYSTEMS = (*MAIN, *OTHER)
"""The other ones are BM25 on libraries of their own."""


def pool(name: str) -> dict[str, Any]:
    """Queries, texts, human grades, and each system's ranking; made once."""
    kept = PLACE / f"{name}.json"
    if kept.is_file():
        found: dict[str, Any] = json.loads(kept.read_text("utf-8"))
        return found
    import bookwheel
    from bookwheel.evaluate import load_collection

    loaded = load_collection(SHARED / "data" / name)
    documents = {document.id: document for document in loaded.documents()}
    chosen = sorted(loaded.judged)
    random.Random(SEED).shuffle(chosen)
    chosen = chosen[:QUERIES]
    texts = [loaded.queries[query] for query in chosen]
    runs: dict[str, list[list[str]]] = {}
    for number, (label, settings) in enumerate({"": {}, **OTHER}.items()):
        path = PLACE / f"library-{name}-{number}"
        given = {"unit": "document", "language": "english", **settings}
        if number:
            given["encoder"] = None
        with bookwheel.open(path, create=True, **given) as library:
            if not library.passage_count:
                rows = documents.values()
                if label.endswith("titles only"):
                    rows = [bookwheel.Document(one.id, one.title or one.text[:80]) for one in rows]
                library.add(rows)
            for recipe in MAIN if not number else ("bm25",):
                ranked = library.rank_documents(texts, k=DEPTH, recipe=recipe)
                runs[label or recipe] = [[document for document, _ in one] for one in ranked]
    pooled = [sorted({d for run in runs.values() for d in run[at]}) for at in range(len(chosen))]
    found = {
        "queries": dict(zip(chosen, texts, strict=True)),
        "runs": {label: dict(zip(chosen, run, strict=True)) for label, run in runs.items()},
        "pool": dict(zip(chosen, pooled, strict=True)),
        "qrels": {query: loaded.qrels[query] for query in chosen},
        "texts": {
            document: " ".join(f"{documents[document].title}\n{documents[document].text}".split()[:WORDS])
            for document in sorted({d for one in pooled for d in one})
        },
    }
    PLACE.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(found), "utf-8")
    return found


def scores(name: str, judge: str) -> dict[tuple[str, str], Any]:
    """What a judge has said so far."""
    file = PLACE / f"{name}-{judge}.jsonl"
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.endswith("}")] if file.is_file() else []
    return {(row["query"], row["document"]): row for row in rows}


def measured(name: str, judge: str, judges: Callable[[str, list[str]], list[Any]]) -> None:
    """Let a judge judge what it has not judged, query by query; every query is kept as it is done."""
    found, known = pool(name), scores(name, judge)
    with (PLACE / f"{name}-{judge}.jsonl").open("a", encoding="utf-8") as file:
        for query, text in found["queries"].items():
            rest = [document for document in found["pool"][query] if (query, document) not in known]
            if rest:
                began = time.process_time()
                told = judges(text, [found["texts"][document] for document in rest])
                seconds = (time.process_time() - began) / len(rest)
                for document, value in zip(rest, told, strict=True):
                    file.write(json.dumps({"query": query, "document": document, "value": value, "seconds": seconds}) + "\n")
                file.flush()
                print(name, judge, query, len(rest), f"{seconds:.2f} s a pair", flush=True)
