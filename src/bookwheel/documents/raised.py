"""Raised and lowered text written in one line, so that its digits do not join the number before them: ``10^6``, and not ``106``."""

from __future__ import annotations

import re

__all__ = ["ASIDE", "lowered", "note", "power_of", "raised"]

ASIDE = 30
"""So many characters before and after what is raised tell what it is."""
_NUMBER = re.compile(r"(?<![\w.,^])(\d(?:[\d.,]*\d)?)\Z", re.ASCII)
_DIGITS = re.compile(r"\d+", re.ASCII)
_POWER = re.compile(r"[-+−–]?\d+(?:\.\d+)?|[-−–]?[ijkmnpqxyzN]", re.ASCII)
_TERM = r"(?:\d*[A-Za-z]|\d+)"
_COMPOUND = re.compile(rf"(?!\d+[-–,]\d+\Z)[-−–]?{_TERM}(?:[-+−–*/]{_TERM}){{1,3}}|\d+[ijkmnpqxyzN]", re.ASCII)
_NOTES = re.compile(r"(?:\d{1,3}|[a-z])(?:[,;–-] ?(?:\d{1,3}|[a-z])){0,5}", re.ASCII)
_MANY_NOTES = re.compile(r"[1-9]\d{0,2}(?:[,;–-] ?\d{1,3}){0,5}", re.ASCII)
_WORD = re.compile(r"(?<![^\W_])([^\W\d_]{3,})([.,;:!?\"'’”»]{0,2})\Z")
_POWERED = frozenset(
    """sin cos tan cot sec csc sinh cosh tanh log exp max min var det chi phi psi eta rho tau sigma mol rad bar
    metre metres meter meters foot feet inch inches yard yards mile miles kilometre kilometres kilometer kilometers
    centimetre centimetres centimeter centimeters millimetre millimetres millimeter millimeters second seconds""".split()  # noqa: SIM905
)
"""Words of three letters or more whose powers people write: functions, Greek letters, units."""
_MARKED = re.compile(r"\d{1,3}\)", re.ASCII)
_FRACTION = re.compile(r"\s?[/\N{FRACTION SLASH}\N{DIVISION SLASH}]\s?(\d{1,3})", re.ASCII)
_YEAR = re.compile(r"1[5-9]\d\d|2[01]\d\d", re.ASCII)
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", re.ASCII)
_DEAR = re.compile(r"[$€£¥]\s?[\d.,]*\d\Z", re.ASCII)
_CURRENCY = re.compile(r"\s?(?:[$€£¥]|(?:EUR|USD|zł|Kč)\b)")
_POWERS_OF_TEN = 15
"""The highest that is written after a sign of currency."""


def raised(before: str, text: str, after: str = "") -> str:
    """What stands for ``text`` raised between ``before`` and ``after``: with ``^`` as a power, in brackets as the mark of a note,
    as the numerator after a whole number, as cents after a price, or as it is (``1st``, ``Ca2+``, ``m2``). What is raised behind
    a word of three letters or more is the mark of a note, unless people write the word's powers (``metres^2``).
    """
    base = before[-1:]
    if _MANY_NOTES.fullmatch(text) and (word := _WORD.search(before)) and _is_word(word[1]):
        return f"^{text}" if text in ("2", "3", "4") and not word[2] and word[1].lower() in _POWERED else f"[{text}]"
    if not (base.isascii() and base.isdigit()) and base != ")":
        return text
    number = found.group(1) if (found := _NUMBER.search(before)) else ""
    if _DIGITS.fullmatch(text):
        if number and len(text) <= 3 and (part := _FRACTION.match(after)) and int(text) < int(part.group(1)):
            return f" {text}"
        dear = len(text) == 2 and (_DEAR.search(before) or _CURRENCY.match(after))
        if dear and number and (number != "10" or int(text) > _POWERS_OF_TEN):
            return f".{text}"
        if power_of(before):
            return f"^{text}"
        if text == "1" or _YEAR.fullmatch(number) or _GROUPED.fullmatch(number):
            return f"[{text}]"
    if _POWER.fullmatch(text):
        return f"^{text}"
    if _COMPOUND.fullmatch(text):
        return f"^({text})"
    if _MARKED.fullmatch(text):
        return f" {text}"
    if not text[:1].isdigit():
        return text
    return f"[{text}]" if _NOTES.fullmatch(text) else f"^({text})"


def _is_word(letters: str) -> bool:
    """Whether letters are a word and no symbol (``idS``): a short one is not written in both small letters and capitals."""
    return len(letters) > 4 or letters[1:] in (letters[1:].lower(), letters[1:].upper())


def lowered(before: str, text: str) -> str:
    """What stands for ``text`` lowered behind ``before``: digits behind a number follow a ``_``, all other text stays (``H2O``)."""
    return f"_{text}" if _DIGITS.fullmatch(text) and _NUMBER.search(before) else text


def power_of(before: str) -> bool:
    """Whether ``before`` ends with a number whose powers people write, 10 or 2, so that what is raised is no note."""
    number = _NUMBER.search(before)
    return number is not None and number.group(1) in ("10", "2")


def note(text: str) -> list[str]:
    """The marks of notes that a raised text may consist of; empty where it is something else."""
    return re.split(r"[,;–-] ?", text) if _NOTES.fullmatch(text) else []
