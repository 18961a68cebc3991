"""Refinement: how soon the first answer comes, how quality rises while vectors are filled in, and what a query waits for them.

    python bench/refinement.py first TEXTS.jsonl          `bookwheel index`, then `bookwheel search`, each a process; seconds of both
    python bench/refinement.py curve MODEL COLLECTION…    nDCG@10 at shares of the vectors filled, by priority and by chance
    python bench/refinement.py late MODEL TEXTS.jsonl     what encoding candidates adds to a query, by its time limit; passages a second
    python bench/refinement.py plot                       docs/results/refinement.png from what was measured

The curve takes the vectors that encoding.py kept, so that it costs no encoding: at each share the library is what a worker leaves
that was stopped there. Results go into docs/results/refinement.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common import RESULTS, ROOT, SCRATCH, keep, machine, percentiles, read_texts, table, text_of
from harness import compile_kernels, say
from peers import environment_of, python_of

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
import bookwheel.library.retrieval.context
import bookwheel.library.vectors.embedding
from bookwheel.encode import load_encoder
from bookwheel.evaluate import Collection, load_collection, measure

PLACE = SCRATCH / "encoded"
SHARES = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)
ORDERS = ("likely queries", "queries asked before")
"""By priority: nobody has asked anything yet, or the judged queries were asked (their answers are not known to it)."""
RECIPES = ("0.5*bm25 + 0.5*minilm", "minilm")


class Kept:
    """A model whose vectors of certain texts are known; the others (the titles that a library asks for by itself) it encodes."""

    revision = "1"

    def __init__(self, name: str, vectors: dict[str, NDArray[np.float32]], model: str) -> None:
        self.model = load_encoder(model, precision="fp32")
        self.name = name
        self.vectors = vectors
        self.dimension = len(next(iter(vectors.values())))
        self.sha256 = hashlib.sha256(name.encode()).hexdigest()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if unknown := [text for text in dict.fromkeys(texts) if text not in self.vectors]:
            self.vectors.update(zip(unknown, self.model.encode(unknown), strict=True))
        return np.stack([self.vectors[text] for text in texts])


def kept_encoder(folder: Path, which: str, model: str) -> Kept:
    found = {}
    for what in ("documents", "queries"):
        texts = json.loads((PLACE / folder.name / which / f"{what}.json").read_text(encoding="utf-8"))
        found.update(zip(texts, np.load(PLACE / folder.name / which / what / "vectors.npy"), strict=True))
    return Kept(f"{which} of {folder.name}", found, model)


def first(texts: Path, count: int) -> dict[str, Any]:
    """Index and ask, as a person does whose bookwheel has compiled its kernels."""
    compile_kernels()
    place = SCRATCH / "libraries" / "first"
    rounds = []
    for _ in range(count):
        shutil.rmtree(place, ignore_errors=True)
        environment = environment_of(None, 2)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        before = used.ru_utime + used.ru_stime
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "bookwheel", "index", str(texts), "--library", str(place), "--unit", "document"],
            check=True, env=environment, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        indexed = time.perf_counter()
        out = subprocess.run(
            [sys.executable, "-m", "bookwheel", "search", "how is memory given back", "--library", str(place), "--json"],
            check=True, env=environment, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        done = time.perf_counter()
        assert len(json.loads(out.stdout)["results"]) == 10
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor = used.ru_utime + used.ru_stime - before
        rounds.append(
            {
                "processor_seconds": processor,
                "index_seconds": indexed - began,
                "search_seconds": done - indexed,
                "seconds": done - began,
            }
        )
    with bookwheel.open(place) as library:
        passages = library.passage_count
    middle = statistics.median(one["seconds"] for one in rounds)
    say(f"{passages:,} passages: first answer after {middle:.1f} s")
    return {"first": {"passages": passages, "rounds": rounds, "seconds": middle, "machine": machine()}}


def curve(model: str, folders: Sequence[Path], which: str, orders: Sequence[str], seeds: int) -> dict[str, Any]:
    """nDCG@10 by share, order and recipe; no passage is encoded while a query waits."""
    bookwheel.library.retrieval.context.LIMIT = 0.0
    # A chunk of the usual size would hold most of a small collection, in any order.
    bookwheel.library.vectors.embedding.CHUNK = 64
    result: dict[str, Any] = {}
    for folder in folders:
        collection, encoder = load_collection(folder), kept_encoder(folder, which, model)
        found: dict[str, Any] = {}
        for order in (*orders, *(f"chance {seed}" for seed in range(seeds))):
            found[order] = _filled(collection, encoder, order)
            say(
                f"{folder.name}, {order}: "
                + ", ".join(f"{share:.0%} {one[RECIPES[0]]:.4f}" for share, one in found[order].items())
            )
        chance = [found.pop(f"chance {seed}") for seed in range(seeds)]
        if chance:
            found["chance"] = {
                share: {recipe: statistics.fmean(one[share][recipe] for one in chance) for recipe in RECIPES}
                for share in SHARES
            }
        result[folder.name] = {order: {str(share): one for share, one in values.items()} for order, values in found.items()}
    return {"curve": result, "vectors": which}


def _filled(collection: Collection, encoder: Kept, order: str) -> dict[float, dict[str, float]]:
    place = SCRATCH / "libraries" / "curve"
    shutil.rmtree(place, ignore_errors=True)
    original = bookwheel.library.vectors.embedding.next_passages
    if order.startswith("chance"):
        rng = np.random.default_rng(int(order.split()[1]))

        def by_chance(snapshot: Any, key: str, cache: Any, kept: set[int], count: int, *_: Any) -> NDArray[np.int64]:
            missing = [segment.ids[at] for segment, at in zip(snapshot.segments, snapshot.missing(key), strict=True)]
            every = np.concatenate(missing)
            return rng.permutation(every[~np.isin(every, list(kept))])[:count]

        bookwheel.library.vectors.embedding.next_passages = by_chance
    found: dict[float, dict[str, float]] = {}
    try:
        with bookwheel.open(place, create=True, unit="document", language="english") as library:
            library.add(collection.documents())
            library.add_encoder("minilm", encoder)
            if order == ORDERS[0]:  # measuring must not tell it which passages are wanted
                library._encoders.cache.request = lambda passages, weight=1.0: None  # type: ignore[method-assign]
            filled = 0
            for share in SHARES:
                wanted = round(share * library.passage_count)
                if wanted > filled:
                    library.embed("minilm", passages=wanted - filled)
                    filled = wanted
                scores = {}
                for recipe in RECIPES:
                    ranked = library.rank_documents(list(collection.judged.values()), 100, recipe=recipe)
                    run = dict(zip(collection.judged, ranked, strict=True))
                    scores[recipe] = measure(run, collection.qrels, ("nDCG@10",)).means["nDCG@10"]
                found[share] = scores
    finally:
        bookwheel.library.vectors.embedding.next_passages = original
    return found


def late(model: str, texts: Path, passages: int = 20_000, asked: int = 40) -> dict[str, Any]:
    """A library with nothing filled: milliseconds a query by its limit, and how many candidates were encoded."""
    from bookwheel.encode.catalogue import rate_of
    from bookwheel.library.vectors.cache import cache_key

    place = SCRATCH / "libraries" / "late-20000"
    if not (place / "done").is_file():
        shutil.rmtree(place, ignore_errors=True)
        with bookwheel.open(place, create=True, unit="document", language="english") as library:
            library.add(bookwheel.Document(str(n), text_of(r)) for n, r in enumerate(read_texts(texts, passages)))
            library.add_encoder("minilm", model)
        (place / "done").touch()
    queries = json.loads((SCRATCH / "data" / "real-100000" / "queries" / "words.json").read_text(encoding="utf-8"))
    result: dict[str, Any] = {"passages": passages}
    for number, limit in enumerate((0.0, 0.02, 0.05, 0.2)):
        bookwheel.library.retrieval.context.LIMIT = limit
        with bookwheel.open(place) as library:
            for text in queries[-3:]:
                library.rank(text, 10, recipe=RECIPES[0])
            key = cache_key(library._snapshot.manifest.representations[0])
            before = len(library._encoders.cache.cached(key))
            seconds = []
            for text in queries[number * asked : (number + 1) * asked]:
                began = time.perf_counter()
                library.rank(text, 10, recipe=RECIPES[0])
                seconds.append(time.perf_counter() - began)
            encoded = len(library._encoders.cache.cached(key)) - before
            result[str(limit)] = {**percentiles(seconds), "encoded_a_query": encoded / asked}
            say(f"limit {limit} s: {result[str(limit)]}")
    with bookwheel.open(place) as library:
        result["passages_per_second"] = rate_of(library._encoders.encoder(library._snapshot.manifest.representations[0]), 5.0)
    result["an_hour"] = 3600 * result["passages_per_second"]
    return {"late": result, "late_machine": machine()}


def told(result: dict[str, Any]) -> str:
    """The tables."""
    parts = []
    for folder, orders in result.get("curve", {}).items():
        for recipe in RECIPES:
            rows = [[order, *(f"{one[recipe]:.4f}" for one in shares.values())] for order, shares in orders.items()]
            parts.append(table([f"{folder}, `{recipe}`", *(f"{share:.0%}" for share in SHARES)], rows))
    if found := result.get("late"):
        rows = [
            [limit, f"{one['p50_ms']:.1f}", f"{one['p95_ms']:.1f}", f"{one['encoded_a_query']:.1f}"]
            for limit, one in found.items()
            if isinstance(one, dict)
        ]
        parts.append(table(["limit, s", "query, ms (median)", "95th percentile", "encoded a query"], rows))
    return "\n\n".join(parts)


PLOT = """
import json, sys
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
result = json.load(open(sys.argv[1]))
curves = result["curve"]
figure, axes = plt.subplots(1, len(curves), figsize=(4.2 * len(curves), 3.6), squeeze=False)
for axis, (folder, orders) in zip(axes[0], curves.items()):
    for order, style in (("chance", "o--"), ("likely queries", "s-"), ("queries asked before", "^-")):
        shares = orders[order]
        axis.plot([100 * float(s) for s in shares], [one["0.5*bm25 + 0.5*minilm"] for one in shares.values()], style, label=order, ms=4)
    axis.set_title(folder)
    axis.set_xlabel("passages with a neural vector, %")
    axis.grid(alpha=0.3)
