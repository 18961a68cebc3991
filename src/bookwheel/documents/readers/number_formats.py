"""What the formats of spreadsheets write around a number and into it: units, currencies, leading zeros.

Rounding, separators and colours are left out, since numbers are kept with all their digits.

Source: ECMA-376, part 1, 18.8.31 (number formats of Excel).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Figure", "Layout", "as_shown", "layouts", "written"]

_TOKEN = re.compile(
    r'"([^"]*)"|\\(.)|\[\$([^\]-]*)[^\]]*\]|\[[^\]]*\]|_.|\*.|(General|[0#?](?:[0#?,./]*[0#?])?)|(.)', re.DOTALL | re.IGNORECASE
)
_SECTION = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|.', re.DOTALL)
_CONDITION = re.compile(r"\[[<>=]")
_OTHER_VALUES = frozenset("%@/eE,")
"""What makes a section show something else than the number: shares, texts, fractions, powers, thousands."""
_LONGEST_CODE = 255
"""Characters of a format in Excel."""
_LONGEST = 40
"""Characters of what is written around or into a number, beyond which it is left out."""


_DIGITS = re.compile(r"\d(?:[\d.,'\u2019\s]*\d)?")


class Figure(str):
    """A cell that is a number, also where its unit stands with it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """What one section of a format writes."""

    before: str
    after: str
    mask: tuple[str, ...] = ()
    """Of formats made of zeros, such as ``00000`` or ``000-00``, the groups of places and, between them, what parts them."""


@lru_cache(256)
def layouts(code: str) -> tuple[Layout, ...]:
    """The layouts for positive numbers, negative ones and zero, as far as ``code`` has them; none if it writes only digits."""
    if len(code) > _LONGEST_CODE or _CONDITION.search(code):
        return ()
    found: list[Layout] = []
    for number, section in enumerate(_sections(code)[:3]):
        layout = _layout(section, negative=number == 1)
        if layout is None and not found:
            return ()
        found.append(layout or found[0])
    return tuple(found) if any(one.before or one.after or one.mask for one in found) else ()


def written(number: str, layout: tuple[Layout, ...]) -> str:
    """A number, given as it is shown without a format, with what the section for it writes."""
    minus = number.startswith("-")
    digits = number.removeprefix("-")
    at = 1 if minus else 2 if not digits.strip("0.") else 0
    chosen = layout[at] if at < len(layout) else layout[0]
    if chosen.mask and digits.isdecimal():
        digits = _filled(digits, chosen.mask)
    return f"{'-' if minus else ''}{chosen.before}{digits}{chosen.after}"


def as_shown(number: str, shown: str) -> str:
    """A number with all its digits, and with what stands around its rounded form in ``shown``: ``5`` and ``5,00 kg``: ``5 kg``.

    Where that shows another number, such as thousands or a date, ``number`` alone.
    """
    core = _DIGITS.search(shown)
    if core is None or not number.removeprefix("-").replace(".", "", 1).isdecimal():
        return number
    minus, digits = "-" if number.startswith("-") else "", number.removeprefix("-")
    before, after = shown[: core.start()], shown[core.end() :]
    if minus:
        before, after = (re.sub("[-\u2212()]", "", text) for text in (before, after))
    value = re.sub(r"\D", "", core[0])
    whole = digits.partition(".")[0]
    if any(one.isdecimal() for one in after) or len(before) + len(after) > _LONGEST:
        return number
    if not value.startswith((whole, str(round(float(digits))))) and value.lstrip("0") != digits:
        return number
    if digits.isdecimal() and value.lstrip("0") == digits and len(core[0]) == len(value):
        digits = value
    return Figure(f"{minus}{before.lstrip()}{digits}{after.rstrip()}") if before.strip() or after.strip() else minus + digits


def _sections(code: str) -> list[str]:
    sections = [""]
    for token in _SECTION.findall(code):
        if token == ";":
            sections.append("")
        else:
            sections[-1] += token
    return sections


def _layout(section: str, *, negative: bool) -> Layout | None:
    """None for a section that shows no number, or another one than the cell has."""
    places: list[str] = []
    texts = [""]
    for quoted, escaped, currency, place, other in _TOKEN.findall(section):
        if place:
            places.append(place)
            texts.append("")
        elif other in _OTHER_VALUES and other:
            return None
        else:
            texts[-1] += quoted or escaped or currency or other
    if not any(set(place) - set("?,./") for place in places):
        return None
    before, *between, after = texts
    if negative:  # the minus is kept; brackets stand for it
        before, after = (re.sub("[-()]", "", text) for text in (before, after))
    before, after = before.replace("+", "").lstrip(), after.rstrip()
    if len(before) + len(after) > _LONGEST:
        before = after = ""
    if places[0].startswith("0") and set("".join(places)) <= {"0", "#"} and (len(places) > 1 or len(places[0]) > 1):
        mask = [places[0]]
        for text, place in zip(between, places[1:], strict=True):
            mask += [text, place]
        return Layout(before, after, tuple(mask) if len("".join(mask)) <= _LONGEST else ())
    return Layout(before, after) if not "".join(between).strip() else None


def _filled(digits: str, mask: tuple[str, ...]) -> str:
    """Digits in the places of a mask, from the right; what is left over stands before the first."""
    parts: list[str] = []
    for at in range(len(mask) - 1, -1, -1):
        if at % 2:
            parts.append(mask[at])
            continue
        size = len(mask[at])
        here, digits = (digits, "") if not at else (digits[-size:], digits[:-size])
        zeros = mask[at][: max(0, size - len(here))].count("0")
        parts.append("0" * zeros + here)
    return "".join(reversed(parts))
