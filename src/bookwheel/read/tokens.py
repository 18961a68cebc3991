"""The words, numbers, dates and signs of a sentence, so that two sentences can be compared one by one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from ..analysis.folding import folded

__all__ = ["Token", "spelling", "tokens_of"]

Kind = Literal["word", "number", "date", "sign", "mark"]


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number, date or sign, or a mark of punctuation."""

    kind: Kind
    text: str
    """As it is written, all of it, with one space for any white space inside: ``5 million``, ``7 March 1870``."""
    start: int
    end: int
    norm: str
    """By which it is compared: folded, a unit in its short form, a date as ``2016-02-07``."""
    value: Fraction | None = None
    """Of a number."""
    glued: bool = False
    """Whether it belongs to the token before it without a space: ``s`` of ``1990s``, ``profit`` of ``non-profit``."""
    name: bool = False
    """Whether it begins with a capital, and not only because a sentence does."""


_TOKEN = re.compile(
    r"(?P<iso>\b\d{4}-\d{2}-\d{2}\b)"
    r"|(?P<number>(?:(?<![\w.,)\]%])[-−])?\d+(?:[.,]\d+)*|[½¼¾⅓⅔⅛])"
    r"|(?P<word>[^\W\d_](?:[^\W_]|[\u0300-\u036f]|['’ʼ](?=[^\W\d_]))*)"
    r"|(?P<other>\S)"
)
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_SPLIT = re.compile(r"(?i)^(?:(can)(not)|(.+)(n['’ʼ]t)|(.+)(['’ʼ](?:s|re|ve|ll|d|m)))$")
_IRREGULAR = {"ca": "can", "wo": "will", "sha": "shall"}
_SMALL = {
    word: number
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
_TENS = {word: 10 * number for number, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}  # noqa: SIM905
_ORDINALS = {
    word: number
    for number, word in enumerate(
        [
            "first",
            "second",
            "third",
            "fourth",
            "fifth",
            "sixth",
            "seventh",
            "eighth",
            "ninth",
            "tenth",
            "eleventh",
            "twelfth",
            "thirteenth",
            "fourteenth",
            "fifteenth",
            "sixteenth",
            "seventeenth",
            "eighteenth",
            "nineteenth",
            "twentieth",
        ],
        1,
    )
}
_TIMES = {
    "hundred": 100,
    "thousand": 1000,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
    "k": 1000,
    "m": 10**6,
    "bn": 10**9,
}
_MOST = 10**40
"""The largest number that is still multiplied: a text may say "million" ten thousand times."""
_SPELT_TIMES = frozenset(("hundred", "thousand", "million", "billion", "trillion", "bn"))
_VULGAR = {
    "½": Fraction(1, 2),
    "¼": Fraction(1, 4),
    "¾": Fraction(3, 4),
    "⅓": Fraction(1, 3),
    "⅔": Fraction(2, 3),
    "⅛": Fraction(1, 8),
}
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
         "september sept sep", "october oct", "november nov", "december dec"), 1
    )
    for name in names.split()
}  # fmt: skip
_UNITS = {
    "percent": "%", "percents": "%", "pct": "%",
    **dict.fromkeys(("kilometre", "kilometres", "kilometer", "kilometers", "kms"), "km"),
    **dict.fromkeys(("metre", "metres", "meter", "meters"), "m"),
    **dict.fromkeys(("centimetre", "centimetres", "centimeter", "centimeters"), "cm"),
    **dict.fromkeys(("millimetre", "millimetres", "millimeter", "millimeters"), "mm"),
    **dict.fromkeys(("kilogram", "kilograms", "kilogramme", "kilogrammes", "kgs"), "kg"),
    **dict.fromkeys(("milligram", "milligrams"), "mg"),
    **dict.fromkeys(("mile", "miles"), "mi"),
    **dict.fromkeys(("foot", "feet"), "ft"),
    **dict.fromkeys(("hour", "hours", "hrs", "hr"), "h"),
    **dict.fromkeys(("minute", "minutes", "mins"), "min"),
    **dict.fromkeys(("second", "seconds", "secs", "sec"), "second"),
}  # fmt: skip
_ORDINAL_ENDINGS = frozenset(("st", "nd", "rd", "th"))
_SAME_MARKS = {
    "’": "'",
    "‘": "'",
    "ʼ": "'",
    "“": '"',
    "”": '"',
    "„": '"',
    "«": '"',
    "»": '"',
    "–": "-",
    "—": "-",
    "−": "-",
    "‐": "-",
    "‑": "-",
}


