"""The numbers and bullets that Word writes before paragraphs, and which paragraphs are headings: by styles and lists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from .xml import attribute, local

__all__ = ["Numbering", "hides", "letters", "roman"]

_LEVELS = 9
_PLACE = re.compile(r"%([1-9])")
_HEADING = ("title", "heading", "berschrift", "titre", "titel", "titolo", "überschrift", "título", "rubrik", "otsikko", "kop")
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"))
_ROMAN_SMALL = ((9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


@dataclass(slots=True)
class _Level:
    start: int = 1
    format: str = "decimal"
    text: str = ""


class Numbering:
    """Counts the paragraphs of each list as they come."""

    def __init__(self, numbering: Element | None, styles: Element | None) -> None:
        abstract: dict[str, list[_Level]] = {}
        self._lists: dict[str, list[_Level]] = {}
        self._kinds: dict[str, str] = {}
        """The definition of each list: lists of the same one count on."""
        by_style: dict[str, tuple[str, int]] = {}
        for item in numbering if numbering is not None else ():
            name, given = local(item.tag), ""
            if name == "abstractNum":
                given = attribute(item, "abstractNumId")
                abstract[given] = _levels(item, [_Level() for _ in range(_LEVELS)])
                for level in item:
                    if local(level.tag) == "lvl":
                        for one in level:
                            if local(one.tag) == "pStyle":
                                by_style[attribute(one, "val")] = (given, _number(attribute(level, "ilvl")))
            elif name == "num":
                number = attribute(item, "numId")
                kind = next((attribute(one, "val") for one in item if local(one.tag) == "abstractNumId"), "")
                levels = abstract.get(kind, [_Level() for _ in range(_LEVELS)])
                overrides = [one for one in item if local(one.tag) == "lvlOverride"]
                if overrides:
                    levels = [_Level(one.start, one.format, one.text) for one in levels]
                    for one in overrides:
                        _levels(one, levels)
                        for start in one:
                            if local(start.tag) == "startOverride":
                                levels[_number(attribute(one, "ilvl"))].start = _start(attribute(start, "val"))
                self._lists[number] = levels
                self._kinds[number] = f"{kind} {number}" if overrides else kind
        self._counts: dict[str, list[int]] = {}
        self._styles: dict[str, tuple[str, str, int, str]] = {}
        """Name, list, level and parent of each style."""
        self._outlines: dict[str, int] = {}
        """The level of the headings of each style that names one."""
        self._hidden: set[str] = set()
        """Styles of hidden text."""
        for item in styles if styles is not None else ():
            if local(item.tag) != "style":
                continue
            if any(local(one.tag) == "rPr" and hides(one) for one in item):
                self._hidden.add(attribute(item, "styleId"))
            if attribute(item, "type") == "paragraph":
                self._add_style(item, by_style)

    def _add_style(self, item: Element, by_style: dict[str, tuple[str, int]]) -> None:
        identifier = attribute(item, "styleId")
        name = parent = number = ""
        level = 0
        for one in item:
            tag = local(one.tag)
            if tag == "name":
                name = attribute(one, "val")
            elif tag == "basedOn":
                parent = attribute(one, "val")
            elif tag == "pPr":
                number, level = _of_properties(one, "", 0)
                for inner in one:
                    if local(inner.tag) == "outlineLvl":
                        self._outlines[identifier] = _outline(attribute(inner, "val"))
        if number and identifier in by_style and self._kinds.get(number, "").split(" ")[0] == by_style[identifier][0]:
            level = by_style[identifier][1]
        self._styles[identifier] = (name, number, level, parent)

    def _style(self, properties: Element | None) -> str:
        for item in properties if properties is not None else ():
            if local(item.tag) == "pStyle":
                return attribute(item, "val")
        return ""

    def is_heading(self, properties: Element | None) -> bool:
        """Whether a paragraph with these properties is a title or heading."""
        style = self._style(properties)
        return any(name.lower().startswith(_HEADING) for name in (style, self._styles.get(style, ("", "", 0, ""))[0]) if name)

    def heading_level(self, properties: Element | None) -> int:
        """The level of a paragraph with these properties among the headings, from 1; 0 if it is none."""
        style = self._style(properties)
        hops = 0
        for item in properties if properties is not None else ():
            if local(item.tag) == "outlineLvl":
                return _outline(attribute(item, "val"))
        while style and hops < 20:
            name, _, _, parent = self._styles.get(style, (style, "", 0, ""))
            if level := self._outlines.get(style, 0):
                return level
            for called in (name, style):
                if called.lower().startswith(_HEADING):
                    digits = called[-1:]
                    return int(digits) if digits.isdecimal() and digits != "0" else 1
            style, hops = parent, hops + 1
        return 0

    def is_hidden(self, properties: Element | None) -> bool:
        """Whether runs or paragraphs with these properties (``rPr`` or ``pPr``) are hidden by their style."""
        for item in properties if properties is not None else ():
            if local(item.tag) in ("rStyle", "pStyle"):
                return attribute(item, "val") in self._hidden
        return False

    def next(self, properties: Element | None) -> str:
        """The number or bullet of the next paragraph, which has these properties; ``""`` if none."""
        if not self._lists:
            return ""
        number, level = "", 0
        style, hops = self._style(properties), 0
        while style and hops < 20:
            _, number, level, parent = self._styles.get(style, ("", "", 0, ""))
            if number:
                break
            style, hops = parent, hops + 1
        if properties is not None:
            number, level = _of_properties(properties, number, level)
        levels = self._lists.get(number)
        if levels is None:
            return ""
        counts = self._counts.setdefault(self._kinds[number], [0] * _LEVELS)
        counts[level] = counts[level] + 1 if counts[level] else levels[level].start
        for deeper in range(level + 1, _LEVELS):
            counts[deeper] = 0
        if levels[level].format == "bullet":
            return "•"
        if levels[level].format == "none" and "%" not in levels[level].text:
            return levels[level].text.strip()

        def shown(match: re.Match[str]) -> str:
            at = int(match.group(1)) - 1
            return _written(counts[at] or levels[at].start, levels[at].format)

        return _PLACE.sub(shown, levels[level].text).strip()


def hides(properties: Element) -> str:
    """Why runs with these properties (``rPr``) are not seen; ``""`` if they are."""
    for item in properties:
        name, value = local(item.tag), attribute(item, "val")
        if name in ("vanish", "specVanish") and value not in ("0", "false", "off"):
            return "hidden text"
        if name == "sz" and value.isdecimal() and len(value) < 5 and int(value) <= 2:  # half points
            return "text of a point's height"
    return ""


def _outline(given: str) -> int:
    return int(given) + 1 if given in tuple("012345678") else 0


def _levels(item: Element, levels: list[_Level]) -> list[_Level]:
    for level in item:
        if local(level.tag) == "lvl":
            one = levels[_number(attribute(level, "ilvl"))]
            for value in level:
                name, given = local(value.tag), attribute(value, "val")
                if name == "start" and given.isdecimal() and len(given) < 7:
                    one.start = int(given)
                elif name == "numFmt":
                    one.format = given
                elif name == "lvlText":
                    one.text = given[:100]
    return levels


def _of_properties(properties: Element, number: str, level: int) -> tuple[str, int]:
    for item in properties:
        if local(item.tag) == "numPr":
            for one in item:
                if local(one.tag) == "numId":
                    number = attribute(one, "val")
                elif local(one.tag) == "ilvl":
                    level = _number(attribute(one, "val"))
    return number, level


def _number(given: str) -> int:
    return min(int(given), _LEVELS - 1) if given.isdecimal() and len(given) < 4 else 0


def _start(given: str) -> int:
    return int(given) if given.isdecimal() and len(given) < 7 else 1


def _written(number: int, form: str) -> str:
    if form in ("lowerLetter", "upperLetter"):
        return letters(number) if form == "lowerLetter" else letters(number).upper()
    if form in ("lowerRoman", "upperRoman"):
        return roman(number) if form == "lowerRoman" else roman(number).upper()
    if form == "decimalZero":
        return f"{number:02}"
    return "" if form == "none" else str(number)


def letters(number: int) -> str:
    """As Word counts in letters: a … z, aa, bb …"""
    return chr(97 + (number - 1) % 26) * min(1 + (number - 1) // 26, 10) if number > 0 else ""


def roman(number: int) -> str:
    """``4`` -> ``"iv"``; plain digits from 4,000 on."""
    if not 0 < number < 4000:
        return str(number)
    parts: list[str] = []
    for value, sign in (*_ROMAN, *_ROMAN_SMALL):
        count, number = divmod(number, value)
        parts.append(sign * count)
    return "".join(parts)
