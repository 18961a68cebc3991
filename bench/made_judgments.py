"""Do queries made from a collection order recipes as people's judgments do?

    python bench/made_judgments.py                          # the five that the page tells of
    python bench/made_judgments.py xquad_de xquad_es --count 200 --model smollm2

For each collection, a panel of recipes (`bookwheel.tune.panel`) is scored by the real judgments, and by made ones, in the masked
copy of the library; those of each way are looked at alone, and all together. Prints, and writes to docs/results/made-
judgments.json: Kendall's tau and tau-AP of the two orders with a 95 % bootstrap interval over both sets of queries, what the top
choice by the made queries loses on the real ones against the best recipe (regret) and gains against the default, how many of the
pairs of recipes that the real judgments can tell apart are ordered alike, what the tool itself estimates, and whether it refused.
At the end, over all collections of the file: whether the estimate is above the interval of the real tau, and the same with the one
constant of the estimate (`trust.VALIDITY`) chosen on the other collections.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

from common import RESULTS, ROOT, SCRATCH, SHARED, machine

sys.path.insert(0, str(ROOT / "src"))

import numpy as np

import bookwheel
from bookwheel.evaluate import load_collection
from bookwheel.evaluate.agreement import kendall_tau
from bookwheel.evaluate.significance import paired_t
from bookwheel.tune.correlation import tau_ap
from bookwheel.tune.made import made_collection
from bookwheel.tune.panel import PanelScores, panel_scores
from bookwheel.tune.reliability import rivals, searchable
from bookwheel.tune.trust import _stepped, _tau, trust

MEASURED = ("scifact", "cranfield", "pubmedqa", "xquad_en", "xquad_de")
DEVELOPED_ON = ("xquad_de", "xquad_es", "xquad_zh")
DEFAULT = "0.5*bm25 + 0.5*dense"
SEED = 20261129
DRAWS = 1000


def kept(path: Path, make: Any) -> PanelScores:
    """Panel scores, from an earlier run where they are there."""
    if not path.is_file():
        found = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, names=np.array(found.names), queries=np.array(found.queries), values=found.values)
    with np.load(path) as read:
        return PanelScores(tuple(read["names"].tolist()), tuple(read["queries"].tolist()), read["values"])


def interval(made: PanelScores, real: PanelScores) -> list[float]:
    """95 % of taus with queries of both drawn anew."""
    rng = np.random.default_rng(SEED)
    taus = []
    for _ in range(DRAWS):
        rows = [s.values[:, rng.integers(0, s.values.shape[1], s.values.shape[1])].mean(axis=1) for s in (made, real)]
        taus.append(kendall_tau(*rows))
    return [round(float(x), 3) for x in np.nanquantile(taus, [0.025, 0.975])]


def distinct_pairs(made: PanelScores, real: PanelScores) -> tuple[int, int]:
    """Of the pairs of recipes that differ significantly (t-test, 5 %) by the real judgments: ordered alike by the made ones, all."""
    agreed = distinct = 0
    for one, other in combinations(range(len(real.names)), 2):
        difference = real.values[one] - real.values[other]
        if difference.any() and paired_t(difference)[1] < 0.05:
            distinct += 1
            agreed += np.sign(difference.mean()) == np.sign(made.means[one] - made.means[other])
    return int(agreed), distinct


def measured(name: str, ways: list[str] | None, count: int, model: str | None, again: bool) -> dict[str, Any]:
    folder = SCRATCH / "made" / name
    if again:
        shutil.rmtree(folder, ignore_errors=True)
    collection = load_collection(SHARED / "data" / name)
    if not (folder / "library" / "manifest.json").is_file():
        shutil.rmtree(folder / "library", ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        with bookwheel.open(folder / "library", create=True, unit="document") as library:
            library.add(collection.documents(), workers=1)
    library = bookwheel.open(folder / "library")
    made = made_collection(library, count, ways=ways, seed=SEED, model=model)
    print(f"{name}: {'; '.join(made.notes)}", flush=True)

    label = "+".join(ways or ["default", *(["written"] if model else [])])
    beside = folder / f"{label}-{count}.json"

    def search() -> PanelScores:
        with searchable(library, made) as masked:
            parts = {way: rivals(masked, made if way == "all" else made.of_way(way)) for way in [*made.ways, "all"]}
            beside.write_text(json.dumps(parts))
            return panel_scores(masked, made)

    scores = kept(folder / f"{label}-{count}.npz", search)
    share = json.loads(beside.read_text())
    real = kept(folder / "real.npz", lambda: panel_scores(library, collection))
    library.close()
    best, default = int(real.means.argmax()), real.names.index(DEFAULT)
    result: dict[str, Any] = {
        "documents": library.document_count,
        "judged_queries": len(real.queries),
        "recipes": len(real.names),
        "best": [real.names[best], round(float(real.means[best]), 4)],
        "default": round(float(real.means[default]), 4),
        "split_half_tau_of_the_real_judgments": round(trust(real.values).split_half, 3),
        "made": list(made.notes),
        "ways": {},
    }
    print(f"  {len(real.queries):,} judged queries, best {real.names[best]} {real.means[best]:.4f}", flush=True)
    every = np.array([made.made[query].way for query in scores.queries])
    for way in [*made.ways, "all"]:
        columns = np.flatnonzero(every == way) if way != "all" else np.arange(len(every))
        some = PanelScores(scores.names, tuple(scores.queries[at] for at in columns), scores.values[:, columns])
        result["ways"][way] = row = row_of(some, real, every[columns].tolist(), share[way])
        print(
            f"  {way}: {row['queries']} queries, tau {row['tau']} {row['interval']}, tau-AP {row['tau_ap']}, regret "
            f"{row['regret']} ({row['top']}), against the default {row['gain_over_default']:+}, split-half "
            f"{row['estimate']['split_half']}, expected {row['estimate']['tau']}, rivals {share[way]:.2f}, "
            f"of distinct pairs {row['distinct_pairs_agreed']} of {row['distinct_pairs']}, "
            f"{'refused' if row['refused'] else 'trusted'}",
            flush=True,
        )
    return result


def row_of(made: PanelScores, real: PanelScores, ways: list[str], share: float | None) -> dict[str, Any]:
    """What is told of one way, or of all together."""
    told = trust(made.values, ways, rivals=share)
    agreed, distinct = distinct_pairs(made, real)
    best, default, top = int(real.means.argmax()), real.names.index(DEFAULT), int(made.means.argmax())
    return {
        "queries": len(made.queries),
        "tau": round(kendall_tau(made.means, real.means), 3),
        "interval": interval(made, real),
        "tau_ap": round(tau_ap(made.means, real.means), 3),
        "distinct_pairs": distinct,
        "distinct_pairs_agreed": round(agreed / distinct, 3) if distinct else None,
        "top": real.names[top],
        "regret": round(float(real.means[best] - real.means[top]), 4),
        "gain_over_default": round(float(real.means[top] - real.means[default]), 4),
        "estimate": told.to_dict(),
        "refused": not told.reliable,
    }


def calibration(found: dict[str, Any]) -> dict[str, Any]:
    """Of each collection that is not refused for rivals: the expected tau beside the upper end of the real one's interval, and what is
    expected with the largest validity (to hundredths) by which none of the other collections exceeds its own.
    """
    rows = {name: one["ways"]["all"] for name, one in found.items() if one["ways"]["all"]["estimate"]["tau"] is not None}

    def expected(row: dict[str, Any], validity: float) -> float:
        return float(_tau(math.sqrt(max(0.0, _stepped(row["estimate"]["split_half"]))) * validity))

    told = {}
    for name, row in rows.items():
        others = [one for other, one in rows.items() if other != name]
        fits = [v for v in np.arange(100, 0, -1) / 100 if all(expected(one, v) <= one["interval"][1] for one in others)]
        left_out = expected(row, fits[0]) if fits else 0.0
        told[name] = {
            "tau": row["tau"], "upper": row["interval"][1], "expected": row["estimate"]["tau"], "validity_of_the_others": float(fits[0]),
            "expected_by_the_others": round(left_out, 3), "holds": row["estimate"]["tau"] <= row["interval"][1],
            "holds_by_the_others": left_out <= row["interval"][1],
        }  # fmt: skip
        print(f"{name}: {told[name]}")
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("collections", nargs="*", default=list(MEASURED))
    parser.add_argument("--ways", nargs="*", help="instead of the default ones")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--model", help="for written questions")
    parser.add_argument("--again", action="store_true", help="compute what earlier runs left anew")
    parser.add_argument("--out", type=Path, default=RESULTS / "made-judgments.json")
    given = parser.parse_args()
    found = json.loads(given.out.read_text(encoding="utf-8")) if given.out.is_file() else {"collections": {}}
    for name in given.collections:
        found["collections"][name] = measured(name, given.ways, given.count, given.model, given.again)
    found["calibration"] = calibration(found["collections"])
    found |= {"machine": machine(), "seed": SEED, "count": given.count, "developed_on": list(DEVELOPED_ON)}
    given.out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
