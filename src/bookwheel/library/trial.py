"""A library searched with settings that are tried, not its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..kernels.bm25 import Bm25
from ..rank.recipe import Recipe
from .memory_plan import plan_search
from .reader import Reader
from .recipe_needs import model_bytes, models_of, representations_of
from .results import EncoderStatus
from .retrieval.context import LibraryContext
from .vectors.embedding import status
from .vectors.encoders import Encoders

__all__ = ["TrialReader"]


REMEMBERED = 5_000
"""Passages whose terms are remembered: about 10 KB each."""


class _Context(LibraryContext):
    """Remembers the terms of passages, which feedback with other parameters reads again.

    It encodes no passage while a query waits: a trial must not depend on how fast that is, nor leave vectors for the next.
    """

    _known: dict[int, dict[str, int]] | None = None

    @property
    def _limit(self) -> float:
        return 0.0

    def terms(self, ids: NDArray[np.int64]) -> list[dict[str, int]]:
        """See `LibraryContext.terms`."""
        known = self._known
        if known is None or len(known) > REMEMBERED:
            known = self._known = {}
        wanted = ids.tolist()
        if missing := [number for number in wanted if number not in known]:
            known.update(zip(missing, super().terms(np.array(missing, np.int64)), strict=True))
        return [dict(known[number]) for number in wanted]


class TrialReader(Reader):
    """One generation of a library, searched with any ``k1`` and ``b``. Nothing on disk is changed.

    The index scores exactly with other parameters than its impacts were made for, only a little slower (`Bm25Index.search`); so
    rankings are those that the library gives once it is configured so. For one thread at a time.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._context: LibraryContext | None = None

    @property
    def bm25(self) -> Bm25:
        """The parameters in use: at first the library's own."""
        return self._snapshot.bm25

    def try_bm25(self, bm25: Bm25) -> None:
        """Search with these parameters from now on."""
        self._snapshot.bm25 = bm25

    @property
    def context(self) -> LibraryContext:
        """The library as stages see it."""
        if self._context is None:
            searcher = self._searcher
            self._context = _Context(searcher.snapshot, searcher.encoders, searcher.resources)
        return self._context

    @property
    def representations(self) -> Mapping[str, str]:
        """What recipes can name: name to kind."""
        return self._searcher.representations

    def planned_bytes(self, recipe: Recipe) -> int:
        """The memory plan of a process that searches this library by ``recipe`` and does nothing else."""
        manifest = self._snapshot.manifest
        names = representations_of(recipe, self.representations)
        encoders = Encoders(self.path).parts(manifest, names)
        models = sum(model_bytes(models_of(recipe)).values())
        return plan_search(self._snapshot, None, names, sum(encoders.values()), models=models).planned()

    def encoder_status(self) -> list[EncoderStatus]:
        """The encoders that were added, and how many passages are embedded with each."""
        return [status(self._snapshot, one) for one in self._snapshot.manifest.representations]

    def documents_at(self, passages: Sequence[int]) -> dict[int, tuple[int, str]]:
        """Number and id of the document of each of ``passages``, all of which a search found."""
        return self._snapshot.store.documents_of(passages, known=True)
