"""What a linear map of stored vectors, fitted to a larger encoder's rankings, gains on judged queries, which it never sees.

    python bench/train_taught.py MODEL --teacher LARGER                     # SciFact and Cranfield
    python bench/train_taught.py MODEL --teacher LARGER xquad_en --minutes 10
    python bench/train_taught.py static --teacher LARGER                    # the model that made the vectors while indexing

For each collection: a library whose passages MODEL embeds (once; they stay in .bench), `bookwheel train projection --teacher LARGER` on
it, then nDCG@10 of the judged queries by the vectors alone and with BM25, half each, before and after; with paired t-tests (Holm's
correction over the collections). Where the command refuses its model, the difference is 0, since nothing changes. Nothing is chosen on
these queries. A run that is interrupted (Ctrl-C, ``timeout -s INT``) goes on where it was when the same command is given again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from common import ROOT, SCRATCH, SHARED, keep

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from before_after import compared, named, told, trained
from bookwheel.evaluate import load_collection
from bookwheel.progress import auto
from bookwheel.train import train_taught_projection
from train_tower import WHOLE, embedded

COLLECTIONS = ("scifact", "cranfield")
TAUGHT = "taught"
STATIC, BUILT_IN = "static", "dense"


def measured(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """One collection."""
    collection = load_collection(SHARED / "data" / name)
    folder = SCRATCH / args.keep / name
    folder.mkdir(parents=True, exist_ok=True)
    base = BUILT_IN if args.model == STATIC else WHOLE
    with indexed(folder, collection) if base == BUILT_IN else embedded(args.model, name, collection) as library:

        def train() -> Any:
            if TAUGHT in [one.name for one in library.encoders()]:
                library.remove_encoder(TAUGHT)
            return train_taught_projection(
                library, base, folder / "model", teacher=args.teacher, add=TAUGHT, minutes=args.minutes, seed=args.seed,
                ram=args.ram, progress=auto,
            )  # fmt: skip

        row = {"collection": name, **trained(folder, train)}
        row["training"] = named(row["training"])
        return row | {"pairs": compared(library, collection, pairs(base), taken=row["training"]["folder"] is not None)}


def pairs(base: str) -> dict[str, tuple[str, str]]:
    """The recipes that are compared."""
    return {"vectors alone": (base, TAUGHT), "with BM25": (f"0.5*bm25 + 0.5*{base}", f"0.5*bm25 + 0.5*{TAUGHT}")}


def indexed(folder: Path, collection: Any) -> bookwheel.Library:
    """A library of ``collection``, which stays in ``folder``, with the vectors of indexing."""
    library = bookwheel.open(folder / "library", create=True)
    if not library.document_count:
        library.add(collection.documents())
    return library


def main() -> None:
    """Train, measure, print the table, and keep the result."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("model", help="the folder of a sentence encoder, or static for the built-in model")
    ask.add_argument("collections", nargs="*", default=COLLECTIONS)
    ask.add_argument("--teacher", required=True)
    ask.add_argument("--minutes", type=float, default=20)
    ask.add_argument("--ram", default="2GB")
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--keep", default="train_taught", help="the name of the result")
    args = ask.parse_args()
    rows = [measured(name, args) for name in args.collections]
    print(told(rows, pairs(WHOLE)))
    keep(args.keep, {"minutes": args.minutes, "seed": args.seed, "ram": args.ram, "rows": rows})


if __name__ == "__main__":
    main()
