"""What training a language model to write a collection's queries gains, told by its judged queries, which training never sees.

    python bench/train_writer.py MODEL                          # Cranfield and SciFact
    python bench/train_writer.py MODEL cranfield --minutes 40
    python bench/train_writer.py MODEL cranfield --embed        # and every passage's written queries, by search; hours

For each collection: a library of its documents, and `bookwheel train writer MODEL --compare` with its judgments on it: how probable
judged queries are, given their passages, and what written terms do to the order of BM25's first ten passages, on two thirds of the
queries (a third chooses their share). With ``--embed``, also nDCG@10 of all judged queries by BM25 alone and with written terms at the
share of documentation (0.3). A run that is interrupted (Ctrl-C, ``timeout -s INT``) goes on where it was when the same command is given
again. Results go into docs/results/train_writer.json, or ``--keep``.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from common import ROOT, SCRATCH, SHARED, keep, table

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from before_after import compared, named, trained
from bookwheel.evaluate import load_collection
from bookwheel.progress import auto
from bookwheel.train import train_writer

COLLECTIONS = ("cranfield", "scifact")
PAIRS = {"over BM25": ("bm25", "0.7*bm25 + 0.3*questions")}


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
                lambda: train_writer(
                    library, args.model, folder / "model", minutes=args.minutes, seed=args.seed, ram=args.ram,
                    sources=args.sources or ["titles"], compare=SHARED / "data" / name, progress=auto,
                ),
            ),
        }  # fmt: skip
        taken = row["training"]["folder"]
        if args.embed and taken:
            if "questions" not in [one.name for one in library.encoders()]:
                library.add_encoder("questions", taken, kind="sparse")
            library.embed("questions", progress=auto)
            row["pairs"] = compared(library, collection, PAIRS, taken=True)
        row["training"] = named(row["training"])
    return row


def main() -> None:
    """Measure, print the table, and keep the result."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("model", help="smollm2, a .gguf file, or the folder of a causal language model")
    ask.add_argument("collections", nargs="*", default=COLLECTIONS, help="folders of the shared judged collections")
    ask.add_argument("--minutes", type=float, default=45.0)
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--ram", default="4GB")
    ask.add_argument("--from", dest="sources", action="append")
    ask.add_argument("--embed", action="store_true")
    ask.add_argument("--keep", default="train_writer", help="the name of the result")
    args = ask.parse_args()
    rows = [measured(name, args) for name in args.collections]
    shown = [
        [
            row["collection"],
            change["what"],
            str(change["queries"]),
            f"{change['before']:.4f}",
            f"{change['after']:.4f}",
            f"{change['p']:.2g}",
        ]
        for row in rows
        for change in [
            *row["training"]["verdict"]["changes"],
            *({"what": what, **one} for what, one in row.get("pairs", {}).items()),
        ]
    ]
    print(table(["collection", "what", "queries", "before", "after", "p"], shown))
    keep(args.keep, {"rows": rows, "minutes": args.minutes, "seed": args.seed, "ram": args.ram})


if __name__ == "__main__":
    main()
