"""Near-duplicates by MinHash, in the memory of a Bloom filter.

Sources: Broder, "On the resemblance and containment of documents" (1997); banding after Leskovec,
Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3; Bloom filters instead of hash
tables for the bands after Khan et al., "LSHBloom: Memory-efficient, Extreme-scale Document
Deduplication" (2024): of a band only bits are stored, a fixed few bytes per text, with a rate of
false positives that is chosen beforehand.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..analysis.words import split_words

__all__ = ["HASHES", "NearDuplicates", "duplicates_of", "resemblance", "shingles", "signature"]

HASHES = 128
SHINGLE = 3
"""Consecutive words in a shingle."""
_PRIME = np.uint64((1 << 61) - 1)
_EMPTY = np.uint64(0xFFFFFFFF)


def _coefficients(seed: int) -> NDArray[np.uint64]:
    return np.random.default_rng(seed).integers(1, 1 << 32, (2, HASHES), dtype=np.uint64) | np.uint64(1)


_A, _B = _coefficients(20)


def shingles(text: str) -> NDArray[np.uint64]:
    """Distinct hashes of every three consecutive words, or of all words
    of a shorter text: uint64 (n,).
    """
    words = split_words(text.lower())
    if not words:
        return np.empty(0, np.uint64)
    runs = {" ".join(words[at : at + SHINGLE]) for at in range(max(1, len(words) - SHINGLE + 1))}
    return np.array(sorted({zlib.crc32(run.encode("utf-8", "surrogatepass")) for run in runs}), np.uint64)


def signature(text: str) -> NDArray[np.uint32]:
    """The MinHash signature: for each of 128 hash functions the least
    hash of a shingle: uint32 (128,).

    Two signatures agree in about as large a share of places as the texts' sets of
    shingles have in common (Jaccard).
    """
    hashes = shingles(text)
    if not len(hashes):
        return np.full(HASHES, _EMPTY, np.uint32)
    # Multiply-shift hashing: the high half of an odd multiple, plus an
    # offset (Dietzfelbinger et al. 1997).
    spread = hashes[:, np.newaxis] * (_A * np.uint64(0x9E3779B97F4A7C15)) + (_B << np.uint64(32))
    least: NDArray[np.uint32] = (spread >> np.uint64(32)).min(axis=0).astype(np.uint32)
    return least


def resemblance(signatures: NDArray[np.uint32], one: NDArray[np.uint32]) -> NDArray[np.float64]:
    """How much the text of signature ``one`` (128,) resembles those of ``signatures``
    (n, 128), 0 to 1: float64 (n,).
    """
    equal: NDArray[np.float64] = (signatures == one).mean(axis=1)
    return equal


def _banding(threshold: float) -> tuple[int, int]:
    """Bands and rows a band, of at most 128 hashes, whose steepest
    rise is nearest to ``threshold``.
    """
    candidates = [(HASHES // rows, rows) for rows in range(1, HASHES + 1)]
    return min(candidates, key=lambda shape: abs((1 / shape[0]) ** (1 / shape[1]) - threshold))


class NearDuplicates:
    """Whether each text resembles an earlier one, in a fixed amount
    of memory; texts are not stored.

    ``expected`` texts at the given ``errors`` (share of texts wrongly taken for seen, in sum over
    all bands) take ``nbytes``: some 30 to 40 bytes a text. Two texts whose shingles overlap by
    ``threshold`` are found about half of the time, by a tenth more nearly always.
    """

    def __init__(self, expected: int, threshold: float = 0.8, errors: float = 1e-3) -> None:
        if expected < 1 or not 0.0 < threshold <= 1.0 or not 0.0 < errors < 1.0:
            raise ValueError(
                f"expected must be at least 1, threshold and errors between 0 and 1, not {expected}, {threshold} and {errors}"
            )
        self.bands, self.rows = _banding(threshold)
        share = 1 - (1 - errors) ** (1 / self.bands)
        self.probes = max(1, round(-math.log2(share)))
        bits = math.ceil(-expected * math.log(share) / math.log(2) ** 2)
        self.words = max(1, -(-bits // 64))
        self._bits = np.zeros((self.bands, self.words), np.uint64)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._bits.nbytes

    def seen(self, text: str) -> bool:
        """Whether ``text`` resembles an earlier one; it is then one itself. A
        text without words never does.
        """
        found = signature(text)
        if (found == np.uint32(_EMPTY)).all():
            return False
        return self.seen_signature(found)

    def seen_signature(self, found: NDArray[np.uint32]) -> bool:
        """The same by a text's `signature`."""
        keys = np.array(
            [zlib.crc32(found[band * self.rows : (band + 1) * self.rows].tobytes(), band) for band in range(self.bands)],
            np.uint64,
        )
        other = (keys * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(17) | np.uint64(1)
        # Double hashing (Kirsch and Mitzenmacher 2006): every probe from two hashes.
        places = (keys[:, np.newaxis] + np.arange(self.probes, dtype=np.uint64) * other[:, np.newaxis]) % np.uint64(
            self.words * 64
        )
        words, bits = (places >> np.uint64(6)).astype(np.int64), np.uint64(1) << (places & np.uint64(63))
        lines = np.arange(self.bands)[:, np.newaxis]
        known = bool(((self._bits[lines, words] & bits) != 0).all(axis=1).any())
        np.bitwise_or.at(self._bits, (np.broadcast_to(lines, words.shape), words), bits)
        return known


def duplicates_of(texts: Sequence[str], threshold: float) -> NDArray[np.int64]:
    """For each text the number of the first one that it resembles by ``threshold``
    or more, or its own: int64 (n,).
    """
    signatures = np.empty((len(texts), HASHES), np.uint32)
    first = np.arange(len(texts))
    for at, text in enumerate(texts):
        signatures[at] = signature(text)
        if at and not (signatures[at] == np.uint32(_EMPTY)).all():
            alike = np.flatnonzero(resemblance(signatures[:at], signatures[at]) >= threshold)
            if len(alike):
                first[at] = first[alike[0]]
    return first
