"""Which texts can be queries: words that people might type, no file names, codes or noise."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Set
from itertools import pairwise
from pathlib import PurePosixPath

from ...analysis.scripts import UNSPACED
from ...analysis.stop_words import LANGUAGES, stop_words
from ...analysis.words import spans_of

__all__ = ["Wording", "is_name", "one_line"]

LONGEST = 300
"""Characters of a query."""
LEAST_TELLING, MOST_WORDS = 2, 40
LEAST_UNSPACED = 5
"""Characters of a query in a script without spaces."""
LETTERS = 0.7
"""Of the characters of a query that are not spaces."""
_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,4}\s*$")
_ADDRESS = re.compile(r"://|www\.|@\w|\\|\w/\w.*/\w|[<>{}|]|\w_\w")
_LATIN_RUN = re.compile(r"[a-z]+")
_VOWELS = frozenset("aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüýœ")


def one_line(text: str) -> str:
    """``text`` on one line in composed form, without control characters: whatever it says, it is only text."""
    kept = "".join(
        c if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn") or c in "\u200c\u200d" else " " for c in text
    )
    return " ".join(unicodedata.normalize("NFC", kept).split())


def is_name(text: str, *names: str) -> bool:
    """Whether ``text`` is a name of a file, an address or a code, or the same as one of ``names`` (ids, paths)."""
    if _SUFFIX.search(text) or _ADDRESS.search(text):
        return True
    plain = _plain(text)
    return any(plain in (_plain(name), _plain(PurePosixPath(name).stem)) for name in names if name)


def _plain(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


class Wording:
    """Judges texts by the words of the languages that a library holds."""

    def __init__(self, languages: Iterable[str | None] = ()) -> None:
        known = [language for language in languages if language is not None] or list(LANGUAGES)
        self._functional: Set[str] = frozenset().union(*(stop_words(language) for language in known))

    def telling(self, text: str) -> list[str]:
        """Its different words that are neither function words nor numbers nor single letters, in order, in lower case."""
        words = (word.casefold() for word, _, _ in spans_of(text))
        kept = (w for w in words if (len(w) > 1 or UNSPACED.search(w)) and not w.isdigit() and w not in self._functional)
        return list(dict.fromkeys(kept))

    def usable(self, text: str) -> bool:
        """Whether ``text`` (see `one_line`) can be a query."""
        if not text or len(text) > LONGEST or _ADDRESS.search(text) or _SUFFIX.search(text):
            return False
        solid = [c for c in text if not c.isspace()]
        if sum(c.isalpha() or unicodedata.category(c)[0] == "M" for c in solid) < LETTERS * len(solid):
            return False
        if len(UNSPACED.findall(text)) >= LEAST_UNSPACED:
            return True
        words = spans_of(text)
        return len(words) <= MOST_WORDS and sum(map(_is_word, self.telling(text))) >= LEAST_TELLING


def _is_word(word: str) -> bool:
    """Whether a word looks like one: not a code of letters and digits, nor a row of consonants."""
    letters = sum(c.isalpha() for c in word)
    if letters < 2 or letters < len(word) / 2:
        return False
    if word.isascii() or _LATIN_RUN.search(word):
        runs = sum(one.isdigit() != other.isdigit() for one, other in pairwise(word))
        return runs <= 1 and (len(word) < 5 or not _VOWELS.isdisjoint(word))
    return True
