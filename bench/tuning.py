"""Does `bookwheel tune` choose what holds on queries that it has not seen, and does its choice keep the limits?

    python bench/tuning.py                                     # the built-in vectors and BM25
    python bench/tuning.py scifact cranfield --encoder granite=FOLDER --encoder splade=FOLDER:sparse
    python bench/tuning.py cranfield --limits                  # also one whole run with limits, measured again
    python bench/tuning.py pubmedqa --whole                    # only one whole run on all queries, from nothing: its seconds

For each collection, five random halves: the whole choice (search, cross-validation, decision) on one, nDCG@10 on the other against
the library's own recipe. A split on which it keeps that recipe counts as 0. Per collection a paired t-test over its queries, each
with its mean difference over the splits that reported it; Holm's correction over the collections.

Scores are kept in .bench/tuning, so that a run goes on, and the splits share what they have in common: seconds are those of the
process, for all five together. ``--limits`` runs `tune` itself on all queries, with twice the 95th percentile of the library's own
recipe and 512 MB as limits, and then times the choice again. ``--whole`` times one `tune` of all queries without limits, with nothing
kept of earlier runs; it needs a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from common import ROOT, SCRATCH, SHARED, keep, table

sys.path.insert(0, str(ROOT / "src"))

import numpy as np
from numpy.typing import NDArray

import bookwheel
from bookwheel.evaluate import Collection, load_collection
from bookwheel.evaluate.significance import holm, paired_t
from bookwheel.library.trial import TrialReader
from bookwheel.tune import tune
from bookwheel.tune.clock import Clock
from bookwheel.tune.design import Design, Trial
from bookwheel.tune.folds import bootstrap, folds
from bookwheel.tune.journal import FOLDER, Journal
from bookwheel.tune.scores import Scorer
from bookwheel.tune.search import Search
from bookwheel.tune.space import Space

COLLECTIONS = ("scifact", "cranfield", "pubmedqa", "xquad_en", "xquad_de")
SPLITS = 5
RAM = 512 << 20
TIMES = 2
"""The limit is so many times the 95th percentile of the library's own recipe."""


def library_of(name: str, collection: Collection, encoders: dict[str, tuple[str, str]]) -> Path:
    """A library of the collection's documents as units, embedded with the encoders; made once."""
    path = SCRATCH / "tuning" / name
    with bookwheel.open(path, create=True, unit="document") as library:
        if not library.passage_count:
            library.add(collection.documents())
        for one, (folder, kind) in encoders.items():
            if one not in {status.name for status in library.encoders()}:
                library.add_encoder(one, folder, kind=kind)
        if encoders:
            library.embed(list(encoders))
    return path


