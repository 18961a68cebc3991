"""Which language a document is written in.

Scripts of one language each tell by themselves. Else function words are counted: they are a third or more of running text, and
names, numbers and program code have next to none of them, so that without them no detector is asked. Where they do not
decide, as between close relatives, CLD3 (Google's compact language detector, a neural network over letter n-grams) does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from .function_words import Summed
from .stop_words import LANGUAGES, stop_words
from .words import split_words, without_ascii, without_signs

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
_CODED = re.compile(r"[0-9_]|[a-z][A-Z]|\w[.:/<>()\[\]=$*@\\#]+\w|[^\w\s]{2}")
"""What has what stands between blanks in program code and in tables, and seldom in a sentence."""
_SCRIPT = re.compile(f"[{''.join(pattern.pattern[1:-1] for pattern in _SCRIPTS.values())}]")
_LETTER = re.compile(r"[^\W\d_]")
_OWN_SHARE = 0.3
"""Share of letters in a script from which on it decides: a sign stands for more than a letter does."""


_LISTED = tuple(sorted(LANGUAGES))
_WEIGHT = 60_060
"""What a function word weighs where one language has it; those of several share it (1 to 7, 10, 11 or 13 without a rest)."""
MANY = 200
"""Texts from which on the compiled loop is worth loading, which is eight times as fast."""


class _Found(NamedTuple):
    """What was counted in a text: its words, and of which of `_LISTED` its function words are."""

    words: int
    best: int
    """The language whose function words weigh most; of equals the last."""
    weight: int
    second: int
    """What those of the next weigh."""
    share: int
    """How many there are of the best."""
    different: int
    """How many different ones, single letters included."""
    every: Callable[[], list[int]]
    """Gives what `count_function_words` finds: the words, then how many function words of each language there are, what they weigh
    together, and how many different ones there are.
    """


@cache
def _function_words() -> dict[str, list[int]]:
    """Each function word with its languages, by number."""
    found: dict[str, list[int]] = {}
    for number, language in enumerate(_LISTED):
        for word in stop_words(language):
            found.setdefault(word, []).append(number)
    return found


def _weight(word: str, languages: Sequence[int]) -> int:
    """What ``word`` weighs: single letters are everywhere, in names, in tables, after apostrophes, and weigh nothing."""
    return _WEIGHT // len(languages) if len(word) > 1 else 0


class _Counter:
    """Counts function words, in a compiled loop once there are many texts."""

    def __init__(self) -> None:
        self._texts = 0
        self._count: Callable[[bytes], tuple[Summed, Callable[[], list[int]]]] | None = None

    def __call__(self, text: str) -> _Found:
        self._texts += 1
        if self._count is None and self._texts >= MANY:
            from .function_words import counter

            self._count = counter(_function_words(), _weight, len(_LISTED))
        folded = text.casefold()
        if self._count is None:
            return self._slowly(folded)
        summed, every = self._count(without_signs(folded).encode())
        return _Found(*summed, every)

    def _slowly(self, text: str) -> _Found:
        known, kinds = _function_words(), len(_LISTED)
        words = split_words(text)
        counted = [len(words), *[0] * (3 * kinds)]
        for word, times in Counter([word for word in words if word in known]).items():
            languages = known[word]
            weight = _weight(word, languages)
            for number in languages:
                if weight:
                    counted[1 + number] += times
                    counted[1 + kinds + number] += times * weight
                counted[1 + 2 * kinds + number] += 1
        weights = counted[1 + kinds : 1 + 2 * kinds]
        weight = max(weights)
        best = kinds - 1 - weights[::-1].index(weight)
        del weights[best]
        return _Found(len(words), best, weight, max(weights), counted[1 + best], counted[1 + 2 * kinds + best], lambda: counted)


_counted = _Counter()


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
    counted = _counted(text)
    words = counted.words
    if words < MIN_WORDS or not counted.weight:
        return None
    best, having = _LISTED[counted.best], counted.share
    if best in _ALONE and words >= ENOUGH and counted.different >= VARIETY:
        share = having / words
        margin = counted.weight / (counted.second or _WEIGHT)
        if (share >= MIN_SHARE and margin >= MARGIN) or (
            best not in _IN_NAMES and share >= CONFIRMING and margin >= CLEAR and having >= FEW
        ):
            return best
    enough = words >= ENOUGH
    every, kinds = counted.every(), len(_LISTED)
    shares, different = every[1 : 1 + kinds], every[1 + 2 * kinds :]
    confirmed = {number for number, share in enumerate(shares) if share >= CONFIRMING * words}
    few: set[str] = set()
    if enough:
        unsure = {number for number in confirmed if different[number] < VARIETY}
        confirmed -= unsure
        few = {_LISTED[number] for number in unsure if _LISTED[number] in _ALONE and shares[number] >= 2}
    # Another language is believed by its letters alone, where there are enough words and they are words: CLD3 takes as long as
    # all the rest, and is not asked where no answer of its would do.
    others = enough and _plain(text)
    if not confirmed and not others:
        return None
    few = few if others else set()
    found, probability = _by_letters(text)
    if found in _LISTED:
        sure = CONFIRMED if enough else SURE
        known = _LISTED.index(found) in confirmed
        return found if (known and probability >= sure) or (found in few and probability >= PROBABLE) else None
    return found if others and probability >= SURE else None


def _plain(text: str) -> bool:
    """Whether ``text`` consists of words as sentences do."""
    pieces = text.split()
    # Of letters alone there is code only in capitals after small ones; most words are that, and told faster.
    left = [piece for piece in pieces if not (piece.isalpha() and piece[1:].islower())]
    return len(pieces) - len(left) + list(map(_CODED.search, left)).count(None) >= PLAIN * len(pieces)


def _by_script(text: str) -> str | None:
    signs = _SCRIPT.findall(without_ascii(text))
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
