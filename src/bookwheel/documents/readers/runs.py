"""Lines of Office files, whose pieces stand on the line, above or below it; what is above and below is written as `raised` says."""

from __future__ import annotations

from typing import Literal

from ..raised import ASIDE, lowered, raised

__all__ = ["Place", "Runs"]

Place = Literal["line", "raised", "lowered", "mark", "formula"]
"""Where a piece of a line stands; ``mark`` is the mark of a note."""


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
        line, last = "", "line"
        for number, (text, place) in enumerate(pieces):
            after = "".join(text for text, _ in pieces[number + 1 : number + 3])[:ASIDE]
            line += _written(text, place, line[-ASIDE:], after, is_joined=last == "line")
            last = place
        return line


def _merged(pieces: list[tuple[str, Place]]) -> list[tuple[str, Place]]:
    found: list[tuple[list[str], Place]] = []
    for text, place in pieces:
        if found and found[-1][1] == place:
            found[-1][0].append(text)
        else:
            found.append(([text], place))
    return [("".join(texts), place) for texts, place in found]


def _written(text: str, place: Place, before: str, after: str, *, is_joined: bool) -> str:
    """A piece as it stands in the text between ``before`` and ``after``; ``is_joined``: behind a piece that stands on the line."""
    if place in ("line", "formula"):
        apart = before[-1:].isdecimal() and text[:1].isdecimal() and not (is_joined and place == "line")
        return f" {text}" if apart else text
    inner = text.strip()
    end = text[len(text.rstrip()) :]
    if not inner or text[0].isspace() or not before or before[-1].isspace():
        return text
    if place == "mark":
        inner = f"[{inner}]" if inner.isalnum() else inner
    else:
        inner = raised(before, inner, end + after) if place == "raised" else lowered(before, inner)
    return inner + end
