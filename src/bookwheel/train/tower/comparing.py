"""What a query tower keeps of its teacher: rankings of the vectors that are stored, and the time that a query takes."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ...encode.protocols import encode_queries
from ...evaluate.collection import Collection
from ...evaluate.measures import measure
from ...library.library import Library
from ...rank.query import Query
from ..safety import MEASURE

__all__ = ["TIMED", "milliseconds", "reached"]

TIMED = 20
"""Queries whose encoding is timed after training."""


def reached(library: Library, name: str, collection: Collection, encoder: Any, recipe: str | None = None) -> dict[str, float]:
    """`MEASURE` of each judged query, encoded by ``encoder``, among all passages by the vectors stored as ``name``, or by ``recipe``
    that has these.
    """
    queries = list(collection.judged)
    texts = [collection.queries[query] for query in queries]
    vectors = encode_queries(encoder, texts)
    asked = [Query(text, vectors={name: vector}) for text, vector in zip(texts, vectors, strict=True)]
    found = library.rank_documents(asked, k=10, recipe=recipe or name)
    qrels = {query: collection.qrels[query] for query in queries}
    return dict(measure(dict(zip(queries, found, strict=True)), qrels, [MEASURE]).of(MEASURE))


def milliseconds(encoder: Any, queries: list[str]) -> float:
    """The middle of the times that encoding one query takes."""
    times = []
    for query in queries:
        began = time.perf_counter()
        encode_queries(encoder, [query])
        times.append(time.perf_counter() - began)
    return 1000 * float(np.median(times or [0]))
