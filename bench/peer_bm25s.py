"""bm25s, run in its own environment: ``rank`` ranks pre-tokenised texts, ``index`` times tokenising and indexing."""

from __future__ import annotations

import gzip
import json
import resource
import sys
import time
from pathlib import Path


def rank(corpus: str, queries: str, out: str, k1: str, b: str, k: str) -> dict[str, object]:
    import bm25s

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


def index(texts: str, folder: str) -> dict[str, object]:
    import bm25s
    import Stemmer

    opener = gzip.open if texts.endswith(".gz") else open
    with opener(texts, "rt", encoding="utf-8") as file:
        corpus = [f"{r.get('title', '')}\n{r['text']}" for r in map(json.loads, file)]
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    started = time.perf_counter()
    tokens = bm25s.tokenize(corpus, stopwords="en", stemmer=Stemmer.Stemmer("english"), show_progress=False)
    tokenised = time.perf_counter()
    retriever = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    retriever.index(tokens, show_progress=False)
    indexed = time.perf_counter()
    retriever.save(folder)
    saved = time.perf_counter()
    return {
        "peer": f"bm25s {bm25s.__version__}",
        "texts": len(corpus),
        "tokenise_seconds": tokenised - started,
        "index_seconds": indexed - tokenised,
        "save_seconds": saved - indexed,
        "seconds": indexed - started,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "peak_bytes_before_indexing": base,
        "disk_bytes": sum(p.stat().st_size for p in Path(folder).iterdir()),
    }


def latency(texts: str, queries: str) -> dict[str, object]:
    import bm25s
    import Stemmer

    with Path(texts).open(encoding="utf-8") as file:
        corpus = [f"{r.get('title', '')}\n{r['text']}" for r in map(json.loads, file)]
    stemmer = Stemmer.Stemmer("english")
    retriever = bm25s.BM25(method="lucene", k1=1.2, b=0.75, backend="numba")
    retriever.index(bm25s.tokenize(corpus, stopwords="en", stemmer=stemmer, show_progress=False), show_progress=False)
    asked = json.loads(Path(queries).read_text())
    found: dict[str, dict[str, float]] = {}
    for k in (10, 1000):
        seconds = []
        for number, query in enumerate(asked[:50] + asked):
            started = time.perf_counter()
            tokens = bm25s.tokenize(query, stopwords="en", stemmer=stemmer, show_progress=False, return_ids=False)
            if tokens[0]:
                retriever.retrieve(tokens, k=k, show_progress=False, n_threads=1)
            if number >= 50:
                seconds.append(time.perf_counter() - started)
        seconds.sort()
        at = lambda share: seconds[min(len(seconds) - 1, int(share * len(seconds)))] * 1000  # noqa: B023, E731
        found[str(k)] = {"p50_ms": at(0.5), "p95_ms": at(0.95), "p99_ms": at(0.99)}
    return {"peer": f"bm25s {bm25s.__version__}", "latency": found}


if __name__ == "__main__":
    print(json.dumps({"rank": rank, "index": index, "latency": latency}[sys.argv[1]](*sys.argv[2:])))
