"""Rerankers by a small language model, side by side, on the head of BM25's ranking; and the time of a cross-encoder.

    python bench/reranking_cases.py           measures (hours; it goes on where it was stopped)
    python bench/reranking.py table           docs/results/reranking.json and the tables of docs/reranking.md
    python bench/reranking.py times           seconds of each method, on a machine with nothing else to do
    python bench/reranking.py heads           the heads of the model by what they give alone, in each collection
    python bench/reranking.py cross --tokenizer FOLDER    time of cross(20) with a model of MiniLM's size

All methods of a table are measured on the same queries. Heads and weights are chosen on the collections other than the one
reported. "with BM25" is the sum of both scores, each with mean 0 and deviation 1 over the candidates, which is what
``weight=0.5`` does.
"""

from __future__ import annotations

import argparse
import itertools
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common import ROOT, keep, table
from reranking_cases import CANDIDATES, MODEL, PARTS, QUERIES, SEED, TOKENS, Case, cases, kept, measured

sys.path.insert(0, str(ROOT / "src"))

from bookwheel.evaluate.significance import paired_t
from bookwheel.rank.stages.rerank.likelihood import passage_scores
from bookwheel.rank.stages.reranking import standardised
from head_contrast import contrast

BEST = 8
HEADS = 9
"""Heads of a layer of SmolLM2-135M."""
LAST = 18
TIMED = 3
START, END = "<!-- tables: bench/reranking.py table -->", "<!-- end of tables -->"
Score = Callable[[Case], NDArray[Any]]


def loaded(parts: Sequence[str]) -> dict[str, list[Case]]:
    """By collection the cases of which all ``parts`` were measured."""
    found: dict[str, list[Case]] = {}
    for name in QUERIES:
        found[name] = []
        for case in cases(name):
            values = [kept(case, part) for part in parts]
            if all(values):
                for one in values:
                    case |= one
                found[name].append(case)
    return found


def ndcg(case: Case, scores: NDArray[np.floating[Any]]) -> float:
    """nDCG@10 with linear gains, as trec_eval has it; equal scores in BM25's order."""
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")[:10]
    discount = [1 / math.log2(rank + 2) for rank in range(10)]
    ideal = sum(g * d for g, d in zip(case["ideal"], discount, strict=False))
    return sum(case["gains"][i] * d for i, d in zip(order, discount, strict=False)) / ideal if ideal else 0.0


def of_heads(case: Case, heads: Sequence[int], layout: str = "apart", what: str = "asked") -> NDArray[np.float64]:
    """The sum of some heads, each with mean 0 and deviation 1."""
    return np.sum([standardised(row.astype(np.float64)) for row in case[f"{layout} {what}"][list(heads)]], axis=0)


def calibrated(case: Case, heads: Sequence[int]) -> NDArray[np.float64]:
    """`of_heads` less what a content-free query looks at."""
    rows = (case["apart asked"].astype(np.float64) - case["apart null"])[list(heads)]
    return np.sum([standardised(row) for row in rows], axis=0)


def by_measure(collection: Sequence[Case]) -> NDArray[np.float64]:
    """nDCG@10 of each head alone, (heads,)."""
    return np.array([[ndcg(case, row) for row in case["apart asked"]] for case in collection]).mean(0)


def by_contrast(collection: Sequence[Case]) -> NDArray[np.float64]:
    """See `head_contrast.contrast`."""
    return contrast([case["apart asked"] for case in collection], [np.array(case["gains"]) > 0 for case in collection])


def chosen(others: dict[str, list[Case]], by: Callable[[Sequence[Case]], NDArray[np.float64]], count: int = BEST) -> list[int]:
    """The best heads over ``others``, each collection counting alike, up to layer ``LAST``, where reading can then end."""
    each = [by(collection)[: HEADS * (LAST + 1)] for collection in others.values()]
    return np.argsort(-np.mean([(one - one.mean()) / one.std() for one in each], axis=0))[:count].tolist()


