"""What fitting the static model to a collection gains on its judged queries, which training never sees.

    python bench/train_static.py                                    # the collection alone teaches
    python bench/train_static.py scifact cranfield --teacher MODEL  # a neural encoder teaches too
    python bench/train_static.py --text TEXTS.jsonl.gz --passages 100000   # seconds and memory at size

For each collection: a library of its documents, `bookwheel train static` on it, then nDCG@10 of the judged queries by the vectors
alone and beside BM25 (half each), before and after, with paired t-tests (Holm's correction over the collections). Where the command
refuses its model, the difference is 0, since nothing changes. Nothing is chosen on these queries.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import ROOT, SHARED, keep, read_texts

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from before_after import compared, named, told
from bookwheel.evaluate import load_collection
from bookwheel.progress import auto
from bookwheel.train import train_static

COLLECTIONS = ("scifact", "cranfield", "pubmedqa", "xquad_en", "xquad_de", "xquad_es", "xquad_zh")
PAIRS = {"vectors": ("dense", "trained"), "with BM25": ("0.5*bm25 + 0.5*dense", "0.5*bm25 + 0.5*trained")}


def measured(name: str, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """One collection."""
    collection = load_collection(SHARED / "data" / name)
    with bookwheel.open(folder / name, create=True) as library:
        library.add(collection.documents())
        began = time.process_time()
        found = train_static(
            library, folder / f"{name}-model", teacher=args.teacher, minutes=args.minutes, seed=args.seed, progress=auto
        )
        row: dict[str, Any] = {"collection": name, "training": named(found.to_dict())}
        row["processor_seconds"] = time.process_time() - began
        print(f"{name}\n{found}", flush=True)
        if found.folder is not None:
            library.add_encoder("trained", found.folder)
            library.embed("trained")
        row["pairs"] = compared(library, collection, PAIRS, taken=found.folder is not None)
    return row


def at_size(args: argparse.Namespace) -> dict[str, Any]:
    """Seconds and memory for many passages of real text."""
    with tempfile.TemporaryDirectory() as folder, bookwheel.open(Path(folder) / "library", create=True) as library:
        texts = read_texts(args.text, args.passages)
        library.add({"id": one["_id"], "title": one["title"], "text": one["text"]} for one in texts)
        began, processor = time.perf_counter(), time.process_time()
        found = train_static(library, minutes=args.minutes, ram=args.ram, seed=args.seed, progress=auto)
        seconds, processor = time.perf_counter() - began, time.process_time() - processor
    memory = [{"part": one.part, "planned": one.planned, "measured": one.measured} for one in found.memory_plan or ()]
    print(f"{args.passages:,} passages: {seconds:.0f} s, {processor:.0f} s of processors\n{found}")
    return {
        "passages": args.passages,
        "seconds": seconds,
        "processor_seconds": processor,
        "training": named(found.to_dict()),
        "memory": memory,
    }


def main() -> None:
    """Measure, print the table, and keep the result."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("collections", nargs="*", default=COLLECTIONS, help="folders of the shared judged collections")
    ask.add_argument("--teacher", help="a neural encoder's folder")
    ask.add_argument("--minutes", type=float, default=5.0)
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--text", type=Path, help="JSONL of {_id, title, text}")
    ask.add_argument("--passages", type=int, default=100_000)
    ask.add_argument("--ram", default="1GB")
    ask.add_argument("--keep", default="train_static", help="the name of the result")
    args = ask.parse_args()
    if args.text:
        keep("train_static_size", at_size(args))
        return
    with tempfile.TemporaryDirectory() as scratch:
        rows = [measured(name, Path(scratch), args) for name in args.collections]
    print(told(rows, PAIRS))
    keep(args.keep, {"rows": rows, "minutes": args.minutes, "seed": args.seed})


if __name__ == "__main__":
    main()
