"""Retrieval quality of encoders on judged collections (used by ``distil_static.py``)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Floats]


@dataclass
class Collection:
    """A collection in BEIR layout."""

    name: str
    ids: list[str]
    documents: list[str]
    queries: dict[str, str]
    judged: dict[str, dict[str, int]]

    @classmethod
    def read(cls, folder: Path) -> Collection:
        """Read ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/test.tsv``."""
        corpus = [json.loads(line) for line in (folder / "corpus.jsonl").open(encoding="utf-8")]
        queries = {r["_id"]: r["text"] for r in map(json.loads, (folder / "queries.jsonl").open(encoding="utf-8"))}
        judged: dict[str, dict[str, int]] = {}
        for line in (folder / "qrels" / "test.tsv").read_text().splitlines()[1:]:
            query, document, grade = line.split("\t")
            if int(grade) > 0:
                judged.setdefault(query, {})[document] = int(grade)
        documents = [f"{r.get('title', '')} {r['text']}".strip() for r in corpus]
        return cls(folder.name, [r["_id"] for r in corpus], documents, {q: queries[q] for q in judged}, judged)


def measure(scores: Floats, collection: Collection) -> tuple[float, float]:
    """Mean nDCG@10 and R@100 of a score matrix (queries, documents)."""
    gains, recalls = [], []
    discounts = 1 / np.log2(np.arange(2, 12))
    for row, judged in zip(scores, collection.judged.values(), strict=True):
        best = np.argsort(-row, kind="stable")[:100]
        grades = np.array([judged.get(collection.ids[i], 0) for i in best])
        ideal = np.sort(np.array(list(judged.values())))[::-1][:10]
        gains.append(float((grades[:10] * discounts[: len(grades[:10])]).sum() / (ideal * discounts[: len(ideal)]).sum()))
        recalls.append(float((grades > 0).sum() / len(judged)))
    return float(np.mean(gains)), float(np.mean(recalls))


def bm25_scores(collection: Collection) -> Floats:
    """BM25 by bm25s (Lucene's form, k1 1.5, b 0.75, English stop words and stemmer)."""
    import bm25s
    import Stemmer

    stemmer = Stemmer.Stemmer("english")
    index = bm25s.BM25(method="lucene")
    index.index(bm25s.tokenize(collection.documents, stopwords="en", stemmer=stemmer, show_progress=False), show_progress=False)
    queries = bm25s.tokenize(
        list(collection.queries.values()), stopwords="en", stemmer=stemmer, show_progress=False, return_ids=False
    )
    zero = np.zeros(len(collection.documents), np.float32)
    return np.stack([index.get_scores(query) if query else zero for query in queries]).astype(np.float32)


def dense_scores(encode: Encode, collection: Collection) -> Floats:
    """Cosines (queries, documents)."""
    return encode(list(collection.queries.values())) @ encode(collection.documents).T


def _stretched(scores: Floats) -> Floats:
    low, high = scores.min(1, keepdims=True), scores.max(1, keepdims=True)
    return (scores - low) / np.maximum(high - low, 1e-9)


def table(encoders: dict[str, Encode], folders: Sequence[Path], fuse: bool) -> list[str]:
    """Markdown rows: each encoder's nDCG@10 / R@100 by collection and its mean nDCG@10; with ``fuse`` also beside BM25.

    A fused row is half BM25, half the encoder, both stretched to 0 … 1 for each query.
    """
    collections = [Collection.read(folder) for folder in folders]
    lexical = [bm25_scores(c) for c in collections] if fuse else []
    rows = [f"| encoder | {' | '.join(c.name for c in collections)} | mean nDCG@10 |", "|---" * (len(collections) + 2) + "|"]

    def add(name: str, scores: Sequence[Floats]) -> None:
        results = [measure(s, c) for s, c in zip(scores, collections, strict=True)]
        cells = " | ".join(f"{gain:.4f} / {recall:.3f}" for gain, recall in results)
        rows.append(f"| {name} | {cells} | {np.mean([gain for gain, _ in results]):.4f} |")
        print(rows[-1], flush=True)

    print("\n".join(rows), flush=True)
    if fuse:
        add("BM25 (bm25s)", lexical)
    for name, encode in encoders.items():
        dense = [dense_scores(encode, c) for c in collections]
        add(name, dense)
        if fuse:
            add(f"{name}, half BM25", [_stretched(a) + _stretched(b) for a, b in zip(lexical, dense, strict=True)])
    return rows
