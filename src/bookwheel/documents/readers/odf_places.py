"""Where the text of an OpenDocument file stands on its line, and in which font, by its styles.

Source: OASIS OpenDocument 1.3, part 3, 20.393 (``style:text-position``).
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element

from .runs import Place
from .symbol_fonts import is_symbol_font
from .xml import attribute, local

__all__ = ["note_places", "place_of"]

_PLACE, _FONT = "bookwheel-place", "bookwheel-font"
_PLACES: tuple[Place, ...] = ("raised", "lowered", "mark")
_MARKS = ("footnote_20_", "endnote_20_")
_HOPS = 20


def note_places(roots: list[Element]) -> None:
    """Writes into the spans of a file what `place_of` reads there; ``roots`` hold its styles and texts."""
    styles: dict[str, tuple[Place | None, str, str]] = {}
    for style in _named(roots, "style"):
        if attribute(style, "family") == "text":
            styles[attribute(style, "name")] = _of_style(style)
    looks = {name: _look(name, styles) for name in styles}
    for span in _named(roots, "span"):
        place, font = looks.get(attribute(span, "style-name"), ("line", ""))
        if place != "line":
            span.set(_PLACE, place)
        if font:
            span.set(_FONT, font)


def place_of(span: Element, place: Place, font: str) -> tuple[Place, str]:
    """Where the text of a span stands, and its font if that is one of symbols, inside what stands at ``place``."""
    given = span.get(_PLACE)
    return next((one for one in _PLACES if one == given), place), span.get(_FONT, font)


def _named(roots: Iterable[Element], name: str) -> Iterable[Element]:
    return (item for root in roots for item in root.iter() if local(item.tag) == name)


def _of_style(style: Element) -> tuple[Place | None, str, str]:
    """Place, font and parent that a style names."""
    place: Place | None = None
    font = ""
    for item in style:
        if local(item.tag) == "text-properties":
            rise = attribute(item, "text-position").split(" ")[0]
            if rise:
                number = rise.rstrip("%")
                is_line = not number.strip("-0.")
                place = "line" if is_line else "lowered" if rise == "sub" or number.startswith("-") else "raised"
            font = attribute(item, "font-name") or attribute(item, "font-family").strip("'\"")
    if attribute(style, "name").lower().startswith(_MARKS):
        place = "mark"
    return place, font, attribute(style, "parent-style-name")


def _look(name: str, styles: dict[str, tuple[Place | None, str, str]]) -> tuple[Place, str]:
    place: Place | None = None
    font = ""
    hops = 0
    while name in styles and hops < _HOPS:
        own, own_font, parent = styles[name]
        if place is None or (place == "raised" and own == "mark"):
            place = own
        font = font or own_font
        name, hops = parent, hops + 1
    return place or "line", font if is_symbol_font(font) else ""
