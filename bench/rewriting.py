"""Rewriting and expansion by a small language model on a sample of judged queries, with paired tests.

    python bench/rewriting.py measure [--seconds 300]    after `stages.py quality`, whose libraries it uses; it goes on
    python bench/rewriting.py table                      docs/results/rewriting.json

The same sample (seed 7) for all methods; a query counts once every method has searched it. Counted as well is how often a
method was skipped because the answer of the model was of no use.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from common import ROOT, SCRATCH, SHARED, keep, table
from stages import PLACE

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from bookwheel.evaluate import load_collection, measure
from bookwheel.evaluate.significance import paired_t

SEED, QUERIES = 7, 50
COLLECTIONS = ("scifact", "cranfield")
MEASURES = ("nDCG@10", "R@100")
KEPT = SCRATCH / "rewriting"
RECIPES = {
    "bm25": "bm25",
    "rewrite": "rewrite(seconds=60) >> bm25",
    "rewrites": "rewrites(bm25, count=3, seconds=60)",
    "decompose": "decompose(bm25, count=3, seconds=60)",
    "expand": "expand(seconds=60) >> bm25",
    "expand_seen": "bm25 >> expand_seen(seconds=60) >> bm25",
    "steer": "bm25 >> steer(seconds=60) >> bm25",
}


def sample(name: str) -> list[str]:
    """The judged queries drawn from one collection."""
    judged = sorted(load_collection(SHARED / "data" / name).judged)
    random.Random(SEED).shuffle(judged)
    return judged[:QUERIES]


def work(seconds: float) -> None:
    """Search what was not searched yet, one query of each collection in turn, until the time is over."""
    until = time.monotonic() + seconds
    libraries = {name: bookwheel.open(PLACE / "libraries" / name) for name in COLLECTIONS}
    texts = {name: dict(load_collection(SHARED / "data" / name).judged) for name in COLLECTIONS}
    for queries in zip(*(sample(name) for name in COLLECTIONS), strict=True):
        for name, query in zip(COLLECTIONS, queries, strict=True):
            file = KEPT / name / f"{query}.json"
            if file.is_file():
                continue
            if time.monotonic() > until:
                sys.exit(75)  # not all is done
            found: dict[str, Any] = {}
            for label, recipe in RECIPES.items():
                began = time.perf_counter()
                ranking = libraries[name].explain(texts[name][query], 100, recipe=recipe)
                took = time.perf_counter() - began
                documents = libraries[name].rank_documents([texts[name][query]], 100, recipe=recipe)[0]  # the answer is kept
                notes = [note for stage in ranking.trace.stages for note in stage.notes] if ranking.trace else []
                skipped = any("was skipped" in note for note in [*notes, *ranking.notes])
                found[label] = {"seconds": took, "skipped": skipped, "run": [[one, float(score)] for one, score in documents]}
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(found), encoding="utf-8")
            print(name, query, {label: round(one["seconds"], 1) for label, one in found.items()}, flush=True)


def told() -> None:
    """Means and tests over the queries done."""
    rows: list[list[str]] = []
    result: dict[str, Any] = {}
    for name in COLLECTIONS:
        collection = load_collection(SHARED / "data" / name)
        done = {
            query: json.loads(f.read_text(encoding="utf-8")) for query in sample(name) if (f := _file(name, query)).is_file()
        }
        if len(done) < 2:
            continue
        qrels = {query: collection.qrels[query] for query in done}
        scores = {
            label: measure({q: [(d, s) for d, s in one[label]["run"]] for q, one in done.items()}, qrels, MEASURES)
            for label in RECIPES
        }
        for label, recipe in RECIPES.items():
            cells = []
            entry: dict[str, Any] = {"queries": len(done)}
            for at, shown in enumerate(MEASURES):
                difference = np.asarray(scores[label].values[at] - scores["bm25"].values[at])
                p = paired_t(difference)[1] if label != "bm25" else math.nan
                entry[shown] = scores[label].means[shown]
                entry[f"{shown} p"] = None if math.isnan(p) else p
                cells += [f"{scores[label].means[shown]:.4f}", "" if math.isnan(p) else f"{p:.3f}"]
            entry["skipped"] = sum(one[label]["skipped"] for one in done.values())
            entry["seconds"] = statistics.median(one[label]["seconds"] for one in done.values())
            result[f"{name} {label}"] = entry
            rows.append([f"{name}, {len(done)}", f"`{recipe}`", *cells, str(entry["skipped"]), f"{entry['seconds']:.1f}"])
    head = ["collection, queries", "recipe", "nDCG@10", "p", "R@100", "p", "answers of no use", "median s"]
    keep("rewriting", {"model": "smollm2", "seed": SEED, "results": result}, table(head, rows))


def _file(name: str, query: str) -> Path:
    return KEPT / name / f"{query}.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["measure", "table"])
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop after about so long")
    arguments = parser.parse_args()
    if arguments.what == "table":
        told()
    else:
        work(arguments.seconds)


if __name__ == "__main__":
    main()
