"""How many different terms a large text may have, counted in little memory; and long runs of letters, broken."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from .scripts import UNSPACED
from .words import split_words, word_pieces

__all__ = ["different_terms", "with_breaks"]

FEW = 1 << 16
_RUN = 4096
_LONG_RUN = re.compile(rf"\S{{{_RUN}}}(?=\S)")


def different_terms(text: str, most: int) -> int:
    """About how many different terms ``text`` has before stemming: words, and pairs of characters in scripts without spaces.

    Where there are more than ``most``, they are not counted to the end.
    """
    seen = np.empty(0, np.int64)
    new: list[NDArray[np.int64]] = []
    size = 0
    for _, piece in word_pieces(text):
        new.append(np.fromiter(map(hash, set(split_words(piece))), np.int64))
        if not piece.isascii() and UNSPACED.search(piece):
            codes = np.frombuffer(piece.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.int64)
            new.append(np.unique(codes[:-1] << 32 | codes[1:]))
        size += sum(map(len, new[-2:]))
        if size >= max(len(seen), FEW):
            seen, new, size = np.unique(np.concatenate((seen, *new))), [], 0
            if len(seen) > most:
                return len(seen)
    return len(np.unique(np.concatenate((seen, *new))))


def with_breaks(text: str) -> str:
    """``text`` with a space after each 4,096 characters of a longer run without spaces; itself where there is none.

    A run of a script without spaces is analysed whole, into as many pairs as it has characters.
    """
    if text.isascii() or len(text) <= _RUN or not UNSPACED.search(text):
        return text
    return _LONG_RUN.sub(r"\g<0> ", text)
