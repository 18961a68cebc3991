"""Near-duplicates: how much of two texts is the same, estimated from a few bytes of each.

Sources: Broder, "On the resemblance and containment of documents" (1997), for MinHash; Li and König, "b-Bit Minwise Hashing"
(2010), for keeping sixteen bits of each minimum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..analysis.words import PART_OF_WORD, word_pieces

__all__ = ["HASHES", "SHINGLE", "duplicates_of", "resemblance", "signature"]

HASHES = 128
SHINGLE = 3
"""Consecutive words in a shingle."""
PIECE = 1 << 18
"""Characters of a text that are looked at at a time."""
_DICE = np.random.default_rng(20)
_FUNCTIONS = _DICE.integers(0, 1 << 32, (2, HASHES), dtype=np.uint64).astype(np.uint32)
_FUNCTIONS[0] |= np.uint32(1)  # an odd multiple loses nothing
_CLASSES = np.frombuffer(PART_OF_WORD.lower(), np.uint8)
_NOTHING = np.empty(0, np.uint8)


def signature(text: str) -> NDArray[np.uint16] | None:
    """The MinHash signature of ``text``: of each of 128 hash functions what is kept of the least hash of a shingle, uint16
    (128,); None for a text without words.

    A shingle is three words in a row, in lower case, or all words of a shorter text; a character of a script without spaces is
    a word. Two signatures agree in about as large a share of places as the texts' sets of shingles have in common (Jaccard).
    """
    minhash = _kernel()
    found, least, state = np.empty(HASHES, np.uint16), np.empty(HASHES, np.uint32), np.zeros(3, np.uint64)
    if len(text) <= PIECE:
        words = minhash(_bytes(text), _CLASSES, True, _FUNCTIONS, state, least, found)
    else:
        for _, piece in word_pieces(text, PIECE):
            minhash(_bytes(piece), _CLASSES, False, _FUNCTIONS, state, least, found)
        words = minhash(_NOTHING, _CLASSES, True, _FUNCTIONS, state, least, found)
    return found if words else None


@cache
def _kernel() -> Callable[..., int]:
    """The compiled loop, loaded once it is needed."""
    from ..kernels.minhash import minhash

    loaded: Callable[..., int] = minhash
    return loaded


def _bytes(text: str) -> NDArray[np.uint8]:
    """``text`` as the kernel takes it, which writes ASCII in lower case by itself."""
    return np.frombuffer((text if text.isascii() else text.lower()).encode("utf-8", "replace"), np.uint8)


def resemblance(signatures: NDArray[np.uint16], one: NDArray[np.uint16]) -> NDArray[np.float64]:
    """How much the text of signature ``one`` (128,) resembles those of ``signatures`` (n, 128), 0 to 1: float64 (n,)."""
    equal: NDArray[np.float64] = (signatures == one).mean(axis=1)
    return equal


def duplicates_of(texts: Sequence[str], threshold: float) -> NDArray[np.int64]:
    """For each text the number of the first one that it resembles by ``threshold`` or more, or its own: int64 (n,)."""
    signatures = np.empty((len(texts), HASHES), np.uint16)
    there = np.zeros(len(texts), np.bool_)
    first = np.arange(len(texts))
    for at, text in enumerate(texts):
        if (found := signature(text)) is None:
            continue
        signatures[at], there[at] = found, True
        alike = np.flatnonzero((resemblance(signatures[:at], found) >= threshold) & there[:at])
        if len(alike):
            first[at] = first[alike[0]]
    return first
