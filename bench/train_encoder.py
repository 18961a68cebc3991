"""What training a sentence encoder on a collection without labels gains on its judged queries, which training never sees.

    python bench/train_encoder.py MODEL                        # SciFact and Cranfield
    python bench/train_encoder.py MODEL scifact --minutes 20
    python bench/train_encoder.py MODEL --teacher LARGER --from titles --from cloze
    python bench/train_encoder.py MODEL --text PUBMED.jsonl.gz --passages 5000   # held-out queries only: to choose settings by

For each collection: a library of its documents, `bookwheel train encoder MODEL` on it, then nDCG@10 of the judged queries by the
vectors alone and beside BM25 (half each), before and after, with paired t-tests (Holm's correction over the collections). Where the
command refuses its model, the difference is 0, since nothing changes. Nothing is chosen on these queries. A run that is interrupted
(Ctrl-C, ``timeout -s INT``) goes on where it was when the same command is given again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from common import ROOT, SCRATCH, SHARED, keep, read_texts

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from before_after import compared, named, told, trained
from bookwheel.evaluate import load_collection
from bookwheel.progress import auto
from bookwheel.train import EncoderOptions, train_encoder

COLLECTIONS = ("scifact", "cranfield")
PAIRS = {"vectors": ("before", "trained"), "with BM25": ("0.5*bm25 + 0.5*before", "0.5*bm25 + 0.5*trained")}


def trained_here(library: bookwheel.Library, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """What training came to."""
    options = EncoderOptions(batch=args.batch, rate=args.rate, tokens=args.tokens, layers=args.layers)
    return trained(
        folder,
        lambda: train_encoder(
            library, args.model, folder / "model", teacher=args.teacher, minutes=args.minutes, seed=args.seed, ram=args.ram,
            options=options, sources=args.sources or ["titles"], progress=auto,
        ),
    )  # fmt: skip


def measured(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """One collection."""
    folder = SCRATCH / args.keep / name
    folder.mkdir(parents=True, exist_ok=True)
    collection = load_collection(SHARED / "data" / name)
    with bookwheel.open(folder / "library", create=True) as library:
        if not library.document_count:
            library.add(collection.documents())
        row = {"collection": name, **trained_here(library, folder, args)}
        taken = row["training"]["folder"]
        for encoder, model in {"before": args.model, **({"trained": taken} if taken else {})}.items():
            if encoder not in [one.name for one in library.encoders()]:
                library.add_encoder(encoder, model)
            library.embed(encoder, progress=auto)
        row["pairs"] = compared(library, collection, PAIRS, taken=bool(taken))
        row["training"] = named(row["training"])
    return row


def at_text(args: argparse.Namespace) -> None:
    """On real text without judgments: what held-out queries say."""
    folder = SCRATCH / args.keep / args.text.stem
    folder.mkdir(parents=True, exist_ok=True)
    with bookwheel.open(folder / "library", create=True) as library:
        if not library.document_count:
            texts = read_texts(args.text, args.passages)
            library.add({"id": one["_id"], "title": one["title"], "text": one["text"]} for one in texts)
        trained_here(library, folder, args)


def main() -> None:
    """Measure, print the table, and keep the result."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("model", help="the folder of a sentence encoder")
    ask.add_argument("collections", nargs="*", default=COLLECTIONS, help="folders of the shared judged collections")
    ask.add_argument("--teacher", action="append", help="the folder of a larger encoder, or bm25; may be repeated")
    ask.add_argument("--minutes", type=float, default=45.0)
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--ram", default="2GB")
    ask.add_argument("--from", dest="sources", action="append")
    ask.add_argument("--batch", type=int, default=EncoderOptions().batch)
    ask.add_argument("--rate", type=float, default=EncoderOptions().rate)
    ask.add_argument("--tokens", type=int, default=EncoderOptions().tokens)
    ask.add_argument("--layers", type=int, default=EncoderOptions().layers)
    ask.add_argument("--text", type=Path, help="JSONL of {_id, title, text}")
    ask.add_argument("--passages", type=int, default=5_000)
    ask.add_argument("--keep", default="train_encoder", help="the name of the result")
    args = ask.parse_args()
    if args.text:
        at_text(args)
        return
    rows = [measured(name, args) for name in args.collections]
    print(told(rows, PAIRS))
    keep(args.keep, {"rows": rows, "minutes": args.minutes, "seed": args.seed, "ram": args.ram})


if __name__ == "__main__":
    main()