def fitted(others: dict[str, list[Case]], parts: Sequence[Score]) -> tuple[float, ...]:
    """Shares of standardised scores, in tenths, with the best mean nDCG@10 over ``others``; the most even of equal ones."""
    made = [[np.stack([standardised(np.asarray(p(c), np.float64)) for p in parts]) for c in cs] for cs in others.values()]
    best, found = -1.0, (1.0,) * len(parts)
    for shares in itertools.product(range(11), repeat=len(parts)):
        if sum(shares) == 10:
            weights = np.array(shares) / 10
            value = statistics.fmean(
                statistics.fmean(ndcg(case, weights @ rows) for case, rows in zip(collection, tables, strict=True))
                for collection, tables in zip(others.values(), made, strict=True)
            )
            if value > best + 1e-9 or (value > best - 1e-9 and max(shares) < 10 * max(found)):
                best, found = value, tuple(weights.tolist())
    return found


def mixed(case: Case, parts: Sequence[Score], shares: Sequence[float]) -> NDArray[np.float64]:
    """The sum of standardised scores by their shares."""
    rows = [standardised(np.asarray(part(case), np.float64)) for part in parts]
    return np.asarray(np.array(shares) @ np.stack(rows))


def methods(others: dict[str, list[Case]], parts: Sequence[str]) -> tuple[dict[str, Score], dict[str, Any]]:
    """By name the scores of each method; and what was chosen on the other collections."""

    def likelihood(how: str) -> Score:
        return lambda case: passage_scores(list(case["tokens"]), how).scores.astype(np.float64)

    first: Score = lambda case: case["first"]  # noqa: E731
    gain = likelihood("gain")
    alone, telling = chosen(others, by_measure), chosen(others, by_contrast)
    heads: Score = lambda case: of_heads(case, telling)  # noqa: E731
    every_head: Score = lambda case: of_heads(case, range(len(case["apart asked"])))  # noqa: E731
    judges = [first, gain, heads]
    shares = fitted(others, judges)
    found: dict[str, Score] = {
        "likelihood, mean (UPR)": likelihood("mean"),
        "likelihood, gain": gain,
        'probability of "Yes"': lambda case: case["yes"],
        "attention, all heads, apart, summed over tokens": lambda case: case["apart icr"],
        "attention, all heads, apart": lambda case: case["apart mean"],
        "attention, all heads, apart, not calibrated": lambda case: case["apart asked"].sum(0),
        "attention, all heads, apart, each on one scale": every_head,
        f"attention, {BEST} heads by nDCG, apart": lambda case: of_heads(case, alone),
        f"attention, {BEST} heads by contrast, apart": heads,
        f"attention, {BEST} heads by contrast, calibrated": lambda case: calibrated(case, telling),
        f"attention, {BEST} heads by contrast, largest weight": lambda case: of_heads(case, telling, what="most"),
        "likelihood, gain, and heads by contrast": lambda case: standardised(gain(case)) + standardised(heads(case)),
        "BM25, gain and heads, weights fitted": lambda case: mixed(case, judges, shares),
    }
    if "listwise" in parts:
        found["listwise (RankGPT)"] = lambda case: case["listwise"]
    for layout, title in (("together", "one text (ICR)"), ("moved", "read apart, moved")):
        if layout in parts:
            found[f"attention, all heads, {title}"] = lambda case, at=layout: case[f"{at} icr"]
            found[f"attention, {BEST} heads by contrast, {title}"] = lambda case, at=layout: of_heads(case, telling, at)
    pairs = [divmod(head, HEADS) for head in telling]
    return found, {"heads": pairs, "by_ndcg": [divmod(head, HEADS) for head in alone], "shares": shares}


