"""A judged collection: documents, queries, and which documents answer which query."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from .._errors import InputError
from ..documents.document import Document
from .judgments import Qrels, Queries

__all__ = ["Collection"]


@dataclass(frozen=True)
class Collection:
    """A test collection. Load one with `load_collection` or `load_files`, or make one of
    dictionaries.
    """

    name: str
    queries: Queries
    qrels: Qrels
    corpus: Path | None = None
    """The file of documents, where they are one file."""
    read: Callable[[], Iterator[Document]] | None = None
    """Reads the documents, where they are available."""

    def documents(self) -> Iterator[Document]:
        """The documents, one after the other. Raises `InputError` where the collection has only
        queries and judgments.
        """
        if self.read is None:
            raise InputError(f"the collection {self.name} came without documents; index them from where they are")
        return self.read()

    @cached_property
    def judged(self) -> Queries:
        """The queries that have at least one judged document: those that measures are taken over."""
        return {query: text for query, text in self.queries.items() if self.qrels.get(query)}

    @property
    def unjudged(self) -> int:
        """How many queries have no judged document and are left out."""
        return len(self.queries) - len(self.judged)

    @property
    def without_text(self) -> int:
        """How many judged queries have no text among the queries, and are left out."""
        return sum(query not in self.queries for query in self.qrels)

    def halves(self, seed: int = 0) -> tuple[Collection, Collection]:
        """Two collections with half of the judged queries each, drawn with ``seed``: one to fit on,
        one to report.
        """
        queries = sorted(self.judged)
        random.Random(seed).shuffle(queries)
        half = len(queries) // 2
        return self._with(queries[:half]), self._with(queries[half:])

    def _with(self, chosen: list[str]) -> Collection:
        names = set(chosen)
        return replace(
            self,
            queries={query: text for query, text in self.queries.items() if query in names},
            qrels={query: grades for query, grades in self.qrels.items() if query in names},
        )
