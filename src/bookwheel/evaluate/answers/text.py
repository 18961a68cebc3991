"""How two texts are compared: as SQuAD does (Rajpurkar et al., 2016), and as MLQA does in other languages (Lewis et al., 2020).

Lower case, no punctuation, no articles of the language, single spaces. A text in a script that is written without spaces is compared
character by character, as MLQA compares Chinese.
"""

from __future__ import annotations

import re
import string
import unicodedata
from functools import cache

from ...analysis.scripts import UNSPACED

__all__ = ["ARTICLES", "normalised", "words"]

ARTICLES = {
    "english": "a an the",
    "german": "der die das den dem des ein eine einen einem einer eines",
    "spanish": "el la los las un una unos unas",
    "french": "le la les l un une des",
    "italian": "il lo la i gli le l un uno una",
    "portuguese": "o a os as um uma uns umas",
    "dutch": "de het een",
    "catalan": "el la els les l un una uns unes",
}
"""Left out of a text of that language; other languages have none, or write them at the word."""
_CODES = {
    "en": "english",
    "de": "german",
    "es": "spanish",
    "fr": "french",
    "it": "italian",
    "pt": "portuguese",
    "nl": "dutch",
    "ca": "catalan",
}
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(text: str, language: str = "english") -> str:
    """``text`` as it is compared; ``language``: a name, or a code of two letters."""
    lower = unicodedata.normalize("NFC", text).lower().translate(_PUNCTUATION)
    if not lower.isascii():
        lower = "".join(" " if unicodedata.category(c)[0] == "P" else c for c in lower)
        lower = UNSPACED.sub(lambda found: f" {found[0]} ", lower)
    return " ".join(_articles(language).sub(" ", lower).split())


def words(text: str, language: str = "english") -> list[str]:
    """The words of ``text``, and the characters of scripts without spaces, as they are compared."""
    return normalised(text, language).split()


@cache
def _articles(language: str) -> re.Pattern[str]:
    lower = language.lower()
    listed = ARTICLES.get(_CODES.get(lower, lower), "")
    return re.compile(rf"\b(?:{'|'.join(listed.split())})\b") if listed else re.compile(r"(?!)")
