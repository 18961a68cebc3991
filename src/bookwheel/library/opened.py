"""What the halves of a reader have in common: a library, and the generation of it that is being read."""

from __future__ import annotations

from pathlib import Path

from ..encode.protocols import DenseEncoder
from .searcher import Searcher
from .snapshot import Snapshot
from .vectors.encoders import Encoders

__all__ = ["Opened"]


class Opened:
    """A library that is open. `Reader` says which generation is read."""

    path: Path
    ram: int | None
    _encoders: Encoders

    @property
    def _searcher(self) -> Searcher:
        raise NotImplementedError

    @property
    def _snapshot(self) -> Snapshot:
        return self._searcher.snapshot

    @property
    def generation(self) -> int:
        """Number of the commit being read."""
        return self._snapshot.generation

    @property
    def version(self) -> tuple[str, int]:
        """What tells the commit being read from every other: the library's identity and the number of the commit."""
        return self._snapshot.manifest.version

    @property
    def document_count(self) -> int:
        """Number of documents; ``len(library)`` is the same."""
        return self._snapshot.documents

    @property
    def passage_count(self) -> int:
        """Number of passages."""
        return self._snapshot.passages

    @property
    def encoder(self) -> DenseEncoder | None:
        """The encoder of the vectors made while indexing, loaded when first needed; None without one. Raises `ModelError`."""
        return self._encoders.built_in(self._snapshot.manifest)
