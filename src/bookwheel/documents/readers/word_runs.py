"""How a run of a Word document stands on its line, and in which font: by its own properties, else by its character style.

Source: ECMA-376, part 1, 17.3.2 (run properties).
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from .runs import Place
from .xml import attribute, local

__all__ = ["RunStyles"]

_PLACES: dict[str, Place] = {"superscript": "raised", "subscript": "lowered", "baseline": "line"}
_NOTES = ("footnotereference", "endnotereference")
_HOPS = 20


class RunStyles:
    """The character styles of a document, from its part ``styles``."""

    def __init__(self, styles: Element | None) -> None:
        self._places: dict[str, Place] = {}
        self._fonts: dict[str, str] = {}
        self._parents: dict[str, str] = {}
        for style in styles if styles is not None else ():
            if local(style.tag) != "style" or attribute(style, "type") != "character":
                continue
            identifier = attribute(style, "styleId")
            for item in style:
                name, value = local(item.tag), attribute(item, "val")
                if name == "name" and _is_note(value):
                    self._places[identifier] = "mark"
                elif name == "basedOn":
                    self._parents[identifier] = value
                elif name == "rPr":
                    place, font, _ = _of_properties(item)
                    if place is not None:
                        self._places.setdefault(identifier, place)
                    if font:
                        self._fonts[identifier] = font

    def look(self, run: Element) -> tuple[Place, str]:
        """The place of a run's text on its line, and its font (``""`` if that is the paragraph's)."""
        place: Place | None = None
        font = style = ""
        is_mark = False
        for item in run:
            name = local(item.tag)
            if name == "rPr":
                place, font, style = _of_properties(item)
            elif name in ("footnoteReference", "endnoteReference"):
                is_mark = True
        hops = 0
        while style and hops < _HOPS and not (place and font):
            of_style = self._places.get(style, "mark" if _is_note(style) else None)
            if place is None or (of_style == "mark" and place == "raised"):
                place = of_style
            font = font or self._fonts.get(style, "")
            style, hops = self._parents.get(style, ""), hops + 1
        return "mark" if is_mark else place or "line", font


def _of_properties(properties: Element) -> tuple[Place | None, str, str]:
    """Place, font and style that properties (``rPr``) name."""
    place: Place | None = None
    font = style = ""
    for item in properties:
        name = local(item.tag)
        if name == "vertAlign":
            place = _PLACES.get(attribute(item, "val"))
        elif name == "position" and place is None and (rise := attribute(item, "val")).lstrip("-").isdecimal():
            place = "lowered" if rise[:1] == "-" else "raised" if len(rise) > 1 or rise >= "4" else None  # half points
        elif name == "rFonts":
            font = attribute(item, "ascii") or attribute(item, "hAnsi")
        elif name == "rStyle":
            style = attribute(item, "val")
    return place, font, style


def _is_note(style: str) -> bool:
    return style.lower().replace(" ", "") in _NOTES
