"""How much of a passage earlier passages have said: shingles met before, in a filter of a size that is set beforehand.

Containment by shingles after Broder, "On the resemblance and containment of documents" (1997), with those kept whose hash is 0
modulo a number; the filter is Bloom's (1970). Numbers do not count, so that the pages and years of running heads and licences do not
tell them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ..analysis.scripts import UNSPACED, has_unspaced
from ..analysis.words import PART_OF_WORD, without_signs

__all__ = ["Repeats"]

SHINGLE = 5
"""Words in a row; of a script without spaces `UNSPACED_SHINGLE` characters."""
UNSPACED_SHINGLE = 10
LEAST = 6
"""Kept shingles from which on their share says something; of a shorter passage only whether all of it was there before."""
PROBES = 4
BITS = 10
"""Of the filter for each shingle: 1 in 100 is taken for known without being so."""
USUAL = 110
"""Shingles of a passage of the usual length."""
EVERY = 4
_STEP = np.uint64(0x9E3779B97F4A7C15)
_ONE, _TWO = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_LOWER = PART_OF_WORD.lower()


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * _ONE
    values = (values ^ (values >> np.uint64(27))) * _TWO
    return values ^ (values >> np.uint64(31))


class Repeats:
    """Remembers what passages said; they are given in order, each batch once."""

    def __init__(self, passages: int, memory: int) -> None:
        """``passages``: about how many will come; ``memory``: bytes for the filter, which keeps fewer shingles where it is small."""
        self.every = EVERY
        while passages * (USUAL // self.every + 1) * BITS // 8 > memory and self.every < USUAL:
            self.every *= 2
        wanted = max(1, passages) * (USUAL // self.every + 1) * BITS
        self._bits = 1 << max(16, (wanted - 1).bit_length())
        while self._bits // 8 > memory and self._bits > 1 << 16:
            self._bits //= 2
        self._filter = np.zeros(self._bits // 64, np.uint64)

    @property
    def nbytes(self) -> int:
        """Bytes of the filter."""
        return self._filter.nbytes

    def shares(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Of each text the share of its shingles that earlier ones have: float64 (n,), 0 for a text without words.

        What these texts say is known from now on.
        """
        keys, owners, wholes, long = self._keys(texts)
        every = np.concatenate((keys, wholes))
        of = np.concatenate((owners, np.arange(len(texts))))
        known = self._known(every)
        # What an earlier text of this batch says is known too.
        order = np.lexsort((of, every))
        first = np.ones(len(every), np.bool_)
        first[1:] = every[order][1:] != every[order][:-1]
        starts = np.maximum.accumulate(np.where(first, np.arange(len(every)), 0))
        met = np.empty(len(every), np.bool_)
        met[order] = of[order][starts] < of[order]
        known |= met
        shingled, whole = known[: len(keys)], known[len(keys) :] & (wholes != 0)
        count = np.bincount(owners, minlength=len(texts))
        share = np.bincount(owners, shingled, minlength=len(texts)) / np.maximum(count, 1)
        found = np.where(whole, 1.0, np.where(long & (count >= LEAST), share, 0.0))
        self._add(np.concatenate((keys, wholes[wholes != 0])))
        return found

    def _keys(
        self, texts: Sequence[str]
    ) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.uint64], NDArray[np.bool_]]:
        """The kept shingles, the text of each, a key of each whole text (0: without words), and which texts have shingles at all."""
        hashes: list[int] = []
        ends, lengths = [], []
        for text in texts:
            unspaced = has_unspaced(text)
            plain = without_signs(UNSPACED.sub(r" \g<0> ", text) if unspaced else text)
            words = (plain if plain.isascii() else plain.lower()).encode("utf-8", "replace").translate(_LOWER).split()
            hashes += [crc32(word) for word in words if not word.isdigit()]
            ends.append(len(hashes))
            lengths.append(UNSPACED_SHINGLE if unspaced else SHINGLE)
        words_ = _mixed(np.array(hashes, np.uint64) + _STEP)
        stops = np.array(ends, np.int64)
        starts = np.concatenate(([0], stops[:-1]))
        counts = stops - starts
        place = np.arange(len(words_)) - np.repeat(starts, counts)
        wholes = np.zeros(len(texts), np.uint64)
        np.add.at(wholes, np.repeat(np.arange(len(texts)), counts), _mixed(words_ + place.astype(np.uint64) * _STEP))
        wholes[counts > 0] |= np.uint64(1)
        keys, owners = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
        for length in (SHINGLE, UNSPACED_SHINGLE):
            chosen = (np.array(lengths, np.int64) == length) & (counts >= length)
            if not chosen.any():
                continue
            rolled = np.zeros(max(0, len(words_) - length + 1), np.uint64)
            for at in range(length):
                rolled = rolled * _ONE + words_[at : at + len(rolled)]
            of = np.repeat(np.arange(len(texts)), counts)[: len(rolled)]
            inside = chosen[of] & (place[: len(rolled)] + length <= counts[of])
            rolled, of = _mixed(rolled[inside]), of[inside]
            kept = rolled % np.uint64(self.every) == 0
            keys.append(rolled[kept] & ~np.uint64(1))
            owners.append(of[kept])
        return np.concatenate(keys), np.concatenate(owners), wholes, counts >= SHINGLE

    def _places(self, keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Bits of the filter: uint64 (`PROBES`, n)."""
        mixed = _mixed(keys + _STEP)
        low, high = mixed & np.uint64(0xFFFFFFFF), (mixed >> np.uint64(32)) | np.uint64(1)
        steps = np.arange(PROBES, dtype=np.uint64)[:, np.newaxis]
        spread = _mixed(low + steps * high)
        return spread & np.uint64(self._bits - 1)

    def _known(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        places = self._places(keys)
        there = self._filter[places >> np.uint64(6)] >> (places & np.uint64(63)) & np.uint64(1)
        return np.asarray(there.all(axis=0))

    def _add(self, keys: NDArray[np.uint64]) -> None:
        places = self._places(keys).ravel()
        np.bitwise_or.at(self._filter, places >> np.uint64(6), np.uint64(1) << (places & np.uint64(63)))
