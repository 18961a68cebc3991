"""bm25s in its own environment: scores computed when indexing, a sparse matrix, numba to search.

As a script with ``rank`` it ranks pre-tokenised texts for `quality.py`; else it obeys `harness.py`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import bm25s
import Stemmer

from peer import serve


def rank(corpus: str, queries: str, out: str, k1: str, b: str, k: str) -> dict[str, object]:
    """Rank texts that are lists of tokens already; writes a run file."""
    documents = [json.loads(line) for line in Path(corpus).open(encoding="utf-8")]
    asked = [json.loads(line) for line in Path(queries).open(encoding="utf-8")]
    retriever = bm25s.BM25(method="lucene", k1=float(k1), b=float(b))
    retriever.index([d["tokens"] for d in documents], show_progress=False)
    with Path(out).open("w", encoding="utf-8") as file:
        for query in asked:
            if not query["tokens"]:
                continue
            ids, scores = retriever.retrieve([query["tokens"]], k=min(int(k), len(documents)), show_progress=False)
            for place, (number, score) in enumerate(zip(ids[0], scores[0], strict=True), 1):
                if score > 0:
                    file.write(f"{query['id']} Q0 {documents[int(number)]['id']} {place} {score:.6f} bm25s\n")
    return {"run": out}


class Bm25s:
    """Its own tokeniser with its English stop words and Snowball's stemmer, as its documentation shows."""

    def __init__(self) -> None:
        self.stemmer = Stemmer.Stemmer("english")

    def build(self, data: str, folder: str) -> dict[str, Any]:
        with Path(data).open(encoding="utf-8") as file:
            corpus = [f"{r.get('title', '')}\n{r['text']}" for r in map(json.loads, file)]
        tokens = bm25s.tokenize(corpus, stopwords="en", stemmer=self.stemmer, show_progress=False)
        retriever = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
        retriever.index(tokens, show_progress=False)
        retriever.save(folder, show_progress=False)
        return {"version": bm25s.__version__}

    def open(self, folder: str, mmap: bool = False) -> dict[str, Any]:
        self.retriever = bm25s.BM25.load(folder, mmap=mmap, show_progress=False)
        self.retriever.backend = "numba"
        self.retriever.activate_numba_scorer()
        return {"version": bm25s.__version__}

    def search(self, query: str, k: int) -> Any:
        tokens = bm25s.tokenize(query, stopwords="en", stemmer=self.stemmer, show_progress=False, return_ids=False)
        if not tokens[0]:
            return ()
        return self.retriever.retrieve(tokens, k=k, show_progress=False, n_threads=1).documents[0]


if __name__ == "__main__":
    if sys.argv[1:2] == ["rank"]:
        print(json.dumps(rank(*sys.argv[2:])))
    else:
        serve(Bm25s)
