"""What an OpenDocument file raises and lowers by styles, so that no digit of it joins the number before it.

Source: OASIS OpenDocument 1.3, part 3, 20.394 (``style:text-position``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree.ElementTree import Element

from ..raised import ASIDE, lowered, raised
from .xml import attribute, local

__all__ = ["write_raised"]

_POSITION = re.compile(r"\s*(super|sub|-?\d+(?:\.\d+)?%)")
_LONGEST = 16
"""Characters of what is raised."""


def write_raised(body: Element, roots: Iterable[Element]) -> None:
    """Puts ``^6`` and the like in place of what is shifted by the styles in ``roots``, in each paragraph below ``body``."""
    styles = _shifting(roots)
    if not styles:
        return
    before = ""
    stack: list[Element | str] = [body]
    while stack:
        element = stack.pop()
        if isinstance(element, str):
            before = (before + element)[-ASIDE:]
            continue
        name = local(element.tag)
        if name in ("p", "h"):
            before = ""
        elif name in ("s", "tab", "line-break"):
            before += " "
        kind = styles.get(attribute(element, "style-name"), "") if name == "span" else ""
        text = (element.text or "").strip()
        if kind and 0 < len(text) <= _LONGEST and not len(element) and before and not before[-1].isspace():
            after = (element.tail or "")[:ASIDE]
            element.text = raised(before, text, after) if kind == "sup" else lowered(before, text)
        stack.append(element.tail or "")
        stack.extend(reversed(element))
        stack.append(element.text or "")


def _shifting(roots: Iterable[Element]) -> dict[str, str]:
    found: dict[str, str] = {}
    for root in roots:
        for style in root.iter():
            if local(style.tag) != "style":
                continue
            for item in style:
                if local(item.tag) == "text-properties" and (match := _POSITION.match(attribute(item, "text-position"))):
                    given = match.group(1)
                    if given.lstrip("-0.").rstrip("%"):
                        found[attribute(style, "name")] = "sub" if given[0] == "-" or given == "sub" else "sup"
    return found
