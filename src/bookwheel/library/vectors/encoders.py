"""A library's representations as searches use them: their encoders, and retrievers bound to one query."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import LibraryDamaged, ModelError, RecipeError
from ...encode.load import load_encoder
from ...encode.protocols import DenseEncoder, nbytes
from ..manifest import Manifest
from ..passage_texts import passage_texts
from ..retrieval.partial import FilledRetriever, LateEncoder, Retriever, cache_key
from ..retrieval.retrievers import Bm25Retriever, DenseRetriever
from ..settings import Representation
from ..snapshot import Masks, Snapshot
from .adapter import Adapter
from .cache import SideCache
from .kinds import kind_of
from .loading import encoder_of, info_of, refuse_other

if TYPE_CHECKING:
    from ..retrieval.late_interaction import TokenScorer

__all__ = ["BUILT_IN", "LIMIT", "Represented"]

BUILT_IN = "dense"
"""The name of the instant vectors, until something replaces them."""
LIMIT = 0.05
"""Seconds that a query may spend on encoding passages of its own; see ``docs/refinement.md`` for what that buys."""


class Represented:
    """The encoders of one library, each loaded when first needed, and what it takes to search by them. Thread-safe."""

    def __init__(self, library: Path) -> None:
        self.library = library
        self.cache = SideCache(library)
        self._given: dict[str, Any] = {}
        self._loaded: dict[str, Any] = {}
        self._late: dict[str, LateEncoder] = {}
        self._adapters: dict[str, Adapter] = {}
        self._built_in: DenseEncoder | None = None
        self._lock = threading.Lock()

    # -- encoders ------------------------------------------------------------------------------------------------------

    def give(self, encoder: Any) -> None:
        """Use this object for the representation that was made with it: for encoders that no name finds."""
        self._given[info_of(encoder).sha256] = encoder

    def encoder(self, representation: Representation) -> Any:
        """Its encoder. Raises `ModelError` where it is missing, or not the one that the vectors were made with."""
        with self._lock:
            found = self._given.get(representation.info.sha256) or self._loaded.get(representation.key)
            if found is None:
                if representation.encoder is None:
                    raise ModelError(
                        f"the vectors of {representation.name!r} were made outside this library, by {representation.info.name}, "
                        f"and no query can be encoded without it; in Python, give it with "
                        f"library.represent({representation.name!r}, encoder)"
                    )
                found = load_encoder(representation.encoder, kind=representation.kind)
                refuse_other(representation.name, representation.encoder, representation.info, found)
                self._loaded[representation.key] = found
            return found

    def can_encode(self, representation: Representation) -> bool:
        """Whether its encoder is named, or was given: not where its vectors were made outside."""
        return representation.encoder is not None or representation.info.sha256 in self._given

    def built_in(self, manifest: Manifest) -> DenseEncoder | None:
        """The encoder of the instant vectors; None for a lexical library."""
        with self._lock:
            if self._built_in is None:
                self._built_in = encoder_of(manifest.settings)
            return self._built_in

    def encoder_bytes(self) -> int:
        """Bytes of memory of the encoders that are loaded by now."""
        return sum(map(nbytes, {id(one): one for one in (*self._loaded.values(), self._built_in) if one is not None}.values()))

    # -- what there is -------------------------------------------------------------------------------------------------

    def kinds(self, manifest: Manifest) -> dict[str, str]:
        """The kind of each representation, by the name that recipes use."""
        found = {"bm25": "sparse"}
        if manifest.settings.encoder is not None:
            found[BUILT_IN] = "dense"
        return found | {representation.name: representation.kind for representation in manifest.representations}

    def named(self, manifest: Manifest, name: str) -> Representation:
        """The representation that recipes call ``name``; raises `RecipeError` where there is none."""
        found = manifest.representation(name)
        if found is None:
            raise RecipeError(
                f"the library has no representation {name!r}; it has {', '.join(self.kinds(manifest))}, and "
                f"`bookwheel refine --add {name}=MODEL` adds it"
            )
        return found

    # -- retrievers ----------------------------------------------------------------------------------------------------

    def retriever(
        self,
        snapshot: Snapshot,
        name: str,
        text: str,
        masks: Masks,
        *,
        vector: NDArray[np.float32] | None = None,
        weights: Mapping[str, float] | None = None,
        limit: float = LIMIT,
    ) -> Retriever:
        """Representation ``name`` bound to a query.

        ``vector`` (d,) or ``weights`` of terms take the place of the encoded ``text``. Passages that it does not hold yet are
        encoded while ``limit`` seconds allow, and stood in for otherwise. Raises `RecipeError`, `ModelError`.
        """
        manifest = snapshot.manifest
        analyzer = manifest.settings.analyzer
        assert analyzer is not None
        if name == "bm25":
            return Bm25Retriever(snapshot, analyzer(text), masks)
        representation = manifest.representation(name)
        if representation is None and name == BUILT_IN and (encoder := self.built_in(manifest)) is not None:
            return DenseRetriever(snapshot, encoder.encode([text])[0] if vector is None else vector, masks)
        representation = self.named(manifest, name)
        if representation.kind == "tokens":
            raise RecipeError(f'{name!r} holds token vectors, which score what others found; write: bm25 >> late(by="{name}")')
        given = vector if vector is not None else weights
        return self.filled(snapshot, representation, text, masks, given=given, limit=limit)

    def instant(self, snapshot: Snapshot, text: str, masks: Masks) -> DenseRetriever:
        """The instant vectors bound to a query, whatever replaced them."""
        encoder = self.built_in(snapshot.manifest)
        assert encoder is not None
        return DenseRetriever(snapshot, encoder.encode([text])[0], masks)

    def filled(
        self,
        snapshot: Snapshot,
        representation: Representation,
        text: str,
        masks: Masks,
        *,
        given: Any = None,
        limit: float = LIMIT,
    ) -> FilledRetriever:
        """What `retriever` gives, by the representation itself; ``given`` takes the place of the encoded query."""
        kind = kind_of(representation.kind)
        query = kind.query(self.encoder(representation), text) if given is None else kind.given(given, representation)
        return FilledRetriever(
            snapshot,
            representation,
            query,
            masks,
            lambda: self._base(snapshot, representation, text, masks, query),
            self._late_encoder(representation),
            limit,
        )

    def _base(self, snapshot: Snapshot, representation: Representation, text: str, masks: Masks, query: Any) -> Retriever:
        """What stands in for a representation where it has nothing: the one it replaces, else the instant vectors or BM25."""
        manifest = snapshot.manifest
        old = manifest.by_key(representation.replaces) if representation.replaces else None
        if old is not None:
            return self.filled(snapshot, old, text, masks, given=self._old_query(representation, query), limit=0.0)
        if manifest.settings.encoder is not None:
            return self.instant(snapshot, text, masks)
        return self.retriever(snapshot, "bm25", text, masks)

    def _old_query(self, new: Representation, query: Any) -> NDArray[np.float32] | None:
        """The query for the vectors of a model that is being replaced: the new model's through the adapter, once there is one.

        Before, None: the old model encodes it.
        """
        if new.adapter is None:
            return None
        if new.adapter not in self._adapters:
            try:
                self._adapters[new.adapter] = Adapter.open(self.library / new.adapter)
            except LibraryDamaged:  # superseded since this generation was opened
                return None
        return self._adapters[new.adapter].apply(query)

    def _late_encoder(self, representation: Representation) -> LateEncoder | None:
        if not self.can_encode(representation):
            return None
        key = representation.key
        if key not in self._late:
            self._late[key] = LateEncoder(self.cache, self.encoder(representation), representation)
        return self._late[key]

    def token_scorer(
        self, snapshot: Snapshot, name: str, text: str, vectors: NDArray[np.float32] | None = None, *, limit: float = LIMIT
    ) -> TokenScorer:
        """Late interaction by the token vectors ``name``: ``score(ids)`` and ``matches(ids)``.

        ``vectors`` (tokens, d) take the place of the encoded ``text``.
        """
        from ..retrieval.late_interaction import TokenScorer

        representation = self.named(snapshot.manifest, name)
        if representation.kind != "tokens":
            raise RecipeError(f"{name!r} holds no token vectors but a {representation.kind} representation")
        encoder = self.encoder(representation)
        return TokenScorer(snapshot, representation, encoder, text, vectors, self._late_encoder(representation), limit)

    # -- vectors -------------------------------------------------------------------------------------------------------

    def encode(self, snapshot: Snapshot, name: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Query vectors (n, d) of ``texts`` in a dense representation."""
        representation = snapshot.manifest.representation(name)
        if representation is None and name == BUILT_IN and (encoder := self.built_in(snapshot.manifest)) is not None:
            return encoder.encode(texts)
        representation = self.named(snapshot.manifest, name)
        kind, own = kind_of(representation.kind), self.encoder(representation)
        return np.stack([kind.query(own, text) for text in texts])

    def vectors(self, snapshot: Snapshot, name: str, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Stored vectors (n, d) of passages in a dense representation; zeros for one that it does not hold."""
        representation = snapshot.manifest.representation(name)
        if representation is None and name == BUILT_IN and snapshot.manifest.settings.encoder is not None:
            return self.old_vectors(snapshot, BUILT_IN, ids)
        return self.vectors_of(snapshot, self.named(snapshot.manifest, name), ids)

    def old_vectors(self, snapshot: Snapshot, key: str, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """The same for the representation with this key, or the instant vectors."""
        representation = snapshot.manifest.by_key(key)
        if representation is not None:
            return self.vectors_of(snapshot, representation, ids)
        info = snapshot.manifest.settings.encoder_info
        rows = np.zeros((len(ids), info.dimension if info else 0), np.float32)
        for segment in snapshot.segments:
            here, local = segment.locate(ids)
            if len(here) and segment.dense is not None:
                rows[here] = segment.dense.vectors[local].astype(np.float32)
        return rows

    def vectors_of(self, snapshot: Snapshot, representation: Representation, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """The same for a representation itself."""
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
        kept = self.cache.get(cache_key(representation), [int(ids[at]) for at in range(len(ids)) if at not in found])
        if kept:
            unpacked = dict(zip(kept, kind.unpack(list(kept.values()), representation), strict=True))
            found.update((place, unpacked[number]) for place, number in enumerate(ids.tolist()) if number in unpacked)
        rows = np.zeros((len(ids), width or representation.info.dimension), np.float32)
        for place, row in found.items():
            rows[place] = row
        return rows

    def token_vectors(self, snapshot: Snapshot, name: str, ids: NDArray[np.int64]) -> list[NDArray[np.float32]]:
        """Stored token vectors of passages, float32 (tokens, d) each; none for one that it does not hold."""
        from ..retrieval.late_interaction import token_vectors

        representation = self.named(snapshot.manifest, name)
        return token_vectors(snapshot, representation, ids, self.cache.get(cache_key(representation), ids.tolist()))

    def texts(self, snapshot: Snapshot, ids: NDArray[np.int64]) -> list[str]:
        """Texts of passages as encoders get them."""
        return passage_texts(snapshot.store, ids.tolist())

    def close(self) -> None:
        """Write what searching learned, and close the files."""
        self.cache.close()
