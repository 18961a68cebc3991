"""What training a reranker or a late-interaction model on a collection without labels gains on its judged queries, which it never sees.

    python bench/train_lists.py reranker MODEL --teacher LARGER          # SciFact and Cranfield
    python bench/train_lists.py tokens MODEL cranfield --minutes 25
    python bench/train_lists.py reranker smollm2 --batch 4               # from a causal language model
    python bench/train_lists.py attention smollm2                        # its heads' weights, the model as it is
    python bench/train_lists.py in-context smollm2                       # the model's own weights
    python bench/train_lists.py tokens MODEL --text MEDLINE.jsonl --passages 3000   # held-out queries only: to choose settings by

For each collection: a library of its documents, `bookwheel train reranker MODEL` (or `tokens`, `attention`, `in-context`) on it, then
nDCG@10 of the judged queries by BM25 and by the recipe that the command recommends, and by the model's score alone, with paired t-tests
(Holm's correction over the collections). Token vectors are embedded, with 2 bits a dimension. Where the command refuses its
model, the difference is 0, since nothing changes. Nothing is chosen on these queries. A run that is interrupted (Ctrl-C,
``timeout -s INT``) goes on where it was when the same command is given again.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from common import ROOT, SCRATCH, SHARED, keep, read_texts

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from before_after import compared, named, told, trained
from bookwheel.evaluate import load_collection
from bookwheel.progress import auto
from bookwheel.train import (
    InContextOptions,
    RerankerOptions,
    TokensOptions,
    train_attention,
    train_in_context,
    train_reranker,
    train_tokens,
)

COLLECTIONS = ("scifact", "cranfield")
COLUMNS = ("as recommended", "its score alone")
BESIDE = "beside the model as it is"
"""Of what is trained in context: the same heads, with the same share of the score."""


def trained_here(library: bookwheel.Library, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """What training came to."""
    if args.what == "attention":
        return trained(
            folder,
            lambda: train_attention(
                library, args.model, folder / "model", minutes=args.minutes, seed=args.seed, ram=args.ram,
                sources=args.sources or ["titles"], progress=auto,
            ),
        )  # fmt: skip
    kind, train = {
        "reranker": (RerankerOptions, train_reranker),
        "tokens": (TokensOptions, train_tokens),
        "in-context": (InContextOptions, train_in_context),
    }[args.what]
    told = {name: getattr(args, name) for name in ("loss", "rate", "tokens", "batch", "others", "layers")}
    options = kind(**{name: value for name, value in told.items() if value is not None})
    return trained(
        folder,
        lambda: train(
            library, args.model, folder / "model", teacher=args.teacher, minutes=args.minutes, seed=args.seed, ram=args.ram,
            options=options, sources=args.sources or ["titles"], progress=auto,
        ),
    )  # fmt: skip


def measured(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """One collection."""
    folder = SCRATCH / args.keep / name
    folder.mkdir(parents=True, exist_ok=True)
    collection = load_collection(SHARED / "data" / name)
    if args.queries:
        some = list(collection.judged)[: args.queries]
        collection = replace(collection, queries={one: collection.queries[one] for one in some})
    with bookwheel.open(folder / "library", create=True) as library:
        if not library.document_count:
            library.add(collection.documents())
        row = {"collection": name, **trained_here(library, folder, args)}
        found = row["training"]
        taken = found["folder"] is not None
        if taken and args.what == "tokens":
            if "tokens" not in [one.name for one in library.encoders()]:
                library.add_encoder("tokens", found["folder"], kind="tokens")
            library.embed("tokens", progress=auto)
        alone = {
            "reranker": f'bm25 >> cross(20, model="{found["folder"]}")',
            "tokens": "bm25 >> late(100)",
            "attention": re.sub(r"weight=[\d.]+", "weight=1", found["recipe"] or "bm25"),
            "in-context": re.sub(r"weight=[\d.]+", "weight=1", found["recipe"] or "bm25"),
        }[args.what]
        pairs = dict(zip(COLUMNS, (("bm25", found["recipe"] or "bm25"), ("bm25", alone)), strict=True))
        if args.what == "in-context":
            plain = re.sub(r'model=".*", heads=".*", ', "", found["recipe"] or "bm25")
            pairs[BESIDE] = (plain, found["recipe"] or "bm25")
        row["pairs"] = compared(library, collection, pairs, taken=taken)
        row["training"] = named({**found, "recipe": (found["recipe"] or "").replace(f"{folder}/", "") or None})
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
    ask.add_argument("what", choices=("reranker", "tokens", "attention", "in-context"))
    ask.add_argument(
        "model", help="the folder of a sentence encoder, of a model of the kind that is trained, or a language model"
    )
    ask.add_argument("collections", nargs="*", default=COLLECTIONS, help="folders of the shared judged collections")
    ask.add_argument("--teacher", action="append", help="the folder of a larger encoder, or bm25; may be repeated")
    ask.add_argument("--minutes", type=float, default=45.0)
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--ram", default="2GB")
    ask.add_argument("--from", dest="sources", action="append")
    ask.add_argument("--loss")
    ask.add_argument("--batch", type=int)
    ask.add_argument("--others", type=int)
    ask.add_argument("--rate", type=float)
    ask.add_argument("--tokens", type=int)
    ask.add_argument("--layers", type=int)
    ask.add_argument("--text", type=Path, help="JSONL of {_id, title, text}")
    ask.add_argument("--passages", type=int, default=3_000)
    ask.add_argument("--queries", type=int, default=0, help="measure on the first so many judged queries; 0 for all")
    ask.add_argument("--keep", help="the name of the result [default: train_WHAT]")
    args = ask.parse_args()
    args.keep = args.keep or f"train_{args.what.replace('-', '_')}"
    if args.text:
        at_text(args)
        return
    rows = [measured(name, args) for name in args.collections]
    print(told(rows, dict.fromkeys(rows[0]["pairs"], ("", ""))))
    keep(args.keep, {"rows": rows, "minutes": args.minutes, "seed": args.seed, "ram": args.ram})


if __name__ == "__main__":
    main()
