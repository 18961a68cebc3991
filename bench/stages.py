"""Every stage of the recipe algebra and the main combinations on the judged collections, with paired tests.

    python bench/stages.py quality [--seconds 200]    the rankings' measures, recipe by recipe; the same command goes on
    python bench/stages.py times [--seconds 200]      milliseconds of a sample of queries, on a machine with nothing else to do
    python bench/stages.py table                      tests, docs/results/stages.json and the tables of docs/stages.md

Each collection (a BEIR folder) is indexed with documents as units by the built-in encoder, and (``late``) by the token vectors
of all-MiniLM-L6-v2 in a folder named by ``--tokens``; that model was not trained for late interaction. Recipes are ranked 100
deep. The measures are nDCG@10 and R@100. Differences are tested against BM25 and against the default hybrid, over the queries
(paired t-test and randomisation test, Holm's correction over all recipes of a collection). Parameters are those of the papers
unless the recipe says others; a few gentler ones were tried and are all in the table.

A second table measures queries with one typing error each (seeded), with and without ``spell``. Rerankers by a language model
are measured by `reranking.py`; for ``cross`` no trained model was at hand.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from common import ROOT, SCRATCH, SHARED, keep, percentiles, table

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from bookwheel.evaluate import Collection, load_collection, measure
from bookwheel.evaluate.compare import compare
from bookwheel.evaluate.measures import Scores

MEASURES = ("nDCG@10", "R@100")
DEPTH = 100
TIMED = 60
COLLECTIONS = ("scifact", "cranfield", "pubmedqa", "xquad_en")
PLACE = SCRATCH / "stages"
RECIPES = {
    "bm25": "bm25",
    "dense": "dense",
    "hybrid": "hybrid",
    "hybrid 0.7": "0.7*bm25 + 0.3*dense",
    "minmax": 'normalised(hybrid, by="minmax")',
    "zscore": 'normalised(hybrid, by="zscore")',
    "rrf": "rrf(bm25, dense)",
    "interpolate": "bm25 % 1000 >> interpolate(dense)",
    "interpolate fully": "bm25 % 1000 >> interpolate(dense, stop=False)",
    "rm3": "bm25 >> rm3() >> bm25",
    "rm3 0.5": "bm25 >> rm3(weight=0.5) >> bm25",
    "before and after rm3 0.5": "rrf(bm25, bm25 >> rm3(weight=0.5) >> bm25)",
    "rm3 0.5, then hybrid": "bm25 >> rm3(weight=0.5) >> hybrid",
    "hybrid, rm3": "hybrid >> rm3() >> hybrid",
    "hybrid, rm3 0.5": "hybrid >> rm3(weight=0.5) >> hybrid",
    "rocchio": "bm25 >> rocchio() >> bm25",
    "rocchio 0.25": "bm25 >> rocchio(beta=0.25) >> bm25",
    "hybrid, rocchio": "hybrid >> rocchio() >> hybrid",
    "hybrid, rocchio 0.25": "hybrid >> rocchio(beta=0.25) >> hybrid",
    "guard, rm3 0.5": "bm25 >> guard(rm3(weight=0.5)) >> bm25",
    "hybrid, guard": "hybrid >> guard(rm3()) >> hybrid",
    "hybrid, guard, rm3 0.5": "hybrid >> guard(rm3(weight=0.5)) >> hybrid",
    "clarity, rm3 0.5": 'bm25 >> guard(rm3(weight=0.5), above=3.0, measure="clarity") >> bm25',
    "vector_feedback": "dense >> vector_feedback() >> dense",
    "vector rocchio": 'dense >> vector_feedback(docs=5, method="rocchio") >> dense',
    "vector rocchio, gentle": 'dense >> vector_feedback(method="rocchio", alpha=0.8, beta=0.2) >> dense',
    "hybrid, vector_feedback": "hybrid >> vector_feedback() >> hybrid",
    "hybrid, vector, gentle": 'hybrid >> vector_feedback(method="rocchio", alpha=0.8, beta=0.2) >> hybrid',
    "both feedbacks": "hybrid >> rm3() >> vector_feedback() >> hybrid",
    "sentences": "bm25 >> sentences() >> bm25",
    "hybrid, sentences": "hybrid >> sentences() >> hybrid",
    "hybrid, sentences 0.1": "hybrid >> sentences(weight=0.1) >> hybrid",
    "aspects": "aspects(hybrid)",
    "aspects 0.2": "aspects(hybrid, weight=0.2)",
    "keywords": "keywords() >> hybrid",
    "syntax": "syntax() >> hybrid",
    "spell": "spell() >> hybrid",
    "neighbours": "hybrid >> neighbours()",
    "neighbours 0.3": "hybrid >> neighbours(weight=0.3)",
    "rm3, neighbours": "hybrid >> rm3() >> hybrid >> neighbours(weight=0.3)",
    "mmr": "hybrid >> mmr()",
    "fold": "hybrid >> fold()",
    "late": "bm25 >> late(100)",
    "late, mixed": "hybrid >> late(100, weight=0.5)",
    "token_feedback": "bm25 >> late(100) >> token_feedback() >> late(100)",
    "token_feedback, mixed": "hybrid >> late(100, weight=0.5) >> token_feedback() >> late(100, weight=0.5)",
}
TYPOS = {"bm25": "bm25", "spell, bm25": "spell() >> bm25", "hybrid": "hybrid", "spell, hybrid": "spell() >> hybrid"}
TOKENS = "minilm_tokens"


def opened(name: str, tokens: str | None) -> bookwheel.Library:
    """The library of one collection, made where it is not there."""
    place = PLACE / "libraries" / name
    fresh = not (place / "manifest.json").is_file()
    library = bookwheel.open(place, create=True, unit="document", language="english") if fresh else bookwheel.open(place)
    if fresh:
        library.add(load_collection(SHARED / "data" / name).documents())
    if tokens is not None:
        if TOKENS not in {report.name for report in library.encoders()}:
            library.add_encoder(TOKENS, tokens, kind="tokens")
        library.embed(TOKENS)
    return library


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


def pieces() -> Iterator[tuple[str, str, str, str]]:
    """What is to be done: kind of queries, collection, name and text of the recipe."""
    for kind, recipes in (("plain", RECIPES), ("typos", TYPOS)):
        for recipe in recipes:
            for collection in COLLECTIONS:
                yield kind, collection, recipe, recipes[recipe]


def file_of(kind: str, collection: str, recipe: str, what: str) -> Path:
    """Where a piece is kept: the text of the recipe is part of the name, so a changed one is measured anew."""
    text = "".join(c if c.isalnum() else "_" for c in recipe)
    return PLACE / kind / collection / f"{text}.{what}.json"


def work(arguments: argparse.Namespace) -> None:
    """Measure what is not there yet, until the time is over."""
    until = time.monotonic() + arguments.seconds
    libraries: dict[str, bookwheel.Library] = {}
    collections: dict[tuple[str, str], Collection] = {}
    for kind, name, label, recipe in pieces():
        file = file_of(kind, name, recipe, arguments.what)
        if file.is_file() or (arguments.only and label not in arguments.only.split(",")):
            continue
        if arguments.tokens is None and re.search(r"\blate\(", recipe):
            continue
        if time.monotonic() > until:
            sys.exit(75)  # not all is done
        if name not in libraries:
            libraries[name] = opened(name, arguments.tokens)
        if (kind, name) not in collections:
            plain = load_collection(SHARED / "data" / name)
            collections[kind, name] = with_typos(plain) if kind == "typos" else plain
        library, collection = libraries[name], collections[kind, name]
        queries = dict(collection.judged)
        if arguments.what == "times":
            chosen = random.Random(7).sample(sorted(queries), min(TIMED, len(queries)))
            library.rank_documents([queries[query] for query in chosen[:5]], DEPTH, recipe=recipe)
            seconds = []
            for query in chosen:
                began = time.perf_counter()
                library.rank_documents([queries[query]], DEPTH, recipe=recipe)
                seconds.append(time.perf_counter() - began)
            found: dict[str, Any] = {"recipe": recipe, "queries": len(chosen), **percentiles(seconds)}
        else:
            run = {query: library.rank_documents([text], DEPTH, recipe=recipe)[0] for query, text in queries.items()}
            scores = measure(run, {query: collection.qrels[query] for query in queries}, MEASURES)
            found = {"recipe": recipe, "queries": list(scores.queries), "values": scores.values.tolist(), "means": scores.means}
        file.parent.mkdir(parents=True, exist_ok=True)
        scratch = file.with_suffix(".part")
        scratch.write_text(json.dumps(found), encoding="utf-8")
        scratch.replace(file)
        print(kind, name, label, found.get("means") or f"{found['p50_ms']:.2f} ms", flush=True)


def gathered(kind: str, recipes: dict[str, str]) -> dict[str, Any]:
    """Means, times and tests of all recipes that were measured on every collection."""
    results: dict[str, Any] = {}
    there = [r for r, text in recipes.items() if all(file_of(kind, c, text, "quality").is_file() for c in COLLECTIONS)]
    for name in COLLECTIONS:
        scores: dict[str, Scores] = {}
        entries: dict[str, Any] = {}
        for recipe in there:
            values = json.loads(file_of(kind, name, recipes[recipe], "quality").read_text(encoding="utf-8"))
            scores[recipe] = Scores(MEASURES, tuple(values["queries"]), np.array(values["values"]), values["means"])
            entries[recipe] = {"recipe": recipes[recipe], **values["means"]}
            times = file_of(kind, name, recipes[recipe], "times")
            if times.is_file():
                found = json.loads(times.read_text(encoding="utf-8"))
                entries[recipe] |= {"p50_ms": found["p50_ms"], "p95_ms": found["p95_ms"]}
        tests = {}
        for baseline in ("bm25", "hybrid"):
            tests[baseline] = [
                test.to_dict() | spread(scores, test.name, baseline, test.measure) for test in compare(scores, baseline)
            ]
        results[name] = {"queries": len(scores["bm25"].queries), "recipes": entries, "tests": tests}
    return results


def spread(scores: dict[str, Scores], name: str, baseline: str, measure_name: str) -> dict[str, Any]:
    """Of the per-query differences: half the width of the 95 % interval of their mean, and the queries that changed most."""
    ours, theirs = scores[name].of(measure_name), scores[baseline].of(measure_name)
    differences = {query: ours[query] - theirs[query] for query in ours}
    values = list(differences.values())
    half = 1.96 * statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    order = sorted(differences, key=differences.__getitem__)
    most = {query: round(differences[query], 4) for query in [*order[:3], *order[-3:]] if differences[query]}
    return {"interval": half, "most_changed": most}


def tables(results: dict[str, Any], shown: str) -> str:
    """The results as Markdown: a row a recipe; + and - mark significant differences from BM25, * and ! from hybrid."""
    names = list(next(iter(results.values()))["recipes"])
    rows = []
    for name in names:
        cells, values, times = [], [], []
        for result in results.values():
            entry = result["recipes"][name]
            marks = ""
            for baseline, signs in (("bm25", "+-"), ("hybrid", "*!")):
                for test in result["tests"].get(baseline, ()):
                    if test["name"] == name and test["measure"] == shown and test["significant"]:
                        marks += signs[0] if test["difference"] > 0 else signs[1]
            cells.append(f"{entry[shown]:.4f}{marks}")
            values.append(entry[shown])
            times.append(entry.get("p50_ms", math.nan))
        recipe = next(iter(results.values()))["recipes"][name]["recipe"]
        took = f"{min(times):.1f} to {max(times):.1f}" if not any(map(math.isnan, times)) else ""
        rows.append([f"`{recipe}`", *cells, f"{sum(values) / len(values):.4f}", took])
    return table([shown, *results, "mean", "median ms"], rows)


def told() -> None:
    """Make the tables."""
    results, typos = gathered("plain", RECIPES), gathered("typos", TYPOS)
    text = (
        "`+` and `-`: significantly better or worse than BM25; `*` and `!`: than the default hybrid (paired t-test over the "
        "queries, p < 0.05 after Holm's correction over all recipes of the collection). Median milliseconds of a query, one "
        "thread, other work on the second core: least and greatest over the collections.\n\n"
    )
    text += "\n\n".join(tables(results, shown) for shown in MEASURES)
    text += "\n\nQueries with one typing error each:\n\n" + tables(typos, "nDCG@10")
    keep("stages", shortened({"results": results, "typos": typos}), text)


def shortened(value: Any) -> Any:
    """With six digits of each number: a third of the file."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: shortened(one) for key, one in value.items()}
    return [shortened(one) for one in value] if isinstance(value, list) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["quality", "times", "table"])
    parser.add_argument("--only", help="names of recipes, with commas")
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop after about so long")
    parser.add_argument(
        "--tokens", help="folder of the model whose token vectors `late` uses; without it, those recipes are left out"
    )
    arguments = parser.parse_args()
    if arguments.what == "table":
        told()
    else:
        work(arguments)


if __name__ == "__main__":
    main()
