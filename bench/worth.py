"""Are poisoned sources found by what they are worth? Judged collections with sources planted in them whose documents lure queries.

    python bench/worth.py [scifact cranfield xquad_en] [--sources 40] [--poisoned 8] [--seeds 5]

The documents of a collection are dealt to sources at random, and poisoned sources are added, each with as many documents as the others
have (at most 40). A poisoned document begins with a lure and goes on with the text of some document that has nothing to do with it, so that
it ranks high and is never relevant (as in Zou et al., "PoisonedRAG", 2024). Three lures, from one who knows much to one who knows
little:

- *query*: a query of the collection, whichever;
- *words*: half of the words of a query, in another order;
- *title*: the title of a document, or its first sentence where it has none.

The worth of each source (Shapley values of nDCG@10, as `bookwheel evaluate --worth` has it) is taken from one half of the judged queries,
by rankings of 100 documents. Told are the AUC of poisoned against other sources; how many are shown to be harmful (the 95 % interval is
below 0), rightly and wrongly; and nDCG@10 of the other half of the queries with all sources, without those shown to be harmful, and
without poison at all. Lures are drawn from all queries, of both halves.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import ROOT, SHARED, keep, machine, table

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from bookwheel import Document
from bookwheel.evaluate import Collection, load_collection, measure, worth_of_sources

DEPTH = 100
LARGEST = 40
LURES = ("query", "words", "title")


def lure(kind: str, dice: random.Random, queries: list[str], documents: list[Document]) -> str:
    """What a poisoned document begins with."""
    if kind == "title":
        one = dice.choice(documents)
        return one.title or one.text.split(". ")[0]
    text = dice.choice(queries)
    words = text.split()
    return text if kind == "query" else " ".join(dice.sample(words, max(2, len(words) // 2)) if len(words) > 2 else words)


def planted(documents: list[Document], queries: list[str], kind: str, sources: int, poisoned: int, seed: int) -> list[Document]:
    """The documents with their sources, and those of the poisoned ones."""
    dice = random.Random(f"{kind}:{seed}")
    own = [Document(one.id, one.text, one.title, {"source": f"s{dice.randrange(sources)}"}) for one in documents]
    each = min(LARGEST, max(1, len(documents) // sources))
    for number in range(poisoned):
        for at in range(each):
            other = dice.choice(documents)
            text = f"{lure(kind, dice, queries, documents)} {other.text}"
            own.append(Document(f"poison-{number}-{at}", text, "", {"source": f"p{number}"}))
    return own


def ndcg(run: Any, collection: Collection, without: set[str], source: dict[str, str]) -> float:
    """nDCG@10 of ``collection``'s queries by ``run`` without the documents of some sources."""
    left = {query: [pair for pair in run[query] if source[pair[0]] not in without] for query in collection.judged}
    return float(measure(left, {query: collection.qrels[query] for query in collection.judged}, ["nDCG@10"]).means["nDCG@10"])


def one(collection: Collection, recipe: str, kind: str, arguments: Any, seed: int) -> dict[str, float]:
    """All figures of one draw."""
    documents = planted(
        list(collection.documents()), list(collection.judged.values()), kind, arguments.sources, arguments.poisoned, seed
    )
    source = {document.id: str(document.metadata["source"]) for document in documents}
    with (
        tempfile.TemporaryDirectory() as folder,
        bookwheel.open(Path(folder) / "library", create=True, unit="document", language="english") as library,
    ):
        library.add(documents)
        texts = list(collection.judged.items())
        run = dict(
            zip(
                (query for query, _ in texts),
                library.rank_documents([t for _, t in texts], k=DEPTH, recipe=recipe),
                strict=True,
            )
        )
    chosen, reported = collection.halves(seed)
    found = worth_of_sources({query: run[query] for query in chosen.judged}, collection.qrels, source, seed=seed)
    worth = {entry.source: entry.worth for entry in found}
    worth = {name: worth.get(name, 0.0) for name in set(source.values())}
    bad = [worth[name] for name in worth if name.startswith("p")]
    good = [worth[name] for name in worth if name.startswith("s")]
    auc = sum((b < g) + 0.5 * (b == g) for b in bad for g in good) / (len(bad) * len(good))
    harmful = {entry.source for entry in found if entry.harmful}
    return {
        "auc": auc,
        "found": sum(name.startswith("p") for name in harmful) / len(bad),
        "false": sum(name.startswith("s") for name in harmful) / len(good),
        "ndcg": ndcg(run, reported, set(), source),
        "ndcg_without_harmful": ndcg(run, reported, harmful, source),
        "ndcg_clean": ndcg(run, reported, {name for name in worth if name.startswith("p")}, source),
    }


def main() -> None:
    """Measure, print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="*", default=["scifact", "cranfield", "xquad_en"])
    parser.add_argument("--recipe", default="bm25")
    parser.add_argument("--sources", type=int, default=40)
    parser.add_argument("--poisoned", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    rows: list[list[str]] = []
    for name in arguments.collections:
        results: dict[str, Any] = {}
        collection = load_collection(SHARED / "data" / name)
        for kind in LURES:
            draws = [one(collection, arguments.recipe, kind, arguments, seed) for seed in range(arguments.seeds)]
            means = {key: sum(draw[key] for draw in draws) / len(draws) for key in draws[0]}
            results[kind] = {**means, "lowest_auc": min(draw["auc"] for draw in draws)}
            figures = [f"{means['auc']:.3f}", f"{min(draw['auc'] for draw in draws):.3f}"]
            figures += [f"{100 * means[key]:.0f} %" for key in ("found", "false")]
            figures += [f"{means[key]:.3f}" for key in ("ndcg", "ndcg_without_harmful", "ndcg_clean")]
            rows.append([name, kind, *figures])
            print(rows[-1], flush=True)
        keep(f"worth-{name}", {"machine": machine(), "arguments": vars(arguments), "rows": results})
    head = ["collection", "lure", "AUC", "lowest", "shown harmful", "wrongly", "nDCG@10", "without harmful", "without poison"]
    print(table(head, rows))


if __name__ == "__main__":
    main()
