"""Figures above and below the line as plain text: ``10^6``, ``3 1/4``, ``45 [1]``, so that they do not run into others.

Letters above and below the line stay as they are (1st, CO2), as does a figure that follows a letter (m2).
"""

from __future__ import annotations

import re
from typing import Literal

__all__ = ["Place", "Runs", "grouped"]

Place = Literal["line", "raised", "lowered", "mark", "formula"]
"""Where a piece of a line stands; ``mark`` is the mark of a note."""

_FIGURE = re.compile(r"[+\-\u2212\u2013]?\d+(?:[.,\u2013\u2212-]\s?\d+)*[+\-\u2212]?")
_SLASHES = ("/", "\u2044", "\u2215")


class Runs:
    """The pieces of one line, in their order."""

    __slots__ = ("_pieces",)

    def __init__(self) -> None:
        self._pieces: list[tuple[str, Place]] = []

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def add(self, text: str, place: Place = "line") -> None:
        """Adds what follows, joined to the piece before it if that stands at the same place."""
        if text:
            self._pieces.append((text, place))

    def clear(self) -> None:
        """Begins a new line."""
        self._pieces.clear()

    def text(self) -> str:
        """The line."""
        if all(place == "line" for _, place in self._pieces):
            return "".join(text for text, _ in self._pieces)
        pieces = _merged(self._pieces)
        parts: list[str] = []
        last = ""
        before: Place = "line"
        for number, (text, place) in enumerate(pieces):
            written = _written(text, place, last, before, is_numerator=_is_fraction(pieces[number : number + 3]))
            parts.append(written)
            last, before = written[-1], place
        return "".join(parts)


def grouped(text: str) -> str:
    """``text``, in brackets if it is more than a number or word and has none around it."""
    text = text.strip()
    return text if len(text) < 2 or text.isalnum() or _is_bracketed(text) else f"({text})"


def _is_bracketed(text: str) -> bool:
    if not (text.startswith("(") and text.endswith(")")):
        return False
    depth = 0
    for character in text[:-1]:
        depth += (character == "(") - (character == ")")
        if not depth:
            return False
    return True


def _merged(pieces: list[tuple[str, Place]]) -> list[tuple[str, Place]]:
    found: list[tuple[list[str], Place]] = []
    for text, place in pieces:
        if found and found[-1][1] == place:
            found[-1][0].append(text)
        else:
            found.append(([text], place))
    return [("".join(texts), place) for texts, place in found]


def _is_fraction(pieces: list[tuple[str, Place]]) -> bool:
    """Whether these are a numerator above the line, a slash, and a denominator below it."""
    if len(pieces) < 2 or pieces[0][1] != "raised" or not pieces[0][0].isdecimal():
        return False
    (between, place), rest = pieces[1], pieces[2:]
    if between in _SLASHES:
        return bool(rest) and rest[0][1] == "lowered" and rest[0][0].isdecimal()
    return place == "lowered" and between[0] in _SLASHES and between[1:].isdecimal()


def _written(text: str, place: Place, last: str, before: Place, *, is_numerator: bool) -> str:
    """A piece as it stands in the text, behind ``last``, the last character of a piece at the place ``before``."""
    after_digit = last.isdecimal()
    if place == "mark":
        return f" [{text.strip()}]" if last and not last.isspace() and text.strip().isalnum() else text
    if place == "raised" and after_digit and (figure := _FIGURE.match(text)):
        return f" {text}" if is_numerator else f"^{grouped(figure[0])}{text[figure.end() :]}"
    if after_digit and text[0].isdecimal():
        if place == "lowered":
            return f"_{text}"
        if place == "formula" or before != "line":
            return f" {text}"
    return text
