"""What late interaction gains before any training: a sentence encoder's token states, projected as `train tokens` begins.

    python bench/late_start.py MODEL scifact cranfield

For each collection: the projection of MODEL's token states onto their principal directions (128 dimensions, drawn from 256 passages),
embedded with 2 bits a dimension; then nDCG@10 of the judged queries by BM25, by ``bm25 >> late(100)`` and with half of the score
(``weight=0.5``), with paired t-tests (Holm's correction over the collections). Nothing is fitted or chosen on these queries.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from common import ROOT, SCRATCH, SHARED, keep

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from before_after import compared, told
from bookwheel.evaluate import load_collection
from bookwheel.library.passage_texts import passage_texts
from bookwheel.progress import auto
from bookwheel.train import TokensOptions
from bookwheel.train.data.pairs import LONGEST
from bookwheel.train.data.passages import Passages
from bookwheel.train.tokens.model import TokenScorer
from bookwheel.train.tokens.projection import principal
from bookwheel.train.tokens.training import SAMPLED

PAIRS = {"late(100)": ("bm25", "bm25 >> late(100)"), "late(100, weight=0.5)": ("bm25", "bm25 >> late(100, weight=0.5)")}


def started(library: bookwheel.Library, model: Path, folder: Path) -> None:
    """Write the model before its first step into ``folder``."""
    tokens, dimension = TokensOptions().tokens, TokensOptions().dimension
    passages = Passages.drawn(library._snapshot, SAMPLED, 0)
    texts = passage_texts(library._snapshot.store, passages.ids.tolist(), LONGEST)
    rows = principal(TokenScorer(model, tokens, 1 << 20), texts, dimension)
    folder.mkdir()
    TokenScorer(model, tokens, projection=rows).save(folder, False)


def measured(name: str, model: Path) -> dict[str, Any]:
    """One collection."""
    folder = SCRATCH / "late_start" / name
    folder.mkdir(parents=True, exist_ok=True)
    collection = load_collection(SHARED / "data" / name)
    with bookwheel.open(folder / "library", create=True) as library:
        if not library.document_count:
            library.add(collection.documents())
        if not (folder / "model").exists():
            started(library, model, folder / "model")
        if "tokens" not in [one.name for one in library.encoders()]:
            library.add_encoder("tokens", folder / "model", kind="tokens")
        library.embed("tokens", progress=auto)
        pairs = compared(library, collection, PAIRS, taken=True)
    return {"collection": name, "training": {"folder": "model"}, "processor_seconds": 0.0, "pairs": pairs}


def main() -> None:
    """Measure, print the table, and keep the result."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("model", type=Path, help="the folder of a sentence encoder")
    ask.add_argument("collections", nargs="*", default=["scifact", "cranfield"])
    args = ask.parse_args()
    rows = [measured(name, args.model) for name in args.collections]
    print(told(rows, PAIRS))
    keep("late_start", {"rows": rows})


if __name__ == "__main__":
    main()
