"""The text of an article that a page hands to search engines, and shows by a script only."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

__all__ = ["article_of"]

_MOST = 1 << 20
_DEPTH = 5
_TAG = re.compile(r"<[^<>]{1,500}>")
_SPACE = re.compile(r"[ \t\r\f\v]+")


def article_of(tree: LexborHTMLParser) -> str:
    """The longest ``articleBody`` of the page's JSON-LD; ``""`` if there is none.

    Source: https://schema.org/articleBody.
    """
    longest = ""
    for node in tree.css('script[type="application/ld+json"]'):
        data = node.text()
        if "articleBody" not in data or len(data) > _MOST:
            continue
        try:
            found = json.loads(data, strict=False)
        except (ValueError, RecursionError):
            continue
        longest = max(longest, *_bodies(found, 0), key=len)
    if "<" in longest:
        longest = _TAG.sub(" ", longest)
    return "\n".join(line.strip() for line in _SPACE.sub(" ", longest).strip().split("\n"))


def _bodies(found: Any, depth: int) -> list[str]:
    bodies = [""]
    if depth > _DEPTH:
        return bodies
    if isinstance(found, list):
        for item in found:
            bodies.extend(_bodies(item, depth + 1))
    elif isinstance(found, dict):
        for name, value in found.items():
            if name == "articleBody" and isinstance(value, str):
                bodies.append(value)
            elif isinstance(value, dict | list):
                bodies.extend(_bodies(value, depth + 1))
    return bodies
