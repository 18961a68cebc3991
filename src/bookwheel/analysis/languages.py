"""Which language a document is written in.

Scripts of one language each tell by themselves. Else function words are counted: they are a third or more of running text, and
names, numbers and program code have next to none of them, so that without them no detector is asked. Where they do not
decide, as between close relatives, CLD3 (Google's compact language detector, a neural network over letter n-grams) does.
"""

from __future__ import annotations

import re
import sys
from array import array
from functools import cache
from typing import Any

from .stop_words import LANGUAGES, stop_words
from .words import split_words

__all__ = ["BY_SCRIPT", "NAMES", "language_of"]

STRETCH = 250
"""Characters that are read of the beginning, the middle and the end of a document."""
MIN_WORDS = 8
ENOUGH = 20
"""Words from which on function words decide, and a language without a list of them is believed."""
MIN_SHARE = 0.12
"""Share of function words from which on they decide by themselves."""
CONFIRMING = 0.05
"""Share of function words that a language which CLD3 finds must have as well, where they are known."""
MARGIN = 1.3
"""So many times the function words of any other language, where there are many; `CLEAR` where they are `FEW`, as between names."""
CLEAR = 3.0
FEW = 4
VARIETY = 3
"""Different function words that a language must show: in program code a few are repeated (``var``, ``set``, ``IN``, ``dai``)."""
PLAIN = 0.8
"""Share of words without digits and signs inside from which on a text can be in a language whose function words are not known:
lists of identifiers and registers read like Welsh, Maltese or Zulu to CLD3."""
ASKED = 240
"""Characters that CLD3 is asked about: about 0.1 ms."""
PROBABLE = 0.8
"""The same where only two function words, and nothing that looks like code, say so: a sentence of names has no more."""
SURE, CONFIRMED = 0.9, 0.7
"""The probability from which on it is believed: by itself, and where function words of the language say the same."""

_ALONE = frozenset(("english", "french", "german", "hungarian", "italian", "spanish"))
"""Languages whose function words no other language of many documents shares: Slovak reads like Czech, Ukrainian like Russian."""

_IN_NAMES = frozenset(("french", "italian", "spanish"))
"""Those of which some are parts of names, in any language: de, la, di."""

NAMES = {
    "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "cs": "czech", "da": "danish", "nl": "dutch",
    "en": "english", "eo": "esperanto", "et": "estonian", "fi": "finnish", "fr": "french", "de": "german", "el": "greek",
    "hi": "hindi", "hu": "hungarian", "id": "indonesian", "ga": "irish", "it": "italian", "lt": "lithuanian", "ne": "nepali",
    "no": "norwegian", "fa": "persian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sr": "serbian", "st": "sesotho", "es": "spanish", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
    "af": "afrikaans", "az": "azerbaijani", "be": "belarusian", "bg": "bulgarian", "bn": "bengali", "cy": "welsh",
    "gl": "galician", "gu": "gujarati", "hr": "croatian", "is": "icelandic", "iw": "hebrew", "ka": "georgian", "kk": "kazakh",
    "kn": "kannada", "ku": "kurdish", "ky": "kyrgyz", "la": "latin", "lv": "latvian", "mk": "macedonian", "ml": "malayalam",
    "mn": "mongolian", "mr": "marathi", "ms": "malay", "mt": "maltese", "pa": "punjabi", "ps": "pashto", "si": "sinhala",
    "sk": "slovak", "sl": "slovenian", "sq": "albanian", "sw": "swahili", "te": "telugu", "tg": "tajik", "uk": "ukrainian",
    "ur": "urdu", "uz": "uzbek", "vi": "vietnamese", "xh": "xhosa", "yo": "yoruba", "zu": "zulu",
}  # fmt: skip
"""By CLD3's code. Codes that are not here are too rare, or too often found where nothing is."""

_SCRIPTS = {
    "japanese": re.compile("[\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f]"),
    "korean": re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7ff]"),
    "chinese": re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"),
    "thai": re.compile("[\u0e00-\u0e7f]"),
    "lao": re.compile("[\u0e80-\u0eff]"),
    "burmese": re.compile("[\u1000-\u109f]"),
    "khmer": re.compile("[\u1780-\u17ff]"),
    "hebrew": re.compile("[\u0590-\u05ff]"),
    "georgian": re.compile("[\u10a0-\u10ff]"),
}
BY_SCRIPT = frozenset(_SCRIPTS)
"""Languages that their script tells, whatever a text says."""
_CODED = re.compile(r"\w*(?:[0-9_]|[a-z][A-Z]|\w[.:/<>()\[\]=$*@\\#]+\w)\S*|[^\w\s]{2,}")
"""What stands between blanks in program code and in tables, and seldom in a sentence."""
_SCRIPT = re.compile("|".join(pattern.pattern for pattern in _SCRIPTS.values()))
_LETTER = re.compile(r"[^\W\d_]")
_OWN_SHARE = 0.3
"""Share of letters in a script from which on it decides: a sign stands for more than a letter does."""


