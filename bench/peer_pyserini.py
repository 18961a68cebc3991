"""Pyserini (Lucene), run in its own environment: ranks pre-tokenised texts with Lucene's own BM25."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path


def rank(corpus: str, queries: str, out: str, k1: str, b: str, k: str) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as scratch:
        source, index = Path(scratch) / "corpus", Path(scratch) / "index"
        source.mkdir()
        with (source / "corpus.jsonl").open("w", encoding="utf-8") as file:
            for line in Path(corpus).open(encoding="utf-8"):
                document = json.loads(line)
                # White space in a token would split it; tokens here are words.
                file.write(json.dumps({"id": document["id"], "contents": " ".join(document["tokens"])}) + "\n")
        subprocess.run(
            [
                sys.executable, "-m", "pyserini.index.lucene", "--collection", "JsonCollection", "--input", source,
                "--index", index, "--generator", "DefaultLuceneDocumentGenerator", "--threads", "1", "--pretokenized",
            ],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        from pyserini.analysis import JWhiteSpaceAnalyzer
        from pyserini.search.lucene import LuceneSearcher

        searcher = LuceneSearcher(str(index))
        searcher.set_analyzer(JWhiteSpaceAnalyzer())
        searcher.set_bm25(float(k1), float(b))
        with Path(out).open("w", encoding="utf-8") as file:
            for line in Path(queries).open(encoding="utf-8"):
                query = json.loads(line)
                if query["tokens"]:
                    for place, hit in enumerate(searcher.search(" ".join(query["tokens"]), k=int(k)), 1):
                        file.write(f"{query['id']} Q0 {hit.docid} {place} {hit.score:.6f} pyserini\n")
    return {"run": out}


if __name__ == "__main__":
    print(json.dumps({"rank": rank}[sys.argv[1]](*sys.argv[2:])))
