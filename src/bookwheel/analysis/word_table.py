"""The compiled word table behind
:class:`bookwheel.analysis.words.WordTable`, for more than a few texts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["WordHash", "byte_classes"]

_BUFFER = 1 << 18
_FIRST_WORDS = 1 << 15
_FIRST_BYTES = 1 << 18
_TEXT_END = b"\xff"
"""A byte that UTF-8 never has."""


class WordHash:
    """Bytes of words, numbered in order of first occurrence. Creating one imports numba."""

    def __init__(self, words: list[str], part_of_word: bytes) -> None:
        """``words``: in the table from the start, new ones are appended; ``part_of_word``:
        of 256 bytes, 32 for separators.
        """
        from ..kernels import words as kernels

        self._kernels = kernels
        self._classes = byte_classes(part_of_word)
        self._slots = np.zeros(2 * _FIRST_WORDS, np.uint64)
        self._hashes = np.zeros(_FIRST_WORDS, np.uint64)
        self._offsets = np.zeros(_FIRST_WORDS + 1, np.int64)
        self._arena = np.empty(_FIRST_BYTES, np.uint8)
        self._state = np.zeros(4, np.int64)
        self._words: list[str] = []
        self.ids([word.encode() for word in words])
        self._words = words

    @property
    def characters(self) -> int:
        """Bytes of all words in UTF-8."""
        return int(self._state[self._kernels.USED])

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self._slots.nbytes + self._hashes.nbytes + self._offsets.nbytes + self._arena.nbytes

    def ids(self, texts: list[bytes]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Row pointers (n + 1) and word numbers of prepared UTF-8 texts."""
        kernels, state = self._kernels, self._state
        indptr = np.zeros(len(texts) + 1, np.int64)
        chunks: list[NDArray[np.int32]] = []
        done = 0
        for first, joined in _groups(texts):
            data = np.frombuffer(joined, np.uint8)
            ends = indptr[first + 1 :]
            texts_before, at = 0, 0
            state[kernels.TEXTS] = 0
            while True:
                buffer = np.empty(min(_BUFFER, len(data) // 2 + 1), np.int32)
                words, used = int(state[kernels.WORDS]), int(state[kernels.USED])
                state[kernels.COUNT] = 0
                at = kernels.number_words(
                    data, self._classes, at, self._slots, self._hashes, self._arena, self._offsets, buffer, ends, state
                )
                count, now = int(state[kernels.COUNT]), int(state[kernels.TEXTS])
                chunks.append(buffer[:count])
                ends[texts_before:now] += done
                texts_before = now
                done += count
                if state[kernels.WORDS] > words:
                    self._words += self._arena[used : state[kernels.USED] - 1].tobytes().decode().split("\n")
                if at >= len(data):
                    break
                if count < len(buffer):
                    self._make_room(len(data) - at)
        return indptr, np.concatenate(chunks) if chunks else np.empty(0, np.int32)

    def _make_room(self, coming: int) -> None:
        """Doubles what is full: the table at half its slots, the bytes where the
        longest possible word might not fit.
        """
        words, used = int(self._state[self._kernels.WORDS]), int(self._state[self._kernels.USED])
        if words >= len(self._hashes):
            self._hashes = _doubled(self._hashes, words)
            self._offsets = _doubled(self._offsets, words + 1)
            self._slots = np.zeros(4 * words, np.uint64)
            self._kernels.place_words(self._hashes, words, self._slots)
        else:
            self._arena = _doubled(self._arena, used, used + coming + 1)


def byte_classes(part_of_word: bytes) -> NDArray[np.uint8]:
    """The classes of bytes for `kernels.words`: uint8 of shape (256,); ``part_of_word`` has 32 for separators."""
    from ..kernels import words as kernels

    classes = np.array([kernels.WORD if byte != 32 else 0 for byte in part_of_word], np.uint8)
    classes[ord("'")] = kernels.APOSTROPHE
    classes[_TEXT_END[0]] = kernels.END
    return classes


def _doubled(array: NDArray[Any], used: int, needed: int = 0) -> NDArray[Any]:
    larger = np.zeros(max(2 * len(array), needed), array.dtype)
    larger[:used] = array[:used]
    return larger


def _groups(texts: list[bytes]) -> Iterable[tuple[int, bytes]]:
    """Texts joined to about 1 MiB, with the number of the first of them."""
    first = size = 0
    for index, text in enumerate(texts):
        size += len(text)
        if size >= 1 << 20:
            yield first, _TEXT_END.join((*texts[first : index + 1], b""))
            first, size = index + 1, 0
    if first < len(texts):
        yield first, _TEXT_END.join((*texts[first:], b""))