def compared(every: dict[str, list[Case]], parts: Sequence[str], learned: dict[str, list[Case]]) -> dict[str, Any]:
    """All methods on the same queries, by collection and over all; ``learned``: what heads and weights are chosen on."""
    base: dict[str, list[float]] = {}
    values: dict[str, dict[str, tuple[list[float], list[float]]]] = {}
    picked = {}
    for name, collection in every.items():
        others = {other: found for other, found in learned.items() if other != name and found}
        base[name] = [ndcg(case, case["first"]) for case in collection]
        found, picked[name] = methods(others, parts)
        for method, score in found.items():
            scored = [np.asarray(score(case), np.float64) for case in collection]
            alone = [ndcg(case, one) for case, one in zip(collection, scored, strict=True)]
            both = [
                ndcg(case, standardised(case["first"]) + standardised(one))
                for case, one in zip(collection, scored, strict=True)
            ]
            values.setdefault(method, {})[name] = alone, both
    rows = {}
    for method, found in values.items():
        row: dict[str, Any] = {"collections": {}}
        for name in [*every, "all"]:
            names = list(every) if name == "all" else [name]
            before = [value for one in names for value in base[one]]
            entry = {}
            for which, key in ((0, "alone"), (1, "with_bm25")):
                after = [value for one in names for value in found[one][which]]
                difference = np.subtract(after, before)
                entry[key] = statistics.fmean(statistics.fmean(found[one][which]) for one in names)
                entry |= {
                    f"{key}_p": paired_t(difference)[1],
                    f"{key}_wins": int((difference > 1e-9).sum()),
                    f"{key}_losses": int((difference < -1e-9).sum()),
                }
            row["collections"][name] = entry
        rows[method] = row
    bm25 = {name: statistics.fmean(one) for name, one in base.items()}
    perfect = {name: [ndcg(case, np.array(case["gains"], float)) for case in found] for name, found in every.items()}
    best = {name: statistics.fmean(one) for name, one in perfect.items()}
    return {
        "queries": {name: len(collection) for name, collection in every.items()},
        "bm25": bm25 | {"all": statistics.fmean(bm25.values())},
        "perfect": best | {"all": statistics.fmean(best.values())},
        "rows": rows,
        "chosen": picked,
    }


def shown(result: dict[str, Any], wanted: Callable[[str], bool] = lambda _method: True) -> str:
    """As Markdown: means alone and with BM25; * where the difference from BM25 has p < 0.05. ``wanted``: which methods."""
    names = [*result["queries"], "all"]
    heads = [f"{name}, {result['queries'][name]}" if name != "all" else "mean of all" for name in names]
    rows = [["BM25", *(f"{result['bm25'][name]:.3f}" for name in names), "", ""]]
    for method, row in result["rows"].items():
        if not wanted(method):
            continue
        cells = []
        for name in names:
            entry = row["collections"][name]
            one = [f"{entry[key]:.3f}{'*' if entry[key + '_p'] < 0.05 else ''}" for key in ("alone", "with_bm25")]
            cells.append(" / ".join(one))
        entry = row["collections"]["all"]
        counts = f"{entry['with_bm25_wins']} / {entry['with_bm25_losses']}"
        rows.append([method, *cells, f"{entry['with_bm25_p']:.3f}", counts])
    rows.append(["the best order of the same 20", *(f"{result['perfect'][name]:.3f}" for name in names), "", ""])
    return table(["nDCG@10, alone / with BM25", *heads, "p of all, with BM25", "better / worse"], rows)


def told() -> None:
    """Both tables: what needs blocks only on all queries, and every method on those where everything was measured."""
    cases_read = loaded(("blocks",))
    wide = compared(cases_read, ("blocks",), cases_read)
    text = f"SmolLM2-135M in bfloat16, {CANDIDATES} candidates of BM25, the first {TOKENS} tokens of each:\n\n{shown(wide)}\n"
    parts = [part for part in ("listwise", "together", "moved") if all(loaded(("blocks", part)).values())]
    result: dict[str, Any] = {"model": MODEL, "candidates": CANDIDATES, "tokens": TOKENS, "seed": SEED, "blocks": wide}
    if parts:
        both = ["blocks", *parts]
        every = loaded(both)
        result["every"] = compared(every, both, cases_read)
        few = (f"attention, {BEST} heads by contrast, apart", "attention, all heads, apart, summed over tokens")
        malformed = sum(int(case.get("malformed", 0)) for one in every.values() for case in one)
        result["malformed"] = malformed
        text += f"\nEvery method, on fewer queries ({malformed} of the listwise answers named no passage):\n\n"
        text += shown(result["every"], lambda method: method in few or "apart" not in method) + "\n"
    keep("reranking", result, text)
    place(text)


