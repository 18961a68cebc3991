"""Raw words: what a text is made of before any analysis, shared by the
lexical and the static encoder.

A raw word is a run of letters, digits, underscores and combining marks, with single apostrophes
inside (``don't``, ``l'eau``; a typographic apostrophe becomes a plain one). Scripts that are
written without spaces give one raw word a run.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .word_table import WordHash

__all__ = [
    "MANY",
    "Ids",
    "WordTable",
    "odd_characters",
    "prepared",
    "prepared_bytes",
    "spans_of",
    "split_words",
    "without_ascii",
    "without_signs",
    "word_pieces",
]

MANY = 1 << 17
"""Characters in one call from which on the compiled loop is worth loading (0.3 s from its cache)."""

# The fastest way in CPython (2 times faster than a regular expression on 100-word passages):
# everything that is no part of a word becomes a space, then str.split. ASCII goes through
# bytes.translate; of other characters a text has only a few different ones that are not letters,
# and str.replace takes care of each in turn. Where there is much text, a compiled loop cuts and
# numbers the words, three times faster again (docs/measurements.md).
PART_OF_WORD = bytes(code if code > 127 or chr(code).isalnum() or chr(code) in "_'" else 32 for code in range(256))
"""For `bytes.translate`: a space for each byte that is no part of a word, all others as they are."""
_ODD = re.compile(r"[^\x00-\x7f\w]")
_ASCII = bytes(range(128))
_STRAY = re.compile(rb"'(?:(?![^ '])|(?<![^ ']'))")
_WORD = re.compile(r"\S+")
_BETWEEN = re.compile(r"\s")
PIECE = 1 << 16
LONGEST = 1 << 10
_APOSTROPHES = "\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}\N{FULLWIDTH APOSTROPHE}"
_JOINERS = "\N{SOFT HYPHEN}\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"


class _Replacements(dict[str, str]):
    """What a non-ASCII character that is neither letter nor digit
    becomes; worked out once for each.
    """

    def __missing__(self, character: str) -> str:
        if character in _APOSTROPHES:
            other = "'"
        elif character in _JOINERS:
            other = character
        elif unicodedata.category(character)[0] == "M" and not "\ufe00" <= character <= "\ufe0f":
            other = character  # a combining mark belongs to its letter; U+FE00 to U+FE0F only choose a glyph
        else:
            other = " "
        self[character] = other
        return other


_REPLACEMENTS = _Replacements()


def without_ascii(text: str) -> str:
    """The characters of ``text`` that are not ASCII: few, of most texts, and bytes lose the others ten times as fast as a
    regular expression passes them over.
    """
    return text.encode("utf-8", "surrogatepass").translate(None, _ASCII).decode("utf-8", "surrogatepass")


def odd_characters(text: str) -> list[str]:
    """The characters of ``text`` that are neither ASCII nor letters or digits, in order."""
    if len(text) <= PIECE:
        return _ODD.findall(without_ascii(text))
    return [one for at in range(0, len(text), PIECE) for one in _ODD.findall(without_ascii(text[at : at + PIECE]))]


def without_signs(text: str) -> str:
    """``text`` with a space for each non-ASCII character that is no part of a
    word: same length, so offsets stay.
    """
    if not text.isascii():
        for character in set(odd_characters(text)):
            other = _REPLACEMENTS[character]
            if other != character:
                text = text.replace(character, other)
    return text


def prepared(text: str) -> str:
    """:func:`without_signs`, and a space for each ASCII character that is no part of a word."""
    return prepared_bytes((text,)).decode()


def prepared_bytes(texts: Iterable[str]) -> bytes:
    """The `prepared` texts, with a space between each and the next, in UTF-8."""
    data = "\n".join(map(without_signs, texts)).encode().translate(PART_OF_WORD)
    return _STRAY.sub(b" ", data) if b"'" in data else data


def split_words(text: str) -> list[str]:
    """The raw words of ``text``, in order, with their case."""
    return prepared(text).split()


def word_pieces(text: str, size: int = PIECE) -> Iterator[tuple[int, str]]:
    """``text`` in pieces of about ``size`` characters with their offsets; no word is cut, unless it
    is longer than a kilobyte.
    """
    start = 0
    while len(text) - start > size:
        between = _BETWEEN.search(text, start + size, start + size + LONGEST)
        end = between.start() if between is not None else start + size
        yield start, text[start:end]
        start = end
    yield start, text[start:]


def spans_of(text: str) -> list[tuple[str, int, int]]:
    """The raw words of ``text`` with their start and end (exclusive) in code points."""
    return [(match.group(), match.start(), match.end()) for match in _WORD.finditer(prepared(text))]


class Ids(dict[str, int]):
    """Words with their places in a list; one that is looked up for the first time is appended to it."""

    def __init__(self, words: list[str]) -> None:
        self._words = words

    def __missing__(self, word: str) -> int:
        number = len(self._words)
        self._words.append(word)
        self[word] = number
        return number


class WordTable:
    """Raw words, numbered in order of first occurrence: texts in, arrays of integers
    out, in one pass for all encoders.

    The first large batch (:data:`MANY` characters) loads a compiled loop; up to then, as for a
    query, plain Python is quicker.
    """

    def __init__(self) -> None:
        self.words: list[str] = []
        """Word number ``i`` as it was written."""
        self._ids = Ids(self.words)
        self._hash: WordHash | None = None

    def __len__(self) -> int:
        return len(self.words)

    @property
    def nbytes(self) -> int:
        """Bytes held, about: the strings of :attr:`words` at 50 bytes each
        and their letters, their list, and the table.
        """
        if self._hash is None:
            return 172 * len(self.words)
        return 58 * len(self.words) + self._hash.characters + self._hash.nbytes

    @property
    def unspaced_bytes(self) -> int:
        """Bytes of words beyond 20 each: about those of scripts without spaces, whose runs are one word."""
        return 0 if self._hash is None else max(0, self._hash.characters - 20 * len(self.words))

    def ids(
        self, texts: Sequence[str], more: Sequence[Sequence[str]] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """``indptr`` (n + 1, int64) and ``ids`` (int32): text ``i`` has the words
        ``ids[indptr[i]:indptr[i + 1]]``, in order.

        New words are appended to :attr:`words`. ``more``: further raw words of each text.
        """
        if self._hash is None and sum(map(len, texts)) >= MANY:
            self._hash = WordHash(self.words, PART_OF_WORD)
            self._ids.clear()
        if self._hash is not None:
            if more is None:
                return self._hash.ids([without_signs(text).encode() for text in texts])
            joined = (" ".join((without_signs(text), *others)) for text, others in zip(texts, more, strict=True))
            return self._hash.ids([text.encode() for text in joined])
        number = self._ids.__getitem__
        ids = array("i")
        ends = [0]
        for at, text in enumerate(texts):
            ids.extend(map(number, split_words(text)))
            if more is not None:
                ids.extend(map(number, more[at]))
            ends.append(len(ids))
        return np.array(ends, np.int64), np.frombuffer(ids, np.int32) if ids else np.empty(0, np.int32)
