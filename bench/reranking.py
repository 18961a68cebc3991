"""Rerankers by a small language model, side by side, on the head of BM25's ranking; and the time of a cross-encoder.

    python bench/reranking.py [COLLECTION…] [--queries 50] [--candidates 20] [--tokens 160] [--without listwise]
    python bench/reranking.py heads           every head of the model, by collection, from what was measured before
    python bench/reranking.py cross           time of cross(20) with a model of MiniLM's size and random weights

The same sample of queries (seed 7) for all. What the model gives for a query is kept in ``.bench/reranking``, so that an interrupted
run goes on. "best heads" are chosen on the other collections. Times are of one process on the cores it is given.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common import ROOT, SCRATCH, SHARED, keep, table

sys.path.insert(0, str(ROOT / "src"))

import carrel
from carrel.evaluate import load_collection
from carrel.rank.language import language_model
from carrel.rank.rerank.attention import AttentionReranker, document_scores
from carrel.rank.rerank.base import standard
from carrel.rank.rerank.likelihood import QueryLikelihood, combined
from carrel.rank.rerank.listwise import ListwiseReranker

MODEL = "smollm2"
SEED = 7
BEST = 6
Case = dict[str, Any]


def cases(folder: Path, queries: int, candidates: int) -> list[Case]:
    """A sample of judged queries with BM25's best documents."""
    collection = load_collection(folder)
    texts = {d.id: f"{d.title}\n{d.text}" if d.title else d.text for d in collection.documents()}
    names = sorted(collection.judged)
    random.Random(SEED).shuffle(names)
    names = names[:queries]
    with tempfile.TemporaryDirectory() as scratch:
        library = carrel.open(Path(scratch) / "library", create=True, unit="document", language="english")
        library.add(collection.documents())
        rankings = library.rank_documents([collection.judged[name] for name in names], candidates, recipe="bm25")
        library.close()
    return [
        {
            "collection": folder.name,
            "query": collection.judged[name],
            "name": name,
            "texts": [texts[document] for document, _ in ranking],
            "first": np.array([score for _, score in ranking]),
            "gains": [max(0, collection.qrels[name].get(document, 0)) for document, _ in ranking],
            "ideal": sorted((max(0, g) for g in collection.qrels[name].values()), reverse=True)[:10],
        }
        for name, ranking in zip(names, rankings, strict=True)
        if len(ranking) > 1
    ]


def measure(case: Case, model: Any, tokens: int, listwise: bool, place: Path) -> None:
    """What the model gives for one query, measured or read again."""
    file = place / case["collection"] / f"{case['name']}-{len(case['texts'])}-{tokens}.npz"
    if file.is_file():
        kept = dict(np.load(file))
    else:
        kept = {}
    query, texts = case["query"], case["texts"]

    def timed(name: str, work: Callable[[], Any]) -> Any:
        model.cache.clear()
        began = time.perf_counter()
        found = work()
        kept[f"{name} s"] = np.array(time.perf_counter() - began)
        return found

    if "tokens" not in kept:
        kept["tokens"] = np.stack(timed("likelihood", lambda: QueryLikelihood(model, max_tokens=tokens).tokens(query, texts)))
    for layout in ("apart", "moved", "together"):
        if f"{layout} null" not in kept:
            reranker = AttentionReranker(model, layout=layout, max_tokens=tokens)
            asked, null, _ = timed(layout, lambda r=reranker: r.weights(query, texts))
            kept[f"{layout} asked"] = np.stack([one.mean(1) for one in asked], 1)
            kept[f"{layout} null"] = np.stack([one.mean(1) for one in null], 1)
            kept[f"{layout} icr"] = document_scores(asked, null, reduce="sum")
            kept[f"{layout} mean"] = document_scores(asked, null, reduce="mean")
    if listwise and "listwise" not in kept:
        reranker = ListwiseReranker(model, max_words=40)
        kept["listwise"] = timed("listwise", lambda: reranker.rerank(query, texts).scores)
        kept["malformed"] = np.array(reranker.malformed)
    file.parent.mkdir(parents=True, exist_ok=True)
    np.savez(file, **kept)
    case.update(kept)