axes[0][0].set_ylabel("nDCG@10 of bm25 + minilm")
axes[0][-1].legend(fontsize=8)
figure.tight_layout()
figure.savefig(sys.argv[2], dpi=110)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["first", "curve", "late", "plot"])
    parser.add_argument("rest", nargs="*")
    parser.add_argument("--vectors", default="bookwheel-fp32")
    parser.add_argument("--orders", nargs="*", default=ORDERS, help="curve: these orders by priority")
    parser.add_argument("--rounds", type=int, default=3, help="first: as many times")
    parser.add_argument("--seeds", type=int, default=3, help="curve: as many orders by chance, averaged")
    arguments = parser.parse_args()
    path = RESULTS / "refinement.json"
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if arguments.what == "first":
        result |= first(Path(arguments.rest[0]), arguments.rounds)
    elif arguments.what == "curve":
        model, *folders = arguments.rest
        found = curve(model, [Path(folder) for folder in folders], arguments.vectors, arguments.orders, arguments.seeds)
        before = result.get("curve", {})
        result["curve"] = {**before, **{name: {**before.get(name, {}), **one} for name, one in found["curve"].items()}}
        result["vectors"] = found["vectors"]
    elif arguments.what == "late":
        result |= late(arguments.rest[0], Path(arguments.rest[1]))
    result.pop("machine", None)
    result.pop("text", None)
    keep("refinement", result, told(result))
    if arguments.what == "plot":
        subprocess.run([python_of("plots"), "-c", PLOT, path, RESULTS / "refinement.png"], check=True)


if __name__ == "__main__":
    main()
