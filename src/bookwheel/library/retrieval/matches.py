"""Why a passage was found: the terms that a learned-sparse model gave it, and the words matched by late interaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import RecipeError
from ...rank.query import Query
from ..recipe_needs import representations_of
from ..results import Reason
from ..snapshot import Snapshot
from ..vectors.cache import cache_key
from ..vectors.encoders import Encoders, named
from ..vectors.kinds import kind_of
from .bm25 import NAME as BM25
from .late_interaction import token_scorer

__all__ = ["reasons", "top_terms", "used_by"]


def used_by(recipe: Any, kinds: Mapping[str, str]) -> list[str]:
    """Those of ``kinds`` (name to kind) that ``recipe`` uses and that can tell what matched: learned-sparse and tokens."""
    found = {name: kind_of(kind) for name, kind in kinds.items()}
    names = representations_of(recipe, kinds)
    explained = [name for name, kind in found.items() if kind.late_interaction or kind.weighted_terms]
    return [name for name in explained if name in names and name != BM25]


def reasons(
    encoders: Encoders, snapshot: Snapshot, name: str, text: str, ids: Sequence[int], count: int = 6
) -> list[list[Reason]]:
    """For each of ``ids`` what matched the query ``text`` by representation ``name``, the ``count`` strongest first.

    Only the query is encoded: passages that are not embedded have none, as have dense representations.
    """
    representation = named(snapshot.manifest, name)
    kind = kind_of(representation.kind)
    wanted = np.asarray(ids, np.int64)
    found: list[list[Reason]] = [[] for _ in ids]
    if kind.late_interaction:
        scorer = token_scorer(encoders, snapshot, name, Query(text), limit=0.0)
        for row, matches in zip(found, scorer.matches(wanted), strict=True):
            row += [Reason(name, match.term, match.text, match.score) for match in matches]
    elif kind.weighted_terms:
        terms, weights = kind.query(encoders.encoder(representation), text)
        for segment in snapshot.segments:
            here, local = segment.locate(wanted)
            for part in segment.parts_of(representation.key) if len(here) else ():
                at, rows = part.locate(local)
                for term, weight in zip(terms, weights.tolist(), strict=True) if len(rows) else ():
                    for place, score in zip(here[at].tolist(), part.index.score([term], [weight], rows).tolist(), strict=True):
                        if score > 0:
                            found[place].append(Reason(name, term, term, score))
    return [sorted(row, key=lambda reason: -reason.score)[:count] for row in found]


def top_terms(
    encoders: Encoders, snapshot: Snapshot, name: str, ids: Sequence[int] | NDArray[np.int64], count: int = 10
) -> list[list[tuple[str, float]]]:
    """For each of ``ids`` its ``count`` terms of greatest weight in the sparse representation ``name``, greatest first.

    None for a passage that is not embedded yet. Raises `RecipeError` for a name of another kind.
    """
    representation = named(snapshot.manifest, name)
    kind = kind_of(representation.kind)
    if not kind.weighted_terms:
        raise RecipeError(f"{name!r} is a {representation.kind} representation; terms are those of a sparse one")
    wanted = np.asarray(ids, np.int64)
    found: dict[int, list[tuple[str, float]]] = {}
    for segment in snapshot.segments:
        here, local = segment.locate(wanted)
        for part in segment.parts_of(representation.key) if len(here) else ():
            at, rows = part.locate(local)
            for place, row in zip(here[at].tolist(), rows.tolist(), strict=True):
                found[int(wanted[place])] = part.index.top_terms(row, count)
    cached = encoders.cache.get(cache_key(representation), [int(n) for n in wanted.tolist() if n not in found])
    for number, packed in cached.items():
        try:
            payload = kind.unpack([packed], representation)
        except ValueError:  # the cache was altered: it is only a cache
            continue
        terms, weights = payload.vectors.row(0)
        best = np.argsort(-weights, kind="stable")[:count]
        found[number] = [(payload.vocabulary[int(terms[at])], float(weights[at])) for at in best.tolist()]
    return [found.get(number, []) for number in wanted.tolist()]
