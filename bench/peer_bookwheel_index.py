"""bookwheel's sparse index alone, without library or store: texts are analysed, inverted and written as one segment."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

import bookwheel
from bookwheel.analysis.analyzer import Analyzer
from bookwheel.analysis.term_ids import LexicalEncoder, TermsByLanguage
from bookwheel.analysis.words import WordTable
from bookwheel.index.inverted.bm25 import Bm25Index
from bookwheel.index.inverted.bm25_builder import Bm25Builder
from bookwheel.kernels.bm25 import Bm25, idf
from peer import serve

BATCH = 4096


class Index:
    """English analyzer without its stop words, as the peers; ``stopwords=True`` keeps them. k1 1.2, b 0.75."""

    def build(self, data: str, folder: str, stopwords: bool = False) -> dict[str, Any]:
        self.analyzer = Analyzer("english", stopwords=not stopwords)
        words, lexical, builder = WordTable(), LexicalEncoder(TermsByLanguage(self.analyzer)), Bm25Builder()
        with Path(data).open(encoding="utf-8") as file:
            texts = (f"{r.get('title', '')}\n{r['text']}" for r in map(json.loads, file))
            while batch := list(islice(texts, BATCH)):
                indptr, raw = words.ids(batch)
                builder.add(*lexical.encode(indptr, raw, words.words))
        place = Path(folder)
        average = builder.tokens / builder.passages
        builder.close(place / "postings", place / "impacts", lexical.terms, bm25=Bm25(1.2, 0.75), average_length=average)
        return {"version": bookwheel.__version__}

    def open(self, folder: str, stopwords: bool = False) -> dict[str, Any]:
        self.analyzer = Analyzer("english", stopwords=not stopwords)
        self.index = Bm25Index(Path(folder) / "postings", Path(folder) / "impacts")
        return {
            "version": bookwheel.__version__, "postings": self.index.postings, "hot_bytes": self.index.hot_bytes,
        }  # fmt: skip

    def search(self, query: str, k: int) -> Any:
        counted = Counter(self.analyzer(query))
        terms = list(counted)
        weights = idf(self.index.document_frequencies(terms), self.index.passages) * np.array(list(counted.values()))
        return self.index.search(terms, weights, k).ids


if __name__ == "__main__":
    serve(Index)
