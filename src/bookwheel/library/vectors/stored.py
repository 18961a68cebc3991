"""Stored vectors of a snapshot's passages, and vectors of queries, by the name of a representation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..._errors import RecipeError
from ..settings import Representation
from ..snapshot import Snapshot
from .cache import cache_key
from .encoders import BUILT_IN, Encoders, named
from .kinds import kind_of

__all__ = ["passage_vectors", "query_vectors", "token_vectors", "vectors_by_key"]


def query_vectors(encoders: Encoders, snapshot: Snapshot, name: str, texts: Sequence[str]) -> NDArray[np.float32]:
    """Vectors (n, d) of queries ``texts`` in the dense representation ``name``.

    Raises `RecipeError` for a name that is none, `ModelError` for an encoder that is missing.
    """
    representation = snapshot.manifest.representation(name)
    if representation is not None:
        kind, encoder = kind_of(representation.kind), encoders.encoder(representation)
        return np.stack([kind.query(encoder, text) for text in texts])
    built_in = encoders.built_in(snapshot.manifest) if name == BUILT_IN else None
    if built_in is None:
        raise _no_vectors(snapshot, name)
    return built_in.encode(list(texts))


def passage_vectors(encoders: Encoders, snapshot: Snapshot, name: str, ids: NDArray[np.int64]) -> NDArray[np.float32]:
    """Vectors (n, d) of passages in the dense representation ``name``; zeros for a passage that is not embedded.

    Raises `RecipeError` for a name that is none.
    """
    representation = snapshot.manifest.representation(name)
    if representation is not None:
        return _embedded(encoders, snapshot, representation, ids)
    if name != BUILT_IN or snapshot.manifest.settings.encoder is None:
        raise _no_vectors(snapshot, name)
    return _built_in(snapshot, ids)


def vectors_by_key(encoders: Encoders, snapshot: Snapshot, key: str, ids: NDArray[np.int64]) -> NDArray[np.float32]:
    """The same for the representation with this key, or those made while indexing where there is none."""
    representation = snapshot.manifest.by_key(key)
    return _built_in(snapshot, ids) if representation is None else _embedded(encoders, snapshot, representation, ids)


def _no_vectors(snapshot: Snapshot, name: str) -> RecipeError:
    from ..retrieval.registry import representations

    return RecipeError(f"there are no vectors {name!r} here; available: {', '.join(representations(snapshot.manifest))}")


def _built_in(snapshot: Snapshot, ids: NDArray[np.int64]) -> NDArray[np.float32]:
    width = next((segment.dense.dimension for segment in snapshot.segments if segment.dense is not None), 1)
    rows = np.zeros((len(ids), width), np.float32)
    for segment in snapshot.segments:
        here, local = segment.locate(ids)
        if len(here) and segment.dense is not None:
            rows[here] = segment.dense.vectors[local].astype(np.float32)
    return rows


def _embedded(
    encoders: Encoders, snapshot: Snapshot, representation: Representation, ids: NDArray[np.int64]
) -> NDArray[np.float32]:
    kind = kind_of(representation.kind)
    found: dict[int, NDArray[np.float32]] = {}
    width = 0
    for segment in snapshot.segments:
        here, local = segment.locate(ids)
        for part in segment.parts_of(representation.key) if len(here) else ():
            at, rows_of = part.locate(local)
            gathered = kind.gather(part.index, rows_of)
            width = gathered.shape[1]
            found.update(zip(here[at].tolist(), gathered, strict=True))
    missing = [int(ids[at]) for at in range(len(ids)) if at not in found]
    cached = encoders.cache.get(cache_key(representation), missing)
    if cached:
        unpacked = dict(zip(cached, kind.unpack(list(cached.values()), representation), strict=True))
        found.update((place, unpacked[number]) for place, number in enumerate(ids.tolist()) if number in unpacked)
    rows = np.zeros((len(ids), width or representation.info.dimension), np.float32)
    for place, row in found.items():
        rows[place] = row
    return rows


def token_vectors(encoders: Encoders, snapshot: Snapshot, name: str, ids: NDArray[np.int64]) -> list[NDArray[np.float32]]:
    """Token vectors (tokens, d) of each passage in representation ``name``; none for one that is not embedded.

    Raises `RecipeError` for a name that is none.
    """
    representation = named(snapshot.manifest, name)
    kind = kind_of(representation.kind)
    if not kind.late_interaction:
        raise RecipeError(f"{name!r} is a {representation.kind} representation, which has no token vectors")
    width = -(-representation.info.dimension // 8) * 8
    found: list[NDArray[np.float32]] = [np.zeros((0, width), np.float32) for _ in ids]
    for segment in snapshot.segments:
        here, local = segment.locate(ids)
        for part in segment.parts_of(representation.key) if len(here) else ():
            at, rows = part.locate(local)
            for place, vectors in zip(here[at].tolist(), part.index.vectors(rows) if len(rows) else [], strict=True):
                found[place] = vectors
    cached = encoders.cache.get(cache_key(representation), ids.tolist())
    for place, number in enumerate(ids.tolist()):
        if number in cached and not len(found[place]):
            found[place] = kind.unpack([cached[number]], representation).vectors
    return found
