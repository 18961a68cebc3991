"""What the library asks of a kind of representation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ....hits import Hits
from ....index.storage import ArrayFolder

if TYPE_CHECKING:
    from ...settings import Representation

__all__ = ["Builder", "Kind", "Payload"]

Payload = Any
"""Encodings of n texts as the kind's encoders give them: an array (n, d), `SparseVectors` or `TokenVectors`."""


class Builder(Protocol):
    """Writes one part."""

    def append(self, payload: Payload) -> None:
        """Add rows."""

    def close(self) -> None:
        """Finish the folder."""

    def abandon(self) -> None:
        """Close the files of an unfinished folder."""


class Kind(Protocol):
    """A kind of representation. Rows are numbered within a part."""

    floor: float
    """The least score it can give."""
    first_stage: bool
    """Whether it can search; otherwise it only scores candidates of other retrievers."""
    cosine: bool
    """Whether it is one vector a passage: scores are cosines, which can be compared between queries,
    and a linear map leads from one model's vectors to another's."""
    weighted_terms: bool
    """Whether it is weighted terms, which can be listed."""
    late_interaction: bool
    """Whether it is a vector a token, so that each token of a query has its best match."""
    piece: int
    """Rows copied at a time when parts are merged."""
    commit_rows: int
    """Rows committed to the library at a time."""

    def checked_bits(self, bits: int | None) -> int:
        """Bits a dimension on disk, by default where ``bits`` is None; 0 for a kind without that choice.

        Raises `UsageError` for a number that the kind does not offer.
        """

    def dimension(self, encoder: Any) -> int:
        """The size of its vectors; 0 for weighted terms."""

    def encode(self, encoder: Any, texts: Sequence[str]) -> Payload:
        """Encode passages; raises `ModelError` for vectors that are not finite or of the wrong number or size."""

    def query(self, encoder: Any, text: str) -> Any:
        """Encode a query."""

    def given(self, query: Any, representation: Representation) -> Any:
        """A query that is already encoded; raises `UsageError` for one of the wrong size."""

    def count(self, payload: Payload) -> int:
        """Number of texts in it."""

    def take(self, payload: Payload, rows: NDArray[np.int64]) -> Payload:
        """Some of its texts."""

    def join(self, payloads: Sequence[Payload]) -> Payload:
        """Several as one."""

    def pack(self, payload: Payload) -> list[bytes]:
        """Each text's share as bytes, for the cache."""

    def unpack(self, rows: Sequence[bytes], representation: Representation) -> Payload:
        """The inverse of `pack`; raises `ValueError` for other bytes."""

    def build(self, folder: Path, representation: Representation, seed: int, bits: int | None = None) -> Builder:
        """A part to be written; ``bits`` a dimension for the sketches, where it has any."""

    def open(self, folder: ArrayFolder) -> Any:
        """A finished part; raises `LibraryDamaged`."""

    def gather(self, index: Any, rows: NDArray[np.int64]) -> Payload:
        """Rows of a part, to be copied into another without loss."""

    def search(self, index: Any, query: Any, depth: int, mask: NDArray[np.uint64] | None) -> Hits:
        """The best ``depth`` rows."""

    def score(self, index: Any, query: Any, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Scores of rows in any order."""

    def score_payload(self, query: Any, payload: Payload) -> NDArray[np.float32]:
        """Scores of texts that are in no part yet."""

    def folders(self, folder: Path) -> list[Path]:
        """The array folders of a part."""

    def hot_bytes(self, index: Any) -> int:
        """Bytes that a search reads whole."""
