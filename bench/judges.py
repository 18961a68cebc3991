"""Do judges without people put recipes in the order in which people's judgments put them?

    python bench/judges.py pool                                       libraries, rankings and the pairs to judge (a minute)
    python bench/judges.py measure --model smollm2.gguf --encoder granite=FOLDER    every judge on every pair (it goes on where it was)
    python bench/judges.py table                                      docs/results/judges.json and its table

On Cranfield and SciFact: `SYSTEMS` rank the documents of `QUERIES` judged queries, drawn with a seed; the first `DEPTH` of each
are pooled. Every judge scores every pair of query and document of the pool. The order of the systems under a judge (mean
discounted gain of the first `DEPTH`) is compared with the order under people's judgments (the same measure on the same
queries) by Kendall's tau-b; the interval is of 1 000 draws of the queries. Passages are title and text, cut to `WORDS` words.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from common import ROOT, SCRATCH, SHARED, keep, table

sys.path.insert(0, str(ROOT / "src"))

COLLECTIONS = ("cranfield", "scifact")
QUERIES, DEPTH, WORDS, SEED = 100, 5, 100, 20261129
PLACE = SCRATCH / "judges"
MAIN = (
    "bm25",
    "dense",
    "hybrid",
    "0.8*bm25 + 0.2*dense",
    "0.2*bm25 + 0.8*dense",
    "rrf(bm25, dense)",
    "bm25 >> rm3() >> bm25",
    "hybrid >> rm3() >> hybrid",
    "bm25 >> mmr(balance=0.3)",
    "dense >> vector_feedback() >> dense",
    "keywords(terms=3, longer=3) >> bm25",
)
OTHER: dict[str, dict[str, Any]] = {
    "bm25, no stemming": {"language": "none"},
    "bm25, k1=5, b=1": {"k1": 5.0, "b": 1.0},
    "bm25, titles only": {},
}
SYSTEMS = (*MAIN, *OTHER)
"""The other ones are BM25 on libraries of their own."""


def pool(name: str) -> dict[str, Any]:
    """Queries, texts, human grades, and each system's ranking; made once."""
    kept = PLACE / f"{name}.json"
    if kept.is_file():
        found: dict[str, Any] = json.loads(kept.read_text("utf-8"))
        return found
    import bookwheel
    from bookwheel.evaluate import load_collection

    loaded = load_collection(SHARED / "data" / name)
    documents = {document.id: document for document in loaded.documents()}
    chosen = sorted(loaded.judged)
    random.Random(SEED).shuffle(chosen)
    chosen = chosen[:QUERIES]
    texts = [loaded.queries[query] for query in chosen]
    runs: dict[str, list[list[str]]] = {}
    for number, (label, settings) in enumerate({"": {}, **OTHER}.items()):
        path = PLACE / f"library-{name}-{number}"
        given = {"unit": "document", "language": "english", **settings}
        if number:
            given["encoder"] = None
        with bookwheel.open(path, create=True, **given) as library:
            if not library.passage_count:
                rows = documents.values()
                if label.endswith("titles only"):
                    rows = [bookwheel.Document(one.id, one.title or one.text[:80]) for one in rows]
                library.add(rows)
            for recipe in MAIN if not number else ("bm25",):
                ranked = library.rank_documents(texts, k=DEPTH, recipe=recipe)
                runs[label or recipe] = [[document for document, _ in one] for one in ranked]
    pooled = [sorted({d for run in runs.values() for d in run[at]}) for at in range(len(chosen))]
    found = {
        "queries": dict(zip(chosen, texts, strict=True)),
        "runs": {label: dict(zip(chosen, run, strict=True)) for label, run in runs.items()},
        "pool": dict(zip(chosen, pooled, strict=True)),
        "qrels": {query: loaded.qrels[query] for query in chosen},
        "texts": {
            document: " ".join(f"{documents[document].title}\n{documents[document].text}".split()[:WORDS])
            for document in sorted({d for one in pooled for d in one})
        },
    }
    PLACE.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(found), "utf-8")
    return found


