"""Counting the function words of every language in one pass, for `bookwheel.analysis.languages`."""

# numba takes the types from the signatures.
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import numpy as np
from numba import njit, types

from .signatures import i32, i64, out_i64, out_u8, u8, u64
from .words import APOSTROPHE, WORD

__all__ = ["count_function_words"]


@njit(
    types.UniTuple(types.int64, 6)(u8, u8, u64, i32, u8, i64, i64, i32, i64, out_u8, out_i64),
    cache=True,
    nogil=True,
    boundscheck=False,
)
def count_function_words(data, classes, digests, numbers, arena, offsets, indptr, languages, weights, met, found):
    """Count the words of ``data`` (UTF-8, classes as for `number_words`), and the function words among them by language.

    The table: ``digests`` and ``numbers`` by slot (a power of two; 0 is empty), a word's bytes in ``arena`` from its offset on, its
    languages from its ``indptr`` on, and what it weighs: 0 where it is not counted, but only met.

    ``met``: zeros, one a word of the table; 1 where it was met.

    ``found``, zeros before: the number of words; then for each language how many of its words there are, what they weigh, and how many
    different ones were met: int64 of shape (1 + 3 languages,).

    Returns the number of words, the language whose words weigh most (of equals the last), their weight, that of the next, and of
    the first how many there are and how many different ones.
    """
    kinds = (found.size - 1) // 3
    mask = np.uint64(digests.size - 1)
    size = data.size
    at = 0
    while at < size:
        if classes[data[at]] != WORD:
            at += 1
            continue
        begin = at
        digest = np.uint64(14695981039346656037)
        while at < size:
            byte = data[at]
            kind = classes[byte]
            if kind != WORD and (kind != APOSTROPHE or at + 1 >= size or classes[data[at + 1]] != WORD):
                break
            digest = (digest ^ np.uint64(byte)) * np.uint64(1099511628211)
            at += 1
        found[0] += 1
        length = at - begin
        slot = (digest ^ (digest >> np.uint64(32))) & mask
        while digests[slot] != 0:
            if digests[slot] == digest:
                number = numbers[slot]
                offset = offsets[number]
                if offsets[number + 1] - offset == length:
                    same = True
                    for k in range(length):
                        if arena[offset + k] != data[begin + k]:
                            same = False
                            break
                    if same:
                        weight = weights[number]
                        first = not met[number]
                        met[number] = 1
                        for j in range(indptr[number], indptr[number + 1]):
                            language = languages[j]
                            if weight:
                                found[1 + language] += 1
                                found[1 + kinds + language] += weight
                            if first:
                                found[1 + 2 * kinds + language] += 1
                        break
            slot = (slot + np.uint64(1)) & mask
    best, most, second = 0, np.int64(-1), np.int64(0)
    for language in range(kinds):
        weight = found[1 + kinds + language]
        if weight >= most:
            second = max(second, most)
            best, most = language, weight
        else:
            second = max(second, weight)
    return found[0], best, most, second, found[1 + best], found[1 + 2 * kinds + best]
