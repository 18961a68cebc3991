"""One vector a token: scores what others found, by late interaction."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...._errors import ModelError, UsageError
from ....encode.protocols import TokenVectors
from ....hits import Hits
from ....index.storage import ArrayFolder
from ....index.tokens.build import TokenBuilder
from ....index.tokens.codes import BITS, Codebook, CodedTokens, join
from ....index.tokens.index import TokenIndex

if TYPE_CHECKING:
    from ...settings import Representation

__all__ = ["KIND", "TokensKind"]

DEFAULT_BITS = 2
"""Bits a dimension where none are given; ``docs/models.md`` has what each size loses."""
MULTIPLE = 8
_HEAD = struct.Struct("<II")


def _width(dimension: int) -> int:
    return -(-dimension // MULTIPLE) * MULTIPLE


def _padded(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    short = -rows.shape[1] % MULTIPLE
    return np.pad(rows, ((0, 0), (0, short))) if short else rows


def _checked(found: TokenVectors, encoder: Any, texts: int) -> TokenVectors:
    vectors = np.asarray(found.vectors, np.float32)
    if len(found) != texts or vectors.ndim != 2 or vectors.shape[1] != encoder.dimension:
        raise ModelError(
            f"{encoder.name} gave token vectors of shape {vectors.shape} for {len(found)} texts where {texts} texts of "
            f"{encoder.dimension} dimensions were expected; none of them was kept"
        )
    if not np.isfinite(vectors.sum(dtype=np.float64)):
        raise ModelError(f"{encoder.name} gave a token vector that is not finite; none of them was kept")
    return TokenVectors(np.asarray(found.indptr, np.int64), _padded(vectors), np.asarray(found.spans, np.int32))


class _Builder:
    """A `TokenBuilder` that takes either token vectors or compressed ones."""

    def __init__(self, inner: TokenBuilder) -> None:
        self.inner = inner

    def append(self, payload: TokenVectors | CodedTokens) -> None:
        """Add passages."""
        if isinstance(payload, CodedTokens):
            self.inner.append_coded(payload)
        else:
            self.inner.append(payload.indptr, payload.vectors, payload.spans)

    def close(self) -> None:
        """Finish the folder."""
        self.inner.close()

    def abandon(self) -> None:
        """Close the files of an unfinished folder."""
        self.inner.abandon()


class TokensKind:
    """`TokenVectors`, compressed to a few bits a dimension."""

    floor = 0.0
    first_stage = False
    cosine = False
    weighted_terms = False
    late_interaction = True
    piece = 4096
    commit_rows = 256

    def checked_bits(self, bits: int | None) -> int:
        """1, 2 or 4; 2 by default."""
        if bits is not None and bits not in BITS:
            raise UsageError(f"token vectors take 1, 2 or 4 bits a dimension, not {bits!r}")
        return bits or DEFAULT_BITS

    def dimension(self, encoder: Any) -> int:
        """The encoder's."""
        return int(encoder.dimension)

    def encode(self, encoder: Any, texts: Sequence[str]) -> TokenVectors:
        """Token vectors of passages."""
        return _checked(encoder.encode(list(texts)), encoder, len(texts))

    def query(self, encoder: Any, text: str) -> NDArray[np.float32]:
        """Token vectors (tokens, d) of a query."""
        return _checked(encoder.encode_queries([text]), encoder, 1).vectors

    def given(self, query: Any, representation: Representation) -> NDArray[np.float32]:
        """Token vectors (tokens, d)."""
        rows = np.asarray(query, np.float32)
        width = representation.info.dimension
        if rows.ndim != 2 or rows.shape[1] not in (width, _width(width)) or not np.isfinite(rows).all():
            raise UsageError(f"query vectors of shape {rows.shape} for {representation.name!r}, which takes (tokens, {width})")
        return _padded(rows)

    def count(self, payload: TokenVectors | CodedTokens) -> int:
        """Passages."""
        return len(payload)

    def take(self, payload: TokenVectors, rows: NDArray[np.int64]) -> TokenVectors | CodedTokens:
        """Some passages."""
        if isinstance(payload, CodedTokens):
            return payload.take(rows)
        counts = payload.indptr[rows + 1] - payload.indptr[rows]
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        at = np.repeat(payload.indptr[rows] - indptr[:-1], counts) + np.arange(indptr[-1])
        return TokenVectors(indptr, payload.vectors[at], payload.spans[at])

    def join(self, payloads: Sequence[TokenVectors | CodedTokens]) -> TokenVectors | CodedTokens:
        """Several as one: compressed by the codebook of the first that is compressed, where any is."""
        coded = next((payload for payload in payloads if isinstance(payload, CodedTokens)), None)
        if coded is not None:
            codebook: Codebook = coded.codebook
            return join([_compressed(payload, codebook) for payload in payloads])
        plain = [payload for payload in payloads if isinstance(payload, TokenVectors)]
        counts = np.concatenate([np.diff(payload.indptr) for payload in plain])
        return TokenVectors(
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            np.concatenate([payload.vectors for payload in plain]),
            np.concatenate([payload.spans for payload in plain]),
        )

    def pack(self, payload: TokenVectors) -> list[bytes]:
        """Number of tokens and dimension, float16 vectors, spans."""
        packed = []
        for at in range(len(payload)):
            vectors, spans = payload.row(at)
            head = _HEAD.pack(len(vectors), payload.vectors.shape[1])
            packed.append(head + vectors.astype(np.float16).tobytes() + np.clip(spans, 0, 65535).astype(np.uint16).tobytes())
        return packed

    def unpack(self, rows: Sequence[bytes], representation: Representation) -> TokenVectors:
        """What `pack` took apart."""
        width = _width(representation.info.dimension)
        vectors, spans, counts = [], [], []
        for row in rows:
            if len(row) < _HEAD.size:
                raise ValueError("token vectors cut short")
            tokens, dimension = _HEAD.unpack_from(row)
            middle = _HEAD.size + 2 * tokens * dimension
            if dimension != width or len(row) != middle + 4 * tokens:
                raise ValueError("token vectors of another size")
            vectors.append(np.frombuffer(row, np.float16, tokens * dimension, _HEAD.size).reshape(tokens, dimension))
            spans.append(np.frombuffer(row, np.uint16, 2 * tokens, middle).reshape(tokens, 2))
            counts.append(tokens)
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        if not rows:
            return TokenVectors(indptr, np.zeros((0, width), np.float32), np.zeros((0, 2), np.int32))
        return TokenVectors(indptr, np.concatenate(vectors).astype(np.float32), np.concatenate(spans).astype(np.int32))

    def build(self, folder: Path, representation: Representation, seed: int, bits: int | None = None) -> _Builder:
        """A part; it takes its codebook from what is copied into it, or from a part beside it."""
        return _Builder(TokenBuilder(folder, representation.bits, seed=seed, codebook=_neighbour(folder)))

    def open(self, folder: ArrayFolder) -> TokenIndex:
        """A part."""
        return TokenIndex(folder)

    def gather(self, index: TokenIndex, rows: NDArray[np.int64]) -> CodedTokens:
        """Compressed rows."""
        return index.gather(rows)

    def search(self, index: TokenIndex, query: NDArray[np.float32], depth: int, mask: NDArray[np.uint64] | None) -> Hits:
        """Token vectors score what others found."""
        return Hits.empty()

    def score(self, index: TokenIndex, query: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The sum over the query's tokens of the best match of each, divided by their number: at most about 1."""
        best, _ = index.max_sim(query, rows)
        scores: NDArray[np.float32] = best.sum(axis=1, dtype=np.float32) / np.float32(max(len(query), 1))
        return scores

    def score_payload(self, query: NDArray[np.float32], payload: TokenVectors) -> NDArray[np.float32]:
        """The same over vectors that are not compressed yet."""
        scores = np.zeros(len(payload), np.float32)
        for at in range(len(payload)):
            vectors, _ = payload.row(at)
            if len(vectors):
                scores[at] = (vectors @ query.T).max(axis=0).sum() / max(len(query), 1)
        return scores

    def folders(self, folder: Path) -> list[Path]:
        """The part's one folder."""
        return [folder]

    def hot_bytes(self, index: TokenIndex) -> int:
        """Centroids and where passages begin."""
        return index.hot_bytes


def _compressed(payload: TokenVectors | CodedTokens, codebook: Codebook) -> CodedTokens:
    if isinstance(payload, CodedTokens):
        return payload.recoded(codebook)
    clipped = np.clip(payload.spans, 0, 65535).astype(np.uint16)
    return CodedTokens(payload.indptr, *codebook.encode(payload.vectors), clipped, codebook)


def _neighbour(folder: Path) -> Codebook | None:
    """The codebook of any other part of the same representation, so that parts go together without loss."""
    stem = folder.name.rsplit("-g", 1)[0]
    for other in sorted(folder.parent.parent.glob(f"*/{stem}-g*")):
        if other != folder and (other / "index.json").is_file() and (other / "positions" / "index.json").is_file():
            return TokenIndex(other).codebook
    return None


KIND = TokensKind()