def ndcg(case: Case, scores: NDArray[np.floating[Any]]) -> float:
    """nDCG@10 with linear gains, as trec_eval has it; equal scores in BM25's order."""
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")[:10]
    discount = [1 / math.log2(rank + 2) for rank in range(10)]
    ideal = sum(g * d for g, d in zip(case["ideal"], discount, strict=False))
    return sum(case["gains"][i] * d for i, d in zip(order, discount, strict=False)) / ideal if ideal else 0.0


def of_heads(case: Case, heads: Sequence[int], layout: str = "apart") -> NDArray[np.float64]:
    """Scores by some heads, each on one scale."""
    rows = case[f"{layout} asked"][list(heads)].astype(np.float64)
    return np.sum([standard(row) for row in rows], axis=0)


def head_scores(cases: Sequence[Case]) -> NDArray[np.float64]:
    """nDCG@10 of each head alone, (heads,)."""
    return np.array([[ndcg(case, row) for row in case["apart asked"]] for case in cases]).mean(0)


def methods(others: Sequence[Case], listwise: bool) -> dict[str, Callable[[Case], NDArray[Any]]]:
    """By name, the scores of a case's candidates; ``others`` are the cases of other collections."""

    def likelihood(how: str) -> Callable[[Case], NDArray[Any]]:
        return lambda case: combined(list(case["tokens"]), how).scores

    found: dict[str, Callable[[Case], NDArray[Any]]] = {
        "likelihood, mean (UPR)": likelihood("mean"),
        "likelihood, gain": likelihood("gain"),
        "attention, all heads, one text (ICR)": lambda case: case["together icr"],
        "attention, all heads, apart, summed": lambda case: case["apart icr"],
        "attention, all heads, apart": lambda case: case["apart mean"],
        "attention, all heads, moved": lambda case: case["moved mean"],
    }
    if others:
        groups = {case["collection"] for case in others}
        per = [head_scores([case for case in others if case["collection"] == name]) for name in groups]
        best = np.argsort(-np.mean([one / one.max() for one in per], axis=0))[:BEST]
        found[f"attention, best {BEST} heads, apart"] = lambda case: of_heads(case, best)
        found[f"attention, best {BEST} heads, one text"] = lambda case: of_heads(case, best, "together")
        gain = likelihood("gain")
        found["likelihood, gain + attention, best heads"] = lambda case: (
            standard(of_heads(case, best)) + standard(gain(case).astype(np.float64))
        )
    if listwise:
        found["listwise (RankGPT)"] = lambda case: case["listwise"]
    return found


def paired(differences: Sequence[float]) -> float:
    """p of the two-sided paired t-test."""
    from scipy.stats import ttest_1samp

    return float(ttest_1samp(differences, 0).pvalue) if np.ptp(differences) else 1.0


