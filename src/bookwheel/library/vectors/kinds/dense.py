"""One vector a passage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...._errors import UsageError
from ....encode.protocols import check_vectors, encode_queries, unit
from ....hits import Hits
from ....index.dense import DenseBuilder, DenseIndex, open_dense
from ....index.storage import ArrayFolder

if TYPE_CHECKING:
    from ...settings import Representation

__all__ = ["KIND", "DenseKind"]

MULTIPLE = 8
"""The dense index takes dimensions that this divides; others are filled up with zeros, which changes no dot product."""


def _padded(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    short = -rows.shape[1] % MULTIPLE
    return np.pad(rows, ((0, 0), (0, short))) if short else rows


class DenseKind:
    """Vectors (n, d) float32 of unit length, stored as float16 with sketches."""

    floor = -1.0
    first_stage = True
    cosine = True
    weighted_terms = False
    late_interaction = False
    piece = 4096
    commit_rows = 8192

    def checked_bits(self, bits: int | None) -> int:
        """None to choose."""
        if bits is not None:
            raise UsageError("bits are a choice of token vectors only, not of dense representations; leave them out")
        return 0

    def dimension(self, encoder: Any) -> int:
        """The encoder's."""
        return int(encoder.dimension)

    def encode(self, encoder: Any, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, d)."""
        rows = np.asarray(encoder.encode(list(texts)), np.float32)
        return _padded(unit(check_vectors(rows, encoder.name, len(texts), encoder.dimension)))

    def query(self, encoder: Any, text: str) -> NDArray[np.float32]:
        """A unit vector (d,)."""
        rows = check_vectors(np.asarray(encode_queries(encoder, [text]), np.float32), encoder.name, 1, encoder.dimension)
        vector: NDArray[np.float32] = _padded(unit(rows))[0]
        return vector

    def given(self, query: Any, representation: Representation) -> NDArray[np.float32]:
        """A vector (d,), brought to unit length."""
        vector = np.asarray(query, np.float32)
        width = -(-representation.info.dimension // MULTIPLE) * MULTIPLE
        if vector.shape not in ((representation.info.dimension,), (width,)) or not np.isfinite(vector).all():
            raise UsageError(
                f"a query vector of shape {vector.shape} for {representation.name!r}, which takes {representation.info.dimension} "
                "finite numbers"
            )
        padded: NDArray[np.float32] = _padded(unit(vector[None]))[0]
        return padded

    def count(self, payload: NDArray[np.float32]) -> int:
        """Rows."""
        return len(payload)

    def take(self, payload: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Rows."""
        return payload[rows]

    def join(self, payloads: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """One below the other."""
        return np.concatenate(payloads)

    def pack(self, payload: NDArray[np.float32]) -> list[bytes]:
        """As float16, which is what a part keeps of it too."""
        return [row.tobytes() for row in payload.astype(np.float16)]

    def unpack(self, rows: Sequence[bytes], representation: Representation) -> NDArray[np.float32]:
        """Rows (n, d), d filled up to a multiple of 8."""
        width = -(-representation.info.dimension // MULTIPLE) * MULTIPLE
        if any(len(row) != 2 * width for row in rows):
            raise ValueError(f"a vector of another size than {width}")
        return np.frombuffer(b"".join(rows), np.float16).reshape(len(rows), width).astype(np.float32)

    def build(self, folder: Path, representation: Representation, seed: int, bits: int | None = None) -> DenseBuilder:
        """A dense segment."""
        return DenseBuilder(folder, -(-representation.info.dimension // MULTIPLE) * MULTIPLE, seed=seed, bits=bits or 1)

    def open(self, folder: ArrayFolder) -> DenseIndex:
        """A dense segment."""
        return open_dense(folder)

    def gather(self, index: DenseIndex, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Rows as float32; they go back to the same float16."""
        return index.vectors[rows].astype(np.float32)

    def search(self, index: DenseIndex, query: NDArray[np.float32], depth: int, mask: NDArray[np.uint64] | None) -> Hits:
        """By dot product."""
        return index.search(query, depth, mask=mask)

    def score(self, index: DenseIndex, query: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Dot products."""
        return index.score(query, rows)

    def score_payload(self, query: NDArray[np.float32], payload: NDArray[np.float32]) -> NDArray[np.float32]:
        """Dot products with the vectors as a part will keep them."""
        return payload.astype(np.float16).astype(np.float32) @ query

    def folders(self, folder: Path) -> list[Path]:
        """The segment's one folder."""
        return [folder]

    def hot_bytes(self, index: DenseIndex) -> int:
        """The sketches."""
        return index.hot_bytes


KIND = DenseKind()