def place(text: str) -> None:
    """Put the tables between the marks of docs/reranking.md."""
    page = ROOT / "docs" / "reranking.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{START}\n\n{text.strip()}\n\n{END}{after}", encoding="utf-8")


def times() -> None:
    """How long each method takes for one query with a machine to itself: medians over a few queries of SciFact."""
    from bookwheel.language.load import load_local

    model = load_local(MODEL, "package", threads=1)
    found: dict[str, list[float]] = {}
    for part in PARTS:
        for case in cases("scifact")[:TIMED]:
            for name, value in measured(case, part, model).items():
                if name.endswith(" s"):
                    found.setdefault(name[:-2], []).append(float(value))
    medians = {name: statistics.median(values) for name, values in found.items()}
    rows = [[name, f"{value:.1f}"] for name, value in medians.items()]
    keep("reranking-times", {"queries": TIMED, "seconds": medians}, table(["20 passages, one thread", "median s"], rows))


def heads() -> None:
    """The heads by contrast over all collections: what ``attention(heads="best")`` uses."""
    every = loaded(("blocks",))
    telling = {name: by_contrast(collection) for name, collection in every.items()}
    alone = {name: by_measure(collection) for name, collection in every.items()}
    print("agreement of collections:", np.corrcoef(list(telling.values())).round(2).tolist())
    for head in chosen(every, by_contrast, 20):
        each = (f"{name} {telling[name][head]:.3f} {alone[name][head]:.3f}" for name in every)
        print(divmod(head, HEADS), *each, sep="  ")


def cross(arguments: argparse.Namespace) -> None:
    """cross(20) on passages of real text, with a BERT of MiniLM-L6's size and a head that was not trained."""
    import torch
    import transformers

    from bookwheel.encode.cross import CrossEncoder
    from bookwheel.encode.options import Options

    source = arguments.tokenizer
    lists = [case for case in cases("scifact")[:20] if len(case["texts"]) == CANDIDATES]
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        torch.manual_seed(SEED)
        transformers.BertForSequenceClassification.from_pretrained(source, num_labels=1).save_pretrained(scratch)
        for file in ("tokenizer.json", "tokenizer_config.json"):
            (Path(scratch) / file).write_bytes((Path(source) / file).read_bytes())
        for tokens in (128, 256, 512):
            for threads in (1, 2):
                model = CrossEncoder(scratch, Options(threads=threads, max_tokens=tokens), long="first")
                model.score(lists[0]["query"], lists[0]["texts"])
                seconds = []
                for case in lists:
                    began = time.perf_counter()
                    model.score(case["query"], case["texts"])
                    seconds.append(time.perf_counter() - began)
                result[f"{tokens} tokens, {threads} threads"] = statistics.median(seconds) * 1000
                print(tokens, threads, f"{statistics.median(seconds) * 1000:.0f} ms", flush=True)
    keep("cross", {"median_ms": result}, table(["cross(20), int8", "median ms"], [[k, f"{v:.0f}"] for k, v in result.items()]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["table", "times", "heads", "cross"])
    parser.add_argument("--tokenizer", help="folder of all-MiniLM-L6-v2, for `cross`")
    arguments = parser.parse_args()
    if arguments.what == "cross":
        cross(arguments)
    elif arguments.what == "times":
        times()
    elif arguments.what == "heads":
        heads()
    else:
        told()


if __name__ == "__main__":
    main()
