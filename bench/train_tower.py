"""What a query tower of a few layers keeps of its encoder on judged queries, which training never sees.

    python bench/train_tower.py MODEL                          # XQuAD, SciFact and Cranfield
    python bench/train_tower.py MODEL xquad_en --minutes 1
    python bench/train_tower.py MODEL xquad_en --layers 0 --keep train_tower_table    # a table of token vectors

For each collection: a library whose passages MODEL embeds (once; they stay in .bench), `bookwheel train tower` on it, then nDCG@10 of
the judged queries among all passages by the stored vectors: queries encoded by the whole model, by the same layers of it untrained
(where there are any), and by the trained tower; with paired t-tests (Holm's correction over the collections) and the milliseconds of a
query. Nothing is chosen on these queries. A run that is interrupted (Ctrl-C, ``timeout -s INT``) goes on where it was when the same
command is given again.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from common import ROOT, SCRATCH, SHARED, keep, table

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from before_after import named, trained
from bookwheel.encode import load_encoder
from bookwheel.evaluate import load_collection
from bookwheel.evaluate.significance import holm, paired_t
from bookwheel.progress import auto
from bookwheel.train import TowerOptions, train_tower
from bookwheel.train.tower.comparing import milliseconds, reached

COLLECTIONS = ("xquad_en", "scifact", "cranfield")
WHOLE = "whole"
TIMED = 200
"""Judged queries whose encoding is timed, one at a time."""


def trained_here(library: bookwheel.Library, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """What training came to; the tower is written however good it is."""

    def train() -> Any:
        shutil.rmtree(folder / "model", ignore_errors=True)
        return train_tower(
            library, WHOLE, folder / "model", layers=args.layers, minutes=args.minutes, seed=args.seed, ram=args.ram,
            least=0.0, options=TowerOptions(batch=args.batch, rate=args.rate), progress=auto,
        )  # fmt: skip

    return trained(folder, train)


def embedded(model: str, name: str, collection: Any) -> bookwheel.Library:
    """A library of ``collection``, which stays in .bench, whose passages ``model`` has embedded as `WHOLE`."""
    whole: Any = load_encoder(model)
    texts = SCRATCH / "train_tower_libraries" / f"{name}-{whole.sha256[:8]}"
    texts.parent.mkdir(parents=True, exist_ok=True)
    library = bookwheel.open(texts, create=True)
    if not library.document_count:
        library.add(collection.documents())
    added(library, WHOLE, model)
    return library


def added(library: bookwheel.Library, name: str, model: str) -> None:
    """Embed all passages by ``model``, unless they are."""
    if name not in [one.name for one in library.encoders()]:
        library.add_encoder(name, model)
    library.embed(name, progress=auto)


def untrained(model: Path, layers: list[int], folder: Path) -> Any:
    """The encoder whose queries go through ``layers`` of ``model`` as they are."""
    from bookwheel.train.encoder.model import SentenceEncoder
    from bookwheel.train.memory.modules import cut
    from bookwheel.train.tower.student import write_tower

    student = SentenceEncoder(model, TowerOptions().tokens)
    cut(student, layers)
    write_tower(folder, model, student)
    return load_encoder(str(folder))


def measured(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """One collection."""
    whole: Any = load_encoder(args.model)
    folder = SCRATCH / args.keep / name
    folder.mkdir(parents=True, exist_ok=True)
    collection = load_collection(SHARED / "data" / name)
    with embedded(args.model, name, collection) as library:
        row = {"collection": name, **trained_here(library, folder, args)}
        training = row["training"] = named(row["training"])
        with tempfile.TemporaryDirectory(prefix="untrained-", dir=folder) as scratch:
            encoders = {
                "whole": whole,
                "trained": load_encoder(str(folder / "model")),
            }
            if training["layers"]:
                encoders["untrained"] = untrained(Path(args.model), training["layers"], Path(scratch))
            values = {what: np.array(list(reached(library, WHOLE, collection, one).values())) for what, one in encoders.items()}
            timed = list(collection.judged)[:TIMED]
            row["milliseconds"] = {
                what: milliseconds(one, [collection.queries[query] for query in timed]) for what, one in encoders.items()
            }
    row["queries"] = len(values["whole"])
    row["means"] = {what: float(one.mean()) for what, one in values.items()}
    row["share"] = row["means"]["trained"] / row["means"]["whole"]
    row["p"] = {what: paired_t(values["trained"] - values[what])[1] for what in values if what != "trained"}
    return row


def told(rows: list[dict[str, Any]]) -> str:
    """The table, with Holm's correction over the collections, which is added to ``rows``."""
    for what in list(rows[0]["p"]):
        for row, p in zip(rows, holm([row["p"][what] for row in rows]), strict=True):
            row["p"][f"{what} (Holm)"] = p
    lines = []
    for row in rows:
        means, took, training, p = row["means"], row["milliseconds"], row["training"], row["p"]
        plain = f"{means['untrained']:.4f} (p {p['untrained (Holm)']:.2g})" if "untrained" in means else "none"
        lines.append(
            [
                row["collection"], row["queries"], f"{means['whole']:.4f}", plain,
                f"{means['trained']:.4f} (p {p['whole (Holm)']:.2g})",
                f"{row['share']:.1%}", f"{training['share']:.1%}", training["steps"], f"{row['processor_seconds']:.0f}",
                f"{took['whole']:.1f}", f"{took['trained']:.3g}",
            ]
        )  # fmt: skip
    head = [
        "collection", "queries", "whole model", "untrained layers (trained better)", "trained tower (differs from whole)", "share",
        "share, held-out", "steps", "seconds of processors", "ms a query, whole", "tower",
    ]  # fmt: skip
    return table(head, lines)


def main() -> None:
    """Measure, print the table, and keep the result."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("model", help="the folder of a sentence encoder")
    ask.add_argument("collections", nargs="*", default=COLLECTIONS, help="folders of the shared judged collections")
    ask.add_argument("--minutes", type=float, default=30.0)
    ask.add_argument("--layers", type=int, default=2)
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--ram", default="2GB")
    ask.add_argument("--batch", type=int, default=TowerOptions().batch)
    ask.add_argument("--rate", type=float, default=TowerOptions().rate)
    ask.add_argument("--keep", default="train_tower", help="the name of the result, and of the folder of towers in .bench")
    args = ask.parse_args()
    rows = [measured(name, args) for name in args.collections]
    print(told(rows))
    keep(args.keep, {"rows": rows, "minutes": args.minutes, "layers": args.layers, "seed": args.seed, "ram": args.ram})


if __name__ == "__main__":
    main()
