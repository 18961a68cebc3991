"""What an OpenDocument file does not show: by styles, by sections, by rows, columns, sheets and slides.

Source: OASIS OpenDocument 1.3, part 3, 20.191 (``table:display``), 20.335 (``text:display``) and presentation:visibility.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element

from .xml import attribute, local

__all__ = ["hidden_columns", "hidden_styles", "is_hidden_row", "take_hidden"]

_PROPERTIES = {
    "text-properties": ("display", "none"),
    "table-properties": ("display", "false"),
    "drawing-page-properties": ("visibility", "hidden"),
}
_NOT_SHOWN = ("collapse", "filter")
_MOST_COLUMNS = 16_384


def hidden_styles(roots: Iterable[Element]) -> frozenset[str]:
    """The names of the styles of what is not shown."""
    found: set[str] = set()
    for root in roots:
        for style in root.iter():
            if local(style.tag) != "style":
                continue
            for item in style:
                wanted = _PROPERTIES.get(local(item.tag))
                if wanted is not None and attribute(item, wanted[0]) == wanted[1]:
                    found.add(attribute(style, "name"))
    return frozenset(found)


def take_hidden(body: Element, styles: frozenset[str]) -> str:
    """The text of spans, paragraphs and sections below ``body`` that are not shown, which are emptied."""
    found: list[str] = []
    stack = [body]
    while stack:
        element = stack.pop()
        name = local(element.tag)
        styled = name in ("span", "p", "h") and attribute(element, "style-name") in styles
        if (
            styled
            or (name == "section" and attribute(element, "display") == "none")
            or name in ("hidden-text", "hidden-paragraph")
        ):
            text = " ".join("".join(element.itertext()).split()) or attribute(element, "string-value")
            if text:
                found.append(text)
            tail = element.tail
            element.clear()
            element.tail = tail
        else:
            stack.extend(reversed(element))
    return "\n".join(found)


def is_hidden_row(row: Element) -> bool:
    """Whether a row of a sheet is not shown."""
    return attribute(row, "visibility") in _NOT_SHOWN


def hidden_columns(table: Element) -> set[int]:
    """The numbers of the columns of a sheet that are not shown."""
    found: set[int] = set()
    number = 0
    for column in table.iter():
        if local(column.tag) == "table-column":
            given = attribute(column, "number-columns-repeated")
            count = min(int(given), _MOST_COLUMNS) if given.isdecimal() and len(given) < 9 else 1
            if attribute(column, "visibility") in _NOT_SHOWN:
                found.update(range(number + 1, min(number + count, _MOST_COLUMNS) + 1))
            number += count
        elif local(column.tag) == "table-row":
            break
    return found
