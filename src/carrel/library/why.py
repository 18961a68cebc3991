"""What a learned-sparse representation made of passages: "why this?"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .._errors import RecipeError
from .filled import cache_key
from .kinds.sparse import KIND
from .represented import Represented
from .snapshot import Snapshot

__all__ = ["top_terms"]


def top_terms(
    represented: Represented, snapshot: Snapshot, name: str, ids: Sequence[int] | NDArray[np.int64], count: int = 10
) -> list[list[tuple[str, float]]]:
    """For each of ``ids`` its ``count`` terms of greatest weight in the sparse representation ``name``, greatest first.

    None for a passage that it does not hold yet. Raises `RecipeError` for a name of another kind.
    """
    representation = represented.named(snapshot.manifest, name)
    if representation.kind != "sparse":
        raise RecipeError(f"{name!r} is a {representation.kind} representation; terms are those of a sparse one")
    wanted = np.asarray(ids, np.int64)
    found: dict[int, list[tuple[str, float]]] = {}
    for segment in snapshot.segments:
        here, local = segment.locate(wanted)
        for part in segment.parts_of(representation.key) if len(here) else ():
            at, rows = part.locate(local)
            for place, row in zip(here[at].tolist(), rows.tolist(), strict=True):
                found[int(wanted[place])] = part.index.top_terms(row, count)
    kept = represented.cache.get(cache_key(representation), [int(n) for n in wanted.tolist() if n not in found])
    for number, packed in kept.items():
        try:
            payload = KIND.unpack([packed], representation)
        except ValueError:  # the cache was altered: it is only a cache
            continue
        terms, weights = payload.vectors.row(0)
        best = np.argsort(-weights, kind="stable")[:count]
        found[number] = [(payload.vocabulary[int(terms[at])], float(weights[at])) for at in best.tolist()]
    return [found.get(number, []) for number in wanted.tolist()]
