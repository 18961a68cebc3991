"""Do queries made from a collection order recipes as people's judgments do?

    python bench/made_judgments.py                          # scifact, cranfield, pubmedqa, xquad_en
    python bench/made_judgments.py xquad_de xquad_es --ways sentences --model smollm2 --count 100

For each collection, a panel of recipes (`bookwheel.tune.panel`) is scored by the real judgments, and by those made in each way and
in all default ways together, each in its masked copy of the library. Prints, and writes to docs/results/made-judgments.json:
Kendall's tau and tau-AP of the two orders with a 95 % bootstrap interval over both sets of queries, what the top choice by the made
queries loses on the real ones against the best recipe (regret) and gains against the default, what the tool itself estimates,
and whether it refused.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from common import RESULTS, ROOT, SCRATCH, SHARED, machine

sys.path.insert(0, str(ROOT / "src"))

import numpy as np

import bookwheel
from bookwheel._errors import BookwheelError
from bookwheel.evaluate import load_collection
from bookwheel.evaluate.agreement import kendall_tau
from bookwheel.tune.correlation import tau_ap
from bookwheel.tune.made import DEFAULT_WAYS, WAYS, made_collection, masked_library
from bookwheel.tune.panel import PanelScores, panel_scores
from bookwheel.tune.trust import trust

MEASURED = ("scifact", "cranfield", "pubmedqa", "xquad_en")
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


def measured(name: str, ways: list[list[str]], count: int, model: str | None, again: bool) -> dict[str, Any]:
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
    real = kept(folder / "real.npz", lambda: panel_scores(library, collection))
    best = int(real.means.argmax())
    default = real.names.index(DEFAULT)
    result: dict[str, Any] = {
        "documents": library.document_count,
        "judged_queries": len(real.queries),
        "recipes": len(real.names),
        "best": [real.names[best], round(float(real.means[best]), 4)],
        "default": round(float(real.means[default]), 4),
        "split_half_tau_of_the_real_judgments": round(trust(real.values).split_half, 3),
        "ways": {},
    }
    print(f"{name}: {len(real.queries):,} judged queries, {len(real.names)} recipes, best {real.names[best]}", flush=True)
    for chosen in ways:
        label = "+".join(chosen) if len(chosen) < len(DEFAULT_WAYS) else "default"
        try:
            made = made_collection(library, count, ways=chosen, seed=SEED, model=model)
        except BookwheelError as error:
            result["ways"][label] = {"queries": 0, "refused": True, "refusal": str(error).replace(str(library.path), "LIBRARY")}
            print(f"  {label}: {error}", flush=True)
            continue
        (only,) = made.ways if len(made.ways) == 1 else ("",)
        if len(chosen) > 1 and only in result["ways"]:  # the same queries once more
            result["ways"][label] = {**result["ways"][only], "same_as": only}
            print(f"  {label}: the same as {only}", flush=True)
            continue

        def search(made: Any = made) -> PanelScores:
            shutil.rmtree(folder / "masked", ignore_errors=True)
            with masked_library(library, made, folder / "masked") as masked:
                return panel_scores(masked, made)

        scores = kept(folder / f"{label}-{count}.npz", search)
        shutil.rmtree(folder / "masked", ignore_errors=True)
        told = trust(scores.values, [made.made[query].way for query in scores.queries])
        top = int(scores.means.argmax())
        row = {
            "queries": len(scores.queries),
            "by_way": made.ways,
            "tau": round(kendall_tau(scores.means, real.means), 3),
            "interval": interval(scores, real),
            "tau_ap": round(tau_ap(scores.means, real.means), 3),
            "top": real.names[top],
            "regret": round(float(real.means[best] - real.means[top]), 4),
            "gain_over_default": round(float(real.means[top] - real.means[default]), 4),
            "estimate": told.to_dict(),
            "refused": not told.reliable,
        }
        result["ways"][label] = row
        print(
            f"  {label}: {row['queries']} queries, tau {row['tau']} {row['interval']}, tau-AP {row['tau_ap']}, regret "
            f"{row['regret']}, against the default {row['gain_over_default']:+}, split-half {told.split_half:.2f}, estimate "
            f"{told.tau:.2f}{', refused: ' + told.refusal if told.refusal else ''}",
            flush=True,
        )
    library.close()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("collections", nargs="*", default=list(MEASURED))
    parser.add_argument("--ways", nargs="*", help="each alone; also all default ways together where not given")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--model", help="for written questions")
    parser.add_argument("--again", action="store_true", help="compute what earlier runs left anew")
    parser.add_argument("--out", type=Path, default=RESULTS / "made-judgments.json")
    given = parser.parse_args()
    alone = given.ways or [name for name in DEFAULT_WAYS if name in WAYS]
    ways = [[name] for name in alone] + ([] if given.ways else [list(DEFAULT_WAYS)])
    found = {name: measured(name, ways, given.count, given.model, given.again) for name in given.collections}
    old = json.loads(given.out.read_text(encoding="utf-8")) if given.out.is_file() else {"collections": {}}
    for name, result in found.items():
        before = old["collections"].get(name, {}).get("ways", {})
        old["collections"][name] = {**result, "ways": {**before, **result["ways"]}}
    old |= {"machine": machine(), "seed": SEED, "developed_on": list(DEVELOPED_ON)}
    given.out.write_text(json.dumps(old, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
