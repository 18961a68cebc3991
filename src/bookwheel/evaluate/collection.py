"""A judged collection: documents, queries, and which documents answer which query."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from .._errors import InputError
from ..documents.document import Document
from .judgments import Qrels, Queries

if TYPE_CHECKING:
    from .answers.base import Gold

__all__ = ["Collection", "Instructions"]


@dataclass(frozen=True)
class Instructions:
    """What people want beyond the words of their queries, as they would say it to a person.

    FollowIR (Weller et al., 2024) has two for each query, of which the second narrows what is relevant.
    """

    texts: Mapping[str, str]
    """The instruction of each query that has one."""
    changed: Mapping[str, str] = field(default_factory=dict)
    """The other instruction of a query, where there is one."""
    changed_qrels: Qrels = field(default_factory=dict)
    """The judgments under ``changed``."""
    moved: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By query, the documents whose relevance ``changed`` takes away."""
    variants: Mapping[str, str] = field(default_factory=dict)
    """Of queries that are one query under several instructions, what they have in common (InstructIR)."""


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
    kind: str = ""
    """What it was taken for, with its article: ``a BEIR folder``."""
    gold: Mapping[str, Gold] = field(default_factory=dict)
    """The right answers by query, where the collection has them."""
    fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What else is said of queries (their kind, their source): by query, values by name."""
    instructions: Instructions | None = None
    """What else is wanted of each query, where the collection has it."""
    notes: tuple[str, ...] = ()
    """What was left out when it was read, a sentence each."""

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
