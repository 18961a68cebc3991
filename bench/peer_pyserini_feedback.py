"""Pyserini (Lucene), run in its own environment: BM25, BM25+RM3 and BM25+Rocchio over pre-tokenised texts."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path


def rank(corpus: str, queries: str, out: str, k1: str, b: str, k: str) -> dict[str, object]:
    """Write ``OUT.bm25``, ``OUT.rm3`` and ``OUT.rocchio`` as TREC runs."""
    with tempfile.TemporaryDirectory() as scratch:
        source, index = Path(scratch) / "corpus", Path(scratch) / "index"
        source.mkdir()
        with (source / "corpus.jsonl").open("w", encoding="utf-8") as file:
            for line in Path(corpus).open(encoding="utf-8"):
                document = json.loads(line)
                file.write(json.dumps({"id": document["id"], "contents": " ".join(document["tokens"])}) + "\n")
        subprocess.run(
            [
                sys.executable, "-m", "pyserini.index.lucene", "--collection", "JsonCollection", "--input", source,
                "--index", index, "--generator", "DefaultLuceneDocumentGenerator", "--threads", "1", "--pretokenized",
                "--storeDocvectors",
            ],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        from pyserini.analysis import JWhiteSpaceAnalyzer
        from pyserini.search.lucene import LuceneSearcher

        asked = [json.loads(line) for line in Path(queries).open(encoding="utf-8")]
        for method in ("bm25", "rm3", "rocchio"):
            searcher = LuceneSearcher(str(index))
            searcher.set_analyzer(JWhiteSpaceAnalyzer())
            searcher.set_bm25(float(k1), float(b))
            if method == "rm3":
                searcher.set_rm3(fb_terms=10, fb_docs=10, original_query_weight=0.5)
            elif method == "rocchio":
                searcher.set_rocchio(top_fb_terms=10, top_fb_docs=10, alpha=1, beta=0.75, gamma=0, use_negative=False)
            with Path(f"{out}.{method}").open("w", encoding="utf-8") as file:
                for query in asked:
                    if query["tokens"]:
                        for place, hit in enumerate(searcher.search(" ".join(query["tokens"]), k=int(k)), 1):
                            file.write(f"{query['id']} Q0 {hit.docid} {place} {hit.score:.6f} pyserini\n")
    return {"run": out}


if __name__ == "__main__":
    print(json.dumps({"rank": rank}[sys.argv[1]](*sys.argv[2:])))
