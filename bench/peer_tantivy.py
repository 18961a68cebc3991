"""tantivy in its own environment: texts in, analysed by tantivy (simple words, lower case, English stop words, stemmer)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tantivy
from tantivy import Filter, Occur, Query, TextAnalyzerBuilder, Tokenizer

from peer import serve


class Tantivy:
    """Frequencies without positions: the smallest index that ranks by BM25 (k1 1.2, b 0.75 are fixed in it)."""

    def __init__(self) -> None:
        made = TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.remove_long(40)).filter(Filter.lowercase())
        self.analyzer = made.filter(Filter.stopword("english")).filter(Filter.stemmer("english")).build()
        schema = tantivy.SchemaBuilder()
        schema.add_text_field("text", tokenizer_name="english", index_option="freq")
        schema.add_integer_field("number", fast=True)
        self.schema = schema.build()

    def build(self, data: str, folder: str, heap: int = 256 << 20, threads: int = 2) -> dict[str, Any]:
        index = tantivy.Index(self.schema, path=folder)
        index.register_tokenizer("english", self.analyzer)
        writer = index.writer(heap_size=heap, num_threads=threads)
        with Path(data).open(encoding="utf-8") as file:
            for number, record in enumerate(map(json.loads, file)):
                text = f"{record.get('title', '')}\n{record['text']}"
                writer.add_document(tantivy.Document(text=[text], number=[number]))
        writer.commit()
        writer.wait_merging_threads()
        return {"version": tantivy.__version__}

    def open(self, folder: str) -> dict[str, Any]:
        index = tantivy.Index.open(folder)
        index.register_tokenizer("english", self.analyzer)
        self.searcher = index.searcher()
        return {"version": tantivy.__version__, "segments": self.searcher.num_segments}

    def search(self, query: str, k: int) -> Any:
        terms = dict.fromkeys(self.analyzer.analyze(query))
        clauses = [(Occur.Should, Query.term_query(self.schema, "text", term, "freq")) for term in terms]
        found = self.searcher.search(Query.boolean_query(clauses), limit=k, count=False)
        return self.searcher.fast_field_values("number", [address for _, address in found.hits])


if __name__ == "__main__":
    serve(Tantivy)
