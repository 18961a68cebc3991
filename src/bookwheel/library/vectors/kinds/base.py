"""What the library asks of a kind of representation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ....hits import Hits
from ...settings import Representation

__all__ = ["Builder", "Kind", "Payload"]

Payload = Any
"""Representations of n texts as the kind's encoders give them: an array (n, d), `SparseVectors` or `TokenVectors`."""


class Builder(Protocol):
    """Writes one part."""

    def append(self, payload: Payload) -> None:
        """Add rows."""

    def close(self) -> None:
        """Finish the folder."""

    def abandon(self) -> None:
        """Close the files of an unfinished folder."""


class Kind(Protocol):
    """A kind of representation. Rows are a part's own numbers."""

    floor: float
    """The least score it can give."""
    first_stage: bool
    """Whether it can search, or only score what others found."""
    piece: int
    """Rows copied at a time when parts are merged."""

    def dimension(self, encoder: Any) -> int:
        """The size of its vectors; 0 for weighted terms."""

    def encode(self, encoder: Any, texts: Sequence[str]) -> Payload:
        """Represent passages; raises `ModelError` for vectors that are none (NaN, another number or size)."""

    def query(self, encoder: Any, text: str) -> Any:
        """Represent a query."""

    def given(self, query: Any, representation: Representation) -> Any:
        """A query that a program gives instead of a text; raises `UsageError` for one of another size."""

    def count(self, payload: Payload) -> int:
        """Number of texts in it."""

    def take(self, payload: Payload, rows: NDArray[np.int64]) -> Payload:
        """Some of its texts."""

    def join(self, payloads: Sequence[Payload]) -> Payload:
        """Several as one."""

    def pack(self, payload: Payload) -> list[bytes]:
        """Each text's share as bytes, for the side cache."""

    def unpack(self, rows: Sequence[bytes], representation: Representation) -> Payload:
        """What `pack` took apart; raises `ValueError` for bytes that are something else."""

    def build(self, folder: Path, representation: Representation, seed: int, bits: int | None = None) -> Builder:
        """A part to be written; ``bits`` a dimension for sketches, where it has any."""

    def open(self, folder: Path) -> Any:
        """A finished part; raises `LibraryDamaged`."""

    def gather(self, index: Any, rows: NDArray[np.int64]) -> Payload:
        """Rows of a part, to be written into another: nothing is lost by being copied."""

    def search(self, index: Any, query: Any, depth: int, mask: NDArray[np.uint64] | None) -> Hits:
        """The best ``depth`` rows."""

    def score(self, index: Any, query: Any, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Scores of rows in any order."""

    def score_payload(self, query: Any, payload: Payload) -> NDArray[np.float32]:
        """Scores of what is in no part yet."""

    def folders(self, folder: Path) -> list[Path]:
        """The array folders of a part."""

    def hot_bytes(self, index: Any) -> int:
        """Bytes that a search reads whole."""
