"""What a linear map of stored vectors gains: codes of one bit, and the first 64 and 128 dimensions, on judged queries.

    python bench/train_projection.py                                    # the built-in model
    python bench/train_projection.py --model NAME=FOLDER                # and a neural encoder
    python bench/train_projection.py scifact --model NAME=FOLDER --widths 64 128

For each collection and encoder: a library of its documents, kept with its vectors under .bench; `bookwheel train projection` for each
of the widths and for all dimensions. Of each judged query, the share of the 10 passages with the highest dot products by the encoder's
whole vectors that is among the 100 best by codes of one bit, as the index makes and scans them, and nDCG@10 by the cut vectors:
the encoder's first dimensions, the principal axes alone, and the trained map. Paired t-tests, Holm's correction over the collections.
Where the command refuses its model, nothing changes. Nothing is chosen on these queries.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from common import ROOT, SCRATCH, SHARED, keep, table

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from bookwheel.encode.protocols import unit
from bookwheel.evaluate import load_collection
from bookwheel.evaluate.significance import holm, paired_t
from bookwheel.library.vectors.stored import passage_vectors, query_vectors
from bookwheel.train import train_projection
from bookwheel.train.projection.axes import principal_axes
from bookwheel.train.projection.sample import CANDIDATES, TRUE, Sample, code_candidates, cut, share_found

COLLECTIONS = ("scifact", "cranfield", "xquad_en")
MEASURES = ("codes", "nDCG@10")


def opened(name: str, models: dict[str, str]) -> Any:
    """The kept library of a collection, with all its vectors."""
    folder = SCRATCH / "projection" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    library = bookwheel.open(folder, create=True)
    if not library.passage_count:
        library.add(load_collection(SHARED / "data" / name).documents())
    for encoder, model in models.items():
        library.add_encoder(encoder, model)
        library.embed(encoder)
    return library


class Judged:
    """The judged queries of a collection, before and after a map."""

    def __init__(self, library: Any, encoder: str, name: str) -> None:
        self.library = library
        collection = load_collection(SHARED / "data" / name)
        self.names = list(collection.judged)
        self.texts = [collection.queries[query] for query in self.names]
        self.qrels = {query: collection.qrels[query] for query in self.names}
        dimension = query_vectors(library._encoders, library._snapshot, encoder, ["one"]).shape[1]
        self.sample = Sample.drawn(library, encoder, dimension, self.qrels, 1 << 40, 0)
        self.queries = self.asked(encoder)
        self.true = self.sample.best(self.sample.vectors, self.queries, TRUE)

    def asked(self, encoder: str) -> Any:
        """Vectors of the queries."""
        return query_vectors(self.library._encoders, self.library._snapshot, encoder, self.texts)

    def reached(self, vectors: Any, queries: Any, width: int) -> dict[str, Any]:
        """What each query reaches by the first ``width`` dimensions."""
        rows, asked = cut(vectors, width), unit(queries[:, :width])
        gains = self.sample.gains(rows, asked, self.names, self.qrels)
        return {
            "codes": share_found(self.true, code_candidates(rows, asked, CANDIDATES, 0)),
            "nDCG@10": np.array([gains[query] for query in self.names]),
        }


def measured(name: str, encoder: str, library: Any, widths: Sequence[int], seed: int) -> list[dict[str, Any]]:
    """One collection and encoder: a row for each width."""
    judged = Judged(library, encoder, name)
    sample, dimension = judged.sample, judged.sample.vectors.shape[1]
    axes = principal_axes(sample.vectors)
    ids = passage_ids(library)
    rows = []
    for width in [one for one in widths if one < dimension] + [dimension]:
        began, processor = time.perf_counter(), time.process_time()
        with tempfile.TemporaryDirectory() as scratch:
            found = train_projection(library, encoder, Path(scratch) / "model", dimensions=[width], add="mapped", seed=seed)
            seconds, processor = time.perf_counter() - began, time.process_time() - processor
            before = judged.reached(sample.vectors, judged.queries, width)
            alone = judged.reached(sample.vectors @ axes[:width].T, judged.queries @ axes[:width].T, width)
            after = before
            if found.added:
                vectors = passage_vectors(library._encoders, library._snapshot, "mapped", ids)[:, :width]
                after = judged.reached(vectors[vectors.any(1)], judged.asked("mapped"), width)
                library.remove_encoder("mapped")
        row: dict[str, Any] = {"collection": name, "encoder": encoder, "width": width, "taken": found.folder is not None}
        row |= {"seconds": seconds, "processor_seconds": processor, "reason": found.reason, "queries": len(judged.names)}
        row["held out"] = [change.to_dict() for change in found.changes]
        for measure in MEASURES:
            row[measure] = {
                "before": float(before[measure].mean()),
                "axes": float(alone[measure].mean()),
                "after": float(after[measure].mean()),
                "p": paired_t(after[measure] - before[measure])[1],
            }
        print(row, flush=True)
        rows.append(row)
    return rows


def passage_ids(library: Any) -> Any:
    """The ids of all passages, rising."""
    snapshot = library._snapshot
    return np.array(
        [one for _, first, count in snapshot.store.spans(snapshot.generation) for one in range(first, first + count)], np.int64
    )


def main() -> None:
    """Measure, print the table, and keep the result."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("collections", nargs="*", default=COLLECTIONS, help="folders of the shared judged collections")
    ask.add_argument("--model", action="append", default=[], metavar="NAME=FOLDER", help="an encoder beside the built-in one")
    ask.add_argument("--only", action="store_true", help="without the built-in one")
    ask.add_argument("--widths", type=int, nargs="*", default=[64, 128])
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--keep", default="train_projection", help="the name of the result")
    args = ask.parse_args()
    models = dict(one.split("=", 1) for one in args.model)
    rows: list[dict[str, Any]] = []
    for name in args.collections:
        with opened(name, models) as library:
            for encoder in [*([] if args.only else ["dense"]), *models]:
                rows += measured(name, encoder, library, args.widths, args.seed)
    for measure in MEASURES:
        for encoder, width in dict.fromkeys((row["encoder"], row["width"]) for row in rows):
            same = [row for row in rows if (row["encoder"], row["width"]) == (encoder, width)]
            for row, p in zip(same, holm([row[measure]["p"] for row in same]), strict=True):
                row[measure]["p (Holm)"] = p
    lines = []
    for row in rows:
        cells = [row["encoder"], row["collection"], str(row["width"]), "yes" if row["taken"] else "no"]
        for measure in MEASURES:
            one = row[measure]
            cells.append(f"{one['before']:.3f}, {one['axes']:.3f}, {one['after']:.3f} (p {one['p (Holm)']:.2g})")
        lines.append(cells)
    print(table(["encoder", "collection", "dimensions", "taken", *(f"{one}: before, axes, map" for one in MEASURES)], lines))
    keep(args.keep, {"rows": rows, "seed": args.seed})


if __name__ == "__main__":
    main()
