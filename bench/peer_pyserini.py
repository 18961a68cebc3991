"""Pyserini (Anserini, Lucene) in its own environment, with a Java of version 21 or newer.

As a script with ``rank`` it ranks pre-tokenised texts for `quality.py`; else it obeys `harness.py`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from peer import serve


def rank(corpus: str, queries: str, out: str, k1: str, b: str, k: str) -> dict[str, object]:
    """Rank texts that are lists of tokens already; writes a run file."""
    with tempfile.TemporaryDirectory() as scratch:
        source, index = Path(scratch) / "corpus", Path(scratch) / "index"
        source.mkdir()
        with (source / "corpus.jsonl").open("w", encoding="utf-8") as file:
            for line in Path(corpus).open(encoding="utf-8"):
                document = json.loads(line)
                # White space in a token would split it; tokens here are words.
                file.write(json.dumps({"id": document["id"], "contents": " ".join(document["tokens"])}) + "\n")
        _index("JsonCollection", source, index, 1, "--pretokenized")
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


def _index(collection: str, source: Path, index: Path, threads: int, *more: str) -> None:
    subprocess.run(
        [
            sys.executable, "-m", "pyserini.index.lucene", "--collection", collection, "--input", source, "--index", index,
            "--generator", "DefaultLuceneDocumentGenerator", "--threads", str(threads), *more,
        ],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


class Pyserini:
    """Lucene's English analyzer, BM25 with k1 1.2 and b 0.75; ids are Lucene's own numbers."""

    def build(self, data: str, folder: str, threads: int = 2) -> dict[str, Any]:
        source = Path(folder).parent / "corpus"
        source.mkdir()
        (source / "corpus.jsonl").symlink_to(data)
        _index("BeirFlatCollection", source, Path(folder), threads, "--optimize")
        return {"version": _version()}

    def open(self, folder: str) -> dict[str, Any]:
        from pyserini.search.lucene import LuceneSearcher

        self.searcher = LuceneSearcher(folder)
        self.searcher.set_bm25(1.2, 0.75)
        return {"version": _version(), "passages": self.searcher.num_docs}

    def search(self, query: str, k: int) -> Any:
        return [hit.lucene_docid for hit in self.searcher.search(query, k=k)]

    def throughput(self, queries: list[str], k: int, threads: int) -> int:
        few = queries[:200]
        self.searcher.batch_search(few, [str(n) for n in range(len(few))], k=k, threads=threads)
        return len(few)


def _version() -> str:
    from importlib.metadata import version

    return version("pyserini")


if __name__ == "__main__":
    if sys.argv[1:2] == ["rank"]:
        print(json.dumps(rank(*sys.argv[2:])))
    else:
        serve(Pyserini)
