"""Weighted sums of quantised rows: from the words of a text to its static embedding."""

from __future__ import annotations

import numpy as np
from numba import njit, types

from .signatures import f32, i32, i64, out_f32_2

__all__ = ["pool"]

_i8_2 = types.Array(types.int8, 2, "C", readonly=True)


@njit(types.void(i64, i32, i64, i32, _i8_2, f32, out_f32_2), cache=True, nogil=True, boundscheck=False)
def pool(indptr, words, word_indptr, pieces, vectors, scales, out):  # type: ignore[no-untyped-def]
    """Unit vectors of texts, into ``out`` (texts, dimension).

    Text ``i`` has the words ``words[indptr[i]:indptr[i + 1]]``, word ``w`` the pieces
    ``pieces[word_indptr[w]:word_indptr[w + 1]]``, piece ``p`` the vector ``scales[p] * vectors[p]``. A text without pieces
    gives zeros. Numbers outside the arrays are skipped.
    """
    rows, dimension = vectors.shape
    known = len(word_indptr) - 1
    for i in range(len(out)):
        total = out[i]
        total[:] = 0
        for at in range(max(indptr[i], 0), min(indptr[i + 1], len(words))):
            word = words[at]
            if word < 0 or word >= known:
                continue
            for place in range(max(word_indptr[word], 0), min(word_indptr[word + 1], len(pieces))):
                piece = pieces[place]
                if piece < 0 or piece >= rows:
                    continue
                row, scale = vectors[piece], scales[piece]
                for j in range(dimension):
                    total[j] += scale * np.float32(row[j])
        square = np.float32(0)
        for j in range(dimension):
            square += total[j] * total[j]
        if square > 0:
            factor = np.float32(1) / np.sqrt(square)
            for j in range(dimension):
                total[j] *= factor