_MARKS = str.maketrans(_SAME_MARKS)


def spelling(token: Token) -> str:
    """How ``token`` is written, in one of the kinds of quotation marks, apostrophes and dashes, and in lower case."""
    return token.text.casefold().translate(_MARKS)


@lru_cache(4096)
def tokens_of(text: str) -> tuple[Token, ...]:
    """All tokens of ``text``, in order."""
    return tuple(_dates(_joined(_raw(text), text), text))


def _raw(text: str) -> list[Token]:
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        start, end, piece = match.start(), match.end(), match.group()
        glued = bool(found) and found[-1].end == start and found[-1].kind in ("word", "number")
        if len(found) > 1 and found[-1].text in "-–‐‑−/_'’" and found[-1].end == start and found[-2].end == found[-1].start:
            glued = found[-2].kind in ("word", "number")
        if match["iso"]:
            found.append(Token("date", piece, start, end, piece))
        elif match["number"]:
            found.append(Token("number", piece, start, end, piece, _value(piece), glued))
        elif match["word"]:
            found.extend(_word(piece, start, glued, not found or found[-1].text in '.!?:"“'))
        else:
            norm = _SAME_MARKS.get(piece, piece)
            sign = unicodedata.category(piece[0])[0] == "S" or piece in "%‰&@#§"
            found.append(Token("sign" if sign else "mark", piece, start, end, norm, glued=glued and sign))
    return found


def _word(piece: str, start: int, glued: bool, first: bool) -> list[Token]:
    if _UNSPACED.search(piece):  # each character is one, since it is not known where words end
        return [
            Token("word", one, start + at, start + at + 1, unicodedata.normalize("NFKC", one), glued=at > 0 or glued)
            for at, one in enumerate(piece)
        ]
    if split := _SPLIT.match(piece):
        head, tail = (part for part in split.groups() if part)
        cut = start + len(head)
        ending = "not" if tail[-1].lower() == "t" else "'" + tail[1:].lower()
        low = _norm(head)
        return [
            Token(
                "word",
                head,
                start,
                cut,
                _IRREGULAR.get(low, low) if ending == "not" else low,
                glued=glued,
                name=_name(head, first),
            ),
            Token("word", tail, cut, start + len(piece), ending, glued=ending != "not"),
        ]
    norm = _norm(piece)
    return [
        Token("sign" if norm == "%" else "word", piece, start, start + len(piece), norm, glued=glued, name=_name(piece, first))
    ]


def _norm(word: str) -> str:
    low = folded(unicodedata.normalize("NFKC", word.casefold()).replace("’", "'").replace("ʼ", "'"))
    return _UNITS.get(low, low)


def _name(word: str, first: bool) -> bool:
    return word[0].isupper() and (not first or word[1:] != word[1:].lower())


def _value(piece: str) -> Fraction | None:
    if piece in _VULGAR:
        return _VULGAR[piece]
    negative, digits = piece[0] in "-−", piece.lstrip("-−")
    if len(digits) > 40:
        return None
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", digits):
        digits = digits.replace(",", "")
    elif re.fullmatch(r"\d{1,3}(?:\.\d{3}){2,}", digits):
        digits = digits.replace(".", "")
    elif re.fullmatch(r"\d+,\d+", digits):
        digits = digits.replace(",", ".")
    if digits.count(".") > 1 or "," in digits:  # a version, an address: compared as it is written
        return None
    value = Fraction(digits)
    return -value if negative else value


