"""What a table of query weights loses and saves: judged queries by a SPLADE model, by its table, and by rarity alone.

    python bench/train_sparse.py --teacher FOLDER [scifact cranfield xquad_en]

For each collection: a library of its documents, `bookwheel train sparse` on it, then nDCG@10 of the judged queries when the model
reads them, when the trained table weighs their tokens, and when their rarity does (BM25's idf over the passages' tokens), each
alone and beside BM25, with paired t-tests against the model, and of the sum against BM25 (Holm's correction over the collections).
Nothing is chosen on these queries.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import ROOT, SHARED, keep, table

sys.path.insert(0, str(ROOT / "src"))

import numpy as np

import bookwheel
from before_after import named
from bookwheel.encode import load_encoder
from bookwheel.evaluate import evaluate, load_collection
from bookwheel.evaluate.significance import holm, paired_t
from bookwheel.progress import auto
from bookwheel.train import train_sparse
from bookwheel.train.sparse.table import idf_of

COLLECTIONS = ("scifact", "cranfield", "xquad_en")
RECIPES = {
    "BM25": "bm25",
    "model": "model",
    "table": "fitted",
    "rarity": "rarity",
    "BM25 + model": "bm25 + model",
    "BM25 + table": "bm25 + fitted",
}
PAIRS = (("model", "table"), ("model", "rarity"), ("BM25 + model", "BM25 + table"), ("BM25", "BM25 + table"))


def by_rarity(model: Path, library: bookwheel.Library, folder: Path) -> Path:
    """The model with a table of its tokens' idf."""
    encoder: Any = load_encoder(str(model), "sparse")
    idf = idf_of(encoder.tokens([document.text for document in library]), len(encoder.vocabulary))
    shutil.copytree(model, folder)
    (folder / "idf.json").write_text(json.dumps(dict(zip(encoder.vocabulary, idf.tolist(), strict=True))))
    return folder


def measured(name: str, scratch: Path, args: argparse.Namespace) -> dict[str, Any]:
    """One collection."""
    collection = load_collection(SHARED / "data" / name)
    with bookwheel.open(scratch / name, create=True, unit="document") as library:
        library.add(collection.documents())
        began = time.process_time()
        found = train_sparse(
            library, scratch / f"{name}-table", teacher=args.teacher, minutes=args.minutes, seed=args.seed, progress=auto
        )
        row: dict[str, Any] = {
            "collection": name,
            "training": named(found.to_dict()),
            "processor_seconds": time.process_time() - began,
        }
        print(f"{name}\n{found}", flush=True)
        if found.folder is None:
            return row
        models = {"model": Path(args.teacher), "fitted": Path(found.folder)}
        models["rarity"] = by_rarity(Path(found.folder), library, scratch / f"{name}-rarity")
        for one, folder in models.items():
            library.add_encoder(one, str(folder), kind="sparse")
        library.embed(list(models), progress=auto)

        def search(recipe: str) -> Any:
            return lambda texts, k: library.rank_documents(texts, k=k, recipe=recipe)

        told = evaluate(collection, {what: search(recipe) for what, recipe in RECIPES.items()}, ["nDCG@10"])
    values = {what: np.array(list(told.values(what).values())) for what in RECIPES}
    row["means"] = {what: float(some.mean()) for what, some in values.items()}
    row["p"] = {f"{one} to {other}": paired_t(values[other] - values[one])[1] for one, other in PAIRS}
    row["queries"] = len(values["BM25"])
    return row


def main() -> None:
    """Measure, print the table, and keep the result."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("collections", nargs="*", default=COLLECTIONS)
    ask.add_argument("--teacher", required=True, help="a SPLADE model's folder")
    ask.add_argument("--minutes", type=float, default=5.0)
    ask.add_argument("--seed", type=int, default=0)
    args = ask.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        rows = [measured(name, Path(scratch), args) for name in args.collections]
    done = [row for row in rows if "means" in row]
    for pair in done[0]["p"] if done else ():
        for row, p in zip(done, holm([row["p"][pair] for row in done]), strict=True):
            row["p"][pair] = p
    cells = [[row["collection"], row["queries"], *(f"{row['means'][what]:.4f}" for what in RECIPES)] for row in done]
    shown = table(["collection", "queries", *RECIPES], cells)
    shown += "\n\n" + table(
        ["p (Holm)", *(f"{one} to {other}" for one, other in PAIRS), "ms a query, model", "table"],
        [
            [
                row["collection"],
                *(f"{p:.2g}" for p in row["p"].values()),
                *(f"{ms:.2f}" for ms in row["training"]["milliseconds"]),
            ]
            for row in done
        ],
    )
    keep("train_sparse", {"collections": rows}, shown)


if __name__ == "__main__":
    main()