def scores(name: str, judge: str) -> dict[tuple[str, str], Any]:
    """What a judge has said so far."""
    file = PLACE / f"{name}-{judge}.jsonl"
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.endswith("}")] if file.is_file() else []
    return {(row["query"], row["document"]): row for row in rows}


def measured(name: str, judge: str, judges: Callable[[str, list[str]], list[Any]]) -> None:
    """Let a judge judge what it has not judged, query by query; every query is kept as it is done."""
    found, known = pool(name), scores(name, judge)
    with (PLACE / f"{name}-{judge}.jsonl").open("a", encoding="utf-8") as file:
        for query, text in found["queries"].items():
            rest = [document for document in found["pool"][query] if (query, document) not in known]
            if rest:
                began = time.process_time()
                told = judges(text, [found["texts"][document] for document in rest])
                seconds = (time.process_time() - began) / len(rest)
                for document, value in zip(rest, told, strict=True):
                    file.write(json.dumps({"query": query, "document": document, "value": value, "seconds": seconds}) + "\n")
                file.flush()
                print(name, judge, query, len(rest), f"{seconds:.2f} s a pair", flush=True)


# -- the judges ----------------------------------------------------------------------------------------------------------


def gain(model: Any) -> Callable[[str, list[str]], list[Any]]:
    """Log-probabilities of the query's words with and without the passage: what `share_told` makes a score of."""
    from bookwheel.rank.stages.rerank.likelihood import QueryLikelihood

    likelihood = QueryLikelihood(model)

    def judge(query: str, texts: list[str]) -> list[Any]:
        (without,) = model.log_likelihoods(["Passage: \n\nQuestion: "], [query])
        return [
            {"with": [round(float(x), 4) for x in told], "without": [round(float(x), 4) for x in without]}
            for told in likelihood.tokens(query, texts)
        ]

    return judge


def naive(model: Any) -> Callable[[str, list[str]], list[Any]]:
    """The log-probability of "Yes" to whether the passage is relevant."""

    def judge(query: str, texts: list[str]) -> list[Any]:
        prefix, blocks = model.blocks("<|im_start|>user\nPassage: ", texts)
        after = (
            f"\n\nQuery: {query}\n\nIs the passage relevant to the query? Answer Yes or No.<|im_end|>\n<|im_start|>assistant\n"
        )
        return [round(float(x[0]), 4) for x in model.block_likelihoods(prefix, blocks, after, "Yes")]

    return judge


def similarity(folder: str) -> Callable[[str, list[str]], list[Any]]:
    """The similarity of an encoder's vectors."""
    from bookwheel.encode.load import load_encoder
    from bookwheel.encode.protocols import encode_queries

    encoder = load_encoder(folder)

    def judge(query: str, texts: list[str]) -> list[Any]:
        return [round(float(x), 5) for x in encoder.encode(texts) @ encode_queries(encoder, [query])[0]]

    return judge


def score(value: Any) -> float:
    """A judge's answer as one number."""
    if isinstance(value, dict):
        with_, without = np.array(value["with"]), np.array(value["without"])
        return float(np.maximum(with_ - without, 0).sum() / -without.sum())
    return float(value)


# -- the table -----------------------------------------------------------------------------------------------------------


def orders(found: dict[str, Any], worth: Callable[[str, str], float]) -> np.ndarray:
    """Discounted gain of each system on each query: float (systems, queries)."""
    discounts = 1 / np.log2(np.arange(2, 2 + DEPTH))
    return np.array(
        [
            [
                sum(discounts[at] * worth(query, document) for at, document in enumerate(run[query]))
                for query in found["queries"]
            ]
            for run in found["runs"].values()
        ]
    )