_LISTED = tuple(sorted(LANGUAGES))
_WEIGHT = 60_060
"""What a function word weighs where one language has it; those of several share it (1 to 7, 10, 11 or 13 without a rest)."""


@cache
def _function_words() -> dict[str, int]:
    """Each function word as unsigned 32-bit numbers side by side in one integer, so that one addition adds them all.

    They are 1 for each of `_LISTED` that has the word, else 0; then its weight in each.
    """
    found: dict[str, list[int]] = {}
    for number, language in enumerate(_LISTED):
        for word in stop_words(language):
            if len(word) > 1:  # single letters are everywhere: in names, in tables, after apostrophes
                found.setdefault(word, []).append(number)
    rows: dict[str, int] = {}
    for word, having in found.items():
        row = array("I", bytes(8 * len(_LISTED)))
        for number in having:
            row[number] = 1
            row[len(_LISTED) + number] = _WEIGHT // len(having)
        rows[word] = int.from_bytes(row.tobytes(), sys.byteorder)
    return rows


@cache
def _cld3() -> Any:
    import gcld3

    return gcld3.NNetLanguageIdentifier(min_num_bytes=0, max_num_bytes=4 * ASKED)


def language_of(text: str, title: str = "") -> str | None:
    """The language of ``text`` in English (``german``, ``chinese``); None where it is too short, or has too little of any.

    Depends on nothing but the text.
    """
    if len(text) > 3 * STRETCH:
        middle = (len(text) - STRETCH) // 2
        text = f"{text[:STRETCH]} {text[middle : middle + STRETCH]} {text[-STRETCH:]}"
    text = f"{title[:STRETCH]}\n{text}"
    if not text.isascii() and (found := _by_script(text)) is not None:
        return found
    words = split_words(text.casefold())
    if len(words) < MIN_WORDS:
        return None
    known = _function_words()
    met = [word for word in words if word in known]
    if not met:
        return None
    total = sum([known[word] for word in met])
    counted = memoryview(total.to_bytes(8 * len(_LISTED), sys.byteorder)).cast("I")
    shares, weights = counted[: len(_LISTED)], counted[len(_LISTED) :].tolist()
    weight = max(weights)
    number = len(weights) - 1 - weights[::-1].index(weight)  # of equals the last by name
    best, having = _LISTED[number], shares[number]
    if best in _ALONE and len(words) >= ENOUGH and _various(met, words, best):
        share = having / len(words)
        weights[number] = 0
        margin = weight / (max(weights) or _WEIGHT)
        if (share >= MIN_SHARE and margin >= MARGIN) or (
            best not in _IN_NAMES and share >= CONFIRMING and margin >= CLEAR and having >= FEW
        ):
            return best
    enough = len(words) >= ENOUGH
    confirmed = {name for name, share in zip(_LISTED, shares, strict=True) if share >= CONFIRMING * len(words)}
    few: set[str] = set()
    if enough:
        unsure = {name for name in confirmed if not _various(met, words, name)}
        confirmed -= unsure
        few = {name for name in unsure & _ALONE if shares[_LISTED.index(name)] >= 2}
    # Another language is believed by its letters alone, where there are enough words and they are words: CLD3 takes as long as
    # all the rest, and is not asked where no answer of its would do.
    others = enough and _plain(text)
    if not confirmed and not others:
        return None
    few = few if others else set()
    found, probability = _by_letters(text)
    if found in _LISTED:
        sure = CONFIRMED if enough else SURE
        return found if (found in confirmed and probability >= sure) or (found in few and probability >= PROBABLE) else None
    return found if others and probability >= SURE else None


def _various(met: list[str], words: list[str], language: str) -> bool:
    """Whether ``words``, among them ``met``, have `VARIETY` different function words of ``language``."""
    own = stop_words(language)
    # Those that were met lack single letters, and are a third as many.
    return len(own.intersection(met)) >= VARIETY or len(own.intersection(words)) >= VARIETY


def _plain(text: str) -> bool:
    """Whether ``text`` consists of words as sentences do."""
    pieces = text.split()
    return sum(1 for piece in pieces if not _CODED.search(piece)) >= PLAIN * len(pieces)


def _by_script(text: str) -> str | None:
    signs = _SCRIPT.findall(text)
    if len(signs) < 2 or len(signs) < _OWN_SHARE * len(_LETTER.findall(text)):
        return None
    joined = "".join(signs)
    counts = {name: len(pattern.findall(joined)) for name, pattern in _SCRIPTS.items()}
    if counts["japanese"] > 0.05 * counts["chinese"]:
        counts["japanese"] += counts["chinese"]  # Japanese mixes both
    return max(counts, key=counts.__getitem__)


def _by_letters(text: str) -> tuple[str | None, float]:
    """What CLD3 says with some reliability, and how probable it finds it."""
    found = _cld3().FindLanguage(text[:ASKED].encode("utf-8", "replace").decode())
    return (NAMES.get(found.language) if found.is_reliable else None), found.probability
