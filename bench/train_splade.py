"""What training a learned sparse encoder on a collection without labels gains on its judged queries, which training never sees.

    python bench/train_splade.py SPLADE --teacher LARGER             # SciFact and Cranfield
    python bench/train_splade.py SPLADE cranfield --table --minutes 20

For each collection: a library of its documents, `bookwheel train splade SPLADE` on it, then nDCG@10 of the judged queries by the sparse
vectors alone and beside BM25 (half each), by the model before and after, and beside BM25 against BM25 alone; with paired t-tests
(Holm's correction over the collections). Where the command refuses its model, the difference is 0, since nothing changes. Nothing is
chosen on these queries. A run that is interrupted (Ctrl-C, ``timeout -s INT``) goes on where it was when the same command is given again.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from common import ROOT, SCRATCH, SHARED, keep

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from before_after import compared, named, told, trained
from bookwheel.evaluate import load_collection
from bookwheel.progress import auto
from bookwheel.train import SpladeOptions, train_splade

COLLECTIONS = ("scifact", "cranfield")
PAIRS = {
    "sparse vectors": ("before", "splade"),
    "with BM25": ("0.5*bm25 + 0.5*before", "0.5*bm25 + 0.5*splade"),
    "over BM25": ("bm25", "0.5*bm25 + 0.5*splade"),
}


def measured(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """One collection."""
    folder = SCRATCH / args.keep / name
    folder.mkdir(parents=True, exist_ok=True)
    collection = load_collection(SHARED / "data" / name)
    with bookwheel.open(folder / "library", create=True) as library:
        if not library.document_count:
            library.add(collection.documents())
        row = {
            "collection": name,
            **trained(
                folder,
                lambda: train_splade(
                    library, args.model, folder / "model", teacher=args.teacher, minutes=args.minutes, seed=args.seed, ram=args.ram,
                    options=SpladeOptions(table=args.table), sources=args.sources or ["titles"], progress=auto,
                ),
            ),
        }  # fmt: skip
        taken = row["training"]["folder"]
        for encoder, model in {"before": args.model, **({"splade": taken} if taken else {})}.items():
            if encoder not in [one.name for one in library.encoders()]:
                library.add_encoder(encoder, model, kind="sparse")
            library.embed(encoder, progress=auto)
        row["pairs"] = compared(library, collection, PAIRS, taken=bool(taken))
        row["training"] = named(row["training"])
    return row


def main() -> None:
    """Measure, print the table, and keep the result."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("model", help="the folder of a SPLADE model, or of a masked language model")
    ask.add_argument("collections", nargs="*", default=COLLECTIONS, help="folders of the shared judged collections")
    ask.add_argument("--teacher", action="append", help="the folder of a larger encoder, or bm25; may be repeated")
    ask.add_argument("--table", action="store_true", help="queries by a table")
    ask.add_argument("--minutes", type=float, default=45.0)
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--ram", default="2GB")
    ask.add_argument("--from", dest="sources", action="append")
    ask.add_argument("--keep", default="train_splade", help="the name of the result")
    args = ask.parse_args()
    rows = [measured(name, args) for name in args.collections]
    print(told(rows, PAIRS))
    keep(args.keep, {"rows": rows, "minutes": args.minutes, "table": args.table, "seed": args.seed, "ram": args.ram})


if __name__ == "__main__":
    main()
