"""Every stage of the recipe algebra and the main combinations on the judged collections, with paired tests.

    python bench/stages.py [COLLECTION…] [--only rm3,mmr] [--recipe RECIPE…] [--encoder static] [--queries N]

Each collection (a BEIR folder) is indexed with documents as units by the built-in encoder. Recipes are ranked 100 deep, one query
at a time on one thread, and timed; nDCG@10 and R@100 by ir-measures. Differences are tested against BM25 and against the default
hybrid (paired t-test and randomisation test, Holm's correction over all recipes of a collection). Parameters are those of the
papers; the one that is fitted, the bound of ``guard``, is fitted on Cranfield and so says nothing about Cranfield.

A second table measures queries with one typing error each (seeded), with and without ``spell``. Stages that need a language model or
a cross-encoder are measured by ``--recipe``: no model for them comes with carrel.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from common import ROOT, SHARED, keep, percentiles, table

sys.path.insert(0, str(ROOT / "src"))

import carrel
from carrel.evaluate import Collection, load_collection, measure
from carrel.evaluate.compare import compare

MEASURES = ("nDCG@10", "R@100")
DEPTH = 100
FITTED_ON = "cranfield"
RECIPES = {
    "bm25": "bm25",
    "dense": "dense",
    "hybrid": "hybrid",
    "minmax": 'normalised(hybrid, by="minmax")',
    "zscore": 'normalised(hybrid, by="zscore")',
    "rrf": "rrf(bm25, dense)",
    "interpolate": "bm25 % 1000 >> interpolate(dense)",
    "rm3": "bm25 >> rm3() >> bm25",
    "rm3, then dense": "bm25 >> rm3() >> hybrid",
    "hybrid, rm3": "hybrid >> rm3() >> hybrid",
    "rocchio": "bm25 >> rocchio() >> bm25",
    "hybrid, rocchio": "hybrid >> rocchio() >> hybrid",
    "guard": "bm25 >> guard(rm3()) >> bm25",
    "hybrid, guard": "hybrid >> guard(rm3()) >> hybrid",
    "clarity": 'bm25 >> guard(rm3(), measure="clarity", above=5) >> bm25',
    "vector_feedback": "dense >> vector_feedback() >> dense",
    "vector rocchio": 'dense >> vector_feedback(docs=5, method="rocchio") >> dense',
    "hybrid, vector_feedback": "hybrid >> vector_feedback() >> hybrid",
    "both feedbacks": "hybrid >> rm3() >> vector_feedback() >> hybrid",
    "sentences": "bm25 >> sentences() >> bm25",
    "hybrid, sentences": "hybrid >> sentences() >> hybrid",
    "aspects": "aspects(hybrid)",
    "keywords": "keywords() >> hybrid",
    "syntax": "syntax() >> hybrid",
    "spell": "spell() >> hybrid",
    "neighbours": "hybrid >> neighbours()",
    "mmr": "hybrid >> mmr()",
    "fold": "hybrid >> fold()",
}
TYPOS = {"bm25": "bm25", "spell, bm25": "spell() >> bm25", "hybrid": "hybrid", "spell, hybrid": "spell() >> hybrid"}


def ranked(library: carrel.Library, queries: dict[str, str], recipe: str) -> tuple[dict[str, Any], list[float]]:
    """A run, and how long each query took."""
    run, seconds = {}, []
    for query, text in queries.items():
        started = time.perf_counter()
        (run[query],) = library.rank_documents([text], DEPTH, recipe=recipe)
        seconds.append(time.perf_counter() - started)
    return run, seconds


def measured(library: carrel.Library, collection: Collection, recipes: dict[str, str]) -> dict[str, Any]:
    """All recipes on one collection; tests against bm25 and hybrid where they are among them."""
    queries = dict(collection.judged)
    scores, entries = {}, {}
    for name, recipe in recipes.items():
        run, seconds = ranked(library, queries, recipe)
        scores[name] = measure(run, {query: collection.qrels[query] for query in queries}, MEASURES)
        times = percentiles(seconds)
        entries[name] = {"recipe": recipe, **scores[name].means, "p50_ms": times["p50_ms"], "p95_ms": times["p95_ms"]}
        print(f"{collection.name}  {name:24} {scores[name].means['nDCG@10']:.4f}  {times['p50_ms']:.2f} ms", file=sys.stderr)
    tests = {
        baseline: [comparison.to_dict() for comparison in compare(scores, baseline)]
        for baseline in ("bm25", "hybrid")
        if baseline in scores and len(scores) > 1
    }
    return {"queries": len(queries), "recipes": entries, "tests": tests}


def mistyped(text: str, dice: random.Random) -> str:
    """The text with one letter of one of its longer words left out, doubled, replaced or swapped with the next."""
    words = text.split(" ")
    long = [at for at, word in enumerate(words) if word.isalpha() and len(word) >= 5]
    if not long:
        return text
    at = dice.choice(long)
    word, place = words[at], dice.randrange(1, len(words[at]) - 1)
    kind = dice.randrange(4)
    letter = dice.choice("etaoinshrdlu")
    changed = {
        0: word[:place] + word[place + 1 :],
        1: word[:place] + word[place] + word[place:],
        2: word[:place] + letter + word[place + 1 :],
        3: word[:place] + word[place + 1] + word[place] + word[place + 2 :],
    }[kind]
    words[at] = changed
    return " ".join(words)


def with_typos(collection: Collection) -> Collection:
    """The same queries, each with one typing error."""
    dice = random.Random(7)
    return replace(collection, queries={query: mistyped(text, dice) for query, text in sorted(collection.queries.items())})


def first_queries(collection: Collection, count: int | None) -> Collection:
    """The first ``count`` judged queries (all where None)."""
    if count is None:
        return collection
    kept = list(collection.judged)[:count]
    return replace(collection, queries={query: collection.queries[query] for query in kept})


def tables(results: dict[str, Any]) -> str:
    """The results as Markdown: a row a recipe; + and - mark significant differences from BM25, * and ! from hybrid."""
    names = list(next(iter(results.values()))["recipes"])
    parts = []
    for shown in MEASURES:
        rows = []
        for name in names:
            cells, differences = [], []
            for result in results.values():
                entry = result["recipes"][name]
                marks = ""
                for baseline, signs in (("bm25", "+-"), ("hybrid", "*!")):
                    for test in result["tests"].get(baseline, ()):
                        if test["name"] == name and test["measure"] == shown and test["significant"]:
                            marks += signs[0] if test["difference"] > 0 else signs[1]
                cells.append(f"{entry[shown]:.4f}{marks}")
                differences.append(entry[shown])
            mean = sum(differences) / len(differences)
            recipe = next(iter(results.values()))["recipes"][name]["recipe"]
            times = sorted(result["recipes"][name]["p50_ms"] for result in results.values())
            rows.append([f"`{recipe}`", *cells, f"{mean:.4f}", f"{times[0]:.1f} to {times[-1]:.1f}"])
        parts.append(table([shown, *results, "mean", "median ms"], rows))
    return "\n\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="*", type=Path)
    parser.add_argument("--only", help="names of recipes, with commas; bm25 and hybrid are always measured")
    parser.add_argument("--recipe", action="append", default=[], help="another recipe")
    parser.add_argument("--encoder", default="static")
    parser.add_argument("--queries", type=int, help="only so many queries of each collection")
    parser.add_argument("--name", default="stages", help="of the result")
    arguments = parser.parse_args()
    folders = arguments.collections or [SHARED / "data" / n for n in ("scifact", "cranfield", "pubmedqa", "xquad_en")]
    wanted = set((arguments.only or ",".join(RECIPES)).split(",")) | {"bm25", "hybrid"}
    recipes = {name: recipe for name, recipe in RECIPES.items() if name in wanted}
    recipes |= {recipe: recipe for recipe in arguments.recipe}
    results, typos = {}, {}
    for folder in folders:
        collection = first_queries(load_collection(folder), arguments.queries)
        with tempfile.TemporaryDirectory() as scratch:
            library = carrel.open(
                Path(scratch) / "library", create=True, unit="document", language="english", encoder=arguments.encoder
            )
            library.add(collection.documents())
            for recipe in recipes.values():  # models loaded, kernels ready
                library.rank_documents(["one query"], 10, recipe=recipe)
            results[folder.name] = measured(library, collection, recipes)
            if not arguments.only and not arguments.recipe:
                typos[folder.name] = measured(library, with_typos(collection), TYPOS)
            library.close()
    text = (
        "`+` and `-`: significantly better or worse than BM25; `*` and `!`: than the default hybrid (paired t-test, p < 0.05 after "
        "Holm's correction). Median milliseconds: least and greatest over the collections.\n\n" + tables(results)
    )
    if typos:
        text += "\n\nQueries with one typing error each:\n\n" + tables(typos)
    keep(arguments.name, {"results": results, "typos": typos, "fitted_on": FITTED_ON}, text)


if __name__ == "__main__":
    main()