def quality(folders: Sequence[Path], arguments: argparse.Namespace) -> None:
    listwise = "listwise" not in arguments.without
    place = SCRATCH / "reranking"
    model = language_model(MODEL)
    every = {folder.name: cases(folder, arguments.queries, arguments.candidates) for folder in folders}
    for collection in every.values():
        for number, case in enumerate(collection, 1):
            measure(case, model, arguments.tokens, listwise, place)
            print(f"\r{case['collection']} {number}/{len(collection)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    result: dict[str, Any] = {"model": MODEL, "precision": model.precision, **vars(arguments), "collections": {}}
    text = []
    for name, collection in every.items():
        base = [ndcg(case, case["first"]) for case in collection]
        rows: list[dict[str, Any]] = [{"method": "bm25", "alone": statistics.fmean(base)}]
        for method, score in methods([c for other, cs in every.items() if other != name for c in cs], listwise).items():
            alone = [ndcg(case, score(case)) for case in collection]
            mixed = [
                ndcg(case, standard(case["first"].astype(np.float64)) + standard(np.asarray(score(case), np.float64)))
                for case in collection
            ]
            key = "likelihood" if method.startswith("likelihood") else "listwise"
            if method.startswith("attention"):
                key = "together" if "one text" in method else "moved" if "moved" in method else "apart"
            seconds = statistics.median(float(case[f"{key} s"]) for case in collection)
            rows.append(
                {
                    "method": method,
                    "alone": statistics.fmean(alone),
                    "alone_p": paired(np.subtract(alone, base)),
                    "with_bm25": statistics.fmean(mixed),
                    "with_bm25_p": paired(np.subtract(mixed, base)),
                    "seconds": seconds if "+" not in method else None,
                }
            )
        malformed = int(sum(case.get("malformed", 0) for case in collection))
        result["collections"][name] = {"queries": len(collection), "rows": rows, "malformed": malformed}
        body = [
            [
                row["method"],
                f"{row['alone']:.3f}",
                f"{row['alone_p']:.3f}" if "alone_p" in row else "",
                f"{row['with_bm25']:.3f}" if "with_bm25" in row else "",
                f"{row['with_bm25_p']:.3f}" if "with_bm25_p" in row else "",
                f"{row['seconds']:.1f}" if row.get("seconds") else "",
            ]
            for row in rows
        ]
        text.append(
            f"{name}, {len(collection)} queries, {arguments.candidates} candidates, {malformed} malformed listwise answers\n"
        )
        text.append(table(["nDCG@10", "alone", "p", "with BM25", "p", "seconds a query"], body) + "\n")
    arguments_kept = {k: v for k, v in result.items() if k not in ("collections", "what")}
    keep("reranking", {**arguments_kept, "collections": result["collections"]}, "\n".join(text))
    print("\n".join(text))


def heads(folders: Sequence[Path], arguments: argparse.Namespace) -> None:
    """The heads by what they give alone, in each collection and on the mean."""
    model = language_model(MODEL)
    tables = {}
    for folder in folders:
        collection = cases(folder, arguments.queries, arguments.candidates)
        for case in collection:
            measure(case, model, arguments.tokens, False, SCRATCH / "reranking")
        tables[folder.name] = head_scores(collection)
    mean = np.mean([one / one.max() for one in tables.values()], axis=0)
    for at in np.argsort(-mean)[:20]:
        print(divmod(int(at), model.heads), f"{mean[at]:.3f}", *(f"{name} {one[at]:.3f}" for name, one in tables.items()))


def cross(arguments: argparse.Namespace) -> None:
    """cross(20) on passages of real text, with a BERT of MiniLM-L6's size and random weights."""
    import torch
    import transformers

    from carrel.encode.options import Options
    from carrel.rank.rerank.cross import CrossEncoder

    source = arguments.tokenizer
    texts = [case for case in cases(SHARED / "data" / "scifact", 20, 20) if len(case["texts"]) == 20]
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        torch.manual_seed(SEED)
        config = transformers.BertConfig(
            hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536, num_labels=1
        )
        transformers.BertForSequenceClassification(config).save_pretrained(scratch)
        for file in ("tokenizer.json", "tokenizer_config.json"):
            (Path(scratch) / file).write_bytes((Path(source) / file).read_bytes())
        for tokens in (128, 256, 512):
            for threads in (1, 2):
                model = CrossEncoder(scratch, Options(threads=threads, max_tokens=tokens), long="first")
                model.rerank(texts[0]["query"], texts[0]["texts"])
                seconds = []
                for case in texts:
                    began = time.perf_counter()
                    model.rerank(case["query"], case["texts"])
                    seconds.append(time.perf_counter() - began)
                result[f"{tokens} tokens, {threads} threads"] = statistics.median(seconds) * 1000
                print(tokens, threads, f"{statistics.median(seconds) * 1000:.0f} ms", flush=True)
    keep("cross", {"median_ms": result}, table(["cross(20), int8", "median ms"], [[k, f"{v:.0f}"] for k, v in result.items()]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*")
    parser.add_argument("--queries", type=int, default=50)
    parser.add_argument("--candidates", type=int, default=20)
    parser.add_argument("--tokens", type=int, default=160)
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--tokenizer", help="folder with the tokenizer of all-MiniLM-L6-v2, for `cross`")
    arguments = parser.parse_args()
    given = [name for name in arguments.what if name not in ("heads", "cross")]
    folders = [Path(name) for name in given] or [SHARED / "data" / name for name in ("scifact", "cranfield")]
    if "cross" in arguments.what:
        cross(arguments)
    elif "heads" in arguments.what:
        heads(folders, arguments)
    else:
        quality(folders, arguments)


if __name__ == "__main__":
    main()
