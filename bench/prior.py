"""Does a document prior learned from judgments help? Each judged collection, cross-validated over its queries.

    python bench/prior.py [scifact cranfield pubmedqa xquad_en] [--recipe hybrid]

`tune.prior.learn_prior`: the prior and its weight are learned from four fifths of the queries and rank the others, five times.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import ROOT, SHARED, keep, machine, table

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from bookwheel.evaluate import load_collection
from bookwheel.tune.prior import learn_prior


def main() -> None:
    """Measure, print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="*", default=["scifact", "cranfield", "pubmedqa", "xquad_en"])
    parser.add_argument("--recipe", action="append")
    arguments = parser.parse_args()
    rows: list[list[str]] = []
    results: dict[str, Any] = {}
    for name in arguments.collections:
        collection = load_collection(SHARED / "data" / name)
        with (
            tempfile.TemporaryDirectory() as folder,
            bookwheel.open(Path(folder) / "library", create=True, unit="document", language="english") as library,
        ):
            library.add(collection.documents())
            for recipe in arguments.recipe or ["bm25", "hybrid"]:
                found = learn_prior(library, collection, recipe)
                c = found.comparison
                most = sorted(found.weights.items(), key=lambda pair: -abs(pair[1]))[:3]
                told = ", ".join(f"{key} {value:+.2f}" for key, value in most)
                row = [name, recipe, f"{c.before:.4f}", f"{c.after:.4f}", f"{c.difference:+.4f}", f"{c.p_t:.3f}"]
                rows.append([*row, f"{found.area:.3f}", f"{found.weight:g}", told])
                results[f"{name}, {recipe}"] = found.evidence()
                print(rows[-1], flush=True)
    print(table(["collection", "recipe", "without", "with", "difference", "p", "AUC", "weight", "largest weights"], rows))
    keep("prior", {"machine": machine(), "rows": results})


if __name__ == "__main__":
    main()