def differences(
    scorer: Scorer, space: Space, start: Design, chosen_on: NDArray[np.int64], reported: NDArray[np.int64]
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """What is chosen on some queries, and what that changes on the others; as `Tuner` decides, without limits."""

    def search(places: NDArray[np.int64]) -> Trial:
        return Search(scorer, space, start, places, lambda design: True).run().trial

    own = start.trial
    best = search(chosen_on)
    seen = np.zeros(len(chosen_on))
    for train, test in folds(len(chosen_on)):
        found = search(chosen_on[train])
        seen[test] = scorer.scores(found, chosen_on[test]) - scorer.scores(own, chosen_on[test])
    gain = bootstrap(seen)
    kept = not gain.earned or best == own
    unseen = scorer.scores(best, reported) - scorer.scores(own, reported)
    told = {
        "recipe": str(best.recipe), "k1": best.bm25.k1, "b": best.bm25.b, "kept": kept, "cross-validated": gain.mean,
        "interval": [gain.low, gain.high], "without decision": float(unseen.mean()),
    }  # fmt: skip
    return told, np.zeros(len(reported)) if kept else unseen


def one(name: str, encoders: dict[str, tuple[str, str]], limits: bool) -> dict[str, Any]:
    """Five halves of a collection."""
    collection = load_collection(SHARED / "data" / name)
    path = library_of(name, collection, encoders)
    started = time.process_time()
    totals, counts = np.zeros(len(collection.judged)), np.zeros(len(collection.judged))
    splits = []
    with TrialReader(path) as reader:
        used = {one: kind for one, kind in reader.representations.items() if one in ("bm25", "dense", *encoders)}
        journal = Journal(SCRATCH / "tuning" / "-".join([name, *used]), "scores")
        scorer = Scorer(reader, collection.judged, collection.qrels, journal=journal)
        place = {query: at for at, query in enumerate(scorer.names)}
        start = Design(("bm25", "dense"), (1, 1), reader.bm25)
        own = float(scorer.scores(start.trial, np.arange(len(scorer))).mean())
        for seed in range(SPLITS):
            chosen_on, reported = (np.array([place[query] for query in half.judged]) for half in collection.halves(seed))
            told, changed = differences(scorer, Space(used), start, chosen_on, reported)
            totals[reported] += changed
            counts[reported] += 1
            splits.append({**told, "reported": float(changed.mean())})
            print(f"{name} {seed}: {changed.mean():+.4f} {'kept' if told['kept'] else told['recipe']}", flush=True)
    queries = totals[counts > 0] / counts[counts > 0]
    _, p = paired_t(queries)
    gains = [split["reported"] for split in splits]
    found = {"queries": len(scorer), "own": own, "gain": float(np.mean(gains)), "splits": splits, "p": p}
    cold = scorer.ranked > 10 * SPLITS * len(scorer)  # with scores of an earlier run, seconds would say nothing
    found |= {"rankings": scorer.ranked, "processor_seconds": time.process_time() - started if cold else None}
    return found | ({"limits": held(path, collection)} if limits else {})


def held(path: Path, collection: Collection) -> dict[str, Any]:
    """One whole run with limits, and its choice measured again."""
    with TrialReader(path) as reader:
        clock = Clock(reader, list(collection.judged.values()), Journal(None, ""))
        ((_, own),) = clock.compare([Trial(reader.recipe(), reader.bm25)])
    limit = TIMES * own
    clocked, processor = time.monotonic(), time.process_time()
    told = tune(path, collection, latency=limit, ram=RAM, name=None)
    seconds = {"seconds": time.monotonic() - clocked, "processor_seconds": time.process_time() - processor}
    with TrialReader(path) as reader:
        chosen = Trial(reader.recipe(told.chosen.recipe), reader.bm25)
        ((_, again),) = Clock(reader, list(collection.judged.values()), Journal(None, "")).compare([chosen])
    return {
        "limit_ms": limit, "chosen_ms": told.chosen.p95, "again_ms": again, "recipe": told.chosen.recipe, "kept": told.kept,
        "measured_bytes": told.chosen.measured, "complete": told.complete, **seconds,
    }  # fmt: skip


def whole(name: str, encoders: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """One `tune` of all queries of a collection, beginning with nothing."""
    collection = load_collection(SHARED / "data" / name)
    path = library_of(name, collection, encoders)
    shutil.rmtree(path / FOLDER, ignore_errors=True)
    clocked, processor = time.monotonic(), time.process_time()
    told = tune(path, collection, minutes=60, name=None)
    seconds, used = time.monotonic() - clocked, time.process_time() - processor
    return {
        "queries": told.queries, "seconds": seconds, "processor_seconds": used, "rankings": told.rankings, "trials": told.trials,
        "complete": told.complete, "kept": told.kept, "recipe": told.chosen.recipe, "gain": None if told.gain is None else told.gain.mean,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="*", default=[name for name in COLLECTIONS if (SHARED / "data" / name).is_dir()])
    parser.add_argument("--encoder", action="append", default=[], metavar="NAME=FOLDER[:KIND]")
    parser.add_argument("--limits", action="store_true")
    parser.add_argument("--whole", action="store_true", help="only time one whole run of each")
    parser.add_argument("--out", default="tuning", help="name of the result")
    options = parser.parse_args()
    encoders = {}
    for text in options.encoder:
        name, _, folder = text.partition("=")
        folder, _, kind = folder.partition(":")
        encoders[name] = (folder, kind or "dense")
    if options.whole:
        runs = {name: whole(name, encoders) for name in options.collections}
        rows = [
            [
                name,
                run["queries"],
                f"{run['seconds']:.0f}",
                f"{run['processor_seconds']:.0f}",
                f"{run['rankings']:,}",
                run["complete"],
            ]
            for name, run in runs.items()
        ]
        text = table(["collection", "queries", "seconds", "processor s", "rankings", "complete"], rows)
        keep("tuning-whole", {"encoders": sorted(encoders), "collections": runs}, text)
        return
    found: dict[str, Any] = {name: one(name, encoders, options.limits) for name in options.collections}
    for name, p in zip(found, holm([one["p"] for one in found.values()]), strict=True):
        found[name]["p_holm"] = p
    rows = []
    for name, one_ in found.items():
        gains = [f"{100 * split['reported']:+.1f}" for split in one_["splits"]]
        kept = sum(split["kept"] for split in one_["splits"])
        rows.append([
            name, one_["queries"], f"{one_['own']:.4f}", f"{100 * one_['gain']:+.2f}", ", ".join(gains), kept,
            f"{one_['p_holm']:.4f}", "" if one_["processor_seconds"] is None else f"{one_['processor_seconds']:.0f}",
        ])  # fmt: skip
    mean = float(np.mean([one_["gain"] for one_ in found.values()]))
    head = ["collection", "queries", "own recipe", "gain, points", "of each split", "kept", "p (Holm)", "processor s"]
    text = f"{table(head, rows)}\n\nMean gain {100 * mean:+.2f} points of nDCG@10."
    keep(options.out, {"encoders": sorted(encoders), "collections": found, "mean_gain": mean}, text)


if __name__ == "__main__":
    main()