def _joined(found: Sequence[Token], text: str) -> list[Token]:
    """Numbers in words, ordinals and multipliers as one number each."""

    def number(first: Token, last: Token, value: Fraction | None) -> Token:
        return Token("number", _written(text, first, last), first.start, last.end, str(value), value, first.glued)

    out: list[Token] = []
    for token in found:
        last = out[-1] if out else None
        if token.kind == "number" and token.text in _VULGAR and last and last.kind == "number" and last.end == token.start:
            out[-1] = number(last, token, _sum(last.value, token.value))
            continue
        if token.kind != "word":
            out.append(token)
            continue
        word = token.norm
        if last is not None and last.kind == "number" and last.value is not None and not last.norm.endswith("th"):
            if word in _ORDINAL_ENDINGS and token.glued and last.end == token.start:
                out[-1] = replace(number(last, token, last.value), norm=f"{last.value}th")
                continue
            if (
                word in _TIMES
                and abs(last.value) < _MOST
                and (word in _SPELT_TIMES or (token.glued and last.end == token.start and token.text in ("k", "M")))
            ):
                out[-1] = number(last, token, last.value * _TIMES[word])
                continue
            dash = False
        else:
            dash = last is not None and last.norm == "-" and len(out) > 1 and out[-2].kind == "number" and token.glued
        tens = out[-2] if dash else last
        if (
            tens is not None and tens.kind == "number" and tens.text.casefold() in _TENS
            and ((word in _SMALL and 0 < _SMALL[word] < 10) or _ORDINALS.get(word, 99) < 10) and tens.value is not None
        ):  # fmt: skip
            if dash:
                out.pop()
            value = tens.value + _SMALL.get(word, _ORDINALS.get(word, 0))
            made = number(tens, token, value)
            out[-1] = made if word in _SMALL else replace(made, norm=f"{value}th")
        elif word in _SMALL or word in _TENS:
            value = Fraction(_SMALL.get(word, _TENS.get(word, 0)))
            out.append(replace(token, kind="number", norm=str(value), value=value, name=False))
        elif word in _ORDINALS and word != "second":
            out.append(replace(token, kind="number", norm=f"{_ORDINALS[word]}th", value=Fraction(_ORDINALS[word]), name=False))
        else:
            out.append(token)
    return out


def _sum(one: Fraction | None, other: Fraction | None) -> Fraction | None:
    return None if one is None or other is None else one + other


def _written(text: str, first: Token, last: Token) -> str:
    return " ".join(text[first.start : last.end].split())


def _dates(found: list[Token], text: str) -> list[Token]:
    """``7 February 2016``, ``February 7, 2016`` and ``7 February`` as one date each; abbreviated months in full."""
    out: list[Token] = []
    at = 0
    while at < len(found):
        here = found[at : at + 4]
        taken, made = 0, None
        month = next((_month(token) for token in here[:2] if _month(token)), 0)
        if month and len(here) > 1 and _day(here[0]) and _month(here[1]):
            year = here[2] if len(here) > 2 and _year(here[2]) else None
            taken, made = (3 if year else 2), (year, month, here[0])
        elif month and len(here) > 1 and _month(here[0]) and _day(here[1]):
            rest = here[2:4]
            comma = bool(rest) and rest[0].text == ","
            year = rest[1] if comma and len(rest) > 1 and _year(rest[1]) else rest[0] if rest and _year(rest[0]) else None
            taken, made = 2 + (0 if year is None else 2 if comma else 1), (year, month, here[1])
        if made is not None:
            year, month, day = made
            norm = f"{int(year.value):04}-" if year is not None and year.value is not None else ""
            norm += f"{month:02}-{int(day.value or 0):02}"
            last = found[at + taken - 1]
            out.append(Token("date", _written(text, here[0], last), here[0].start, last.end, norm))
            at += taken
            continue
        token = found[at]
        out.append(token)
        at += 1
    return out


def _month(token: Token) -> int:
    return _MONTHS.get(token.norm, 0) if token.kind == "word" and token.text[0].isupper() else 0


def _day(token: Token) -> bool:
    return token.kind == "number" and token.value is not None and token.value.denominator == 1 and 1 <= token.value <= 31


def _year(token: Token) -> bool:
    return token.kind == "number" and token.value is not None and len(token.text) == 4 and token.text.isdigit()
