"""Texts whose lines are in UTF-8, but for some in another encoding, as files have to which several programs wrote."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Iterator
from itertools import groupby, islice

from .charsets import SAMPLE, detect, is_latin

__all__ = ["almost_utf8", "in_encodings", "mixed_text", "name_of", "seems_mixed"]

_NOT_LATIN = re.compile("[^\xa1-\u024f\u2010-\u203a\u20ac\u2122\x00-\x7f]")
"""What the Latin script doesn't write."""
_IN_WORD = re.compile("[A-Za-z][\xc0-\u024f\u2019]|[\xc0-\u024f\u2019][A-Za-z]")
_GOOD = 4
"""So many times as often must whole characters stand in a text than bytes that belong to none, if it is to be UTF-8."""
_SURE, _SURE_OF_LATIN = 8, 3
"""Characters that are not ASCII of a line which in another encoding is hardly ever valid UTF-8 by chance."""
_FEW = 10
"""So many times as many lines of another encoding may stand beside such ones."""
_AT_A_TIME = 1000
"""Lines that are decoded together."""
_OFTEN = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257")
_MOST_LETTERS = 2000
_ENOUGH = 1000
"""Lines of another encoding after which a text that is not mixed by then is taken for one in that encoding."""


def almost_utf8(data: bytes) -> str | None:
    """The text of UTF-8 with a few damaged characters, recognised by its many undamaged ones; else None."""
    text = data.decode("utf-8", "replace")
    return text if _beyond(text) >= _GOOD * text.count("\N{REPLACEMENT CHARACTER}") else None


def _beyond(text: str) -> int:
    """How many characters of ``text`` are not ASCII, and not there for bytes that belong to none."""
    return len(text) - len(text.encode("ascii", "ignore")) - text.count("\N{REPLACEMENT CHARACTER}")


def is_foreign(line: bytes) -> bool:
    """Whether a line is in another encoding than UTF-8, and not in UTF-8 that was damaged or cut off."""
    try:
        line.decode()
    except UnicodeDecodeError:
        text = line.decode("utf-8", "replace")
    else:
        return False
    bad = text.count("\N{REPLACEMENT CHARACTER}")
    if _beyond(text) > bad:
        return False
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(line.rstrip(b"\r\n"))
    except UnicodeDecodeError:
        return True
    # Cut off inside a character; but an "é" of Latin-1 at the end of a line looks like the first byte of three.
    tail = decoder.getstate()[0]
    return len(tail) < 2 and tail not in (b"\xc2", b"\xc3")


def seems_mixed(lines: Iterable[bytes]) -> tuple[bool, list[bytes], set[str]]:
    """Whether some lines are UTF-8 and others are not, those others, and characters of the former that are not ASCII."""
    latin = sure = 0
    foreign: list[bytes] = []
    letters: set[str] = set()

    def enough() -> bool:
        return latin >= len(foreign) or _FEW * sure >= len(foreign)

    for line in lines:
        if line.isascii():
            continue
        if is_foreign(line):
            foreign.append(line)
            if len(foreign) == _ENOUGH and not enough():
                break
            continue
        text = line.decode("utf-8", "replace")
        found = _beyond(text)
        in_latin = _IN_WORD.search(text) is not None and not _NOT_LATIN.search(text)
        latin += in_latin
        sure += found >= (_SURE_OF_LATIN if in_latin else _SURE)
        if len(letters) < _MOST_LETTERS:
            letters.update(one for one in set(text) if one > "\x7f" and one != "\N{REPLACEMENT CHARACTER}")
    return bool(foreign) and latin + sure > 0 and enough(), foreign, letters


def mixed_text(data: bytes) -> str | None:
    """The text of such a file; None if it is none."""
    mixed, foreign, letters = seems_mixed(_lines(data))
    return in_encodings(_lines(data), name_of(foreign, letters)) if mixed else None


def _lines(data: bytes) -> Iterator[bytes]:
    """Its lines, one at a time: a list of short ones takes many times the memory."""
    for line in io.BytesIO(data):
        yield from line.splitlines(keepends=True)


def in_encodings(lines: Iterable[bytes], name: str) -> str:
    """The text of lines in UTF-8, or else in the encoding ``name``."""
    parts: list[str] = []
    for foreign, some in groupby(lines, is_foreign):
        while block := b"".join(islice(some, _AT_A_TIME)):
            parts.append(block.decode(name if foreign else "utf-8", "replace"))
    return "".join(parts)


def name_of(foreign: list[bytes], letters: set[str]) -> str:
    """Python's name of the encoding of lines beside others with ``letters``.

    The code pages of one alphabet are hard to tell apart by a few words: that which has the same letters is taken.
    """
    data = b"".join(foreign)
    found = detect(data)
    data = data[:SAMPLE]
    names = ("cp1252", found, *_OFTEN) if is_latin(found) else (found, *_OFTEN)

    def fits(name: str) -> tuple[int, int]:
        same = sum(character in letters for character in data.decode(name, "replace") if character > "\x7f")
        return same, len("".join(letters).encode(name, "ignore").decode(name, "ignore"))

    return max(names, key=fits) if letters else found
