"""What an encoder gains on judged queries where its side of queries alone learns to rank as a better recipe does; nothing is embedded anew.

    python bench/train_queries.py MODEL --larger LARGER                              # SciFact and Cranfield
    python bench/train_queries.py MODEL scifact --teacher bm25 --minutes 20

For each collection: a library whose passages MODEL (``whole``) and LARGER (``larger``) embed, once, in .bench; `bookwheel train tower
whole --teacher RECIPE` on it; then nDCG@10 of the judged queries by the stored vectors of MODEL alone and beside BM25 (half each), with
queries encoded as before and as trained; paired t-tests with Holm's correction over the collections. The model is measured however
good it is; whether the command would have written it stands beside. Nothing is chosen on these queries. A run that is interrupted
(Ctrl-C, ``timeout -s INT``) goes on where it was when the same command is given again.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np

from common import ROOT, SCRATCH, SHARED, keep, table

sys.path.insert(0, str(ROOT / "src"))

from before_after import named, trained
from bookwheel.encode import load_encoder
from bookwheel.evaluate import evaluate, load_collection
from bookwheel.evaluate.significance import holm, paired_t
from bookwheel.progress import auto
from bookwheel.train import train_tower
from bookwheel.train.tower.comparing import reached
from train_tower import WHOLE, added, embedded

COLLECTIONS = ("scifact", "cranfield")
LARGER = "larger"
RECIPES = {"vectors": WHOLE, "with BM25": f"0.5*bm25 + 0.5*{WHOLE}"}


def measured(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """One collection."""
    folder = SCRATCH / args.keep / name
    folder.mkdir(parents=True, exist_ok=True)
    collection = load_collection(SHARED / "data" / name)
    with embedded(args.model, name, collection) as library:
        if args.larger:
            added(library, LARGER, args.larger)

        def train() -> Any:
            return train_tower(
                library, WHOLE, folder / "model", teacher=args.teacher, minutes=args.minutes, seed=args.seed, ram=args.ram,
                least=0.0, progress=auto,
            )  # fmt: skip

        row = {"collection": name, **trained(folder, train)}
        row["training"] = named(row["training"])
        both = load_encoder(args.model), load_encoder(str(folder / "model"))
        row["pairs"] = {}
        for what, recipe in RECIPES.items():
            before, after = (np.array(list(reached(library, WHOLE, collection, one, recipe).values())) for one in both)
            row["pairs"][what] = {
                "before": float(before.mean()), "after": float(after.mean()), "queries": len(before), "p": paired_t(after - before)[1],
            }  # fmt: skip
        others = [args.teacher, *([LARGER] if args.larger else [])]
        found = evaluate(
            collection,
            {one: lambda texts, k, one=one: library.rank_documents(texts, k=k, recipe=one) for one in others},
            ["nDCG@10"],
        )
        row["others"] = {one: float(np.mean(list(found.values(one).values()))) for one in others}
    return row


def told(rows: list[dict[str, Any]]) -> str:
    """The table, with Holm's correction over the collections, which is added to ``rows``."""
    for what in RECIPES:
        for row, p in zip(rows, holm([row["pairs"][what]["p"] for row in rows]), strict=True):
            row["pairs"][what]["p (Holm)"] = p
    lines = []
    for row in rows:
        cells = [row["collection"], "yes" if row["training"]["verdict"]["better"] else "no", f"{row['processor_seconds']:.0f}"]
        for what in RECIPES:
            one = row["pairs"][what]
            cells.append(
                f"{one['before']:.4f} → {one['after']:.4f} ({one['after'] - one['before']:+.4f}, p {one['p (Holm)']:.2g})"
            )
        cells += [f"{value:.4f}" for value in row["others"].values()]
        lines.append(cells)
    return table(["collection", "would be taken", "seconds of processors", *RECIPES, *rows[0]["others"]], lines)


def main() -> None:
    """Measure, print the table, and keep the result."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("model", help="the folder of a sentence encoder")
    ask.add_argument("collections", nargs="*", default=COLLECTIONS, help="folders of the shared judged collections")
    ask.add_argument("--larger", help="the folder of a larger encoder, which the recipe may name as larger")
    ask.add_argument("--teacher", default=f"0.5*bm25 + 0.5*{LARGER}", help="a recipe")
    ask.add_argument("--minutes", type=float, default=45.0)
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--ram", default="2GB")
    ask.add_argument("--keep", default="train_queries", help="the name of the result, and of the folder of models in .bench")
    args = ask.parse_args()
    rows = [measured(name, args) for name in args.collections]
    print(told(rows))
    keep(args.keep, {"rows": rows, "minutes": args.minutes, "teacher": args.teacher, "seed": args.seed, "ram": args.ram})


if __name__ == "__main__":
    main()
