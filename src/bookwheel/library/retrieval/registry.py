"""The registry of first-stage retrievers: which a library has, by the name that recipes use, and how each is bound to a query.

To add one, write a module of this folder with the two functions of `FirstStage`, and name it in `FIRST_STAGES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ..._errors import RecipeError
from ...rank.query import Query
from ...rank.retriever import Retriever
from ..manifest import Manifest
from ..snapshot import Masks, Snapshot
from ..vectors.encoders import Encoders
from ..vectors.on_demand import LIMIT
from . import bm25, dense, embedded

__all__ = ["FIRST_STAGES", "FirstStage", "representations", "retriever"]


class FirstStage(Protocol):
    """A way to find passages."""

    def names(self, manifest: Manifest) -> Mapping[str, str]:
        """The representations that it searches in a library: name to kind."""

    def retriever(
        self, encoders: Encoders, snapshot: Snapshot, name: str, query: Query, masks: Masks, limit: float
    ) -> Retriever:
        """Its retriever ``name``, bound to ``query``; ``limit`` as `retriever` below."""


FIRST_STAGES: tuple[FirstStage, ...] = (bm25, dense, embedded)
"""Where two have the same name, the later one takes it."""


def representations(manifest: Manifest) -> dict[str, str]:
    """The representations that recipes can name in a library: name to kind."""
    found: dict[str, str] = {}
    for stage in FIRST_STAGES:
        found.update(stage.names(manifest))
    return found


def retriever(
    encoders: Encoders, snapshot: Snapshot, name: str, query: Query, masks: Masks, *, limit: float = LIMIT
) -> Retriever:
    """The retriever ``name`` bound to ``query``, over the passages that ``masks`` leave.

    The query's own vectors or weighted terms for ``name``, where it has any, take the place of its
    encoded text. Passages that are not embedded yet are encoded while ``limit`` seconds allow. Raises
    `RecipeError` for a name that is none, `ModelError` for an encoder that is missing or changed.
    """
    for stage in reversed(FIRST_STAGES):
        if name in stage.names(snapshot.manifest):
            return stage.retriever(encoders, snapshot, name, query, masks, limit)
    raise RecipeError(f"there is no retriever {name!r} here; available: {', '.join(representations(snapshot.manifest))}")
