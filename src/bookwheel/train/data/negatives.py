"""Texts that look like answers and are none: what BM25 ranks high and an encoder finds near, but not so near as to be answers.

Xiong et al., Approximate Nearest Neighbor Negative Contrastive Learning for Dense Text Retrieval (ICLR 2021), for negatives by the
model as it is; Moreira et al., NV-Retriever (2024), for the filter, which is called TopK-PercPos there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ...encode.protocols import DenseEncoder, encode_queries
from ...library.passage_texts import opening_texts
from ...library.reader import Reader
from .pairs import Pair

__all__ = ["NONE", "hard_negatives"]

NONE = -1
"""In place of a passage where a pair has no negative."""
LOOKED_AT = 20
"""Passages that BM25 ranks for a query."""
SKIPPED = 1
"""The first of them may answer, if any does."""
FEW = 4
"""Of the others, those that are compared: each has to be encoded."""
SHARE = 0.95
"""A negative may be as near to the query as this share of the answer's nearness; nearer ones may be answers themselves."""
AT_ONCE = 256


def hard_negatives(
    library: Reader, pairs: Sequence[Pair], judge: DenseEncoder, advance: Callable[[int], None] = lambda _: None
) -> NDArray[np.int64]:
    """For each pair a passage of another document, int64 (n,), or `NONE`: of the first by BM25 the nearest one to the query, by
    ``judge``, that is further from it than `SHARE` of the answer's nearness.
    """
    store = library._snapshot.store
    known: dict[int, NDArray[np.float32]] = {}
    found: list[int] = []
    for start in range(0, len(pairs), AT_ONCE):
        some = pairs[start : start + AT_ONCE]
        ranked = [hits.ids.tolist() for hits in library.rank_many([pair.query for pair in some], LOOKED_AT, "bm25")]
        documents = store.documents_of(sorted({number for numbers in ranked for number in numbers}))
        candidates = [
            [one for one in numbers[SKIPPED:] if one in documents and documents[one][0] != pair.document][:FEW]
            for pair, numbers in zip(some, ranked, strict=True)
        ]
        new = sorted({number for numbers in candidates for number in numbers if number not in known})
        if len(known) > KEPT:
            known.clear()
            new = sorted({number for numbers in candidates for number in numbers})
        if new:
            known |= zip(new, judge.encode(opening_texts(store, new)), strict=True)
        asked = encode_queries(judge, [pair.query for pair in some])
        answers = judge.encode([pair.answer for pair in some])
        for query, answer, numbers in zip(asked, answers, candidates, strict=True):
            near = {one: float(query @ known[one]) for one in numbers}
            bound = SHARE * float(query @ answer)
            found.append(max((one for one in numbers if near[one] < bound), key=near.__getitem__, default=NONE))
        advance(len(some))
    return np.array(found, np.int64)


KEPT = 20_000
"""Passages whose vectors are kept for the queries that follow."""
