"""What training a model gains on judged collections, for the measurements that train one: rankings before and after, paired t-tests."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import bookwheel
from bookwheel.evaluate import evaluate
from bookwheel.evaluate.collection import Collection
from bookwheel.evaluate.significance import holm, paired_t
from common import table

Pairs = Mapping[str, tuple[str, str]]
"""What is compared, to the recipe before and the recipe after."""


def trained(folder: Path, train: Callable[[], Any]) -> dict[str, Any]:
    """What ``train`` came to, with the processor's seconds of all its pieces; kept in ``folder``, and not done again."""
    done, pieces = folder / "training.json", folder / "seconds.jsonl"
    if not done.exists():
        began = time.process_time()
        try:
            found = train()
        finally:
            with pieces.open("a") as file:
                file.write(f"{time.process_time() - began}\n")
        print(found, flush=True)
        print(json.dumps(found.to_dict().get("validation")), flush=True)
        memory = [{"part": one.part, "planned": one.planned, "measured": one.measured} for one in found.memory_plan or ()]
        done.write_text(json.dumps({**found.to_dict(), "memory": memory}))
    return {
        "training": json.loads(done.read_text()),
        "processor_seconds": sum(map(float, pieces.read_text().split())),
    }


def compared(library: bookwheel.Library, collection: Collection, pairs: Pairs, *, taken: bool) -> dict[str, Any]:
    """nDCG@10 of the judged queries; where the new model was not ``taken``, nothing changes, and the difference is 0."""
    searched = [before for before, _ in pairs.values()] + ([after for _, after in pairs.values()] if taken else [])

    def search(recipe: str) -> Any:
        return lambda texts, k: library.rank_documents(texts, k=k, recipe=recipe)

    told = evaluate(collection, {recipe: search(recipe) for recipe in searched}, ["nDCG@10"])
    found = {}
    for what, (before, after) in pairs.items():
        values = [np.array(list(told.values(one if one in searched else before).values())) for one in (before, after)]
        difference = values[1] - values[0]
        found[what] = {
            "before": float(values[0].mean()),
            "after": float(values[1].mean()),
            "queries": len(difference),
            "p": paired_t(difference)[1],
        }
    return found


def told(rows: Sequence[dict[str, Any]], pairs: Pairs) -> str:
    """The table, with Holm's correction over the collections, which is added to ``rows``."""
    for what in pairs:
        adjusted = holm([row["pairs"][what]["p"] for row in rows])
        for row, p in zip(rows, adjusted, strict=True):
            row["pairs"][what]["p (Holm)"] = p
    lines = []
    for row in rows:
        cells = [row["collection"], "yes" if row["training"]["folder"] else "no", f"{row['processor_seconds']:.0f}"]
        for what in pairs:
            one = row["pairs"][what]
            cells.append(
                f"{one['before']:.4f} → {one['after']:.4f} ({one['after'] - one['before']:+.4f}, p {one['p (Holm)']:.2g})"
            )
        lines.append(cells)
    return table(["collection", "taken", "seconds of processors", *pairs], lines)


def named(training: dict[str, Any]) -> dict[str, Any]:
    """What a training says of itself, with the names of folders in the place of this machine's paths."""
    paths = {name: Path(training[name]).name for name in ("library", "folder", "teacher") if training.get(name)}
    return {**training, **paths}
