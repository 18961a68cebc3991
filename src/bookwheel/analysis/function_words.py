"""The compiled counter of function words behind `bookwheel.analysis.languages`, for more than a few texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from .word_table import byte_classes
from .words import PART_OF_WORD

__all__ = ["Summed", "counter"]

Summed = tuple[int, int, int, int, int, int]
"""What `count_function_words` returns."""


def counter(
    words: Mapping[str, Sequence[int]], weight: Callable[[str, Sequence[int]], int], kinds: int
) -> Callable[[bytes], tuple[Summed, Callable[[], list[int]]]]:
    """Counts ``words``, given with the numbers of their languages, of which there are ``kinds``, in casefolded UTF-8.

    What it gives is what `count_function_words` returns, and a function for what it has found. Imports numba.
    """
    from ..kernels.function_words import count_function_words

    encoded = [word.encode() for word in words]
    size = 1 << (4 * len(encoded)).bit_length()
    digests, numbers = np.zeros(size, np.uint64), np.zeros(size, np.int32)
    for number, word in enumerate(encoded):
        digest = _fnv1a(word)
        slot = (digest ^ (digest >> 32)) % size
        while digests[slot]:
            slot = (slot + 1) % size
        digests[slot], numbers[slot] = digest, number
    arena = np.frombuffer(b"".join(encoded), np.uint8)
    offsets = np.cumsum([0, *map(len, encoded)])
    languages = np.array([number for having in words.values() for number in having], np.int32)
    indptr = np.cumsum([0, *map(len, words.values())])
    weights = np.array([weight(word, having) for word, having in words.items()], np.int64)
    table = (byte_classes(PART_OF_WORD), digests, numbers, arena, offsets, indptr, languages, weights)

    def count(text: bytes) -> tuple[Summed, Callable[[], list[int]]]:
        met, found = np.zeros(len(encoded), np.uint8), np.zeros(1 + 3 * kinds, np.int64)
        return count_function_words(np.frombuffer(text, np.uint8), *table, met, found), found.tolist

    return count


def _fnv1a(word: bytes) -> int:
    digest = 14695981039346656037
    for byte in word:
        digest = (digest ^ byte) * 1099511628211 % (1 << 64)
    return digest