def compared(name: str, judge: str) -> dict[str, Any] | None:
    """Tau of the systems' order with an interval over queries, and how often the judge orders two documents as people did."""
    from bookwheel.evaluate.agreement import kendall_tau
    from bookwheel.tune.judging.grades import Judgment
    from bookwheel.tune.judging.panel import panel

    found = pool(name)
    pairs = [(query, document) for query, some in found["pool"].items() for document in some]
    said = [scores(name, one) for one in PANELS.get(judge, (judge,))]
    if not pairs or any(pair not in one for pair in pairs for one in said):
        return None
    told = [[Judgment(*pair, None, score(one[pair]["value"])) for pair in pairs] for one in said]
    values = np.array([one.score for one in (panel(told) if len(told) > 1 else told[0])])
    worth = dict(zip(pairs, values.tolist(), strict=True))
    # Scores become grades in fixed shares, as the command makes them where nobody has judged: best 10 % 3, next 20 % 2, next 30 % 1.
    cuts = np.quantile(values, [0.4, 0.7, 0.9])
    grades = dict(zip(pairs, np.searchsorted(cuts, values, side="right").tolist(), strict=True))
    people = orders(found, lambda query, document: max(found["qrels"][query].get(document, 0), 0))
    machine = orders(found, lambda query, document: grades[query, document])
    random_ = np.random.default_rng(SEED)
    drawn = [random_.integers(0, people.shape[1], people.shape[1]) for _ in range(1000)]
    taus = [kendall_tau(people[:, some].mean(1), machine[:, some].mean(1)) for some in drawn]
    right, count = 0.0, 0
    for query, some in found["pool"].items():
        judged = [(found["qrels"][query].get(document, 0), worth[query, document]) for document in some]
        for a, one in judged:
            for b, other in judged:
                if a > b:
                    right += 1.0 if one > other else 0.5 if one == other else 0.0
                    count += 1
    low, high = np.nanquantile(taus, [0.025, 0.975])
    return {
        "tau": kendall_tau(people.mean(1), machine.mean(1)),
        "interval": [float(low), float(high)],
        "pairs_rightly_ordered": right / max(count, 1),
        "judged_pairs": len(pairs),
        "seconds_a_pair": sum(float(np.median([row["seconds"] for row in one.values()])) for one in said),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("pool", "measure", "table"))
    parser.add_argument("--model", help="a GGUF file: judges `gain` and `yes`")
    parser.add_argument("--encoder", action="append", default=[], metavar="NAME=FOLDER", help="a judge by similarity")
    asked = parser.parse_args()
    if asked.step == "measure":
        judges: dict[str, Callable[[str, list[str]], list[Any]]] = {}
        for given in asked.encoder:
            label, _, folder = given.partition("=")
            judges[label] = similarity(folder)
        if asked.model:
            from bookwheel.language.load import load_local

            model = load_local(asked.model, threads=1)
            judges |= {"gain": gain(model), "yes": naive(model)}
        for name in COLLECTIONS:
            for label, judge in judges.items():
                measured(name, label, judge)
    elif asked.step == "pool":
        for name in COLLECTIONS:
            print(name, sum(map(len, pool(name)["pool"].values())), "pairs")
    else:
        results = {name: {judge: row for judge in JUDGES if (row := compared(name, judge)) is not None} for name in COLLECTIONS}
        rows = [
            (
                name,
                JUDGES[judge],
                f"{row['tau']:.2f}",
                f"{row['interval'][0]:.2f} to {row['interval'][1]:.2f}",
                f"{100 * row['pairs_rightly_ordered']:.0f} %",
                f"{row['seconds_a_pair']:.2f}",
            )
            for name, some in results.items()
            for judge, row in some.items()
        ]
        head = ("collection", "judge", "tau", "interval over queries", "pairs ordered as people do", "seconds a pair")
        text = table(head, rows)
        print(text)
        keep("judges", {"systems": list(SYSTEMS), "queries": QUERIES, "depth": DEPTH, "collections": results}, text)


JUDGES = {
    "gain": "SmolLM2-135M, likelihood gain",
    "yes": 'SmolLM2-135M, probability of "Yes" (naive)',
    "granite": "granite-embedding-30m, similarity",
    "static": "built-in vectors, similarity",
    "panel": "the first and granite together",
}
PANELS = {"panel": ("gain", "granite")}
"""Judges that are several together."""


if __name__ == "__main__":
    main()
