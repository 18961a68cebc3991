"""Why a passage was found: the terms that a learned-sparse model gave it, and the words that late interaction matched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import RecipeError
from ..results import Reason
from ..snapshot import Snapshot
from ..vectors.encoders import Represented
from ..vectors.kinds.sparse import KIND
from .partial import cache_key

__all__ = ["reasons", "top_terms", "used_by"]


def used_by(recipe: Any, kinds: Mapping[str, str]) -> list[str]:
    """The learned-sparse and token representations, of ``kinds`` (name to kind), that ``recipe`` uses."""
    nodes = list(recipe.walk())
    names = {
        *recipe.retrievers(),
        *(name for node in nodes if hasattr(node, "representations") for name in node.representations()),
    }
    tokens = [name for name, kind in kinds.items() if kind == "tokens"]
    if len(tokens) == 1 and any(getattr(node, "name", "") == "late" for node in nodes):
        names.add(tokens[0])
    return [name for name, kind in kinds.items() if name in names and name != "bm25" and kind in ("sparse", "tokens")]


def reasons(
    represented: Represented, snapshot: Snapshot, name: str, text: str, ids: Sequence[int], count: int = 6
) -> list[list[Reason]]:
    """For each of ``ids`` what the query ``text`` met in it by representation ``name``, the ``count`` strongest first.

    Of token vectors, or of weighted terms that it holds; none for other kinds. Nothing is encoded but the query.
    """
    representation = represented.named(snapshot.manifest, name)
    wanted = np.asarray(ids, np.int64)
    found: list[list[Reason]] = [[] for _ in ids]
    if representation.kind == "tokens":
        scorer = represented.token_scorer(snapshot, name, text, limit=0.0)
        for row, matches in zip(found, scorer.matches(wanted), strict=True):
            row += [Reason(name, match.term, match.text, match.score) for match in matches]
    elif representation.kind == "sparse":
        terms, weights = KIND.query(represented.encoder(representation), text)
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
