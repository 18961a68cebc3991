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
    as the numerator after a whole number, as cents after a price, or as it is (``1st``, ``Ca2+``).
    """
    base = before[-1:]
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
